"""Saying: events that no commit makes and that must not be lost: drifts, activity, decisions.

Each waits as a memo until the relay has told it, so it survives a crash; `memo_of` lets it be kept
in one transaction with whatever gave cause for it.

Errors: what the store raises.
"""

from typing import Final

import msgspec

from bursar.events import Envelope
from bursar.events.catalog import write
from bursar.events.outgoing import Outgoing
from bursar.ports import PortfolioStore

_WAITING: Final = "say "
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Envelope)


def memo_of(
    portfolio: str, name: str, told: Outgoing, *, at: int, correlation_id: str = ""
) -> dict[str, str | None]:
    """Return the memo under which an event waits to be told; the same again is the same event."""
    place = f"{at:020d} {name}"
    event = Envelope(
        id=f"{portfolio} {place}",
        type=name,
        source="bursar",
        time=at,
        portfolio=portfolio,
        correlation_id=correlation_id,
        data=write(told),
    )
    return {f"{_WAITING}{place}": _ENCODER.encode(event).decode()}


def say(store: PortfolioStore, name: str, told: Outgoing, *, at: int) -> None:
    """Let an event wait to be told."""
    store.save_memos(memo_of(store.portfolio, name, told, at=at))


def waiting(store: PortfolioStore) -> dict[str, Envelope]:
    """Return what waits to be told by the name of its memo, the oldest first."""
    return {name: _DECODER.decode(text) for name, text in store.memos(_WAITING).items()}
