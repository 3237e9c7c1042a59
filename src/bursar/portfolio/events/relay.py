"""The relay: what commits left in the outbox goes to the bus, in order, at least once.

Every commit leaves one row. A row makes `portfolio.committed`, `portfolio.restated` where it
changed figures of the past, and `position.opened` and `position.closed`. Their ids come from the
row's, so that whoever hears one twice knows it. What was said beside commits (`saying`) follows.

How far it has come is kept in two places: in the store, and by the bus, which loses its note with
its events. The nearer of the two counts. So a relay that died goes on where it was, and a bus that
was flushed is filled again, with as many of the newest commits as it keeps. What was said waits for
a bus that others hear, once there ever was one: one inside a process tells it there and leaves it.

Errors: `BusDown` and what the store raises; nothing is lost, `once` again goes on.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from bursar.desk.moves import Move
from bursar.errors import BusError, SchemaNewer, StoreCorrupt, StoreError
from bursar.events import Envelope
from bursar.events.catalog import write
from bursar.events.outgoing import Committed, Outgoing, PositionMoved, Restated, Restatement
from bursar.exact import unsigned
from bursar.portfolio.events import saying
from bursar.ports import Bus, OutboxRow, Pause, PortfolioStore

SOURCE: Final = "bursar"
BATCH: Final = 500
KEPT: Final = 10_000
EVERY_MS: Final = 250
_MARK: Final = "relay "
_HEARD: Final = "bus of others"
_ZERO: Final = Decimal(0)


class _Cause(msgspec.Struct, frozen=True):
    correlation_id: str = ""


class _Body(msgspec.Struct, frozen=True):
    """What a commit's message tells."""

    version: int = 0
    first_seq: int = 0
    last_seq: int = 0
    hash: str = ""
    restated: tuple[Restatement, ...] = ()
    moved: tuple[Move, ...] = ()
    event: str = ""
    correlation_id: str = ""
    transaction: _Cause = _Cause()


_BODY: Final = msgspec.json.Decoder(_Body)


def topic_of(portfolio: str) -> str:
    """Return the topic that a portfolio tells on."""
    return f"out:{portfolio}"


class Relay:
    """Publishes one portfolio's outbox. There should be one of them for a portfolio."""

    def __init__(self, store: PortfolioStore, bus: Bus, *, kept: int = KEPT) -> None:
        self.topic = topic_of(store.portfolio)
        self._store = store
        self._bus = bus
        self._kept = kept
        self._is_inside = False
        self._said: frozenset[str] = frozenset()

    async def run(self, pause: Pause) -> None:
        """Publish what is due, again and again, until this is cancelled.

        Raises:
            StoreCorrupt, SchemaNewer: waiting mends neither.
        """
        while True:
            try:
                while await self.once():
                    pass
            except (StoreCorrupt, SchemaNewer):
                raise
            except (BusError, StoreError):  # away, full, an answer lost: they come back
                pass
            await pause(EVERY_MS)

    async def once(self) -> int:
        """Publish some of what is due, and return of how many commits; 0 when all is told."""
        after = await self._reached()
        rows = self._store.outbox(after, BATCH)
        if rows:
            last = rows[-1].number
            told = [event for row in rows for event in events_of(row, self._store.portfolio)]
            await self._bus.publish(self.topic, told, upto=last)
            self._store.save_memos({self._mark: str(last)})
        await self._say()
        return len(rows)

    @property
    def _mark(self) -> str:
        return f"{_MARK}{self.topic}"

    async def _reached(self) -> int:
        """Return the last commit that was told and is still there to be read."""
        own = int(self._store.memo(self._mark) or 0)
        its = await self._bus.reached(self.topic)
        self._is_inside = its is None
        if its is None or its >= own:
            return own
        return max(its, self._store.head().version - self._kept, 0)

    async def _say(self) -> None:
        said = saying.waiting(self._store)
        due = [event for name, event in said.items() if name not in self._said]
        if due:
            await self._bus.publish(self.topic, due)
        known = self._store.memo(_HEARD) if said or not self._is_inside else None
        if self._is_inside and known:
            self._said = frozenset(said)  # whoever others hear has yet to tell it
            return
        heard = saying.Memos() if self._is_inside or known else {_HEARD: self.topic}
        if said or heard:
            self._store.save_memos({**dict.fromkeys(said), **heard})


def events_of(row: OutboxRow, portfolio: str) -> Iterator[Envelope]:
    """Yield the events that a commit's message makes."""
    body, key = _BODY.decode(row.message.body), row.message.id

    def event(name: str, told: Outgoing, part: str = "") -> Envelope:
        return Envelope(
            id=f"{key}{part}",
            type=name,
            source=SOURCE,
            time=row.created_at,
            portfolio=portfolio,
            correlation_id=body.correlation_id or body.transaction.correlation_id,
            causation_id=body.event if not part else key,
            data=write(told),
        )

    place: dict[str, Any] = {
        "version": row.version,
        "first_seq": body.first_seq,
        "last_seq": body.last_seq,
        "hash": body.hash,
    }
    yield event("portfolio.committed", Committed(**place))
    if body.restated:
        yield event("portfolio.restated", Restated(**place, restated=body.restated), ":restated")
    for number, move in enumerate(body.moved):
        name = "position.opened" if move.is_opened else "position.closed"
        yield event(name, _position(move, row.version), f":{number}")


def _position(move: Move, version: int) -> PositionMoved:
    return PositionMoved(
        account=move.account,
        symbol=move.symbol,
        side="LONG" if move.quantity > _ZERO else "SHORT",
        quantity=unsigned(move.quantity),
        entry_price=move.entry_price,
        realized_pnl=move.realized,
        version=version,
        is_margin=move.is_margin,
    )
