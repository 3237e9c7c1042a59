"""Drawdown: how far below its peak a curve is, was, and how much of the fall it has regained.

Falls are positive: 2.35 is 2.35 % below. The peak is the highest value so far, at its latest
instant; a fall is open until the peak is reached again. `recovery` is the regained share of the
open fall, from its lowest value back to its peak; with no open fall all is regained: 100. The day
and the week begin at 00:00 UTC, the week on Monday, and their high counts what stood at the start.

Invariants
- `RunningDrawdown` takes each value in O(1) and says at every moment what a walk over all of them
  would.
- What is measured is exact: one rounding to the 18th decimal for each percentage.

Errors: none. A curve without a value above zero has no drawdown, and says so.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.exact import HUNDRED, ZERO, money
from bursar.ledger import instant
from bursar.ledger.instant import day_start, week_start
from bursar.ledger.why import Amount, Why
from bursar.measure.curve import Curve, Point, opening, window
from bursar.measure.measured import Measured, because, known, percent, unknown
from bursar.value.peaks import high_before

_Start = Callable[[int], int]
"""Where the period of an instant began."""

SPANS: Final = {"30d": 30 * instant.DAY, "90d": 90 * instant.DAY, "1y": 365 * instant.DAY}
_NONE: Final = unknown("nothing above zero was kept yet")
_BROKEN: Final = unknown("equity was not above zero, and a fall across that is not defined")


class Basis(Enum):
    """What a drawdown is of: equity as it is, or the unit price that flows do not move."""

    EQUITY = "equity"
    NAV = "nav"


class Fall(msgspec.Struct, frozen=True):
    """One fall: its peak, its lowest value, and when the peak was reached again (`None`: open)."""

    peak_at: int
    peak: Decimal
    low_at: int
    low: Decimal
    recovered_at: int | None = None

    @property
    def depth_pct(self) -> Measured:
        """How far the lowest value lies below the peak, in percent."""
        return _below(self.low, self.peak)

    def length(self, now: int) -> int:
        """Return how long the curve was under water, in nanoseconds."""
        return (now if self.recovered_at is None else self.recovered_at) - self.peak_at


class Drawdown(msgspec.Struct, frozen=True):
    """The drawdown of a curve as it stands at `at`.

    `is_complete` is false where the last moments had no price for something: then the figures are
    of the last one that had. `skipped` counts those that were left out.
    """

    basis: Basis
    at: int | None
    current: Decimal | None
    peak: Decimal | None
    peak_at: int | None
    current_pct: Measured
    daily_pct: Measured
    weekly_pct: Measured
    max_pct: Measured
    windows: dict[str, Measured]
    recovery_pct: Measured
    days_since_peak: int | None
    falls: tuple[Fall, ...]
    under_water_s: int
    longest_under_water_s: int
    is_complete: bool = True
    skipped: int = 0

    def why(self) -> Why | Amount:
        """Explain how far it is below the peak now."""
        return because(
            self.current_pct,
            f"drawdown of {self.basis.value} in percent = 100 × (peak − value) ÷ peak",
            Amount("peak", self.peak, _when(self.peak_at)),
            Amount("value", self.current, _when(self.at)),
        )


class RunningDrawdown(msgspec.Struct, kw_only=True):
    """A drawdown that follows values one at a time. Times must not go back; values may be of any
    curve. Its fields are all that it knows, so it may be written down and go on from there.

    `deepest` is how far it fell, and from which peak; `under_water` and `longest` are of the falls
    that are over, in nanoseconds.
    """

    at: int | None = None
    value: Decimal = ZERO
    peak: Decimal = ZERO
    peak_at: int = 0
    low: Decimal = ZERO
    low_at: int = 0
    deepest: tuple[Decimal, Decimal] = (ZERO, ZERO)
    day_high: Decimal = ZERO
    week_high: Decimal = ZERO
    under_water: int = 0
    longest: int = 0
    falls: list[Fall] = msgspec.field(default_factory=list)

    @money
    def see(self, at: int, value: Decimal) -> None:
        """Take in what the curve came to at an instant. O(1)."""
        assert self.at is None or at >= self.at, "a curve does not go back in time"
        if self.at is None or at // instant.DAY != self.at // instant.DAY:
            self.day_high = self._high(self.day_high, at, day_start)
            self.week_high = self._high(self.week_high, at, week_start)
        self.day_high = max(self.day_high, value)
        self.week_high = max(self.week_high, value)
        if value >= self.peak or self.peak <= 0:
            self._recover(at)
            self.peak, self.peak_at = self.low, self.low_at = value, at
        elif value < self.low:
            self.low, self.low_at = value, at
            # Compared crosswise: (peak − low) ÷ peak, without dividing.
            fallen, peak = self.deepest
            if not peak or (self.peak - value) * peak > fallen * self.peak:
                self.deepest = (self.peak - value, self.peak)
        self.at, self.value = at, value

    def twin(self) -> "RunningDrawdown":
        """Return one that goes on from here by itself, without the falls before it. O(1)."""
        return msgspec.structs.replace(self, falls=[])

    @property
    def open_fall(self) -> Fall | None:
        """The fall that is not made up for yet."""
        if self.value >= self.peak:
            return None
        return Fall(self.peak_at, self.peak, self.low_at, self.low)

    @property
    def current_pct(self) -> Measured:
        """How far below the peak, in percent."""
        return _below(self.value, self.peak)

    @property
    def max_pct(self) -> Measured:
        """The deepest fall so far, in percent."""
        return _deepest(*self.deepest, peak=self.peak)

    @property
    def daily_pct(self) -> Measured:
        """How far below the high of the UTC day, in percent."""
        return _below(self.value, self.day_high)

    @property
    def weekly_pct(self) -> Measured:
        """How far below the high of the UTC week, in percent."""
        return _below(self.value, self.week_high)

    @property
    @money
    def recovery_pct(self) -> Measured:
        """How much of the open fall is regained, in percent; 100 where there is none."""
        if self.peak <= 0:
            return _NONE
        fall = self.open_fall
        if fall is None:
            return known(HUNDRED)
        return percent(self.value - fall.low, fall.peak - fall.low)

    def water(self, now: int) -> tuple[int, int]:
        """Return how long it was below a peak in all, and at most at a stretch, in nanoseconds."""
        fall = self.open_fall
        open_ = 0 if fall is None else fall.length(now)
        return self.under_water + open_, max(self.longest, open_)

    def _high(self, high: Decimal, at: int, start: _Start) -> Decimal:
        """Return a period's high before `at`, nothing where there is none."""
        if self.at is None:
            return ZERO
        return high_before(high, self.value, start, self.at, at) or ZERO

    def _recover(self, at: int) -> None:
        fall = self.open_fall
        if fall is not None:
            self.falls.append(msgspec.structs.replace(fall, recovered_at=at))
            self.under_water += at - fall.peak_at
            self.longest = max(self.longest, at - fall.peak_at)


@money
def walked(values: Iterable[tuple[int, Decimal]]) -> RunningDrawdown:
    """Return the drawdown that has seen these values. O(values)."""
    running = RunningDrawdown()
    for at, value in values:
        running.see(at, value)
    return running


@money
def stands(running: RunningDrawdown, *, basis: Basis, now: int) -> Drawdown:
    """Return how a followed drawdown stands at `now`, without its windows and falls. O(1)."""
    is_any = running.at is not None
    under_water, longest = running.water(now)
    return Drawdown(
        basis=basis,
        at=running.at,
        current=running.value if is_any else None,
        peak=running.peak if is_any else None,
        peak_at=running.peak_at if is_any else None,
        current_pct=running.current_pct,
        daily_pct=_of_period(running.daily_pct, running.at, now, day_start),
        weekly_pct=_of_period(running.weekly_pct, running.at, now, week_start),
        max_pct=running.max_pct,
        windows={},
        recovery_pct=running.recovery_pct,
        days_since_peak=(now - running.peak_at) // instant.DAY if is_any else None,
        falls=(),
        under_water_s=under_water // instant.SECOND,
        longest_under_water_s=longest // instant.SECOND,
    )


def drawdown(curve: Curve, *, basis: Basis = Basis.EQUITY, now: int | None = None) -> Drawdown:
    """Return the drawdown of a curve at `now`, by default at its last point. O(points)."""
    last = curve.points[-1].at if curve.points else 0
    falling = Falling(basis, last if now is None else now)
    falling.see(curve.points)
    return falling.drawdown


class Falling:
    """The drawdown at `now` of points that come some at a time, with its windows and falls."""

    def __init__(self, basis: Basis, now: int) -> None:
        self.skipped = 0
        self._broken_at: int | None = None
        self._basis, self._now = basis, now
        self._running = RunningDrawdown()
        self._last: int | None = None
        self._before: tuple[Point, ...] = ()
        self._since = {name: (now - span, Deepest()) for name, span in SPANS.items()}

    @money
    def see(self, points: Sequence[Point]) -> None:
        """Take in points, later than those before. O(points)."""
        if not points:
            return
        values = _values(points, self._basis)
        self.skipped += len(points) - len(values)
        if self._basis is Basis.NAV:
            links = points if self._last is not None else points[1:]
            broken = (point.at for point in links if point.is_broken)
            self._broken_at = max(broken, default=self._broken_at)
        for at, value in values:
            self._running.see(at, value)
        known = Curve((*self._before, *points))
        for start, found in self._since.values():
            if self._last is not None and start <= self._last:
                found.see(values)
            elif start <= points[-1].at:
                found.see(_values(window(known, start).points, self._basis))
        self._last = points[-1].at
        self._before = opening(known.points, len(known.points))

    @property
    def drawdown(self) -> Drawdown:
        """How it stands."""
        open_ = self._running.open_fall
        stood = stands(self._running, basis=self._basis, now=self._now)
        if self._broken_at is not None:
            lost = dict.fromkeys(("current_pct", "max_pct", "recovery_pct"), _BROKEN)
            stood = msgspec.structs.replace(stood, **lost)
        return msgspec.structs.replace(
            stood,
            falls=(*self._running.falls, *((open_,) if open_ is not None else ())),
            windows={name: self._fall(*since) for name, since in self._since.items()},
            is_complete=self._running.at == self._last,
            skipped=self.skipped,
        )

    def _fall(self, start: int, found: "Deepest") -> Measured:
        if self._broken_at is not None and self._broken_at >= start:
            return _BROKEN
        if self._last is not None and start > self._last:
            found = Deepest()
            found.see(_values(self._before, self._basis))
        return found.pct


class Deepest(msgspec.Struct):
    """The deepest fall of values, one after the other: what `RunningDrawdown` would say, without
    all else that it follows. `fallen` is how far, from the peak `whole`.
    """

    peak: Decimal = ZERO
    low: Decimal = ZERO
    fallen: Decimal = ZERO
    whole: Decimal = ZERO

    @money
    def see(self, values: Iterable[tuple[int, Decimal]]) -> None:
        """Take in what the curve came to. O(values)."""
        peak, low, fallen, whole = self.peak, self.low, self.fallen, self.whole
        for _, value in values:
            if value >= peak or peak <= 0:
                peak = low = value
            elif value < low:
                low = value
                if not whole or (peak - value) * whole > fallen * peak:
                    fallen, whole = peak - value, peak
        self.peak, self.low, self.fallen, self.whole = peak, low, fallen, whole

    @property
    def pct(self) -> Measured:
        """How deep, in percent."""
        return _deepest(self.fallen, self.whole, peak=self.peak)


def deepest(falls: Sequence[Fall], count: int = 5) -> list[Fall]:
    """Return the deepest falls, the deepest first, of equal ones the earlier."""
    return sorted(falls, key=lambda fall: (-(fall.depth_pct.value or ZERO), fall.peak_at))[:count]


def _of_period(found: Measured, at: int | None, now: int, start: _Start) -> Measured:
    if at is not None and start(at) != start(now):
        return unknown("nothing complete was kept in this period yet")
    return found


def _deepest(fallen: Decimal, whole: Decimal, *, peak: Decimal) -> Measured:
    """Return the deepest fall in percent of its peak; `peak` is the highest value so far."""
    if not whole:
        return known(ZERO) if peak > 0 else _NONE
    return percent(fallen, whole)


@money
def _below(value: Decimal, high: Decimal) -> Measured:
    return percent(high - value, high) if high > 0 else _NONE


def _values(points: Iterable[Point], basis: Basis) -> list[tuple[int, Decimal]]:
    if basis is Basis.EQUITY:
        return [(point.at, point.equity) for point in points if point.is_complete]
    return [(point.at, point.nav) for point in points if point.nav is not None]


def _when(at: int | None) -> str:
    return "" if at is None else instant.show(at)
