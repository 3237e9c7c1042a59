"""Following a venue: its history comes into the journal, chunk by chunk, and then what is missing.

A chunk's statements and the mark behind them land together, so that a sync which dies goes on where
it was. The mark is only an opinion about what need not be asked again: told twice, a statement is
a duplicate. Which prices the new facts lack lands with them too; they are asked for soon after. One
that the venue cannot tell is not asked for again, unless it is so young that it may still come.

Errors: `VenueError`, with everything kept that had landed; those of the desk.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from bursar.desk import Desk, Staged
from bursar.errors import StaleVersion
from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry, CashFlow, Conversion, Fill, Flag, MarginFill
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.ledger.prices import Prices
from bursar.ledger.pricing import priced, wanted
from bursar.ports import Chunk, PriceWanted, Progress, Venue

CHUNKS_HELD: Final = 20
"""How many chunks land in one commit; as many at most are fetched again after a kill."""

DUE_MAX: Final = 500
"""How many prices may wait before they are asked for."""

YOUNG: Final = 2 * 3_600 * instant.SECOND
"""For so long after an instant a venue may still come to know a price of it."""

_TRIES: Final = 5
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(list[PriceWanted])


class Gained(msgspec.Struct):
    """What following brought.

    The `is_first` sync of an account restates nothing, since nothing was published.
    """

    is_first: bool = False
    entries: int = 0
    trades: int = 0
    flows: int = 0
    pairs: set[str] = msgspec.field(default_factory=set)
    restated: list[str] = msgspec.field(default_factory=list)
    conflicts: list[str] = msgspec.field(default_factory=list)
    facts: list[Fact] = msgspec.field(default_factory=list)
    priced: int = 0


async def follow(
    desk: Desk, venue: Venue, gained: Gained, progress: Progress | None = None
) -> None:
    """Bring in what a venue has had to tell since the last time, prices included.

    `gained` counts what has landed, also where this ends in an error.
    """
    following = _Following(desk, venue, gained)
    async for chunk in venue.history(following.mark):
        if progress is not None:
            progress(f"fetching {chunk.what}", chunk.done, chunk.total)
        following.take(chunk)
        if len(following.due) > DUE_MAX:
            await following.ask_prices(progress)
    following.land()
    if following.due:
        await following.ask_prices(progress)


class _Following:
    """One account while it is followed. `due` are the prices that its facts lack."""

    def __init__(self, desk: Desk, venue: Venue, gained: Gained) -> None:
        self._desk = desk
        self._venue = venue
        self._gained = gained
        self._held: list[Chunk] = []
        self._sync, self._prices = f"sync {venue.account}", f"prices {venue.account}"
        self.mark = desk.store.memo(self._sync)
        gained.is_first = gained.is_first or self.mark is None
        self.due = set(_DECODER.decode(desk.store.memo(self._prices) or "[]"))
        if self.mark is None:  # what its exports told came without anyone to ask
            self.due |= _wanted(desk.timeline, desk, venue.account)

    def take(self, chunk: Chunk) -> None:
        """Hold a chunk, and land what is held when it is enough."""
        self._held.append(chunk)
        if len(self._held) >= CHUNKS_HELD:
            self.land()

    def land(self) -> None:
        """Land what is held with its mark, if that says anything new."""
        held, self._held = self._held, []
        told = [statement for chunk in held for statement in chunk.statements]
        if not held or not (told or held[-1].mark != self.mark):
            return
        staged = self._commit(told, held[-1].mark)
        self.mark = held[-1].mark
        if staged is not None:
            _count(self._desk, staged, self._gained)
            if not self._gained.is_first:
                self._gained.restated += self._desk.review(staged).restated

    async def ask_prices(self, progress: Progress | None) -> None:
        """Ask for the prices that are due, and land those that the venue tells."""
        asked = sorted(self.due, key=lambda each: (each.at, each.asset))
        if progress is not None:
            progress("asking for past prices", 0, len(asked))
        prices = await self._venue.prices(asked)
        told = {(each.asset, each.executed_at) for each in prices}
        last = self._desk.clock.now() - YOUNG
        self.due = {each for each in asked if each.at > last and (each.asset, each.at) not in told}
        staged = self._commit(prices, self.mark)
        self._gained.priced += len(prices)
        if staged is not None:
            _count(self._desk, staged, self._gained)

    def _commit(self, told: Sequence[AnyEntry], mark: str | None) -> Staged | None:
        """Commit statements and memos together. Another writer in between costs another try."""
        for _ in range(_TRIES):
            due = set(self.due)
            staged: Staged | None = None
            try:
                with self._desk.store.grouped():
                    if told:
                        staged = self._desk.stage(told)
                        self._desk.commit(staged)
                        due |= _wanted(staged.plan.course.added, self._desk, self._venue.account)
                    self._desk.store.save_memos({self._sync: mark, self._prices: _listed(due)})
            except StaleVersion:
                self._desk.reload()
                continue
            except BaseException:
                self._desk.reload()
                raise
            self.due = due
            return staged
        raise StaleVersion(f"other writers were first {_TRIES} times in a row; sync again")


def _listed(due: set[PriceWanted]) -> str | None:
    told = sorted(due, key=lambda each: (each.at, each.asset))
    return _ENCODER.encode(told).decode() if told else None


def _count(desk: Desk, staged: Staged, gained: Gained) -> None:
    review, course = desk.review(staged), staged.plan.course
    known = {fact.id for fact in course.removed}
    fresh = [fact for fact in course.added if fact.id not in known]
    gained.entries += review.recorded
    gained.conflicts += review.conflicts
    gained.trades += sum(isinstance(fact, Fill | MarginFill) for fact in fresh)
    gained.flows += sum(isinstance(fact, CashFlow) for fact in fresh)
    gained.pairs |= {
        fact.pair or f"{fact.base}/{fact.quote}"
        for fact in fresh
        if isinstance(fact, Fill | MarginFill) and fact.base
    }
    gained.facts = [fact for fact in gained.facts if fact.id not in known] + list(course.added)


def _wanted(facts: Iterable[Fact], desk: Desk, account: str) -> set[PriceWanted]:
    """Return the prices that the facts of an account lack.

    A price of another instant does not do: which there is depends on when was asked, and the same
    history must always make the same book.
    """
    base, known = desk.head.terms.base, desk.timeline.notes.prices
    cash = {canonical(asset) for asset in desk.head.terms.cash}
    nothing = Prices(known.base, known.cash)
    own = ((fact, desk.timeline.raw.get(fact.id)) for fact in facts if fact.account == account)
    return {
        PriceWanted(asset, base, fact.executed_at)
        for fact, raw in own
        if Flag.UNPRICED in (fact if raw is None else priced(raw, nothing)).flags
        for asset in _deciding(fact)
        if asset not in cash and not known.told(asset, fact.executed_at)
    }


def _deciding(fact: Fact) -> Iterator[str]:
    """Yield the assets whose price would do: of a trade the quote, since it values both legs."""
    if isinstance(fact, Fill):
        yield canonical(fact.quote)
        yield from (canonical(fee.asset) for fee in fact.fees)
    elif isinstance(fact, Conversion):
        yield from (canonical(leg.asset) for leg in (*fact.given, *fact.taken))
        yield from (canonical(fee.asset) for fee in fact.fees)
    else:
        yield from wanted(fact)
