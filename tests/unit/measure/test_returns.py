"""Returns and ratios: by hand, by the referee, and what too little data says."""

from datetime import date

import pytest

from bursar.measure import kelly, returns
from bursar.measure import ratios as module
from bursar.measure.curve import Moment, curve
from bursar.measure.kelly import from_trades
from bursar.measure.measured import measured
from bursar.measure.ratios import Conventions, Ratios
from bursar.measure.returns import Calendar, fractions
from bursar.measure.trades import statistics
from tests.unit.measure.samples import D, curve_of, day, loose, moment, trips

ratios, from_returns = loose(module.ratios), loose(kelly.from_returns)
daily, money_weighted = loose(returns.daily), loose(returns.money_weighted)


def test_a_daily_return_is_between_consecutive_days():
    made = daily(curve([moment(day(1), 100), moment(day(2), 102), moment(day(4), 51)]))
    assert [(each.day, each.pct) for each in made] == [(date(2026, 1, 2), 2)]
    assert fractions(made) == [0.02]


def test_a_moment_without_a_price_closes_no_day():
    gap = Moment(day(2, 23), D(900), D(100), is_complete=False)
    made = daily(curve([moment(day(1), 100), moment(day(2), 102), gap]))
    assert [each.pct for each in made] == [2]


def test_the_last_moment_of_a_day_is_its_close():
    told = [(day(1, 9), 90), (day(1, 23), 100), (day(2, 1), 500), (day(2, 22), 110)]
    made = daily(curve(moment(at, value) for at, value in told))
    assert [each.pct for each in made] == [10]


def test_on_weekdays_monday_follows_friday():
    made = daily(curve_of(100, 110, 120, 130, 143), calendar=Calendar.WEEKDAYS)
    assert [(each.day.day, each.pct) for each in made] == [(2, 10), (5, 30)]


def test_a_broken_day_has_no_return():
    made = daily(curve([moment(day(1), 100), moment(day(2), -1), moment(day(3), 100)]))
    assert made == []


def test_money_weighted_by_hand():
    # 1000 for a year, and 1000 more for its second half: 1000 g² + 1000 g = 2310, g = 1.1
    year = [moment(day(1), 1000, 1000), moment(day(183), 2100, 2000), moment(day(366), 2310, 2000)]
    found = money_weighted(curve(year)).value
    assert abs(found - 21) < D("0.2")
    plain = money_weighted(curve([moment(day(1), 1000, 1000), moment(day(366), 1100, 1000)]))
    assert plain.value == 10


def test_a_rate_that_no_figure_could_hold_is_not_told():
    assert measured(-1e139).value == D("-1e139")
    for rate in (1e140, -1e140, 1e300):
        assert measured(rate).reason == "it is too large to be told"


def test_money_weighted_says_what_it_lacks():
    assert "two complete moments" in money_weighted(curve_of(1)).reason
    same = curve([moment(day(1, 1), 100), moment(day(1, 2), 101)])
    assert money_weighted(same).reason == "both ends are of one day"
    gone = curve([moment(day(1), 100, 100), moment(day(9), 0, 100)])
    assert "only went in" in money_weighted(gone).reason
    nothing = curve([moment(day(1), 0), moment(day(9), 0)])
    assert money_weighted(nothing).value is None


# The example portfolio of Carl Bacon, Practical portfolio performance measurement and attribution
# (2nd edition, 2008): 24 monthly returns in percent. Published of it: mean absolute deviation
# 0.0310 (cut off, not rounded), downside deviation from 0.5 % a month 0.0255.
MONTHS = [0.3, 2.6, 1.1, -1.0, 1.5, 2.5, 1.6, 6.7, -1.4, 4.0, -0.5, 8.1]
MONTHS += [4.0, -3.7, -6.1, 1.7, -4.9, -2.2, 7.0, 5.8, -6.5, 2.4, -0.5, -0.9]


def test_a_published_portfolio_of_24_months():
    told = [each / 100 for each in MONTHS]
    middle = module.mean(told)
    assert int(10_000 * module.mean([abs(each - middle) for each in told])) == 310
    yearly = D(str(100 * (1.005**12 - 1)))
    made = ratios(told, Conventions(periods=12, least=24, risk_free_pct=yearly))
    below = (middle - 0.005) / float(made.sortino.value) * 12**0.5
    assert round(below, 4) == 0.0255


def test_too_few_returns_are_said():
    made = ratios([0.01] * 29)
    assert made.returns == 29
    for name in Ratios.__struct_fields__[1:]:
        assert getattr(made, name).reason == "29 daily returns; it takes 30"


def test_what_does_not_move_has_no_ratio():
    made = ratios([0.01] * 40)
    assert made.sharpe.reason == "the returns do not differ"
    assert made.sortino.reason == "no return is below the risk-free rate"
    assert made.calmar.reason == "it never fell"
    assert made.volatility_pct.value == 0
    assert from_returns([0.01] * 40).full.reason == "the returns do not differ"


def test_a_loss_of_everything_is_all_of_it():
    made = ratios([0.01] * 39 + [-1.0])
    assert (made.annual_pct.value, made.worst_pct.value) == (-100, -100)


def test_a_yearly_return_too_large_for_a_number_is_not_told():
    made = ratios([1e15, 1e15] + [-0.1] * 28)
    assert made.annual_pct.reason == made.calmar.reason == "it is not a finite number"
    assert made.worst_pct.value == -10


def test_the_tail_of_a_level_has_as_many_returns_as_it_says():
    told = [-place / 1000 for place in range(71)]
    made = ratios(told, Conventions(level_pct=D(90)))  # ⌊70 × 10 %⌋ + 1 = 8
    assert made.cvar_pct.value == D("6.65")


def test_kelly_of_trades_by_hand():
    made = from_trades(statistics(trips(*[30] * 12, *[-20] * 8)))
    # W = 0.6, R = 1.5: 0.6 − 0.4 ÷ 1.5
    assert made.full.value == D("0.333333333333333333")
    assert made.half.value == D("0.166666666666666666")
    few = from_trades(statistics(trips(1, -1)))
    assert (few.full.value, few.half.reason) == (None, "2 round trips; it takes 20")
    assert from_trades(statistics(trips(*[1] * 20))).full.reason == "no round trip has lost"


def test_kelly_of_returns_is_mean_over_variance():
    made = from_returns([0.02, -0.01] * 20)
    assert float(made.full.value) == pytest.approx(0.005 / (0.015**2 * 40 / 39), rel=1e-8)
    assert from_returns([0.1]).full.reason == "1 daily returns; it takes 30"


def test_a_day_after_a_unit_price_of_nothing_has_no_return():
    moments = [moment(day(1), 1000), moment(day(2), "1E-18"), moment(day(3), 5)]
    assert [each.pct for each in daily(curve(moments))] == [-100]
