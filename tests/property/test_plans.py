"""Plans keep their promises, whatever is held and wanted.

The judge counts in fractions and shares nothing with the planner.
"""

# The doors take whole numbers and texts too; only types would have decimals alone.
# mypy: disable-error-code="arg-type, comparison-overlap, dict-item, index"

import os
import random
import subprocess
import sys
from fractions import Fraction
from itertools import product
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.exact import money
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
    aggregate_allocations,
    make_plan,
    read_plan,
    write_plan,
)
from bursar.plan.search import search
from tests import figures
from tests.property.portfolios import case, weights

ROOT = Path(__file__).parents[2]
CASES = st.integers(0, 2**40).map(lambda seed: case(random.Random(seed)))


def frac(value):
    return Fraction(str(value))


def worth(holdings):
    held = holdings.positions.items()
    return frac(holdings.cash) + sum(frac(q) * frac(holdings.prices[s]) for s, q in held)


def executed(plan):
    """What is held after every trade went through as planned."""
    holdings = plan.inputs.holdings
    held = dict(holdings.positions)
    with_trades = money(
        lambda: {
            each.symbol: held.get(each.symbol, each.quantity * 0) + each.quantity
            for each in plan.items
        }
    )()
    after = msgspec.structs.replace(
        holdings, positions=held | with_trades, cash=plan.totals.cash_after, reserved={}
    )
    reserved = {s: min(q, after.positions.get(s, 0)) for s, q in holdings.reserved.items()}
    return msgspec.structs.replace(after, reserved=reserved)


def what_is_there_after_is_what_was_there_before(plan):
    after = frac(plan.totals.cash_after) + frac(plan.totals.fees)
    after += sum(frac(each.current_value) + frac(each.trade_amount) for each in plan.items)
    assert after == worth(plan.inputs.holdings)
    for each in plan.items:
        assert frac(each.residual) == frac(each.target_value) - frac(each.current_value) - frac(
            each.trade_amount
        )
        if plan.inputs.policy.step(each.symbol):
            assert frac(each.trade_amount) == frac(each.quantity) * frac(each.price)


def nothing_is_bought_with_money_that_is_not_there_and_the_reserve_stays(plan):
    cash = frac(plan.inputs.holdings.cash)
    trades = [each for each in plan.items if each.priority]
    assert [each.priority for each in trades] == list(range(1, len(trades) + 1))
    for each in trades:
        cash -= frac(each.trade_amount) + frac(each.fee)
        assert cash >= 0
        assert each.action is not Action.BUY or cash >= frac(plan.totals.reserve)
    order = [(e.action is Action.BUY, -abs(e.trade_amount), e.symbol) for e in trades]
    assert order == sorted(order)


def no_sale_exceeds_what_is_free_and_every_trade_goes_toward_its_target(plan):
    holdings = plan.inputs.holdings
    for each in plan.items:
        free = holdings.positions.get(each.symbol, 0) - holdings.reserved.get(each.symbol, 0)
        assert -each.quantity <= free
        gap = frac(each.target_value) - frac(each.current_value)
        assert frac(each.trade_amount) * gap >= 0
        assert abs(frac(each.residual)) <= abs(gap) or plan.search is not None
        assert (each.action is Action.HOLD) == (not each.trade_amount)


def what_is_inside_its_bands_is_held(plan):
    limits, base = plan.inputs.allocation.constraints, frac(plan.total_portfolio_value)
    for each in plan.items:
        size = abs(frac(each.target_value) - frac(each.current_value))
        bands = []
        if limits.band is not None:
            bands.append(frac(limits.band) * base)
        if limits.relative_band is not None:
            bands.append(frac(limits.relative_band) * frac(each.target_value))
        is_inside = bool(each.target_value and bands) and all(size <= band for band in bands)
        assert (each.reason is Reason.WITHIN_BAND) == (is_inside and bool(size))
        assert not is_inside or each.action is Action.HOLD


PROMISES = (
    what_is_there_after_is_what_was_there_before,
    nothing_is_bought_with_money_that_is_not_there_and_the_reserve_stays,
    no_sale_exceeds_what_is_free_and_every_trade_goes_toward_its_target,
    what_is_inside_its_bands_is_held,
)


@given(CASES)
def test_a_plan_keeps_its_promises(drawn):
    plan = make_plan(*drawn)
    for promise in PROMISES:
        promise(plan)


@given(CASES)
def test_a_plan_is_a_proof_and_survives_json(drawn):
    plan = make_plan(*drawn)
    assert plan.verify() == ()
    again = read_plan(write_plan(plan))
    assert again.verify() == ()
    assert write_plan(again) == write_plan(plan)


@given(CASES)
def test_after_its_execution_there_is_nothing_to_do(drawn):
    allocation, holdings, policy = drawn
    policy = msgspec.structs.replace(policy, fee_rate=policy.fee_rate * 0)
    plan = make_plan(allocation, holdings, policy)
    if plan.search is not None and plan.search.proof is not Proof.EXACT:
        return
    again = make_plan(allocation, executed(plan), policy)
    assert [each for each in again.items if each.action is not Action.HOLD] == []


@given(CASES)
def test_money_that_stays_behind_could_buy_no_more(drawn):
    """One-pass plans: what is left of the funds is less than any purchase cut short could use."""
    allocation, holdings, policy = drawn
    policy = msgspec.structs.replace(policy, rounding=RoundingMode.UNIT, instruments={})
    plan = make_plan(allocation, holdings, policy)
    left = frac(plan.totals.cash_after) - frac(plan.totals.reserve)
    for each in plan.items:
        if each.reason is Reason.SCALED and each.residual >= each.price:
            assert left < frac(each.price) * (1 + frac(policy.fee_rate))


@given(st.integers(0, 2**40))
def test_aggregated_shares_add_up_to_one(seed):
    rng = random.Random(seed)
    count = rng.randint(1, 5)
    shares = list(weights(rng, range(count)).values())
    parts = []
    for place, share in enumerate(shares):
        allocation, _, _ = case(rng)
        plain = type(allocation)(allocation.target_weights)
        parts.append((f"strategy{place}", plain, share))
    both = aggregate_allocations(parts)
    assert both == aggregate_allocations(reversed(parts))
    for symbol, by_strategy in both.attribution.items():
        assert sum(map(frac, by_strategy.values())) == 1
        wanted = sum(frac(a.target_weights.get(symbol, 0)) * frac(s) for _, a, s in parts)
        assert frac(both.target_weights[symbol]) == wanted


TABLES = st.lists(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=4), min_size=1, max_size=5
)


@given(TABLES, st.integers(1, 80))
def test_the_search_finds_what_trying_everything_finds(drawn, excess):
    tables = []
    for steps in drawn:
        table = [(0, 0)]
        for saved, cost in steps:
            table.append((table[-1][0] + saved, table[-1][1] + cost))
        tables.append(table)
    reached = {0: 0}
    for table in tables:
        grown: dict[int, int] = {}
        for had, spent in reached.items():
            for saved, cost in table:
                total = spent + cost
                grown[had + saved] = min(total, grown.get(had + saved, total))
        reached = grown
    enough = [cost for saved, cost in reached.items() if saved >= excess]
    found = search(tables, excess, limit=100_000)
    assert found.is_exact
    if enough:
        assert found.cost == min(enough)
        assert search(tables, excess, limit=0).least <= found.cost
        assert search(tables, excess, limit=1).cost >= found.cost
    else:
        assert list(found.picks) == [len(table) - 1 for table in tables]


def small(rng):
    """Three symbols, few units, sales and debts among them: all choices can be tried."""
    names = "ABC"
    shares = weights(rng, [name for name in names if rng.random() < 0.7])
    holdings = HoldingsSnapshot(
        positions={name: rng.choice((0, 2, 5, "2.5")) for name in names},
        prices={name: rng.randint(10, 99) for name in names},
        cash=rng.choice((-60, 0, 90, 240)),
        reserved={},
    )
    policy = SizingPolicy(
        rounding=RoundingMode.OPTIMAL,
        min_trade_amount=rng.choice((0, 30)),
        fee_rate=rng.choice((0, "0.1")),
        instruments={"A": Instrument(step=rng.choice((1, 2)), min_quantity=2)},
    )
    limits = Constraints(reserve=rng.choice((0, 40)), cap=rng.choice((None, "0.4")))
    return StrategyAllocation(shares, None, "", limits), holdings, policy


def choices(plan, each):
    """What a line could do instead: what it spends, what it leaves."""
    policy, rate = plan.inputs.policy, frac(plan.inputs.policy.fee_rate)
    held = frac(plan.inputs.holdings.positions.get(each.symbol, 0))
    step, least = (policy.step("A"), 2) if each.symbol == "A" else (1, 0)
    gap = frac(each.target_value) - frac(each.current_value)
    unit, is_closing = frac(each.price) * frac(step), not each.target_value and held > 0
    counts = range(int(abs(gap) // unit) + 2 if gap else 1)
    if gap < 0:
        counts = range(min(len(counts), int(held // frac(step)) + 1))
    for count in counts:
        amount = count * unit
        is_small = not is_closing and min(abs(gap), amount) < frac(policy.min_trade_amount)
        cap = plan.inputs.allocation.constraints.cap
        most = cap and frac(cap) * frac(plan.total_portfolio_value) - frac(each.current_value)
        is_over = gap > 0 and most is not None and amount > most
        if count and (is_small or is_over or count * frac(step) < least):
            continue
        yield (amount * (1 + rate) if gap > 0 else amount * (rate - 1)), abs(abs(gap) - amount)


@given(st.integers(0, 2**40))
def test_of_all_plans_of_whole_units_it_is_the_nearest(seed):
    allocation, holdings, policy = small(random.Random(seed))
    if worth(holdings) < 0:
        return
    plan = make_plan(allocation, holdings, policy)
    if not plan.items:  # nothing is held and nothing wanted
        return
    funds = frac(holdings.cash) - frac(plan.totals.reserve)
    tables = []
    for each in plan.items:
        table = list(choices(plan, each))
        # What no target wants goes as far as it may.
        is_closing = not each.target_value and each.current_value
        tables.append(table[-1:] if is_closing else table)
    sums = ([sum(part) for part in zip(*picks, strict=True)] for picks in product(*tables))
    found = [left for spent, left in sums if spent <= funds]
    if found:
        assert plan.search is not None
        assert frac(plan.totals.residual) == frac(plan.search.least) == min(found)
        assert plan.search.proof is Proof.EXACT


@pytest.mark.sweep
def test_two_processes_give_the_same_bytes_for_permuted_inputs():
    """One process told in order, one in another, with another hash seed."""
    asked = [sys.executable, "-m", "tests.property.portfolios"]
    asked += [str(figures.PLANS), str(figures.SEED)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["src", "."])}
    said = [
        subprocess.run(
            [*asked, *how],
            cwd=ROOT,
            env=environment | {"PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for how, hash_seed in (([], "1"), (["shuffled"], "2"))
    ]
    assert said[0] == said[1]
    assert len(said[0].strip()) == 64


def test_an_empty_portfolio_with_an_empty_wish_is_on_target():
    plan = make_plan(
        case(random.Random(1))[0].__class__({}), HoldingsSnapshot(positions={}, prices={}, cash=0)
    )
    assert plan.is_idle
    assert plan.verify() == ()
