"""A stretch that is measured in one walk, a few points at a time, is what it is as a whole."""

from hypothesis import example, given
from hypothesis import strategies as st

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.measure import returns
from bursar.measure.curve import Curve, Moment, curve, growth, window
from bursar.measure.drawdown import SPANS, Basis, drawdown, walked
from bursar.measure.packed import PackedCurve
from bursar.measure.stretch import Stretch
from tests.unit.measure.samples import D, moment

EQUITIES = st.sampled_from(["0", "-3", "10.50", "90", "100", "1000"])
CAPITALS = st.none() | st.sampled_from([D(1), D("1.5"), D(-2), D(1000)])
STEPS = st.sampled_from([instant.DAY // 2, instant.DAY, 9 * instant.DAY, 40 * instant.DAY])
MOMENTS = st.lists(st.tuples(STEPS, EQUITIES, CAPITALS, st.booleans()), max_size=16)


@given(MOMENTS, st.integers(1, 5), STEPS)
@example([(40 * instant.DAY, "10", D(1), True)] * 12, 2, 40 * instant.DAY)
@example([(instant.DAY, "10", D(1), True), (instant.DAY, "9", None, True)], 1, 40 * instant.DAY)
def test_points_a_few_at_a_time_are_measured_as_all_of_them_at_once(told, size, later):
    whole, now = _curve(told, later)
    part = Stretch(now)
    part.see(())
    for place in range(0, len(whole.points), size):
        part.see(whole.points[place : place + size])
    assert part.moments == len(whole.points)
    assert part.growth.pct == growth(whole.points)
    assert part.flowed.money_weighted == returns.money_weighted(whole)
    assert part.closes.returns() == returns.daily(whole)
    assert part.equity.drawdown == drawdown(whole, now=now)
    assert part.nav.drawdown == drawdown(whole, basis=Basis.NAV, now=now)
    for name, span in SPANS.items():
        recent = walked((each.at, each.equity) for each in window(whole, now - span).complete)
        assert part.equity.drawdown.windows[name] == recent.max_pct
    assert (part.first, part.last) == ((*whole.complete, None)[0], (None, *whole.complete)[-1])
    assert part.flows.value == _flows(whole)
    if part.made.value is not None:
        gained = whole.priced[-1].equity - whole.priced[0].equity
        assert part.made.value == gained - part.flows.value


def test_a_course_is_of_the_moments_that_were_there():
    packed, now = PackedCurve(block=2), moment(9, 7)
    for at in range(3):
        packed.add(moment(at, at + 1))
    course = packed.course(now)
    packed.add(moment(3, 50))
    points = curve([*map(_moment, range(3)), now]).points
    assert [len(points) for points in course.chunks()] == [2, 2]
    assert (tuple(course), repr(course), len(course)) == (points, repr(points), 4)
    assert (course[-1], course[1:3]) == (points[-1], points[1:3])
    assert course == points
    assert course != 7


def _moment(at):
    return moment(at, at + 1)


def _curve(told, later):
    at, moments = 1_700_000_000 * instant.SECOND, []
    for step, equity, capital, is_complete in told:
        at += step
        moments.append(Moment(at, D(equity), capital, is_complete))
    return curve(moments), at + later


@money
def _flows(whole: Curve):
    if len(whole.priced) <= 1 or whole.complete != whole.priced:
        return None
    return sum((point.flow or ZERO for point in whole.priced[1:]), ZERO)
