"""What may be asked for, and what is refused, by name."""

# The doors take whole numbers and texts too; only types would have decimals alone.
# mypy: disable-error-code="arg-type, comparison-overlap, dict-item, index"

from decimal import Decimal

import pytest

from bursar.errors import BadChoice, BursarError, Malformed, MissingMark, NotExact, OutOfBounds
from bursar.plan import (
    Constraints,
    HoldingsSnapshot,
    Instrument,
    RoundingMode,
    SizingPolicy,
    StrategyAllocation,
    aggregate_allocations,
    make_plan,
    read_plan,
    write_plan,
)

D = Decimal


def holdings(**told):
    return HoldingsSnapshot(**{"positions": {}, "prices": {}, "cash": 0} | told)


@pytest.mark.parametrize(
    "make, error, says",
    [
        (lambda: StrategyAllocation({"A": D("-0.1")}), BadChoice, "not among the allowed shorts"),
        (lambda: StrategyAllocation({"A": 1, "B": D("0.1")}), BadChoice, "add up to 1.1, above 1"),
        (lambda: StrategyAllocation({"": 1}), Malformed, "'' is no symbol"),
        (lambda: StrategyAllocation({" A": 1}), Malformed, "' A' is no symbol"),
        (lambda: StrategyAllocation({"A\n": 1}), Malformed, "is no symbol"),
        (lambda: StrategyAllocation({"A": "half"}), NotExact, "target_weights.A: 'half'"),
        (lambda: StrategyAllocation({"A": D("NaN")}), NotExact, "not a finite number"),
        (lambda: StrategyAllocation({"A": D("1E-50")}), NotExact, "in range"),
        (lambda: StrategyAllocation({}, D(-1)), BadChoice, "portfolio_value: -1 is below zero"),
        (lambda: Constraints(reserve=-1), BadChoice, "reserve: -1 is below zero"),
        (lambda: Constraints(reserve_weight=2), BadChoice, "reserve_weight: 2 is above 1"),
        (lambda: Constraints(caps={"A": 2}), BadChoice, "caps.A: 2 is above 1"),
        (lambda: Constraints(relative_band=-1), BadChoice, "relative_band: -1 is below zero"),
        (lambda: holdings(positions={"A": 1}), MissingMark, "no price of A"),
        (lambda: holdings(prices={"A": 0}), BadChoice, "prices.A: 0 is not above zero"),
        (lambda: holdings(reserved={"A": 1}), BadChoice, "reserved.A: 1 of 0 that are held"),
        (lambda: holdings(as_of="noon"), Malformed, "as_of: 'noon' is no UTC time"),
        (lambda: holdings(cash="1" * 21), OutOfBounds, "over 20 integer"),
        (lambda: Instrument(step=-1), BadChoice, "step: -1 is below zero"),
        (lambda: SizingPolicy(money_step=0), BadChoice, "above zero"),
        (lambda: SizingPolicy(node_limit=-1), BadChoice, "node_limit: -1 is not in 0 to"),
        (lambda: SizingPolicy(node_limit=10**9), BadChoice, "node_limit: 1000000000 is not in"),
        (lambda: SizingPolicy(lot=0), BadChoice, "above zero"),
        (lambda: SizingPolicy(fee_rate=1), BadChoice, "leaves nothing"),
        (lambda: SizingPolicy(min_trade_amount="-1"), BadChoice, "min_trade_amount: -1"),
        (lambda: holdings().holdings({"A"}), MissingMark, "no price of A"),
    ],
)
def test_what_cannot_be_is_refused_by_name(make, error, says):
    with pytest.raises(error, match=says) as caught:
        make()
    assert isinstance(caught.value, BursarError)


def test_numbers_are_taken_exactly_from_whatever_they_come_as():
    told = StrategyAllocation({"A": 0.1, "B": "0.20", "C": D("0.3000"), "D": D("0E-54")})
    assert [str(each) for each in told.target_weights.values()] == ["0.1", "0.2", "0.3", "0"]


@pytest.mark.parametrize(
    "limits, policy",
    [
        (Constraints(reserve=0), SizingPolicy()),
        (Constraints(reserve_weight="0.00"), SizingPolicy()),
        (Constraints(), SizingPolicy(fee_rate="0")),
        (Constraints(), SizingPolicy(node_limit=int("400000"))),
        (Constraints(), SizingPolicy(lot="0.000000010")),
    ],
)
def test_what_is_said_as_it_would_be_unsaid_is_the_same_input(limits, policy):
    there = holdings(positions={"A": 1}, prices={"A": 5})
    unsaid = make_plan(StrategyAllocation({"A": "0.5"}), there)
    said = make_plan(StrategyAllocation({"A": "0.5"}, constraints=limits), there, policy)
    assert said.plan_id == unsaid.plan_id
    assert read_plan(write_plan(said)).verify() == ()


def test_what_a_caller_changes_afterwards_changes_no_input():
    positions, prices, weights = {"A": D(1)}, {"A": D(10)}, {"A": D("0.5")}
    told, asked = holdings(positions=positions, prices=prices), StrategyAllocation(weights)
    for each in (positions, prices, weights):
        each["A"] = D("0.7")
    assert (told.positions, told.prices) == ({"A": 1}, {"A": 10})
    assert asked.target_weights == {"A": D("0.5")}
    with pytest.raises(AttributeError):
        told.cash = D(9)


def test_what_is_not_held_is_no_position():
    told = holdings(positions={"A": 0, "B": 1}, prices={"B": 2}, reserved={"B": 0})
    assert told.positions == {"B": 1}
    assert told.reserved == {}
    assert told.holdings({"B"}) is told


def test_steps_are_those_of_the_symbol_the_mode_and_the_policy():
    own = {"A": Instrument(step=D("0.5")), "H": Instrument(step=D(100))}

    def steps(mode):
        policy = SizingPolicy(rounding=mode, lot=D("0.1"), instruments=own)
        return [policy.step(symbol) for symbol in "AHX"]

    assert steps(RoundingMode.DOLLAR) == [D("0.5"), 100, 0]
    assert steps(RoundingMode.UNIT) == [1, 100, 1]
    assert steps(RoundingMode.LOT) == [D("0.5"), 100, D("0.1")]
    assert steps(RoundingMode.OPTIMAL) == [D("0.5"), 100, 1]


def test_strategies_add_up_with_their_shares():
    """30 of 100 from one, 20 from the other: 60 % and 40 % of the 50."""
    one = StrategyAllocation({"AAPL": D("0.6"), "TSLA": D("0.4")})
    two = StrategyAllocation({"AAPL": D("0.4"), "GE": 0})
    both = aggregate_allocations([("b", two, D("0.5")), ("a", one, D("0.5"))], correlation_id="c")
    assert both.target_weights == {"AAPL": D("0.5"), "GE": 0, "TSLA": D("0.2")}
    assert both.attribution == {"AAPL": {"a": D("0.6"), "b": D("0.4")}, "TSLA": {"a": 1}}
    assert both.correlation_id == "c"


def test_thirds_still_add_up_to_one():
    parts = [(name, StrategyAllocation({"A": D("0.1")}), D("0.3")) for name in "xyz"]
    shares = aggregate_allocations(parts).attribution["A"]
    assert sum(shares.values()) == 1


def test_what_adding_up_would_lose_is_refused():
    plain = StrategyAllocation({"A": D("0.5")})
    with pytest.raises(BadChoice, match=r"shares add up to 1\.1, above 1"):
        aggregate_allocations([("a", plain, D("0.6")), ("b", plain, D("0.5"))])
    with pytest.raises(BadChoice, match="'a' comes twice"):
        aggregate_allocations([("a", plain, D("0.5")), ("a", plain, D("0.5"))])
    own = StrategyAllocation({"A": D("0.5")}, constraints=Constraints(cap=D("0.1")))
    with pytest.raises(BadChoice, match="constraints or a portfolio value of its own"):
        aggregate_allocations([("a", own, D("0.5"))])


def test_shorts_and_longs_of_strategies_meet():
    limits = Constraints(shorts=["A"])
    short = StrategyAllocation({"A": D("-0.2")}, constraints=limits)
    both = aggregate_allocations(
        [("s", short, D("0.5")), ("l", StrategyAllocation({"A": D("0.6")}), D("0.5"))],
        constraints=limits,
    )
    assert both.target_weights["A"] == D("0.2")
    assert both.attribution["A"] == {"l": D("0.75"), "s": D("0.25")}
