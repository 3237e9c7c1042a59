"""The mark of a history as text: canonical JSON, one text for one place.

Each venue says what a place is; all of them are read back in the same way, and refused alike when
they are of another account or were written by another version.

Errors: `Malformed`, for a mark that is none, of another account, or of another version.
"""

from typing import Final, Protocol, TypeVar

import msgspec

from bursar.errors import Malformed

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Marked(Protocol):
    """What every place says of itself."""

    @property
    def version(self) -> int:
        """Return which way of reading it belongs to."""
        ...

    @property
    def account(self) -> str:
        """Return whose history it is a place in."""
        ...


_P = TypeVar("_P", bound=Marked)


def written(place: Marked) -> str:
    """Return a place as a mark."""
    return _ENCODER.encode(place).decode()


def placed(mark: str, decoder: msgspec.json.Decoder[_P], account: str, version: int) -> _P:
    """Return the place that a mark of this account and version tells of."""
    try:
        place = decoder.decode(mark)
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise Malformed("the mark of the last sync is none; sync from the beginning") from None
    if place.version != version or place.account != account:
        raise Malformed(
            f"the mark of the last sync is of {place.account}, version {place.version}; sync"
            f" {account} from the beginning",
            account=account,
        )
    return place
