"""What a venue says beside its answers: kept in the client, the last hundred, for whoever asks."""

from typing import Final

import msgspec

NOTICES_MAX: Final = 100


class Notice(msgspec.Struct, frozen=True):
    """What a venue said beside, or instead of, an answer, when, and to which endpoint."""

    at: int
    endpoint: str
    text: str
