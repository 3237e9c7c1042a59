"""Whole units with the least Σ|residual|: cases small enough to check by trying everything."""

import random
from decimal import Decimal
from itertools import product

import pytest

from bursar.plan import (
    Action,
    Constraints,
    HoldingsSnapshot,
    Instrument,
    Proof,
    Reason,
    RoundingMode,
    SizingPolicy,
    StrategyAllocation,
    make_plan,
)
from bursar.plan import search as searching
from bursar.plan.search import search

D = Decimal


def plan_of(weights, prices, cash, positions=None, *, limits=None, **policy):
    return make_plan(
        StrategyAllocation(
            {name: D(weight) for name, weight in weights.items()}, None, "", limits or Constraints()
        ),
        HoldingsSnapshot(
            positions=positions or {}, prices={k: D(v) for k, v in prices.items()}, cash=D(cash)
        ),
        SizingPolicy(rounding=RoundingMode.OPTIMAL, min_trade_amount=D(0), **policy),
    )


def tried(weights, prices, cash):
    """The least Σ|deviation| of all affordable whole counts."""
    names = sorted(weights)
    ranges = [range(int(D(weights[n]) * D(cash) // D(prices[n])) + 2) for n in names]
    least = None
    for counts in product(*ranges):
        spent = sum(c * D(prices[n]) for c, n in zip(counts, names, strict=True))
        if spent <= D(cash):
            off = sum(
                abs(D(weights[n]) * D(cash) - c * D(prices[n]))
                for c, n in zip(counts, names, strict=True)
            )
            least = off if least is None else min(least, off)
    return least


@pytest.mark.parametrize(
    "weights, prices, cash",
    [
        ({"A": "0.5", "B": "0.5"}, {"A": "30", "B": "70"}, "400"),
        ({"A": "0.4", "B": "0.35", "C": "0.25"}, {"A": "37", "B": "53", "C": "71"}, "500"),
        ({"A": "0.9", "B": "0.1"}, {"A": "10", "B": "95"}, "1000"),
        ({"A": "0.2", "B": "0.8"}, {"A": "3", "B": "89.5"}, "449"),
        ({"A": "0.3", "B": "0.3", "C": "0.4"}, {"A": "11", "B": "13", "C": "99"}, "240"),
    ],
)
def test_it_is_what_trying_everything_finds(weights, prices, cash):
    plan = plan_of(weights, prices, cash)
    assert plan.totals.residual == tried(weights, prices, cash) == plan.search.least
    assert plan.search.proof is Proof.EXACT
    assert plan.totals.cash_after >= 0
    assert plan.verify() == ()


def test_a_trade_may_pass_its_target_by_less_than_a_step():
    plan = plan_of({"A": "0.58"}, {"A": "10"}, "100")
    assert plan.items[0].quantity == 6
    assert plan.items[0].residual == -2


def test_no_purchase_passes_its_cap_even_where_that_is_nearer():
    plan = plan_of({"A": "0.58"}, {"A": "10"}, "100", limits=Constraints(cap=D("0.59")))
    assert plan.items[0].quantity == 5
    assert plan.search.least == plan.totals.residual == 8
    short = plan_of({"A": "0.9"}, {"A": "10"}, "100", limits=Constraints(caps={"A": D("0.58")}))
    assert short.items[0].quantity == 5


def test_a_cheap_symbol_gives_way_for_a_dear_one():
    """A: 90 wanted of 100 a unit; B: 10 of 10. One A, and no B, is 20 off; one B alone 90."""
    plan = plan_of({"A": "0.9", "B": "0.1"}, {"A": "100", "B": "10"}, "100")
    assert [(e.symbol, e.quantity, e.reason) for e in plan.items] == [
        ("A", 1, Reason.UNDERWEIGHT),
        ("B", 0, Reason.CASH_SHORT),
    ]


def test_sales_and_what_is_not_targeted_pay():
    plan = plan_of(
        {"A": "0.3", "B": "0.7"}, {"A": "10", "B": "35", "C": "5"}, "0", {"A": 8, "C": 4}
    )
    # 100: C's 20 go. A from 80 to 30 sells 5, B's 70 are 2 units: 20 + 50 pay for them.
    assert [(e.symbol, e.quantity) for e in plan.items] == [("A", -5), ("C", -4), ("B", 2)]
    assert plan.totals.residual == 0


def test_one_more_is_sold_where_a_purchase_is_worth_it():
    plan = plan_of({"A": "0.26", "B": "0.74"}, {"A": "10", "B": "74"}, "0", {"A": 10})
    # A: 74 too much, 7 units are nearest; B's 74 need 4 more than 70: an eighth is 6 off, not 4.
    assert [(e.symbol, e.quantity) for e in plan.items] == [("A", -8), ("B", 1)]
    assert plan.totals.residual == 6


def test_minima_bound_the_choices():
    plan = plan_of(
        {"A": "0.5", "B": "0.5"},
        {"A": "10", "B": "10"},
        "100",
        instruments={"A": Instrument(min_notional=D(60)), "B": Instrument(min_quantity=D(4))},
    )
    # Five of A are too few for its venue; six are 10 off, and B then gives one up: 10 more.
    assert {e.symbol: int(e.quantity) for e in plan.items} == {"A": 6, "B": 4}
    assert plan.search.proof is Proof.EXACT


def test_a_sale_too_small_is_held():
    plan = plan_of(
        {"A": "0.9"}, {"A": "10"}, "0", {"A": 10}, instruments={"A": Instrument(min_notional=D(30))}
    )
    assert plan.items[0].reason is Reason.BELOW_STEP


def test_what_no_money_can_buy_is_held():
    plan = plan_of({"A": "1"}, {"A": "10"}, "100", limits=Constraints(reserve=D(200)))
    assert [(e.action, e.reason) for e in plan.items] == [(Action.HOLD, Reason.CASH_SHORT)]


def test_where_trading_changes_nothing_nothing_is_traded():
    plan = plan_of({"A": "0.5"}, {"A": "100"}, "100")
    assert plan.items[0].reason is Reason.BELOW_STEP
    assert plan.totals.residual == 50


def test_lines_left_alone_are_in_the_bound():
    plan = plan_of(
        {"A": "0.5", "B": "0.5"},
        {"A": "10", "B": "70"},
        "46",
        {"A": 5},
        limits=Constraints(band=D("0.05")),
    )
    # 96: A is 2 above, inside its band; B has 48 of 70: none is 48 off, one 22 and too dear.
    assert plan.search.least == plan.totals.residual == 50


def test_what_is_left_of_a_line_that_goes_whole_is_in_the_bound():
    plan = plan_of({"A": "1"}, {"A": "10", "B": "30"}, "85", {"B": D("2.5")})
    # 160: two of B go and 15 stay, since half a unit is none; A has 145, 14 of its 160.
    assert plan.totals.residual == 15 + 20
    assert (plan.search.least, plan.search.proof) == (35, Proof.EXACT)
    assert plan.verify() == ()


def hard():
    """Thirty symbols of even prices and an odd excess: nothing reaches the bound."""
    prices = {f"S{n:02}": D(200 + 14 * n) for n in range(30)}
    weights = {name: D("0.0333") for name in prices}
    return weights, prices, D(11_111)


def test_at_its_limit_the_search_says_how_far_off_it_may_be():
    weights, prices, cash = hard()
    plan = plan_of(weights, prices, cash, node_limit=1)
    best = plan_of(weights, prices, cash)
    assert plan.search.proof is Proof.LIMITED
    assert plan.search.least <= best.totals.residual <= plan.totals.residual
    assert plan.verify() == ()


def test_beyond_thirty_symbols_it_is_the_nearest_units_within_a_bound():
    weights, prices, cash = hard()
    prices["S30"], weights["S30"] = D(7), D("0.0001")
    plan = plan_of(weights, prices, cash)
    assert plan.search.proof is Proof.NEAREST
    assert plan.search.nodes == 0
    assert plan.search.least <= plan.totals.residual
    assert plan.totals.residual - plan.search.least <= max(prices.values())
    assert plan.verify() == ()


def test_penny_stocks_are_cut_short_and_still_proved():
    """60,000 units of A are too many to look at; one B, 24.5 off, gives way for 1, and is none."""
    plan = plan_of(
        {"A": "0.6", "B": "0.0255"},
        {"A": "0.01", "B": "50"},
        "1000",
        limits=Constraints(reserve=D(375)),
    )
    assert plan.search.proof is Proof.EXACT
    assert plan.totals.residual == D("25.5")
    assert {e.symbol: int(e.quantity) for e in plan.items} == {"A": 60_000, "B": 0}


def test_what_a_cut_leaves_unproved_is_said():
    plan = plan_of(
        {"A": "0.6", "B": "0.4"}, {"A": "0.01", "B": "59990"}, "100000", fee_rate="0.001"
    )
    assert plan.search.proof is Proof.LIMITED
    assert plan.search.least <= plan.totals.residual
    assert plan.totals.cash_after >= 0


def test_penny_stocks_alone_may_be_out_of_reach_of_a_proof():
    plan = plan_of(
        {"A": "0.5", "B": "0.5"},
        {"A": "0.01", "B": "0.01"},
        "100000",
        limits=Constraints(reserve=D(50_000)),
    )
    assert plan.search.proof in (Proof.EXACT, Proof.LIMITED)
    assert plan.totals.cash_after >= 50_000
    assert plan.search.least <= plan.totals.residual


def test_the_first_answer_stands_where_it_meets_its_bound():
    found = search([[(0, 0), (5, 5)], [(0, 0), (3, 6)]], 5, limit=100)
    assert found.is_exact
    assert found.nodes == 0
    assert found.picks == (1, 0)


def test_no_walk_is_needed_once_the_bound_is_met():
    """7 and 4 are 11; 4 and 6 are the 10 that are wanted, and nothing costs less."""
    tables = [[(0, 0), (7, 7)], [(0, 0), (4, 4)], [(0, 0), (6, 6)]]
    assert search(tables, 10, limit=0).cost == 11
    found = search(tables, 10, limit=100)
    assert (found.cost, found.picks, found.is_exact) == (10, (0, 1, 1), True)


def test_a_narrow_walk_is_followed_by_a_whole_one(monkeypatch):
    """Savings with the same surcharge each: so many sums are close that a beam loses some."""
    rng = random.Random(3)
    tables = []
    for _ in range(18):
        saved = rng.randint(20_000, 90_000)
        tables.append([(0, 0), (saved, saved + 10_000)])
    found = search(tables, 412_345, limit=1_000_000)
    monkeypatch.setattr(searching, "_NARROW", 4)
    again = search(tables, 412_345, limit=1_000_000)
    assert again.is_exact
    assert again.cost == found.cost
    assert again.least <= again.cost


def test_what_a_narrow_walk_finds_at_the_bound_needs_no_other(monkeypatch):
    """Of 9, 6, 8, 1 and 4, 6 and 1 are just the 7 wanted; no one of them is."""
    monkeypatch.setattr(searching, "_NARROW", 2)
    tables = [[(0, 0), (each, each)] for each in (9, 6, 8, 1, 4)]
    found = search(tables, 7, limit=999)
    assert (found.cost, found.picks, found.is_exact) == (7, (0, 1, 0, 1, 0), True)


@pytest.mark.parametrize("limit", [1, 100, 3_000])
@pytest.mark.parametrize("held", [{}, {"A": D(200_000_000_000)}])
def test_a_search_that_ends_early_leaves_no_more_than_one_pass(limit, held):
    wanted = StrategyAllocation({"A": D("0.4"), "B": D("0.5")})
    holdings = HoldingsSnapshot(
        positions=held, prices={"A": D("0.00000564"), "B": D("0.00000775")}, cash=D(1_000_000)
    )
    plans = {
        mode: make_plan(
            wanted, holdings, SizingPolicy(rounding=mode, fee_rate=D("0.5"), node_limit=limit)
        )
        for mode in (RoundingMode.OPTIMAL, RoundingMode.UNIT)
    }
    found, in_one_pass = plans[RoundingMode.OPTIMAL], plans[RoundingMode.UNIT]
    assert found.search is not None
    assert found.search.proof is Proof.LIMITED
    assert found.search.least <= found.totals.residual <= in_one_pass.totals.residual
    assert found.totals.buys > 0
    assert found.verify() == ()
