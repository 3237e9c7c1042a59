"""A stretch of the curve, measured in one walk: its points come some at a time and are let go of.

Invariant: however the points are cut up, what is found is what it is of all of them at once.

Errors: none.
"""

from collections.abc import Sequence
from typing import Final

from bursar.exact import money
from bursar.measure.curve import Growth, Point
from bursar.measure.drawdown import Basis, Falling
from bursar.measure.measured import Measured, known, unknown
from bursar.measure.returns import DayCloses, Flows

_TWO: Final = "it takes two moments with capital of a known worth"


class Stretch:
    """What the points seen so far come to; `now` is the instant as of which falls are told."""

    def __init__(self, now: int) -> None:
        self.moments = 0
        self.first: Point | None = None
        self.last: Point | None = None
        self.growth, self.flowed, self.closes = Growth(), Flows(), DayCloses()
        self.equity, self.nav = Falling(Basis.EQUITY, now), Falling(Basis.NAV, now)

    @money
    def see(self, points: Sequence[Point]) -> None:
        """Take in points, later than those before. O(points)."""
        self.moments += len(points)
        complete = [point for point in points if point.is_complete]
        if complete:
            self.first = self.first or complete[0]
            self.last = complete[-1]
        for part in (self.growth, self.flowed, self.equity, self.nav):
            part.see(points)
        for point in points:
            self.closes.see(point)

    @property
    def flows(self) -> Measured:
        """The capital that came less what went, between the ends."""
        count = self.flowed.count
        is_known = count > 1 and count == self.moments - self.equity.skipped
        return known(self.flowed.total) if is_known else unknown(_TWO)

    @property
    @money
    def made(self) -> Measured:
        """What equity grew by beyond that."""
        flows, first, last = self.flows, self.first, self.last
        if flows.value is None or first is None or last is None:
            return flows
        return known(last.equity - first.equity - flows.value)
