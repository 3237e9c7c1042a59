"""Following a venue: its history comes into the journal, and with it the prices that it lacks.

Statements land together with the prices of their facts and with the mark behind them, so that a
sync which dies goes on where it was, and no fact is published without a price that the venue knows.
The mark is only an opinion about what need not be asked again: told twice, a statement is a
duplicate. Where prices cannot be had, the statements land all the same, and which ones are missing
lands with them, for the next sync. So does what nobody's strategy did, until somebody says that
it was told. A price that the venue cannot tell is not asked for again,
unless it is so young that it may still come, or all that lack one are asked for anew.

Errors: `VenueError`, with everything kept that had landed; those of the desk.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from bursar.desk import Desk, Review, Sketch, sketch, stage_over, unpriced, unswept
from bursar.ledger import instant
from bursar.ledger.course import Course
from bursar.ledger.entries import CashFlow, Conversion, Fill, MarginFill, Price
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.ledger.pricing import wanted
from bursar.portfolio import external
from bursar.ports import Chunk, PriceWanted, Progress, Venue

CHUNKS_HELD: Final = 20
"""How many chunks land in one commit; as many at most are fetched again after a kill."""

YOUNG: Final = 2 * instant.HOUR
"""For so long after an instant a venue may still come to know a price of it."""

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(list[PriceWanted])


class Gained(msgspec.Struct):
    """What following brought.

    The `is_first` sync of an account restates nothing, since nothing was published, and nothing of
    it is external activity. It is the first until one has come to its end.
    """

    is_first: bool = False
    entries: int = 0
    trades: int = 0
    flows: int = 0
    pairs: set[str] = msgspec.field(default_factory=set)
    restated: list[str] = msgspec.field(default_factory=list)
    conflicts: list[str] = msgspec.field(default_factory=list)
    priced: int = 0


class Anew(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for once more: each price that the account's facts lack, whoever has told them
    (O(facts)); its rows from the first one on, of which those that are known count as duplicates.
    """

    prices: bool = False
    rows: bool = False


NOTHING: Final = Anew()


async def follow(
    desk: Desk,
    venue: Venue,
    gained: Gained,
    progress: Progress | None = None,
    anew: Anew = NOTHING,
) -> None:
    """Bring in what a venue has had to tell since the last time, prices included.

    `gained` counts what has landed, also where this ends in an error.
    """
    following = _Following(desk, venue, gained, progress or _unheard)
    if anew.prices:
        following.lack(unpriced(desk))
    start = following.mark
    if anew.rows and start is not None:
        start = venue.anew(start)
    async for chunk in venue.history(start):
        following.tell(f"fetching {chunk.what}", chunk.done, chunk.total)
        following.held.append(chunk)
        if len(following.held) == CHUNKS_HELD:
            await following.land()
            desk.keep_checkpoint(more_comes=True)
    await following.land()
    desk.keep_checkpoint()


class _Memos(msgspec.Struct, frozen=True):
    """What lands beside statements: the mark behind them, and the prices that may still come."""

    mark: str | None
    due: frozenset[PriceWanted]


class _Following:
    """One account while it is followed. `held` is fetched and has yet to land."""

    def __init__(self, desk: Desk, venue: Venue, gained: Gained, tell: Progress) -> None:
        self.held: list[Chunk] = []
        self.tell = tell
        self._desk = desk
        self._venue = venue
        self._gained = gained
        self._sync, self._prices = f"sync {venue.account}", f"prices {venue.account}"
        self.mark = desk.store.memo(self._sync)
        gained.is_first = gained.is_first or self.mark is None
        self._due = self._kept_due()
        if self.mark is None:  # what exports have told came with nobody to ask
            self.lack(unpriced(desk))

    def lack(self, facts: Iterable[Fact]) -> None:
        """Let what these facts lack be asked for."""
        self._due |= self._lacked_by(facts)

    async def land(self) -> None:
        """Land what is held, priced as far as the venue can tell, with its mark."""
        held, self.held = self.held, []
        mark = held[-1].mark if held else self.mark
        with unswept():
            told = sketch(self._desk, (each for chunk in held for each in chunk.statements))
        lacking = self._due | self._lacked_by(told.lacking)
        prices: Sequence[Price] = ()
        try:
            prices, lacking = await self._asked(lacking)
        finally:
            if told.told or prices or (mark, lacking) != (self.mark, self._due):
                with unswept():
                    self._commit(told, prices, _Memos(mark, lacking))
                self._gained.priced += len(prices)

    async def _asked(
        self, lacking: frozenset[PriceWanted]
    ) -> tuple[Sequence[Price], frozenset[PriceWanted]]:
        """Ask for prices; return those that the venue tells, and the rest that may still come."""
        if not lacking:
            return (), lacking
        asked = sorted(lacking, key=lambda each: (each.at, each.asset))
        self.tell("asking for past prices", 0, len(asked))
        prices = await self._venue.prices(asked)
        told = {(each.asset, each.executed_at) for each in prices}
        last = self._desk.clock.now() - YOUNG
        young = (each for each in asked if each.at > last)
        return prices, frozenset(each for each in young if (each.asset, each.at) not in told)

    def _commit(self, told: Sketch, prices: Sequence[Price], memos: _Memos) -> None:
        """Commit statements and memos together, with other writers kept off.

        Others may follow the same account. What they left in the memos stays, but for the mark,
        which is no worse for being another's.
        """
        did: tuple[Course, Review] | None = None
        store, account = self._desk.store, self._venue.account
        with self._desk.alone():
            due = memos.due | (self._kept_due() - self._due)
            kept = {self._sync: memos.mark, self._prices: _listed(due)}
            if told.told or prices:
                staged = stage_over(self._desk, told, prices)
                did = staged.plan.course, self._desk.record(staged).review
                if not self._gained.is_first:
                    kept |= external.further(store, account, did[0])
            store.save_memos(kept)
        self.mark, self._due = memos.mark, due
        if did is not None:
            _count(*did, self._gained)

    def _kept_due(self) -> frozenset[PriceWanted]:
        return frozenset(_DECODER.decode(self._desk.store.memo(self._prices) or "[]"))

    def _lacked_by(self, facts: Iterable[Fact]) -> frozenset[PriceWanted]:
        """Return the prices that facts of the account lack, each of its own instant."""
        terms = self._desk.head.terms
        cash = {canonical(asset) for asset in terms.cash}
        known = self._desk.timeline.notes.prices
        return frozenset(
            PriceWanted(asset, terms.base, fact.executed_at)
            for fact in facts
            if fact.account == self._venue.account
            for asset in _deciding(fact)
            if asset not in cash and not known.told(asset, fact.executed_at)
        )


def _listed(due: frozenset[PriceWanted]) -> str | None:
    told = sorted(due, key=lambda each: (each.at, each.asset))
    return _ENCODER.encode(told).decode() if told else None


def _count(course: Course, review: Review, gained: Gained) -> None:
    known = {fact.id: fact for fact in course.removed}
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
    if not gained.is_first:
        gained.restated += review.restated


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


def _unheard(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""
