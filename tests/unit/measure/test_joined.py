"""A curve that goes on from another: the unit price of the latter runs on into it."""

from bursar.ledger import instant
from bursar.measure.curve import Moment, Point
from bursar.measure.joined import prelude
from bursar.measure.returns import DayCloses
from tests.unit.measure.samples import D

DAY = instant.DAY
BEFORE = (Moment(0, D(100), D(100)), Moment(DAY, D(110), D(100)))
JOINT = Moment(2 * DAY, D(121), D(100))


def navs(found):
    return [point.nav for point in found.points]


def test_the_part_before_bends_to_the_price_that_was_kept():
    found = prelude(BEFORE, 2 * DAY, JOINT, D(100))
    assert found.joint is not None
    assert found.joint.nav == 100
    assert navs(found) == [
        D(100) * 100 / 121 // D("1e-18") * D("1e-18"),
        D("90.909090909090909091"),
    ]


def test_without_a_price_that_was_kept_that_of_before_runs_on():
    found = prelude(BEFORE, 2 * DAY, JOINT)
    assert found.joint is not None
    assert [*navs(found), found.joint.nav] == [100, 110, 121]


def test_where_nothing_kept_has_a_price_there_is_no_joint():
    found = prelude(BEFORE, 2 * DAY, None)
    assert (navs(found), found.joint) == ([100, 110], None)
    kept = [Point(DAY, D(5), True), Point(2 * DAY, D(6), True)]
    assert found.then(kept) == kept[1:]


def test_a_moment_that_lacks_a_price_has_none_in_the_part_before_either():
    lacking = Moment(DAY, D(5), None)
    found = prelude((BEFORE[0], lacking), 2 * DAY, JOINT, D(100))
    assert navs(found)[1] is None


def test_the_closes_are_of_the_days_of_both_and_each_day_of_one():
    kept = DayCloses({0: (D(1), False), 2: (D(100), False), 3: (D(101), True)})
    found = prelude(BEFORE, 2 * DAY, JOINT, D(100)).closes(kept)
    assert [nav for nav, _ in found.navs.values()][1:] == [D("90.909090909090909091"), 100, 101]
    assert found.is_broken
    assert prelude(BEFORE, 2 * DAY, None).closes(kept).navs[2] == (D(100), False)
