"""Losses in a row press, time lets go, a good run lifts."""

from decimal import Decimal

import pytest

from bursar.capital.capital_pressure import CapitalPressure, Pressure, PressureSettings
from bursar.capital.trades import ClosedTrade, Tally
from bursar.errors import BadChoice
from bursar.exact import ZERO

RULES = CapitalPressure()
GOOD = Tally(5, Decimal(12), Decimal(10))


def trade(pnl, context="calm"):
    return ClosedTrade(id="t", strategy="trend", at=0, pnl=Decimal(pnl), context=context)


def after(*trades):
    state = Pressure()
    for each in trades:
        state = RULES.after_trade(state, each)
    return state


def test_two_losses_in_a_row_in_one_context_halve_it():
    assert after(trade(-1)).multiplier == 1
    assert after(trade(-1), trade(-1)).multiplier == Decimal("0.5")


def test_losses_in_two_contexts_are_not_in_a_row():
    assert after(trade(-1), trade(-1, "wild")).multiplier == 1


def test_a_win_between_forgives():
    assert after(trade(-1), trade(1), trade(-1)).multiplier == 1


def test_it_never_falls_below_the_least():
    assert after(*[trade(-1)] * 10).multiplier == Decimal("0.3")


def test_a_rebalance_lets_go_three_tenths_of_the_way():
    pressed = Pressure(Decimal("0.5"))
    assert RULES.at_rebalance(pressed, Tally(), ZERO).multiplier == Decimal("0.65")
    lifted = Pressure(Decimal("1.3"))
    assert RULES.at_rebalance(lifted, Tally(), ZERO).multiplier == Decimal("1.21")


def test_a_good_run_that_does_not_fall_deeper_lifts_it():
    state = RULES.at_rebalance(Pressure(), GOOD, ZERO)
    assert state.multiplier == Decimal("1.2")
    assert RULES.at_rebalance(state, GOOD, ZERO).multiplier == Decimal("1.3")


def test_a_good_run_that_falls_deeper_lifts_nothing():
    state = RULES.at_rebalance(Pressure(), GOOD, Decimal("0.02"))
    assert state.multiplier == 1
    assert RULES.at_rebalance(state, GOOD, Decimal("0.02")).multiplier == Decimal("1.2")


@pytest.mark.parametrize(
    "settings",
    [{"least": Decimal(0)}, {"most": Decimal("0.9")}, {"decay": Decimal(2)}, {"losses": 0}],
)
def test_settings_that_would_be_no_pressure_are_refused(settings):
    with pytest.raises(BadChoice, match="pressure"):
        PressureSettings(**settings)
