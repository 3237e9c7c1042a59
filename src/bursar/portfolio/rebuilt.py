"""The curve of a time of which no moment was kept: rebuilt from the facts of then.

A moment for the end of each UTC day on which something happened or was priced, at what was known
of then: the last trades and the recorded prices up to it. Where capital moves within a day there
are more: what came counts as there from a moment on and what went until one (`measure.curve`), so
there is one before it comes, behind it goes, and between what comes and goes. No market was asked,
so all of it is stale, and says so; what had no price yet is incomplete as ever. It begins at the
end of the day before the first fact, when nothing was there yet, so what the first day made is in
it.

It is made once and kept while nothing of that time becomes another: facts that are added behind it
cost a glance.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.entries import CashFlow, Price, Split
from bursar.ledger.facts import Fact
from bursar.ledger.fold import apply
from bursar.ledger.timeline import Timeline
from bursar.measure.curve import Moment
from bursar.value.equity import value_book
from bursar.value.marks import FEE_CREDITS, Mark, Marks, Standing, fee_credit, from_fills
from bursar.value.snapshot import CAME, capital
from bursar.value.splits import restated
from bursar.value.worth import Options

if TYPE_CHECKING:
    from bursar.ledger.order import Key
    from bursar.ledger.terms import Terms
    from bursar.ledger.turns import Turn
    from bursar.portfolio.portfolio import Portfolio
    from bursar.ports import Head


_Facts = tuple[int, int | None]


class Rebuilt(msgspec.Struct, frozen=True):
    """The moments from before an instant, oldest first, and the capital that had come by it (`None`
    where the worth of some is not known).
    """

    moments: tuple[Moment, ...]
    capital: Decimal | None


class Rebuilding:
    """The rebuilt moments of one portfolio, as of the last question. `count` says how often they
    were made.
    """

    def __init__(self) -> None:
        self.count = 0
        self._found = Rebuilt((), ZERO)
        self._head: Head | None = None
        self._until = 0
        self._terms: Terms | None = None
        self._turn: Turn | None = None
        self._facts: _Facts | None = None
        self._prices: tuple[Price, ...] = ()

    def before(self, portfolio: Portfolio, until: int) -> Rebuilt:
        """Return what can be told of the time before an instant. O(1) while the book stands, then
        O(recorded prices); O(facts of before + moments × assets) where any of that is another.
        """
        desk = portfolio.desk
        if self._head is not None and self._until == until:
            if self._head is desk.head:
                return self._found
            if self._stands(desk.timeline):
                self._head = desk.head
                return self._found
        timeline = portfolio.timeline
        self._head = None
        self._found = rebuilt(timeline, portfolio.options, until=until)
        self.count += 1
        self._until, self._terms, self._turn = until, timeline.terms, timeline.turns.last
        self._facts, self._prices = _facts(timeline, until), _prices(timeline, until)
        self._head = desk.head
        return self._found

    def _stands(self, timeline: Timeline) -> bool:
        """Tell whether nothing of the time before has become another."""
        changed = timeline.turns.since(self._turn)
        if timeline.terms != self._terms or (changed is not None and changed <= self._until):
            return False
        facts = _facts(timeline, self._until)
        return facts in {None, self._facts} and _prices(timeline, self._until) == self._prices


def _facts(timeline: Timeline, until: int) -> _Facts | None:
    """Return how many facts there are up to an instant, and when the first of all was; `None` where
    the instant lies behind a checkpoint, where none can be added.
    """
    if timeline.is_behind(until):
        return None
    first = timeline.order[0][0] if timeline.is_whole and timeline.order else None
    return timeline.behind + bisect_right(timeline.order, until, key=_time), first


def _time(key: Key) -> int:
    return key[0]


def _prices(timeline: Timeline, until: int) -> tuple[Price, ...]:
    told = timeline.notes.prices.counting()
    return tuple(price for price in told if price.executed_at <= until)


@money
def rebuilt(timeline: Timeline, options: Options, *, until: int) -> Rebuilt:
    """Return nothing at first, then the moments before `until`, oldest first; none of a book
    without facts.

    O(facts + moments × assets).
    """
    if not timeline.order:
        return Rebuilt((), ZERO)
    facts: dict[int, list[Fact]] = {}
    for fact in timeline:
        if fact.executed_at <= until:
            facts.setdefault(instant.day_start(fact.executed_at), []).append(fact)
    prices: dict[int, list[Price]] = {}
    for price in _prices(timeline, until):
        prices.setdefault(instant.day_start(price.executed_at), []).append(price)
    book, base = Book(timeline.terms), timeline.terms.base
    first = instant.day_start(timeline.order[0][0])
    found = [Moment(first - 1, ZERO, ZERO, is_stale=True)]
    marks = Marks(fee_credit(each, base, at=first) for each in FEE_CREDITS)
    splits: list[Split] = []
    for day in sorted({*facts, *prices}):
        end = day + instant.DAY - 1
        for at, some in _stretches(facts.get(day, []), end):
            for fact in some:
                apply(book, fact)
            told = [each for each in prices.get(day, ()) if each.executed_at <= at]
            marks = marks.plus(from_fills(some)).plus(_marks(told))
            splits += [fact for fact in some if isinstance(fact, Split)]
            if first <= at < until and at > found[-1].at:
                of_then = Marks(restated(marks, splits)) if splits else marks
                found.append(_moment(book, of_then, options, at))
    return Rebuilt(tuple(found), capital(book))


def _stretches(facts: list[Fact], end: int) -> Iterator[tuple[int, list[Fact]]]:
    """Yield a day's facts in parts, each with its last instant: of each, the capital that comes is
    the first and what goes the last, and it has one of the two.
    """
    some: list[Fact] = []
    has_come = has_more = False
    for fact in facts:
        moved = fact.amount if isinstance(fact, CashFlow) and fact.kind in CAME else ZERO
        if (moved > 0 and has_more) or (moved < 0 and has_come):
            yield max(some[-1].executed_at, fact.executed_at - 1), some
            some, has_come, has_more = [], False, False
        has_come, has_more = has_come or moved > 0, has_more or moved <= 0
        some.append(fact)
        if moved < 0:
            yield fact.executed_at, some
            some, has_come, has_more = [], False, False
    yield end, some


def _moment(book: Book, marks: Marks, options: Options, at: int) -> Moment:
    worth = value_book(book, marks, now=at, options=options)
    return Moment(at, worth.owned, capital(book), not worth.lacking, is_stale=True)


def _marks(prices: Iterable[Price]) -> Iterable[Mark]:
    for each in prices:
        yield Mark(each.asset, each.quote, each.value, "price", each.executed_at, Standing.TRADE)
