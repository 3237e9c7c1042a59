"""PnL by month: what each fact realised, added up by the UTC month in which it happened."""

from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import audit, instant
from bursar.ledger.book import Book
from bursar.ledger.entries import MANUAL
from bursar.ledger.fold import traced
from bursar.ledger.terms import Method, Terms
from bursar.ledger.timeline import Timeline


class MonthLine(msgspec.Struct, frozen=True):
    """One UTC month, in base currency: realised PnL, its fees taken off, and what is no trade."""

    month: str
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    income: Decimal = ZERO
    expenses: Decimal = ZERO
    contributed: Decimal = ZERO
    trades: int = 0


class MonthlyPnL(msgspec.Struct, frozen=True):
    """The months under one cost rule, oldest first. They add up to `total`.

    `gaps` tells which assets rest on something unknown: (asset, flag, facts).
    """

    method: str
    lines: tuple[MonthLine, ...]
    total: MonthLine
    gaps: tuple[tuple[str, str, int], ...] = ()


@money
def monthly(
    terms: Terms, rule: Method, timeline: Timeline, *, with_manual: bool = True
) -> MonthlyPnL:
    """Fold all facts under a rule and note each month's part of the books. O(facts).

    Without the trades that no strategy made their PnL, fees and counts are left out.
    """
    without = frozenset() if with_manual else frozenset({MANUAL})
    book = Book(msgspec.structs.replace(terms, method=rule))
    lines: dict[str, MonthLine] = {}
    before = MonthLine("")
    current = ""
    for fact in timeline:
        month = instant.month(fact.executed_at)
        if month != current:
            before = _close(lines, current, before, _standing(book, without))
            current = month
        traced(book, fact)
    total = _close(lines, current, before, _standing(book, without))
    gaps = tuple((*key, count) for key, count in sorted(book.gaps.items()) if count)
    whole = msgspec.structs.replace(total, month="")
    return MonthlyPnL(rule.value, tuple(lines.values()), whole, gaps)


def _close(lines: dict[str, MonthLine], month: str, before: MonthLine, now: MonthLine) -> MonthLine:
    """Write down what the month added to the books; return where they stand now."""
    if month:
        names = [name for name in now.__struct_fields__ if name != "month"]
        changes = {name: getattr(now, name) - getattr(before, name) for name in names}
        lines[month] = MonthLine(month, **changes)
    return now


def _standing(book: Book, without: frozenset[str]) -> MonthLine:
    totals = audit.totals(book)
    left_out = (cell.realized for key, cell in book.cells.items() if key[3] in without)
    cells = [cell for key, cell in book.cells.items() if key[3] not in without]
    return MonthLine(
        month="",
        realized=totals.realized - sum(left_out, ZERO),
        fees=sum((cell.fees for cell in cells), ZERO),
        income=totals.income,
        expenses=totals.expenses,
        contributed=totals.contributed,
        trades=sum(cell.trades for cell in cells),
    )
