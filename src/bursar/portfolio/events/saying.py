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

Memos = dict[str, str | None]

WAITING_MAX: Final = 1_000
_WAITING: Final = "say "
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Envelope)


def memo_of(store: PortfolioStore, name: str, told: Outgoing, *, at: int) -> Memos:
    """Return the memos that let an event wait to be told; the same again is the same event.

    Where nobody ever tells them, only the newest `WAITING_MAX` are kept.
    """
    portfolio, place = store.portfolio, f"{at:020d} {name}"
    event = Envelope(
        id=f"{portfolio} {place}",
        type=name,
        source="bursar",
        time=at,
        portfolio=portfolio,
        data=write(told),
    )
    oldest = list(store.memos(_WAITING))[: -WAITING_MAX + 1]
    return {**dict.fromkeys(oldest), f"{_WAITING}{place}": _ENCODER.encode(event).decode()}


def say(store: PortfolioStore, name: str, told: Outgoing, *, at: int) -> None:
    """Let an event wait to be told."""
    store.save_memos(memo_of(store, name, told, at=at))


def waiting(store: PortfolioStore) -> dict[str, Envelope]:
    """Return what waits to be told by the name of its memo, the oldest first."""
    return {name: _DECODER.decode(text) for name, text in store.memos(_WAITING).items()}
