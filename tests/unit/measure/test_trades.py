"""Trade statistics: by hand, and what is not known is said."""

import math
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger.why import Amount, Why
from bursar.measure import trades as module
from bursar.measure.measured import measured
from bursar.measure.rolling import RollingTrades
from bursar.measure.trades import by
from tests.unit.measure.samples import DAY, HOUR, MONEY, D, loose, trip, trips

statistics = loose(module.statistics)


def test_the_figures_by_hand():
    made = statistics(trips(10, -4, -6, 20, 0, 5, 7, -2))
    assert (made.count, made.wins, made.losses, made.even) == (8, 4, 3, 1)
    assert (made.gross_profit, made.gross_loss, made.net, made.fees) == (42, 12, 30, 8)
    assert made.win_rate.value == 50
    assert made.profit_factor.value == D("3.5")
    assert made.expectancy.value == D("3.75")
    assert (made.average_win.value, made.average_loss.value) == (D("10.5"), 4)
    assert made.payoff.value == D("2.625")
    assert (made.best.value, made.worst.value) == (20, -6)
    assert (made.longest_wins, made.longest_losses, made.streak) == (2, 2, -1)
    assert made.held_mean_s.value == 12 * 3600


def test_without_a_loss_there_is_no_profit_factor_and_it_says_why():
    made = statistics(trips(1, 2))
    assert (made.profit_factor.value, made.profit_factor.reason) == (None, "no round trip has lost")
    assert made.payoff.reason == "no round trip has lost"
    assert isinstance(made.why_profit_factor(), Amount)
    assert statistics(trips(-1)).payoff.reason == "no round trip has won"
    assert statistics(trips(-1)).profit_factor.value == 0


def test_without_a_trip_nothing_is_known():
    made = statistics([])
    for figure in (made.win_rate, made.profit_factor, made.expectancy, made.best, made.worst):
        assert (figure.value, figure.reason) == (None, "no round trip has closed")
    assert (made.streak, made.longest_wins, made.longest_losses) == (0, 0, 0)
    assert made.held_mean_s.value is None


def test_figures_can_be_asked_why():
    why = statistics(trips(6, -4)).why_profit_factor()
    assert isinstance(why, Why)
    assert [why.value, *(part.value for part in why.parts)] == [D("1.5"), 6, 4]
    assert statistics(trips(6, -4)).why_win_rate().value == 50
    unsure = statistics([trip(1, 6, flags=("unpriced",)), trip(2, -4)]).why_win_rate()
    assert unsure.parts[-1] == Amount("trips with an unpriced fee, leg or settlement", D(1))


def test_statistics_by_heading():
    told = [trip(1, 5, asset="ETH"), trip(2, -1), trip(3, 4)]
    found = by(told, lambda each: each.asset)
    assert list(found) == ["ETH", "XBT"]
    assert found["XBT"].net == 3


def test_what_is_no_number_does_not_leave():
    assert measured(math.nan).value is None
    assert measured(0.5).value == D("0.5")
    assert [str(measured(0.5)), str(measured(math.inf))] == ["0.5", "it is not a finite number"]


BACK = st.none() | st.integers(1, 4)


@given(st.lists(st.tuples(st.integers(0, 5), MONEY, BACK), max_size=40), st.integers(1, 20))
def test_rolling_figures_are_those_of_the_trips_in_the_stretch(told, days):
    rolling, at = RollingTrades(days * DAY), 0
    kept: list[tuple[int, Decimal]] = []
    for gap, pnl, back in told:
        at += gap * DAY
        if back is not None and back <= len(kept):
            rolling.take_back(*kept.pop(-back))
        rolling.add(at, pnl)
        kept.append((at, pnl))
    now = at + 2 * DAY
    inside = [pnl for then, pnl in kept if then > now - days * DAY]
    made, whole = rolling.at(now), statistics(trips(*inside))
    for name in ("count", "wins", "losses", "gross_profit", "gross_loss", "net"):
        assert getattr(made, name) == getattr(whole, name)
    for name in ("win_rate", "profit_factor", "expectancy"):
        assert getattr(made, name) == getattr(whole, name)
    assert made.losses_in_a_row == max(-whole.streak, 0)


def test_what_comes_and_goes_in_the_middle_leaves_the_figures_of_what_is_there():
    rolling, fresh = RollingTrades(9 * DAY), RollingTrades(9 * DAY)
    for at, pnl in ((1, 5), (3, -2), (4, -1), (2, 4)):
        rolling.add(at * DAY, D(pnl))
    rolling.take_back(3 * DAY, D(-2))
    for at, pnl in ((1, 5), (2, 4), (4, -1)):
        fresh.add(at * DAY, D(pnl))
    assert repr(rolling.at(5 * DAY)) == repr(fresh.at(5 * DAY))
    assert [rolling.at(5 * DAY).net, rolling.at(5 * DAY).losses_in_a_row] == [8, 1]


def test_an_update_costs_the_same_however_long_the_stretch():
    rolling = RollingTrades(1000 * HOUR)
    for number in range(10_000):
        rolling.add(number * HOUR, D(1))
        rolling.take_back(number * HOUR, D(1))  # a later fill of its order adds to it
        rolling.add(number * HOUR, D(number % 7 - 3))
        rolling.at(number * HOUR)
    assert rolling.steps <= 4 * 10_000
    assert rolling.at(9_999 * HOUR).count == 1000


def test_the_deviation_is_that_of_a_sample():
    rolling = RollingTrades(DAY)
    rolling.add(0, D(1))
    assert rolling.at(0).deviation.value is None
    for value in (2, 3, 4):
        rolling.add(0, D(value))
    assert rolling.at(0).deviation.value == D("1.290994449")


def test_a_trip_that_is_learned_after_its_stretch_is_in_no_figure():
    rolling = RollingTrades(DAY)
    assert rolling.at(9 * DAY).count == 0
    rolling.add(DAY, D(5))
    rolling.take_back(DAY, D(5))
    assert (rolling.at(9 * DAY).count, rolling.steps) == (0, 0)
