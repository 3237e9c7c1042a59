"""A packed curve says what the whole one says, and a part of it costs that part."""

from hypothesis import example, given
from hypothesis import strategies as st

from bursar.measure.curve import Moment, curve, window
from bursar.measure.packed import BLOCK, PackedCurve
from tests.unit.measure.samples import D, moment

VALUES = st.sampled_from(["0", "-3", "10.50", "1E+3", "0.000000000000000001", "7" * 25])
CAPITALS = st.none() | st.sampled_from([D("1"), D("1.0"), D("-2"), D("1000")])
MOMENTS = st.lists(st.tuples(VALUES, CAPITALS, st.booleans(), st.booleans()), max_size=14)
PLACES = st.none() | st.integers(-1, 16)


@given(MOMENTS, PLACES, PLACES)
@example([("0", None, False, False)] * 7 + [("0", None, True, False)], 8, 0)
def test_a_part_that_is_unpacked_is_that_part_of_the_whole(told, start, end):
    packed, kept = PackedCurve(block=3), []
    for at, (equity, capital, is_complete, is_stale) in enumerate(told):
        kept.append(Moment(at, D(equity), capital, is_complete, is_stale))
        packed.add(kept[-1])
    now = Moment(15, D("5.5"), D(1))
    assert repr(packed.course(now)) == repr(curve((*kept, now)).points)
    part = window(curve((*kept, now)), start, end)
    assert repr(packed.course(now, start, end)) == repr(part.points)


def test_a_part_costs_that_part_and_a_year_of_minutes_some_mebibytes():
    packed = PackedCurve()
    for n in range(20 * BLOCK):
        equity = D(10_000) + D(n * 7919 % 997).scaleb(-2) + D(n * 104_729 % 10**9).scaleb(-18)
        packed.add(moment(n * 60_000_000_000, equity, n // 1000))
    now = moment(20 * BLOCK * 60_000_000_000, 10_000)
    start = (19 * BLOCK + 7) * 60_000_000_000
    assert len(packed.course(now, start)) == BLOCK - 7 + 2
    assert packed.unpacked == BLOCK
    year = packed.weight * 525_600 / (20 * BLOCK)
    assert year < 20 * 2**20


def test_the_opening_of_a_part_may_lie_blocks_before_it():
    packed, kept = PackedCurve(block=3), []
    for at in range(8):
        kept.append(Moment(at, D(100), D(1), at == 0, False))
        packed.add(kept[-1])
    now = Moment(15, D("5.5"), D(1))
    assert repr(packed.course(now, 8)) == repr(window(curve((*kept, now)), 8).points)
