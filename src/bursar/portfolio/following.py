"""Following a venue: its history comes into the journal, and with it the prices that it lacks.

Statements land together with the prices of their facts and with the mark behind them, so that a
sync which dies goes on where it was, and no fact is published without a price that the venue knows.
The mark is only an opinion about what need not be asked again: told twice, a statement is a
duplicate. Where prices cannot be had, the statements land all the same, and which ones are missing
lands with them, for the next sync. A price that the venue cannot tell is not asked for again,
unless it is so young that it may still come, or all that lack one are asked for anew.

Errors: `VenueError`, with everything kept that had landed; those of the desk.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from bursar.desk import Desk, Review, Sketch, sketch, stage_over, unpriced, unswept
from bursar.errors import StaleVersion
from bursar.ledger import instant
from bursar.ledger.course import Course
from bursar.ledger.entries import CashFlow, Conversion, Fill, MarginFill, Price
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.ledger.pricing import wanted
from bursar.ports import Chunk, PriceWanted, Progress, Venue

CHUNKS_HELD: Final = 20
"""How many chunks land in one commit; as many at most are fetched again after a kill."""

YOUNG: Final = 2 * instant.HOUR
"""For so long after an instant a venue may still come to know a price of it."""

_TRIES: Final = 5
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(list[PriceWanted])


class Gained(msgspec.Struct):
    """What following brought.

    The `is_first` sync of an account restates nothing, since nothing was published; nor are its
    `facts` kept, for all of them are new. It is the first until one has come to its end. What of
    the facts only changed is what it was `before`.
    """

    is_first: bool = False
    entries: int = 0
    trades: int = 0
    flows: int = 0
    pairs: set[str] = msgspec.field(default_factory=set)
    restated: list[str] = msgspec.field(default_factory=list)
    conflicts: list[str] = msgspec.field(default_factory=list)
    facts: list[Fact] = msgspec.field(default_factory=list)
    before: dict[str, Fact] = msgspec.field(default_factory=dict)
    priced: int = 0


async def follow(
    desk: Desk,
    venue: Venue,
    gained: Gained,
    progress: Progress | None = None,
    *,
    prices_anew: bool = False,
) -> None:
    """Bring in what a venue has had to tell since the last time, prices included.

    `gained` counts what has landed, also where this ends in an error. With `prices_anew` each price
    that the account's facts lack is asked for, whoever has told them. O(facts) then.
    """
    following = _Following(desk, venue, gained, progress or _untold)
    if prices_anew:
        following.lack(unpriced(desk))
    async for chunk in venue.history(following.mark):
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
        self._due = frozenset(_DECODER.decode(desk.store.memo(self._prices) or "[]"))
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
        """Commit statements and memos together. Another writer in between costs another try."""
        for _ in range(_TRIES):
            did: tuple[Course, Review] | None = None
            try:
                with self._desk.store.grouped():
                    if told.told or prices:
                        staged = stage_over(self._desk, told, prices)
                        did = staged.plan.course, self._desk.record(staged).review
                    kept = {self._sync: memos.mark, self._prices: _listed(memos.due)}
                    self._desk.store.save_memos(kept)
            except StaleVersion:
                self._desk.reload()
                continue
            except BaseException:
                self._desk.reload()
                raise
            self.mark, self._due = memos.mark, memos.due
            if did is not None:
                _count(*did, self._gained)
            return
        raise StaleVersion(f"other writers were first {_TRIES} times in a row; sync again")

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
        own = {fact.id for fact in gained.facts}
        gained.facts = [fact for fact in gained.facts if fact.id not in known] + list(course.added)
        gained.before = {name: known[name] for name in known.keys() - own} | gained.before
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


def _untold(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""
