"""Ratios as another's library works them out; apart, since traced it is slow to load."""

import pytest

from bursar.measure import ratios as module
from bursar.measure.ratios import Conventions
from tests.unit.measure.samples import D, loose

ratios = loose(module.ratios)


@pytest.fixture(scope="module")
def referee():
    return pytest.importorskip("empyrical", reason="the referee is not installed")


RETURNS = [((n * 7919) % 201 - 97) / 5000 for n in range(1, 800)]


@pytest.mark.parametrize("periods", [365, 252])
@pytest.mark.parametrize("free", [0, 4])
def test_the_referee_agrees(referee, periods, free):
    import numpy as np

    rules = Conventions(periods=periods, risk_free_pct=D(free))
    made, told = ratios(RETURNS, rules), np.array(RETURNS)
    daily_free = (1 + free / 100) ** (1 / periods) - 1
    expected = {
        "annual_pct": 100 * referee.annual_return(told, annualization=periods),
        "volatility_pct": 100 * referee.annual_volatility(told, annualization=periods),
        "sharpe": referee.sharpe_ratio(told, risk_free=daily_free, annualization=periods),
        "sortino": referee.sortino_ratio(told, required_return=daily_free, annualization=periods),
        "calmar": referee.calmar_ratio(told, annualization=periods),
        "var_pct": -100 * referee.value_at_risk(told, cutoff=0.05),
        "cvar_pct": -100 * referee.conditional_value_at_risk(told, cutoff=0.05),
    }
    for name, figure in expected.items():
        assert float(getattr(made, name).value) == pytest.approx(figure, rel=1e-7, abs=2e-9), name
    assert module.deepest_fall(RETURNS) == pytest.approx(-referee.max_drawdown(told), rel=1e-12)
