"""Examples that others have published, with the figures they give."""

# The doors take whole numbers and texts too; only types would have decimals alone.
# mypy: disable-error-code="arg-type, comparison-overlap, dict-item, index"

from decimal import Decimal

from bursar.plan import (
    Constraints,
    HoldingsSnapshot,
    RoundingMode,
    SizingPolicy,
    StrategyAllocation,
    make_plan,
)

D = Decimal
THREE = StrategyAllocation({"BONDS": D("0.5"), "LOCAL": D("0.3"), "WORLD": D("0.2")})


def by_symbol(plan):
    return {e.symbol: (e.trade_amount, e.quantity) for e in plan.items if e.priority}


def test_a_drifted_portfolio_of_three_is_brought_back():
    """Financial Advisor, "WealthTech Cookbook: Rebalancing", part 2: 110,000 at the year's end."""
    there = HoldingsSnapshot(
        positions={"BONDS": 575, "LOCAL": 360, "WORLD": 150},
        prices={"BONDS": 100, "LOCAL": 100, "WORLD": 110},
        cash=0,
    )
    assert by_symbol(make_plan(THREE, there, SizingPolicy(rounding=RoundingMode.UNIT))) == {
        "BONDS": (-2500, -25),
        "LOCAL": (-3000, -30),
        "WORLD": (5500, 50),
    }


def test_the_same_portfolio_with_a_contribution():
    """The same article: 5,000 come in, bonds are on target then, and 65 units at 100 are bought."""
    there = HoldingsSnapshot(
        positions={"BONDS": 575, "LOCAL": 360, "WORLD": 165},
        prices={"BONDS": 100, "LOCAL": 100, "WORLD": 100},
        cash=5000,
    )
    assert by_symbol(make_plan(THREE, there, SizingPolicy(rounding=RoundingMode.UNIT))) == {
        "LOCAL": (-1500, -15),
        "WORLD": (6500, 65),
    }


def test_two_coins_that_drifted_apart():
    """OpenQuant's test of its rebalancer: 0.05 BTC to sell, 2,500 of ETH to buy, past a band."""
    there = HoldingsSnapshot(
        positions={"BTC": D("0.15"), "ETH": D("0.83333333")},
        prices={"BTC": 50_000, "ETH": 3_000},
        cash=D("0.00001"),
    )
    halves = StrategyAllocation(
        {"BTC": D("0.5"), "ETH": D("0.5")}, constraints=Constraints(band=D("0.05"))
    )
    plan = make_plan(halves, there, SizingPolicy(rounding=RoundingMode.LOT))
    assert by_symbol(plan) == {
        "BTC": (-2500, D("-0.05")),
        "ETH": (D("2499.99999"), D("0.83333333")),
    }


def test_a_notebook_shows_the_lines_and_what_is_not_known():
    holdings = HoldingsSnapshot(positions={"SPY": 10}, prices={"SPY": 500, "<Q>": 400}, cash=5000)
    plan = make_plan(StrategyAllocation({"SPY": D("0.6"), "<Q>": D("0.4")}), holdings)
    told = plan._repr_html_()
    assert f"plan {plan.plan_id[:8]}: 5,000.00 to trade of 10,000.00" in told
    assert "&lt;Q&gt;" in told
    assert "<Q>" not in told
    assert told.count("<tr>") == 3
