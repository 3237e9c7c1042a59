"""Returns: of a stretch of time, and day by day.

Time-weighted return (`curve.growth`): the chained unit price, which flows do not move. Money-
weighted return: the yearly rate at which the flows, and equity at both ends, are worth nothing
together (XIRR; a year has 365 days, a flow counts at its UTC day). Both in percent.

A daily return is the unit price at one day's last complete moment over the one before. Only
consecutive days of the calendar make one: a stretch of days of which nothing was kept is left out,
not spread over its days nor called one day. Under the calendar `weekdays`, Monday follows Friday.

Errors: none.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.exact import ZERO, money, percent18
from bursar.ledger import instant
from bursar.measure.curve import Curve, Point
from bursar.measure.measured import Measured, measured, unknown

_FRIDAY: Final = 4
_1970: Final = date(1970, 1, 1).toordinal()


class Calendar(Enum):
    """Which days count: all of them, or those on which stock exchanges may be open."""

    EVERY_DAY = "every_day"
    WEEKDAYS = "weekdays"


class DailyReturn(msgspec.Struct, frozen=True, gc=False):
    """What one day made, in percent."""

    day: date
    pct: Decimal


class DayCloses(msgspec.Struct):
    """The unit price at the last moment of each UTC day (by its number since 1970), and whether a
    broken link is of that day.

    Its field is all that it knows. `see` takes a point in O(1), `returns` is O(days).
    """

    navs: dict[int, tuple[Decimal, bool]] = msgspec.field(default_factory=dict)

    def see(self, point: Point) -> None:
        """Take in a point, later than those before; without a unit price it tells nothing."""
        if point.nav is not None:
            day = point.at // instant.DAY
            _, is_broken = self.navs.get(day, (ZERO, False))
            self.navs[day] = point.nav, is_broken or point.is_broken

    @property
    def is_broken(self) -> bool:
        """Tell whether a link was broken: a return is then not known. O(days)."""
        return any(is_broken for _, is_broken in self.navs.values())

    def twin(self) -> "DayCloses":
        """Return one that goes on from here by itself. O(days)."""
        return DayCloses(dict(self.navs))

    @money
    def returns(self, calendar: Calendar = Calendar.EVERY_DAY) -> list[DailyReturn]:
        """Return the daily returns, oldest first. O(days)."""
        found = []
        for number, (nav, is_broken) in self.navs.items():
            day = date.fromordinal(_1970 + number)
            is_weekday = calendar is Calendar.WEEKDAYS
            before = self.navs.get(number - (3 if is_weekday and day.weekday() == 0 else 1))
            if (
                before is None
                or not before[0]
                or is_broken
                or (is_weekday and day.weekday() > _FRIDAY)
            ):
                continue
            found.append(DailyReturn(day, percent18(nav - before[0], before[0])))
        return found


def daily(curve: Curve, *, calendar: Calendar = Calendar.EVERY_DAY) -> list[DailyReturn]:
    """Return the daily returns of a curve, oldest first. O(points)."""
    closes = DayCloses()
    for point in curve.points:
        closes.see(point)
    return closes.returns(calendar)


def fractions(returns: Sequence[DailyReturn]) -> list[float]:
    """Return daily returns as the floats that statistics are made of: 1 % is 0.01."""
    return [float(each.pct) / 100 for each in returns]


def money_weighted(curve: Curve) -> Measured:
    """Return the money-weighted return over a curve, as percent a year."""
    found = Flows()
    found.see(curve.points)
    return found.money_weighted


class Flows(msgspec.Struct):
    """The capital that came over points that come some at a time, by UTC day and in all.

    `first`, `last` and `count` are of the points with a unit price; the flow of the first came
    before the stretch and is left out.
    """

    first: Point | None = None
    last: Point | None = None
    count: int = 0
    total: Decimal = ZERO
    by_day: dict[date, Decimal] = msgspec.field(default_factory=dict)

    @money
    def see(self, points: Iterable[Point]) -> None:
        """Take in points, later than those before."""
        for point in points:
            if point.nav is None:
                continue
            self.count += 1
            self.last = point
            if self.first is None:
                self.first = point
            elif point.flow:
                self.total += point.flow
                self.by_day[_day(point)] = self.by_day.get(_day(point), ZERO) + point.flow

    @property
    @money
    def money_weighted(self) -> Measured:
        """The money-weighted return, as percent a year.

        Equity at the first complete moment went in, each flow went in or out, equity at the last
        came back.
        """
        first, last = self.first, self.last
        if first is None or last is None or self.count == 1:
            return unknown("a return needs two complete moments")
        start, end = _day(first), _day(last)
        if start == end:
            return unknown("both ends are of one day")
        amounts = {start: -first.equity}
        for day, flow in self.by_day.items():
            amounts[day] = amounts.get(day, ZERO) - flow
        amounts[end] = amounts.get(end, ZERO) + last.equity
        return _xirr(amounts)


def _xirr(amounts: dict[date, Decimal]) -> Measured:
    """Let the library find the rate, in floats; what it does not find is not known."""
    from pyxirr import InvalidPaymentsError, xirr  # noqa: PLC0415 (only who asks loads it)

    told = [(day, float(amount)) for day, amount in amounts.items() if amount]
    try:
        rate = xirr(told)
    except InvalidPaymentsError:
        return unknown("money only went in, or only came out")
    return (
        unknown("no rate makes the flows worth nothing") if rate is None else measured(100 * rate)
    )


def _day(point: Point) -> date:
    return instant.to_datetime(point.at).date()
