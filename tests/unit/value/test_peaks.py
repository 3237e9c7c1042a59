"""Peaks of all time, week and day, and how far equity is below them."""

from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import instant
from bursar.measure.drawdown import RunningDrawdown
from bursar.value.peaks import Falls, Peaks, falls, raised
from tests.unit.value.books import D, loose

SUNDAY = instant.parse("2026-03-01T23:59:59Z")
MONDAY = instant.parse("2026-03-02T00:00:00Z")
TUESDAY = instant.parse("2026-03-03T12:00:00Z")


def highs(peaks):
    return loose((peaks.ever, peaks.week, peaks.day))


def test_a_new_day_and_a_new_week_begin_with_what_stood():
    peaks = raised(raised(Peaks(), D(100), SUNDAY), D(80), SUNDAY)
    peaks = raised(peaks, D(70), MONDAY)
    assert highs(peaks) == (100, 80, 80)
    peaks = raised(raised(peaks, D(90), MONDAY), D(60), TUESDAY)
    assert highs(peaks) == (100, 90, 90)
    assert falls(peaks, D(45)) == Falls(ever=D(55), week=D(50), day=D(50))


def test_what_stood_more_than_a_day_before_is_no_beginning():
    peaks = raised(raised(Peaks(), D(100), SUNDAY), D(60), TUESDAY)
    assert highs(peaks) == (100, 100, 60)


def test_of_nothing_known_and_of_a_peak_of_nothing_no_fall_is_known():
    assert falls(Peaks(), D(5)) == Falls()
    assert falls(raised(Peaks(), D(0), MONDAY), D(-5)) == Falls()
    assert falls(raised(Peaks(), D(5), MONDAY), D(5)) == Falls(D(0), D(0), D(0))


@given(st.lists(st.tuples(st.integers(0, 20 * instant.DAY), st.integers(1, 9)), min_size=1))
def test_peaks_are_those_of_the_drawdown_that_follows_the_same_equity(told):
    peaks, running = Peaks(), RunningDrawdown()
    for at, equity in sorted(told):
        peaks = raised(peaks, D(equity), MONDAY + at)
        running.see(MONDAY + at, D(equity))
    assert highs(peaks) == loose((running.peak, running.week_high, running.day_high))
    seen = [(MONDAY + at, D(equity)) for at, equity in sorted(told)]
    assert peaks.ever == max(equity for _, equity in seen)
    for high, length in ((peaks.week, 7 * instant.DAY), (peaks.day, instant.DAY)):
        begun = seen[-1][0] - (seen[-1][0] - MONDAY) % length
        early = [(at, equity) for at, equity in seen if at < begun][-1:]
        inside = [equity for at, equity in seen if at >= begun]
        assert high == max(inside + [e for at, e in early if begun - at <= instant.DAY])
