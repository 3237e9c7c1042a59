"""The curve of a book of which no moment was kept: rebuilt from its facts.

A moment for the end of each UTC day on which something happened or was priced, at what was known
then: the last trades and the recorded prices up to it. Where capital moves within a day there are
more: what came counts as there from a moment on and what went until one (`measure.curve`), so there
is one before it comes, behind it goes, and between what comes and goes. No market was asked, so
all of it is stale, and says so; what had no price yet is incomplete as ever. It begins at the end
of the day before the first fact, when nothing was there yet, so what the first day made is in it.
"""

from collections.abc import Iterable, Iterator

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


@money
def rebuilt(timeline: Timeline, options: Options, *, until: int) -> list[Moment]:
    """Return nothing at first, then the moments of days before `until`, oldest first.

    O(facts + moments × assets).
    """
    facts: dict[int, list[Fact]] = {}
    for fact in timeline:
        facts.setdefault(instant.day_start(fact.executed_at), []).append(fact)
    prices: dict[int, list[Price]] = {}
    for price in timeline.notes.prices.counting():
        prices.setdefault(instant.day_start(price.executed_at), []).append(price)
    if not facts:
        return []
    first = min(facts)
    found = [Moment(first - 1, ZERO, ZERO, is_stale=True)]
    book, base = Book(timeline.terms), timeline.terms.base
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
    return found


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
