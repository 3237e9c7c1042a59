"""Realised gains by year, and how long what was sold had been held.

Every disposal is told apart by the lots that left: when each was acquired, what it cost, its part
of the proceeds by quantity. A year is the calendar's, or a tax year that begins on any other day;
days are UTC. What has been held for more than `long_after` days is long, the rest short. What was
realised without a lot of a known day is `undated`: the fees of purchases, pegs, leveraged
positions, and everything under `wac`, whose pool keeps no days. A fee paid in a coin is a disposal
of that coin; capital that leaves at cost is none.

What nobody priced counts as nothing: its disposals say so by their `flags`, those of the fact that
sold and of those that brought the lots (a pool of `wac` knows none of the latter), and each year
how many of them do.

Invariants
- short + long + undated of a year = what all records of that year realised, to the last digit.
- The proceeds of a disposal less the cost of its lots are its gain; fees of the sale are taken off
  the proceeds.

Errors: `BadChoice` for a day that is no beginning of a year.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ZERO, money, ratio18
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.entries import CAPITAL, CashFlow
from bursar.ledger.facts import Fact
from bursar.ledger.fold import traced
from bursar.ledger.lots import Lot
from bursar.ledger.state import Line
from bursar.ledger.terms import Method
from bursar.portfolio.periods import Window

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio

_LEAP: Final = 2000
_NEW_YEAR: Final = (1, 1)


class Term(Enum):
    """How long something was held."""

    SHORT = "short"
    LONG = "long"
    UNDATED = "undated"


class YearStart(msgspec.Struct, frozen=True):
    """The day on which a year begins: 6 April is `YearStart(4, 6)`."""

    month: int = 1
    day: int = 1

    def __str__(self) -> str:
        return f"{self.month:02}-{self.day:02}"

    def year_of(self, day: str) -> str:
        """Return the name of the year that a day, `2026-01-05`, lies in: 2026, or 2025/26."""
        first = int(day[:4]) - (day[5:10] < str(self))
        is_calendar = (self.month, self.day) == _NEW_YEAR
        return f"{first}" if is_calendar else f"{first}/{(first + 1) % 100:02}"


CALENDAR: Final = YearStart()
LONG_AFTER: Final = 365
"""A gain is long after more than so many days."""


class GainsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which gains are asked for: under which cost rule, of which time, of whose trades."""

    rule: Method | None = None
    window: Window = Window()
    strategy: str | None = None
    tax_year: YearStart = CALENDAR
    long_after: int = LONG_AFTER


class Disposal(msgspec.Struct, frozen=True, kw_only=True):
    """One lot, or a part of one, that left. `acquired_at` is `None` where its day is not known.

    With `flags` its proceeds or its cost are not the last word.
    """

    sold_at: int
    acquired_at: int | None
    account: str
    asset: str
    strategy: str
    entry: str
    quantity: Decimal
    proceeds: Decimal
    cost: Decimal
    gain: Decimal
    term: Term
    flags: tuple[str, ...] = ()


class YearGains(msgspec.Struct, frozen=True, kw_only=True):
    """One year. `realized` is all that was; `undated` the part of it without a known day.

    Of so many disposals so many are `flagged`.
    """

    year: str
    disposals: int = 0
    flagged: int = 0
    proceeds: Decimal = ZERO
    cost: Decimal = ZERO
    short: Decimal = ZERO
    long: Decimal = ZERO
    undated: Decimal = ZERO
    realized: Decimal = ZERO


class Gains(msgspec.Struct, frozen=True, kw_only=True):
    """Disposals, oldest first, and what calendar and tax years come to."""

    method: str
    tax_year: str
    long_after: int
    disposals: tuple[Disposal, ...]
    by_calendar_year: tuple[YearGains, ...]
    by_tax_year: tuple[YearGains, ...]
    realized: Decimal


class _Piece(msgspec.Struct, frozen=True):
    """What was realised at a time, with a lot (that an entry brought) or without."""

    at: int
    realized: Decimal
    disposal: Disposal | None = None
    lot: str = ""


def year_start(text: str) -> YearStart:
    """Read the day on which a tax year begins: `04-06` is 6 April.

    Raises:
        BadChoice: it is no day that every year has.
    """
    month, _, day = text.partition("-")
    try:
        found = date(_LEAP + 1, int(month), int(day))
    except ValueError:
        raise BadChoice(
            f"{text!r} is no day of every year; write month and day, such as 04-06", value=text
        ) from None
    return YearStart(found.month, found.day)


@money
def gains(portfolio: Portfolio, asked: GainsAsked) -> Gains:
    """Fold all facts under the rule and note what each realised, lot by lot. O(facts)."""
    rule = asked.rule or portfolio.terms.method
    book = Book(msgspec.structs.replace(portfolio.terms, method=rule))
    pieces: list[_Piece] = []
    flags: dict[str, tuple[str, ...]] = {}
    for fact in portfolio.timeline:
        if told := _flags(fact):
            flags[fact.id] = told
        lines = traced(book, fact)
        if lines and asked.window.has(instant.to_datetime(fact.executed_at)):
            pieces += (_flagged(each, flags) for each in _pieces(fact, lines, asked))
    return Gains(
        method=rule.value,
        tax_year=str(asked.tax_year),
        long_after=asked.long_after,
        disposals=tuple(each.disposal for each in pieces if each.disposal is not None),
        by_calendar_year=_years(pieces, CALENDAR),
        by_tax_year=_years(pieces, asked.tax_year),
        realized=sum((each.realized for each in pieces), ZERO),
    )


def _pieces(fact: Fact, lines: Iterable[Line], asked: GainsAsked) -> Iterator[_Piece]:
    for line in lines:
        if asked.strategy in (None, line.key[3]):
            yield from _of_line(fact, line, asked.long_after)


def _of_line(fact: Fact, line: Line, long_after: int) -> Iterator[_Piece]:
    """Divide what a line realised among the lots that left; the last takes what is left over."""
    lots = [lot for lot in line.parts if lot.quantity]
    if line.undone is not None or not lots or _is_at_cost(fact, line):
        if line.realized:
            yield _Piece(fact.executed_at, line.realized)
        return
    cost = sum((lot.cost for lot in lots), ZERO)
    whole, left = sum((lot.quantity for lot in lots), ZERO), line.realized + cost
    proceeds = left
    for lot in lots:
        part = left if lot is lots[-1] else ratio18(proceeds, lot.quantity, whole)
        left -= part
        told = _disposal(fact, line, lot, part, long_after)
        yield _Piece(fact.executed_at, told.gain, told, lot.id)


def _flags(fact: Fact) -> tuple[str, ...]:
    return tuple(flag.value for flag in getattr(fact, "flags", ()))


def _flagged(piece: _Piece, flags: Mapping[str, tuple[str, ...]]) -> _Piece:
    """Return a piece whose disposal says what is not known of what sold, or of what was bought."""
    sold = piece.disposal
    if sold is None or not flags:
        return piece
    told = (*flags.get(sold.entry, ()), *flags.get(piece.lot, ()))
    if not told:
        return piece
    flagged = msgspec.structs.replace(sold, flags=tuple(dict.fromkeys(told)))
    return msgspec.structs.replace(piece, disposal=flagged)


def _is_at_cost(fact: Fact, line: Line) -> bool:
    """Tell whether lots left as capital, which realises nothing and sells nothing."""
    return isinstance(fact, CashFlow) and fact.kind in CAPITAL and line.kind == "flow"


def _disposal(fact: Fact, line: Line, lot: Lot, proceeds: Decimal, long_after: int) -> Disposal:
    acquired = lot.acquired_at or None
    term = Term.UNDATED
    if acquired is not None:
        is_long = fact.executed_at - acquired > long_after * instant.DAY
        term = Term.LONG if is_long else Term.SHORT
    return Disposal(
        sold_at=fact.executed_at,
        acquired_at=acquired,
        account=line.key[0],
        asset=line.asset,
        strategy=line.key[3],
        entry=fact.id,
        quantity=lot.quantity,
        proceeds=proceeds,
        cost=lot.cost,
        gain=proceeds - lot.cost,
        term=term,
    )


def _years(pieces: Iterable[_Piece], start: YearStart) -> tuple[YearGains, ...]:
    found: dict[str, YearGains] = {}
    for piece in pieces:
        year = start.year_of(instant.day(piece.at))
        found[year] = _plus(found.get(year, YearGains(year=year)), piece)
    return tuple(found[year] for year in sorted(found))


def _plus(year: YearGains, piece: _Piece) -> YearGains:
    sold = piece.disposal
    term = Term.UNDATED if sold is None else sold.term
    sums = {
        term.value: getattr(year, term.value) + piece.realized,
        "realized": year.realized + piece.realized,
    }
    if sold is not None:
        sums |= {"proceeds": year.proceeds + sold.proceeds, "cost": year.cost + sold.cost}
    counts = {
        "disposals": year.disposals + (sold is not None),
        "flagged": year.flagged + (sold is not None and bool(sold.flags)),
    }
    return msgspec.structs.replace(year, **counts, **sums)
