"""What of a profit goes back to work."""

from decimal import Decimal

import pytest

from bursar.capital.smart_reinvestor import (
    Policy,
    Reinvested,
    ReinvestSettings,
    SmartReinvestor,
)
from bursar.errors import BadChoice

FINE = Decimal("1.2")


def divided(profit=100, *, drawdown="0", equity=400, factor=FINE, policy=Policy.SMART):
    reinvestor = SmartReinvestor(initial=Decimal(300), settings=ReinvestSettings(policy=policy))
    return reinvestor.divide(
        Reinvested(),
        Decimal(profit),
        equity=Decimal(equity),
        drawdown=Decimal(drawdown),
        profit_factor=factor,
    )[1]


@pytest.mark.parametrize(
    "drawdown, share",
    [("0", "0.9"), ("0.05", "0.9"), ("0.085", "0.6"), ("0.12", "0.3"), ("0.5", "0.3")],
)
def test_the_share_falls_with_the_drawdown(drawdown, share):
    division = divided(drawdown=drawdown)
    assert division.share == Decimal(share)
    assert (division.reinvest, division.keep) == (100 * Decimal(share), 100 - 100 * Decimal(share))


@pytest.mark.parametrize("factor", [None, Decimal("1.19")])
def test_the_upper_half_has_to_be_earned(factor):
    assert divided(factor=factor).share == Decimal("0.6")
    assert divided(factor=factor, drawdown="0.06").share == Decimal("0.6")
    assert divided(factor=factor, drawdown="0.12").share == Decimal("0.3")


def test_below_half_of_initial_capital_everything_is_kept():
    assert divided(equity=149).reinvest == 0
    assert divided(equity=150).reinvest == 90


@pytest.mark.parametrize(
    "policy, share", [(Policy.FULL, 1), (Policy.HALF, Decimal("0.5")), (Policy.FIXED, 0)]
)
def test_plain_policies(policy, share):
    assert divided(policy=policy, drawdown="0.5").share == share


@pytest.mark.parametrize(
    "settings", [{"least": Decimal(1)}, {"calm": Decimal("0.2")}, {"survival": Decimal(-1)}]
)
def test_a_line_that_does_not_fall_is_refused(settings):
    with pytest.raises(BadChoice, match="reinvest"):
        ReinvestSettings(**settings)
