"""Capital is divided within bounds that nothing undoes, and every weight says what held it."""

from decimal import Decimal

import msgspec
import pytest

from bursar.capital.allocator import Bound, CapitalAllocator, Weights
from bursar.capital.candidates import AllocatorSettings, Candidate, Method
from bursar.capital.trades import Tally
from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO
from bursar.ledger.instant import DAY, HOUR

NOON = 100 * DAY + 12 * HOUR
GOOD, POOR = Tally(500, Decimal(300), Decimal(100)), Tally(500, Decimal(50), Decimal(100))
WIDE = AllocatorSettings(cap=ONE, floor=ZERO, change=ONE)


def decide(candidates, weights=Weights(), settings=WIDE, at=NOON):  # noqa: B008  # frozen
    return CapitalAllocator(settings).decide(candidates, weights, regime="NORMAL", at=at)


def weights_of(allocation):
    return {line.strategy: line.weight for line in allocation.lines}


def bounds_of(allocation):
    return {line.strategy: line.bound for line in allocation.lines}


def standing(day=100, **weights):
    now = {name: Decimal(weight) for name, weight in weights.items()}
    return Weights(day, now, now)


def two(**changed):
    return [Candidate(name="a", **changed), Candidate(name="b")]


def test_those_of_whom_nothing_is_known_get_equal_parts():
    allocation = decide([Candidate(name=name) for name in "abcd"])
    assert set(weights_of(allocation).values()) == {Decimal("0.25")}
    assert allocation.reserve == 0


def test_three_equal_parts_leave_an_atom_in_reserve():
    allocation = decide([Candidate(name=name) for name in "abc"])
    assert sum(weights_of(allocation).values()) + allocation.reserve == 1


def test_nobody_leaves_everything_in_reserve():
    assert decide([]).reserve == 1


def test_one_strategy_gets_its_cap_and_no_more():
    allocation = decide([Candidate(name="a")], settings=AllocatorSettings())
    assert weights_of(allocation) == {"a": Decimal("0.5")}
    assert bounds_of(allocation) == {"a": Bound.CAP}
    assert allocation.reserve == Decimal("0.5")


def test_a_profit_factor_moves_the_wish_and_its_dead_zone_does_not():
    lines = {line.strategy: line for line in decide([*two(results=GOOD)]).lines}
    assert lines["a"].method == Decimal("1.5")
    assert lines["b"].method == 1
    assert lines["a"].weight == Decimal("0.6")
    poor = decide([*two(results=POOR)]).lines[0]
    assert Decimal("0.5") < poor.method < Decimal("0.7")


def test_regime_memory_pressure_and_state_multiply_the_wish():
    found = decide(
        [
            Candidate(
                name="a",
                fit=ONE,
                memory=Decimal("0.5"),
                pressure=Decimal("1.2"),
                share=Decimal("0.5"),
            ),
            Candidate(name="b"),
        ]
    ).lines[0]
    assert found.regime == Decimal("1.5")
    assert found.wish == Decimal("0.225")  # 0.5 × 1 × 1.5 × 0.5 × 1.2 × 0.5


@pytest.mark.parametrize(
    "changed, reason",
    [
        ({"memory": ZERO}, "lost too often in this regime"),
        ({"memory": ZERO, "is_resting": True}, "rests after a fall"),
        ({"share": ZERO}, "terminated"),
        ({"pressure": ZERO}, "no capital under its pressure"),
    ],
)
def test_the_blocked_have_nothing_at_once_whatever_the_floor(changed, reason):
    allocation = decide(two(**changed), standing(a="0.5", b="0.5"), AllocatorSettings())
    line = allocation.lines[0]
    assert (line.weight, line.bound, line.reason) == (0, Bound.BLOCKED, reason)


def test_the_blocked_come_back_from_nothing_at_the_pace_of_a_day():
    settings = AllocatorSettings(cap=ONE)
    gone = decide(two(memory=ZERO), standing(a="0.5", b="0.5"), settings)
    back = decide(two(), gone.weights, settings, at=NOON + HOUR)
    assert weights_of(back)["a"] == Decimal("0.1")  # 0.2 × 1/2
    assert bounds_of(back)["a"] is Bound.CHANGE


def test_the_cap_holds_before_the_change_of_a_day():
    allocation = decide(two(most=Decimal("0.1")), standing(a="0.5", b="0.5"), AllocatorSettings())
    assert weights_of(allocation)["a"] == Decimal("0.1")
    assert bounds_of(allocation)["a"] is Bound.CAP


def test_what_was_capped_is_not_lifted_by_the_change_that_was_allowed():
    settings = AllocatorSettings(cap=ONE, floor=ZERO)
    capped = decide(two(most=Decimal("0.1")), standing(a="0.5", b="0.5"), settings)
    poor = decide(two(pressure=Decimal("0.01")), capped.weights, settings, at=NOON + HOUR)
    assert poor.lines[0].least == Decimal("0.1")


def test_a_day_changes_no_weight_by_more_than_a_fifth():
    settings = AllocatorSettings(cap=ONE, floor=ZERO)
    first = decide(two(pressure=Decimal("0.01")), standing(a="0.5", b="0.5"), settings)
    assert weights_of(first) == {"a": Decimal("0.4"), "b": Decimal("0.6")}
    again = decide(two(pressure=Decimal("0.01")), first.weights, settings, at=NOON + HOUR)
    assert weights_of(again) == weights_of(first)
    tomorrow = decide(two(pressure=Decimal("0.01")), first.weights, settings, at=NOON + DAY)
    assert weights_of(tomorrow)["a"] == Decimal("0.3")


def test_the_floor_lifts_the_weak_but_not_over_cap_or_change():
    settings = AllocatorSettings(cap=ONE, floor=Decimal("0.2"), change=ONE)
    allocation = decide(two(pressure=Decimal("0.01")), standing(a="0.5", b="0.5"), settings)
    assert weights_of(allocation)["a"] == Decimal("0.2")
    assert bounds_of(allocation)["a"] is Bound.FLOOR
    new = decide([*two(), Candidate(name="c")], standing(a="0.5", b="0.5"), AllocatorSettings())
    step = weights_of(new)["c"]
    assert Decimal("0.05") < step < Decimal("0.0667")


def test_floors_that_find_no_room_are_lifted_in_proportion():
    names = [f"s{count:04}" for count in range(1000)]
    allocation = decide(
        [Candidate(name=name) for name in names], settings=AllocatorSettings(reserve=Decimal("0.1"))
    )
    assert len(set(weights_of(allocation).values())) == 1
    assert Decimal("0.0999") < 1 - sum(weights_of(allocation).values()) < Decimal("0.11")
    assert sum(weights_of(allocation).values()) + allocation.reserve == 1


def test_a_frozen_weight_stays():
    allocation = decide(two(is_frozen=True, pressure=Decimal("0.3")), standing(a="0.3", b="0.3"))
    assert weights_of(allocation)["a"] == Decimal("0.3")
    assert bounds_of(allocation)["a"] is Bound.FROZEN


def test_all_asleep_leaves_the_rest_in_reserve():
    asleep = [Candidate(name=name, share=Decimal("0.05")) for name in "ab"]
    allocation = decide(asleep, standing(a="0.5", b="0.5"), AllocatorSettings())
    assert weights_of(allocation) == {"a": Decimal("0.025"), "b": Decimal("0.025")}
    assert allocation.reserve == Decimal("0.95")


def test_the_reserve_is_kept():
    settings = AllocatorSettings(reserve=Decimal("0.3"), cap=ONE, floor=ZERO, change=ONE)
    assert decide(two(), settings=settings).reserve == Decimal("0.3")


def test_risk_parity_weighs_by_calm():
    settings = AllocatorSettings(method=Method.RISK_PARITY, cap=ONE, floor=ZERO, change=ONE)
    found = weights_of(
        decide(
            [
                Candidate(name="a", volatility=Decimal("0.1")),
                Candidate(name="b", volatility=Decimal("0.3")),
            ],
            settings=settings,
        )
    )
    assert abs(found["a"] - Decimal("0.75")) < Decimal("1e-15")
    unknown = [Candidate(name="a"), Candidate(name="b", volatility=ZERO)]
    assert set(weights_of(decide(unknown, settings=settings)).values()) == {Decimal("0.5")}


def test_sharpe_is_held_between_half_and_one_and_a_half():
    settings = AllocatorSettings(method=Method.SHARPE, cap=ONE, floor=ZERO, change=ONE)
    lines = decide(
        [Candidate(name="a", sharpe=Decimal(9)), Candidate(name="b", sharpe=Decimal(-9))],
        settings=settings,
    ).lines
    assert [line.method for line in lines] == [Decimal("1.5"), Decimal("0.5")]
    assert decide(two(), settings=settings).lines[0].method == 1


def test_equal_looks_at_nobody():
    settings = AllocatorSettings(method=Method.EQUAL, cap=ONE)
    assert decide(two(results=GOOD), settings=settings).lines[0].method == 1


def test_kelly_bets_a_fraction_and_keeps_the_rest():
    settings = AllocatorSettings(method=Method.KELLY, cap=ONE, floor=ZERO, change=ONE)
    found = decide(
        [Candidate(name="a", kelly=Decimal("0.4")), Candidate(name="b", kelly=Decimal(-1))],
        settings=settings,
    )
    assert weights_of(found) == {"a": Decimal("0.2"), "b": ZERO}
    assert found.reserve == Decimal("0.8")
    unknown = decide(two(), settings=settings)
    assert set(weights_of(unknown).values()) == {Decimal("0.25")}


def test_what_one_may_not_bet_is_nobody_elses_bet():
    """a would bet 0.6 and is capped at 0.5; b bets a tenth whatever a may."""
    settings = AllocatorSettings(
        method=Method.KELLY, floor=Decimal("0.05"), change=ONE, kelly_fraction=ONE
    )
    told = {"a": "0.6", "b": "0.1", "c": "-1"}
    found = decide(
        [Candidate(name=name, kelly=Decimal(bet)) for name, bet in told.items()], settings=settings
    )
    assert weights_of(found) == {"a": Decimal("0.5"), "b": Decimal("0.1"), "c": Decimal("0.05")}
    assert found.reserve == Decimal("0.35")
    frozen = [
        Candidate(name="a", kelly=Decimal("0.01"), is_frozen=True),
        Candidate(name="b", kelly=Decimal("0.3")),
    ]
    assert weights_of(decide(frozen, standing(a="0.4", b="0"), settings=settings)) == {
        "a": Decimal("0.4"),
        "b": Decimal("0.3"),
    }


def test_calm_that_is_too_small_to_tell_is_neutral():
    settings = AllocatorSettings(method=Method.RISK_PARITY, change=ONE)
    wild = [Candidate(name=name, volatility=Decimal(10**19)) for name in "ab"]
    assert set(weights_of(decide(wild, settings=settings)).values()) == {Decimal("0.5")}


def test_the_order_of_candidates_and_the_process_change_no_byte():
    given = [Candidate(name=name, results=GOOD) for name in "abc"]
    encode = msgspec.json.Encoder(order="deterministic").encode
    assert encode(decide(given)) == encode(decide(given[::-1]))
    assert decide(given).id != decide(given[:2]).id


def test_a_strategy_named_twice_is_refused():
    with pytest.raises(BadChoice, match="twice"):
        decide([Candidate(name="a"), Candidate(name="a")])


@pytest.mark.parametrize(
    "settings",
    [
        {"cap": Decimal(2)},
        {"floor": Decimal("0.6")},
        {"prior": 0},
        {"recent_days": 31},
        {"slope": Decimal(-1)},
        {"dead_zone": (Decimal(2), ONE)},
    ],
)
def test_bounds_that_cannot_hold_are_refused(settings):
    with pytest.raises(BadChoice, match="allocator"):
        AllocatorSettings(**settings)
