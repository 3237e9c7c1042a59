"""Weights become transfers between sleeves, fewer than there are strategies."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.capital.rebalancer import (
    RESERVE,
    Move,
    PortfolioRebalancer,
    RebalancerSettings,
    Sleeve,
)
from bursar.errors import BadChoice
from bursar.exact import ZERO
from bursar.ledger.instant import DAY

RULES = PortfolioRebalancer()
names = st.sampled_from("abcdef")
amounts = st.integers(0, 100_000).map(lambda cents: Decimal(cents) / 100)


def sleeve(equity, free=None):
    return Sleeve(Decimal(equity), Decimal(equity if free is None else free))


def plan(weights, sleeves, *, at=DAY, last_at=None, rules=RULES):
    shares = {name: Decimal(weight) for name, weight in weights.items()}
    return rules.plan(shares, sleeves, at=at, last_at=last_at)


def test_the_reserve_gives_what_the_weights_ask_for():
    found = plan({"a": "0.5", "b": "0.3"}, {RESERVE: sleeve(1000)})
    assert found.is_due
    assert found.moves == (Move(RESERVE, "a", Decimal(500)), Move(RESERVE, "b", Decimal(300)))


def test_a_strategy_without_a_weight_gives_all_it_can():
    found = plan({"a": "1"}, {"a": sleeve(100), "gone": sleeve(900, "400")})
    assert found.moves == (Move("gone", "a", Decimal(400)),)
    assert found.bound == {"gone": 500}


def test_near_enough_is_not_due_until_the_last_plan_is_old():
    sleeves = {"a": sleeve(520), "b": sleeve(480)}
    weights = {"a": "0.5", "b": "0.5"}
    assert not plan(weights, sleeves, last_at=0).is_due
    assert plan(weights, sleeves, at=7 * DAY, last_at=0).is_due
    far = plan(weights, {"a": sleeve(550), "b": sleeve(450)}, last_at=0)
    assert far.is_due
    assert far.misplaced == 50


def test_what_is_too_small_to_move_is_left():
    found = plan({"a": "0.5"}, {"a": sleeve("500.50"), RESERVE: sleeve("499.50")})
    assert found.moves == ()
    assert found.reason == "nothing to move"


def test_without_capital_nothing_is_due():
    found = plan({"a": "1"}, {})
    assert not found.is_due


def test_no_capital_says_so_even_where_sums_could_move():
    found = plan({"a": "1"}, {"a": sleeve(-100, 0), "b": sleeve(100)})
    assert not found.is_due
    assert found.reason == "there is no capital"
    owing = plan({"a": "0.5", "new": "0.2"}, {"a": sleeve(-100, 0)})
    assert (owing.is_due, owing.moves) == (False, ())


def test_one_giver_serves_many_and_one_taker_is_served_by_many():
    found = plan({"a": "0.6", "b": "0.4"}, {"x": sleeve(700), "y": sleeve(300)})
    assert found.moves == (
        Move("x", "a", Decimal(600)),
        Move("x", "b", Decimal(100)),
        Move("y", "b", Decimal(300)),
    )


@given(
    st.dictionaries(names, st.integers(0, 16).map(lambda part: Decimal(part) / 96), max_size=6),
    st.dictionaries(names | st.just(RESERVE), amounts, max_size=7),
)
def test_moves_bring_every_sleeve_near_its_weight_and_create_nothing(weights, held):
    rules = PortfolioRebalancer(RebalancerSettings(transfer_min=Decimal("0.01")))
    found = plan(weights, {name: sleeve(value) for name, value in held.items()}, rules=rules)
    after = dict(held)
    for move in found.moves:
        assert move.amount > 0
        after[move.from_strategy] = after.get(move.from_strategy, ZERO) - move.amount
        after[move.to_strategy] = after.get(move.to_strategy, ZERO) + move.amount
    capital = sum(held.values(), ZERO)
    assert sum(after.values(), ZERO) == capital
    assert min(after.values(), default=ZERO) >= 0
    assert len(found.moves) < len({*weights, *held, RESERVE})
    for name, weight in weights.items():
        assert abs(after.get(name, ZERO) - weight * capital) <= Decimal("0.08")


@pytest.mark.parametrize(
    "base, capital, moved",
    [
        ("USD", "0.9", []),
        ("USD", "100.005", ["50"]),
        ("JPY", "100001", ["50000"]),
        ("JPY", "3", ["1"]),
        ("XBT", "0.1", ["0.05"]),
        ("XBT", "0.00000003", ["0.00000001"]),
        ("SHIB", "90000000", ["45000000"]),
    ],
)
def test_what_is_too_small_to_move_is_so_in_every_base(base, capital, moved):
    found = PortfolioRebalancer().plan(
        {"a": Decimal("0.5")}, {"x": sleeve(Decimal(capital))}, at=0, last_at=None, base=base
    )
    assert [move.amount for move in found.moves if move.to_strategy == "a"] == [
        Decimal(amount) for amount in moved
    ]


def test_a_crumb_of_all_capital_is_left_out_of_a_base_of_any_size():
    sleeves = {"a": sleeve(Decimal("1.000009")), "b": sleeve(Decimal(1))}
    weights = {"a": Decimal("0.5"), "b": Decimal("0.5")}
    assert PortfolioRebalancer().plan(weights, sleeves, at=0, last_at=None, base="XBT").moves == ()
    told = RebalancerSettings(transfer_min=Decimal("0.000001"))
    rules = PortfolioRebalancer(told)
    found = rules.plan(weights, sleeves, at=0, last_at=None, base="XBT")
    assert found.moves == (Move("a", "b", Decimal("0.0000045")),)


@pytest.mark.parametrize(
    "settings", [{"drift": ZERO}, {"days": 0}, {"transfer_min": ZERO}, {"places": 19}]
)
def test_what_is_never_or_always_due_is_refused(settings):
    with pytest.raises(BadChoice, match="rebalancer"):
        RebalancerSettings(**settings)
