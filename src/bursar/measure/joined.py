"""A curve of which the part before the first kept moment is another, of which less is known.

The two are one chain: the first kept moment with a unit price (the joint) is linked to the last
moment before it that has one, so what capital grew by between the two is the flow of the joint, and
of nothing else. The unit price of what was kept stands as it is without the part before, digit for
digit; that part's is multiplied so that it runs on into it.

Errors: none.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from bursar.exact import money, ratio18
from bursar.ledger import instant
from bursar.measure.curve import Link, Moment, Point, linked
from bursar.measure.returns import DayCloses


class Prelude(msgspec.Struct, frozen=True):
    """The points before the first kept moment; kept ones before `since` do not count. `joint` takes
    the place of the kept point of its instant; `None`: nothing has a unit price yet.
    """

    points: tuple[Point, ...]
    since: int
    joint: Point | None

    def then(self, kept: Iterable[Point]) -> list[Point]:
        """Return kept points as they go on from here."""
        return [self._or_joint(each) for each in kept if each.at >= self.since]

    def _or_joint(self, kept: Point) -> Point:
        return kept if self.joint is None or kept.at != self.joint.at else self.joint

    def closes(self, kept: DayCloses) -> DayCloses:
        """Return the closes of the days of both. O(days)."""
        found = DayCloses()
        for point in self.points:
            found.see(point)
        for day, (nav, is_broken) in kept.navs.items():
            if day >= self.since // instant.DAY:
                _, was_broken = found.navs.get(day, (nav, False))
                found.navs[day] = nav, is_broken or was_broken
        if self.joint is not None and self.joint.nav is not None:
            day = self.joint.at // instant.DAY
            nav, is_broken = found.navs.get(day, (self.joint.nav, False))
            found.navs[day] = nav, is_broken or self.joint.is_broken
        return found


@money
def prelude(
    before: Iterable[Moment], since: int, joint: Moment | None, nav: Decimal | None = None
) -> Prelude:
    """Return what comes before kept moments, whose first with a unit price (`nav`) is the joint.

    Without that price, the joint's runs on from what is before. O(moments).
    """
    points: list[Point] = []
    last: Link | None = None
    for moment in before:
        point, last = linked(moment, last)
        points.append(point)
    if joint is None:
        return Prelude(tuple(points), since, None)
    point = linked(joint, last)[0]
    if nav is None or point.nav is None:
        return Prelude(tuple(points), since, point)
    if not point.nav:  # it fell so deep that its digits are gone
        broken = msgspec.structs.replace(point, nav=nav, is_stale=True, is_broken=True)
        return Prelude(tuple(points), since, broken)
    told = tuple(_times(each, nav, point.nav) for each in points)
    return Prelude(told, since, msgspec.structs.replace(point, nav=nav))


def _times(point: Point, wanted: Decimal, found: Decimal) -> Point:
    if point.nav is None:
        return point
    return msgspec.structs.replace(point, nav=ratio18(point.nav, wanted, found))
