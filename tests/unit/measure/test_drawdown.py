"""Drawdown: figures by hand, and a walk over a curve against one that looks at everything."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger.instant import day_start, week_start
from bursar.ledger.why import Amount, Why
from bursar.measure import drawdown as module
from bursar.measure.curve import Curve, curve
from bursar.measure.drawdown import (
    Basis,
    deepest,
    stands,
    walked,
)
from tests.unit.measure.samples import DAY, HOUR, POSITIVE, START, D, curve_of, day, loose, moment

drawdown = loose(module.drawdown)


def test_the_figures_of_a_fall_by_hand():
    made = drawdown(curve_of(1000, 1200, 900, 1050, 1110))
    assert (made.current, made.peak) == (1110, 1200)
    assert made.current_pct.value == D("7.5")
    assert made.max_pct.value == 25
    assert made.recovery_pct.value == 70  # 210 of the 300 that were lost
    assert made.days_since_peak == 3
    (fall,) = made.falls
    assert (fall.depth_pct.value, fall.low, fall.recovered_at) == (25, 900, None)
    assert made.under_water_s == made.longest_under_water_s == 3 * 86_400
    assert made.windows["30d"].value == 25


def test_a_window_has_the_deepest_fall_of_its_own_days():
    told = [(1, 200), (2, 100), (200, 120), (201, 90), (280, 100), (281, 95)]
    made = drawdown(curve(moment(day(number), value) for number, value in told))
    assert {name: figure.value for name, figure in made.windows.items()} == {
        "30d": 5,  # 100 → 95; before it 90 stood
        "90d": 25,  # 120 → 90
        "1y": 55,  # 200 → 90
    }


def test_a_peak_that_is_reached_again_closes_the_fall():
    made = drawdown(curve_of(100, 90, 100, 95, 120), now=day(8))
    assert (made.current_pct.value, made.recovery_pct.value) == (0, 100)
    assert [fall.recovered_at for fall in made.falls] == [day(3), day(5)]
    assert [fall.length(0) for fall in made.falls] == [2 * DAY, 2 * DAY]
    assert made.days_since_peak == 3
    assert [fall.low for fall in deepest(made.falls, 1)] == [90]


def test_day_and_week_fall_from_their_own_high():
    # the 5th is a Monday; the 8th a Thursday
    told = [(day(1), 200), (day(5), 100), (day(7, 18), 120), (day(8), 90), (day(8, 18), 96)]
    made = drawdown(curve(moment(at, value) for at, value in told))
    assert made.daily_pct.value == 20  # from 120, which stood at 00:00
    assert made.weekly_pct.value == 20
    assert made.max_pct.value == 55


def test_what_stood_long_before_a_period_is_not_its_high():
    made = drawdown(curve([moment(day(1), 200), moment(day(9), 100)]))
    assert (made.daily_pct.value, made.weekly_pct.value) == (0, 0)


def test_a_period_of_which_nothing_is_known_has_no_figure():
    made = drawdown(curve_of(100, 90), now=day(3))
    assert made.daily_pct.value is None
    assert made.weekly_pct.value == 10
    assert "this period" in drawdown(curve_of(100), now=day(30)).weekly_pct.reason


def test_an_empty_curve_says_that_nothing_is_known():
    made = drawdown(Curve(()))
    assert (made.current, made.peak, made.days_since_peak) == (None, None, None)
    for figure in (made.current_pct, made.daily_pct, made.max_pct, made.recovery_pct):
        assert (figure.value, figure.reason) == (None, "nothing above zero was kept yet")
    assert isinstance(made.why(), Amount)


def test_equity_below_zero_has_no_peak_to_fall_from():
    made = drawdown(curve_of(-5, -9, 10, -10))
    assert made.max_pct.value == 200
    assert len(made.falls) == 1


def test_across_equity_below_zero_the_unit_price_has_no_fall():
    told = curve([moment(day(n), equity) for n, equity in ((1, 100), (2, -50), (3, 60), (50, 30))])
    made = drawdown(told, basis=Basis.NAV)
    for figure in (made.current_pct, made.max_pct, made.recovery_pct, made.windows["90d"]):
        assert (figure.value, figure.reason[:25]) == (None, "equity was not above zero")
    assert made.windows["30d"].value == 50, "the break lies before it"
    assert drawdown(told).max_pct.value == 150
    after = Curve(told.points[1:])
    assert drawdown(after, basis=Basis.NAV).max_pct.value is None
    assert drawdown(Curve(told.points[2:]), basis=Basis.NAV).max_pct.value == 50


def test_incomplete_moments_are_left_out_and_counted():
    made = drawdown(curve([moment(day(1), 100), moment(day(2), 10, is_complete=False)]))
    assert (made.current, made.max_pct.value) == (100, 0)
    assert (made.is_complete, made.skipped) == (False, 1)


def test_a_withdrawal_lowers_equity_and_not_the_unit_price():
    made = curve([moment(day(1), 100, 100), moment(day(2), 50, 50)])
    assert drawdown(made).current_pct.value == 50
    assert drawdown(made, basis=Basis.NAV).current_pct.value == 0
    assert drawdown(made, basis=Basis.NAV).max_pct.value == 0


def test_a_drawdown_can_be_asked_why():
    why = drawdown(curve_of(100, 90)).why()
    assert isinstance(why, Why)
    assert why.value == 10
    assert [part.value for part in why.parts] == [100, 90]


def test_a_curve_does_not_go_back():
    running = walked([(5, D(1))])
    with pytest.raises(AssertionError):
        running.see(4, D(1))


def test_what_is_followed_stands_as_what_is_walked():
    values = [(day(n), D(value)) for n, value in enumerate((100, 90, 101, 80, 90, 120, 70), 1)]
    for end in range(len(values) + 1):
        told = values[:end]
        whole = drawdown(curve(moment(at, value) for at, value in told), now=day(9))
        followed = stands(walked(told), basis=Basis.EQUITY, now=day(9))
        for field in followed.__struct_fields__:
            if field not in {"windows", "falls"}:
                assert getattr(followed, field) == getattr(whole, field), field
        lengths = [fall.length(day(9)) // 10**9 for fall in whole.falls]
        assert whole.under_water_s == sum(lengths)
        assert whole.longest_under_water_s == max(lengths, default=0)


@given(st.lists(st.tuples(st.integers(1, 30 * 24), POSITIVE), min_size=1, max_size=30))
def test_a_walk_says_what_looking_at_everything_says(told):
    told = sorted(dict(told).items())
    values = [(START + hours * HOUR, value) for hours, value in told]
    made = drawdown(curve(moment(at, value) for at, value in values))
    exact = [Fraction(value) for _, value in values]
    falls = [1 - exact[j] / max(exact[: j + 1]) for j in range(len(exact))]
    assert abs(Fraction(made.max_pct.value) - 100 * max(falls)) <= Fraction(1, 10**18)
    assert abs(Fraction(made.current_pct.value) - 100 * falls[-1]) <= Fraction(1, 10**18)
    last = values[-1][0]
    for began, found in ((day_start(last), made.daily_pct), (week_start(last), made.weekly_pct)):
        high = max([v for at, v in values if at >= began])
        before = [(at, v) for at, v in values if at < began]
        if before and began - before[-1][0] <= DAY:
            high = max(high, before[-1][1])
        expected = 100 * (1 - exact[-1] / Fraction(high))
        assert abs(Fraction(found.value) - expected) <= Fraction(1, 10**18)
    place = max(j for j, value in enumerate(exact) if value == max(exact))
    low = min(exact[place:])
    regained = 100 if low == exact[place] else 100 * (exact[-1] - low) / (exact[place] - low)
    assert abs(Fraction(made.recovery_pct.value) - regained) <= Fraction(1, 10**18)


def test_of_a_window_that_begins_after_the_last_point_its_opening_is_all_there_is():
    made = curve_of(1000, 1100, 990)
    late = drawdown(made, now=made.points[-1].at + 400 * DAY)
    assert {figure.value for figure in late.windows.values()} == {0}
    assert late.max_pct.value == 10
