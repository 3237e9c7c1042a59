"""Whole-share plans beside PyPortfolioOpt's integer program: never farther from their targets.

A referee for the tests alone. Its program minimises Σ|deviation| and the cash that is left; both
are compared on Σ|deviation|. It counts in floats, so its whole shares are counted again in
decimals; an answer that overspends is no plan.
"""

import random
import warnings
from decimal import Decimal

import pytest

from bursar.plan import (
    HoldingsSnapshot,
    Proof,
    RoundingMode,
    SizingPolicy,
    StrategyAllocation,
    make_plan,
)
from tests import figures

PRICES = ((1, 10), (10, 500), (100, 3_000))
SIZES = (2, 5, 8, 15, 30)


def drawn(rng):
    """Weights of up to 1, prices in cents, and cash for few shares or many."""
    names = [f"S{place:02}" for place in range(rng.choice(SIZES))]
    cuts = sorted(rng.randint(0, 10_000) for _ in names)
    weights = {
        name: Decimal(after - before) / 10_000
        for name, before, after in zip(names, [0, *cuts], cuts, strict=False)
    }
    prices = {}
    for name in names:
        low, high = rng.choice(PRICES)
        prices[name] = Decimal(rng.randint(low * 100, high * 100)) / 100
    return weights, prices, Decimal(rng.choice([1_000, 10_000, 50_000, 1_000_000]))


def deviation(counts, weights, prices, cash):
    return sum(abs(weights[s] * cash - counts.get(s, 0) * prices[s]) for s in weights)


@pytest.fixture(scope="module")
def theirs():
    """PyPortfolioOpt's answer: how many shares of each."""
    pytest.importorskip("pypfopt", reason="the referee is a development dependency")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from pypfopt import DiscreteAllocation

    def ask(weights, prices, cash, method):
        told = {name: float(weight) for name, weight in weights.items()}
        series = pd.Series({name: float(price) for name, price in prices.items()})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            allocation = DiscreteAllocation(told, series, float(cash))
            counts, _ = getattr(allocation, method)()
        return {name: int(count) for name, count in counts.items()}

    return ask


def plan_of(weights, prices, cash):
    return make_plan(
        StrategyAllocation(weights),
        HoldingsSnapshot(positions={}, prices=prices, cash=cash),
        SizingPolicy(rounding=RoundingMode.OPTIMAL, min_trade_amount=Decimal(0)),
    )


@pytest.mark.sweep
def test_no_plan_of_theirs_is_nearer_to_its_targets(theirs):
    rng = random.Random(figures.SEED)
    proved = compared = 0
    asked = max(12, figures.PLANS // 20)
    for _ in range(asked):
        weights, prices, cash = drawn(rng)
        plan = plan_of(weights, prices, cash)
        proved += plan.search.proof is Proof.EXACT
        for method in ("lp_portfolio", "greedy_portfolio"):
            counts = theirs(weights, prices, cash, method)
            if sum(count * prices[name] for name, count in counts.items()) > cash:
                continue
            compared += 1
            assert plan.totals.residual <= deviation(counts, weights, prices, cash)
    assert compared >= asked
    assert proved >= asked * 0.9


@pytest.mark.slow("pandas and the referee are loaded first")
def test_above_thirty_symbols_they_are_within_the_stated_bound(theirs):
    rng = random.Random(figures.SEED)
    names = [f"S{place:02}" for place in range(40)]
    prices = {name: Decimal(rng.randint(1_000, 50_000)) / 100 for name in names}
    weights, cash = dict.fromkeys(names, Decimal("0.025")), Decimal(30_000)
    plan = plan_of(weights, prices, cash)
    counts = theirs(weights, prices, cash, "lp_portfolio")
    assert plan.search.proof is not Proof.LIMITED
    assert deviation(counts, weights, prices, cash) >= plan.search.least
    assert plan.totals.residual - plan.search.least <= max(prices.values())
