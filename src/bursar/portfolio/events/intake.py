"""The intake: events that were delivered at least once have their effect once.

Each event is noted in the inbox, in the same commit as the fact it states, or with the others of
its batch where it states none. Delivered again it finds its note and changes nothing. A batch is
durable as a whole or not at all; each fact in it has its own version and message all the same.

The inbox may be cut: a fact's own id keeps it from being booked twice for ever.

Prices are not noted: told again, a price is the same price.

Errors: `InputError` from `check`; `KeyReused` for an event id that stood for other data; what the
desk raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.capital.regimes import Telling
from bursar.desk.desk import Beside
from bursar.errors import KeyReused
from bursar.events import Envelope
from bursar.events.catalog import read
from bursar.events.incoming import EssTripped, Incoming, MarketRegime, MarketTick, moment
from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry
from bursar.portfolio import regimes
from bursar.portfolio.events.facts import Believed, Family, Pairs, account_of, stated
from bursar.ports import PortfolioStore
from bursar.value.marks import Mark, Standing

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio

INBOX: Final = "inbox "
KEPT_DAYS: Final = 30
_CHUNK: Final = 1_000


class Heard(msgspec.Struct):
    """What a batch of events came to.

    `woken` are accounts whose venue has news; `has_tripped` asks for everything to be measured
    anew; `regimes` counts what was told of the market's; `marks` are the latest prices told.
    `again` counts deliveries of what was known.
    """

    booked: int = 0
    again: int = 0
    conflicts: int = 0
    passed_over: int = 0
    has_tripped: bool = False
    regimes: int = 0
    woken: set[str] = msgspec.field(default_factory=set)
    marks: dict[str, Mark] = msgspec.field(default_factory=dict)


Listener = Callable[[Heard], None]


class Intake:
    """Takes events into one portfolio; what a `bus.consume` hands to. One thread at a time."""

    def __init__(
        self,
        portfolio: Portfolio,
        pairs: Pairs,
        *,
        believed: Believed | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.portfolio = portfolio
        self.believed = believed or Believed()
        self._pairs = pairs
        self._listener = listener

    def check(self, event: Envelope) -> None:
        """Refuse an event that will never be one of its type."""
        told = read(event)
        if isinstance(told, MarketTick):
            self._pairs(told.symbol)
        elif told is not None and not isinstance(told, EssTripped | MarketRegime):
            self._stated(event, told)

    async def handle(self, events: Sequence[Envelope]) -> None:
        """Take events in and tell the listener what came of it."""
        heard = self.take(events)
        if self._listener is not None:
            self._listener(heard)

    def take(self, events: Sequence[Envelope]) -> Heard:
        """Take a batch in: all of it or nothing."""
        heard = Heard()
        lasting: list[tuple[Envelope, Incoming | None]] = []
        for event in events:
            if event.portfolio not in {"", self.portfolio.desk.store.portfolio}:
                heard.passed_over += 1
                continue
            told = read(event)
            if isinstance(told, MarketTick):
                self._priced(event, told, heard)
            else:
                lasting.append((event, told))
        if lasting:
            self._keep(lasting, heard)
        if heard.marks:
            self.portfolio.see(heard.marks.values())
        return heard

    def _keep(self, events: Iterable[tuple[Envelope, Incoming | None]], heard: Heard) -> None:
        desk = self.portfolio.writer
        notes: dict[str, str | None] = {}
        with desk.alone():
            for event, told in events:
                self._keep_one(event, told, heard, notes)
            if notes:
                desk.store.save_memos(notes)

    def _keep_one(
        self, event: Envelope, told: Incoming | None, heard: Heard, notes: dict[str, str | None]
    ) -> None:
        """Book what an event states with its note; note what states nothing for later."""
        desk = self.portfolio.writer
        name, note = noted(event)
        known = notes.get(name) or desk.store.memo(name)
        if known is not None:
            require_same(event, known, note)
            heard.again += 1
            return
        notes[name] = note
        if told is None:
            heard.passed_over += 1
            return
        if isinstance(told, EssTripped):
            heard.has_tripped = True
            return
        if isinstance(told, MarketRegime):
            known = notes.get(regimes.MEMO) or desk.store.memo(regimes.MEMO)
            notes |= regimes.keeping(known, _regime(event, told))
            heard.regimes += 1
            return
        account, family, entry = self._stated(event, told)
        if family is Family.NONE:
            heard.woken.add(account)
        if entry is None:
            heard.passed_over += family is not Family.NONE
            return
        staged = desk.stage((entry,))
        if staged.plan.is_empty:  # another event has told it
            heard.again += 1
            return
        told_besides = {"event": event.id, "correlation_id": event.correlation_id or event.id}
        receipt = desk.commit(staged, Beside({name: notes.pop(name)}, told_besides))
        heard.conflicts += len(receipt.review.conflicts)
        heard.booked += receipt.review.recorded

    def _stated(self, event: Envelope, told: Incoming) -> tuple[str, Family, AnyEntry | None]:
        assert not isinstance(told, EssTripped | MarketTick | MarketRegime), "of no account"
        account = account_of(told, self.believed.account)
        family = self.believed.family(account, self.portfolio.terms)
        return account, family, stated(event, told, account, family, self._pairs)

    def _priced(self, event: Envelope, tick: MarketTick, heard: Heard) -> None:
        """Keep the latest price of a symbol."""
        base, quote = self._pairs(tick.symbol)
        at = moment(tick.timestamp, event.time)
        mark = Mark(base, quote, tick.price, f"tick of {event.source}", at, Standing.VENUE)
        last = heard.marks.get(mark.pair)
        if last is None or last.at <= at:
            heard.marks[mark.pair] = mark


def _regime(event: Envelope, told: MarketRegime) -> Telling:
    return Telling(
        name=told.regime,
        at=moment(told.timestamp, event.time),
        by=f"{event.source} {event.id}",
        reason=told.reason or "",
    )


def noted(event: Envelope) -> tuple[str, str]:
    """Return name and text of an event's note: when it happened, and a digest of what it said."""
    digest = sha256(f"{event.type}\n{event.data}".encode()).hexdigest()[:16]
    source = event.source.replace("%", "%25").replace(" ", "%20")  # no two of them give one name
    return f"{INBOX}{source} {event.id}", f"{event.time} {digest}"


def require_same(event: Envelope, known: str, note: str) -> None:
    """Refuse an event under whose id another was taken in.

    Raises:
        KeyReused: what it says is not what was said under its id.
    """
    if known.partition(" ")[2] != note.partition(" ")[2]:
        raise KeyReused(
            f"{event.source} has told another {event.type} under the id {event.id!r}", key=event.id
        )


def prune(store: PortfolioStore, now: int, days: int = KEPT_DAYS) -> int:
    """Take notes out of the inbox that are older than that, and return how many. O(notes)."""
    before = now - days * instant.DAY
    notes = store.memos(INBOX)
    old = [name for name, note in notes.items() if int(note.partition(" ")[0]) < before]
    for start in range(0, len(old), _CHUNK):
        store.save_memos(dict.fromkeys(old[start : start + _CHUNK]))
    return len(old)
