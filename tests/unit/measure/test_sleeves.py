"""Strategies are measured on the capital they really held."""

from decimal import Decimal

from bursar.ledger.sleeves import DayClose
from bursar.measure.ratios import Conventions
from bursar.measure.sleeves import SleeveReturns, sleeve_returns

FEW = Conventions(least=2)


def close(day, contributed, made):
    return DayClose("a", day, Decimal(contributed), Decimal(made))


def test_capital_that_is_given_is_no_return():
    found = sleeve_returns([close(10, 100, 0), close(12, 300, 30)], today=13)
    assert found == SleeveReturns((10, 11, 12, 13), (0.0, 0.0, 0.1, 0.0))


def test_what_is_open_counts_today():
    found = sleeve_returns([close(10, 100, 0)], today=11, unrealized=Decimal(-20))
    assert found.returns == (0.0, -0.2)
    assert found.drawdown == Decimal("0.2")


def test_a_day_on_which_nothing_is_held_has_no_return():
    found = sleeve_returns([close(10, 100, 0), close(11, -10, 10), close(14, 90, 10)], today=14)
    assert found.days == (10, 11, 14)
    assert found.returns == (0.0, 0.1, 0.0)


def test_a_strategy_without_a_past_has_no_returns():
    found = sleeve_returns([], today=5)
    assert found == SleeveReturns((), ())
    assert found.pct is None
    assert found.drawdown == 0
    assert found.sharpe().value is None
    assert found.volatility().value is None


def test_growth_is_what_one_unit_became():
    found = SleeveReturns((1, 2, 3), (0.5, -0.5, 0.2))
    assert found.growth == (Decimal("1.5"), Decimal("0.75"), Decimal("0.9"))
    assert found.pct == -10


def test_the_drawdown_is_from_the_peak_and_no_more_than_everything():
    assert SleeveReturns((1, 2, 3), (0.5, -0.5, 0.2)).drawdown == Decimal("0.4")
    assert SleeveReturns((1,), (-1.5,)).drawdown == 1


def test_what_lost_everything_stays_lost_whatever_other_capital_makes():
    for lost in (-1.0, -1.5):
        for after in ((), (0.1,), (0.1, -1.5), (-1.5, -1.5)):
            found = SleeveReturns(tuple(range(len(after) + 2)), (0.5, lost, *after))
            assert found.growth == (Decimal("1.5"), *[Decimal(0)] * (len(after) + 1))
            assert found.pct is None
            assert found.drawdown == 1


def test_statistics_of_a_window():
    found = SleeveReturns((1, 2, 3), (0.5, 0.01, 0.03)).since(2)
    assert found.days == (2, 3)
    assert found.volatility(FEW).value == Decimal("0.014142136")
    sharpe = found.sharpe(FEW).value
    assert sharpe is not None
    assert sharpe > 20
