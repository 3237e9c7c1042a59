"""The curve: equity over time, and the unit price that takes capital flows out of it.

Each kept moment says what everything was worth and how much capital had come by then, at its worth
when it came. What the capital grew by between two moments is the flow between them, however late it
became known. The unit price `nav` starts at 100. What was made when within a link nobody knows: so
what came counts as there from the last complete moment on, what went as there until the next one.
For E before and E′ after:

    nav′ = nav × (E′ + out) ÷ (E + in)          in − out = flow

Where both came and went, `in` is what more capital was there at any time of the link than at its
start (`came` of the later moment less that of the one before), and `out` how much less than that at
its end; where nobody kept that, one of the two is nothing. So no gain is larger than it was: were
what went taken off E at once, a gain of a tenth, with nearly all of it withdrawn before the next
moment, would be one of thousands of percent. Nor is a loss larger; one of what was left counts as
one of all. Where there was nothing and nothing came, the price stands.

Invariants
- Moments are in order of time, one an instant; a later record of an instant replaces the earlier.
- A moment without a price for something, or with capital of unknown worth, has no nav and is
  stepped over: the next complete one is linked to the last complete one.
- A link that no rule gives (equity below zero) is `broken`: the price stands, and a return across
  it is not known.

Errors: none.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, money, ratio18
from bursar.ledger import instant
from bursar.measure.measured import Measured, percent, unknown

UNIT: Final = Decimal(100)
STALE_AFTER: Final = instant.DAY
"""A flow that is priced at a moment of longer ago makes the price stale."""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """What everything was worth at an instant (nanoseconds), and the capital that came by then.

    `capital` is `None` where the worth of some of it is not known. `is_complete`: everything held
    had a price. `is_stale`: a price was old. `came` is what `in` of all links up to here adds up
    to; `None`: that was not kept.
    """

    at: int
    equity: Decimal
    capital: Decimal | None
    is_complete: bool = True
    is_stale: bool = False
    came: Decimal | None = None


class Point(msgspec.Struct, frozen=True, gc=False):
    """One moment of the curve.

    `flow` is the capital that came (went, below zero) since the last point with a `nav`. `nav` is
    the unit price; `None` where it is not known. `is_stale`: a mark was old, a flow was priced at
    an equity of over a day before, or the link is broken.
    """

    at: int
    equity: Decimal
    is_complete: bool
    flow: Decimal | None = None
    nav: Decimal | None = None
    is_stale: bool = False
    is_broken: bool = False


class Curve(msgspec.Struct, frozen=True):
    """Points in order of time."""

    points: Sequence[Point]

    @property
    def complete(self) -> list[Point]:
        """The points at which everything held had a price."""
        return [point for point in self.points if point.is_complete]

    @property
    def priced(self) -> list[Point]:
        """The points with a unit price."""
        return [point for point in self.points if point.nav is not None]


Link = tuple[Moment, Decimal]
"""The last complete moment of a curve, and the unit price then."""


def curve(moments: Iterable[Moment]) -> Curve:
    """Return the curve of kept moments, whatever their order. O(n log n)."""
    ordered = {moment.at: moment for moment in moments}
    points: list[Point] = []
    last: Link | None = None
    for at in sorted(ordered):
        point, last = linked(ordered[at], last)
        points.append(point)
    return Curve(tuple(points))


@money
def linked(moment: Moment, last: Link | None) -> tuple[Point, Link | None]:
    """Link a moment to the last complete one; return its point, and the link for the next. O(1)."""
    if not moment.is_complete or moment.capital is None:
        return Point(moment.at, moment.equity, moment.is_complete, is_stale=moment.is_stale), last
    point = _first(moment) if last is None else _after(moment, *last)
    return point, (moment, point.nav or UNIT)


def _first(moment: Moment) -> Point:
    return Point(
        moment.at,
        moment.equity,
        is_complete=True,
        flow=ZERO,
        nav=UNIT,
        is_stale=moment.is_stale,
    )


def _after(moment: Moment, before: Moment, nav: Decimal) -> Point:
    """Link a complete moment to the one before."""
    flow = (moment.capital or ZERO) - (before.capital or ZERO)
    came = _came(before, moment, flow)
    grown = _growth(before.equity, came, came - flow, moment.equity)
    is_late = bool(flow) and moment.at - before.at > STALE_AFTER
    return Point(
        moment.at,
        moment.equity,
        is_complete=True,
        flow=flow,
        nav=nav if grown is None else ratio18(nav, *grown),
        is_stale=moment.is_stale or is_late or grown is None,
        is_broken=grown is None,
    )


def _came(before: Moment, moment: Moment, flow: Decimal) -> Decimal:
    """Return what came within a link; as little as the flow says where nobody kept more."""
    least = max(flow, ZERO)
    if before.came is None or moment.came is None:
        return least
    return max(moment.came - before.came, least)


def _growth(
    before: Decimal, came: Decimal, went: Decimal, after: Decimal
) -> tuple[Decimal, Decimal] | None:
    """Return (end, start) whose ratio is the growth of a link; `None` where there is none."""
    start, end = before + came, after + went
    if start > 0 and after >= 0 and end > 0:
        return end, start
    return (UNIT, UNIT) if not (before or after or came or went) else None


def window(curve_: Curve, start: int | None = None, end: int | None = None) -> Curve:
    """Return the points from `start` until before `end`, after the last complete one before them.

    That opening is what stood at the start: without it a first day would have no beginning.
    O(log points, those of the part, and those back to the opening).
    """
    points = curve_.points
    first = 0 if start is None else bisect_left(points, start, key=_at)
    last = len(points) if end is None else bisect_left(points, end, key=_at)
    return Curve((*opening(points, first), *points[first:last]))


def opening(points: Sequence[Point], count: int) -> tuple[Point, ...]:
    """Return what the first `count` points leave for those after them: the last complete one, and
    the last one with a unit price if that is another. O(points back to it).
    """
    found: tuple[Point, ...] = ()
    for place in range(count - 1, -1, -1):
        point = points[place]
        if point.is_complete and (point.nav is not None or not found):
            found = (point, *found)
        if point.nav is not None:
            break
    return found


def windows(
    chunks: Iterable[Sequence[Point]], start: int | None, end: int | None
) -> Iterator[Sequence[Point]]:
    """Yield what `window` says of points that come some at a time, some at a time."""
    before: Sequence[Point] = ()
    is_in = False
    for points in filter(None, chunks):
        if is_in:
            yield window(Curve(tuple(points)), None, end).points
            continue
        before = window(Curve((*before, *points)), start, end).points
        is_in = start is None or points[-1].at >= start
        if is_in:
            yield before
    if not is_in:
        yield before


def _at(point: Point) -> int:
    return point.at


def growth(points: Sequence[Point]) -> Measured:
    """Return the time-weighted return over points, in percent: last nav ÷ first nav − 1."""
    found = Growth()
    found.see(points)
    return found.pct


class Growth(msgspec.Struct):
    """The growth over points that come some at a time: all that `growth` needs of them."""

    first: Decimal | None = None
    last: Decimal | None = None
    is_broken: bool = False

    def see(self, points: Iterable[Point]) -> None:
        """Take in points, later than those before."""
        for point in points:
            if point.nav is None:
                continue
            if self.first is None:
                self.first = point.nav
                continue
            self.last = point.nav
            self.is_broken |= point.is_broken

    @property
    @money
    def pct(self) -> Measured:
        """The time-weighted return, in percent."""
        if self.first is None or self.last is None:
            return unknown("a return needs two complete moments")
        if self.is_broken:
            return unknown("equity was not above zero, and a return across that is not defined")
        return percent(self.last - self.first, self.first)
