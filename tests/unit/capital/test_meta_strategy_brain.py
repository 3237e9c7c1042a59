"""States move one step at a time, for a reason, and not too often."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bursar.capital.meta_strategy_brain import (
    BrainSettings,
    MetaStrategyBrain,
    Standing,
    StrategyState,
    Vitals,
    revived,
)
from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO
from bursar.ledger.instant import DAY, HOUR

BRAIN = MetaStrategyBrain()
ACTIVE, REDUCED, HIBERNATED, TERMINATED = StrategyState
START = 10 * DAY


def vitals(sharpe="0", fit="0", drawdown="1", decay="1", trades=50):
    return Vitals(
        trades=trades,
        sharpe=None if sharpe is None else Decimal(sharpe),
        fit=Decimal(fit),
        drawdown=Decimal(drawdown),
        alpha_decay=Decimal(decay),
    )


BAD, FINE = vitals(), vitals("3", "1", "0", "0")


def standing(state=ACTIVE, since=START):
    return Standing(state, since, START // DAY, 0)


def test_fitness_weighs_four_things():
    assert BRAIN.fitness(BAD) == 0
    assert BRAIN.fitness(FINE) == 1
    half = vitals("1.5", "0.5", "0.1", "0.2")
    assert BRAIN.fitness(half) == Decimal("0.61")  # 0.4 × 0.5 + 0.3 × 0.5 + 0.2 × 0.9 + 0.1 × 0.8


@pytest.mark.parametrize("unknown", [vitals(trades=9), vitals(sharpe=None)])
def test_too_little_to_judge_by_is_the_middle(unknown):
    assert BRAIN.fitness(unknown) == Decimal("0.5")


def test_a_sharpe_beyond_full_counts_as_full_and_below_zero_as_none():
    assert BRAIN.fitness(vitals("9")) == Decimal("0.4")
    assert BRAIN.fitness(vitals("-9")) == 0


def decided(standings, seen, at=START + 3 * HOUR, brain=BRAIN):
    return {name: each.state for name, each in brain.decide(standings, seen, at).items()}


def test_the_unfit_step_down_but_two_stay_active():
    standings = {name: standing() for name in "abcd"}
    seen = {"a": FINE, "b": BAD, "c": BAD, "d": vitals("1")}
    assert decided(standings, seen) == {"a": ACTIVE, "b": REDUCED, "c": REDUCED, "d": ACTIVE}


def test_with_two_there_are_two():
    assert decided({"a": standing(), "b": standing()}, {"a": BAD, "b": BAD}) == {
        "a": ACTIVE,
        "b": ACTIVE,
    }


def test_the_fit_step_up_and_make_room_for_the_unfit_to_step_down():
    standings = {"a": standing(), "b": standing(), "c": standing(REDUCED)}
    seen = {"a": FINE, "b": BAD, "c": FINE}
    assert decided(standings, seen) == {"a": ACTIVE, "b": REDUCED, "c": ACTIVE}


def test_states_are_left_one_by_one_after_two_hours_and_three_times_a_day():
    brain = MetaStrategyBrain(BrainSettings(active_min=0, parole_days=None))
    standings, states = {"a": standing()}, []
    for hour in range(9):
        standings = brain.decide(standings, {"a": BAD}, START + hour * HOUR)
        states.append(standings["a"].state)
    assert states == [
        ACTIVE,
        ACTIVE,
        REDUCED,
        REDUCED,
        HIBERNATED,
        HIBERNATED,
        TERMINATED,
        TERMINATED,
        TERMINATED,
    ]
    risen = brain.decide({"a": standing(HIBERNATED)}, {"a": FINE}, START + 3 * HOUR)
    assert risen["a"].state is REDUCED


def test_the_moves_of_a_day_are_counted():
    tired = Standing(REDUCED, START, START // DAY, 3)
    assert decided({"a": tired}, {"a": FINE}) == {"a": REDUCED}
    assert decided({"a": tired}, {"a": FINE}, START + DAY) == {"a": ACTIVE}


def test_what_was_never_seen_is_active_since_now_and_waits():
    found = BRAIN.decide({"a": Standing(), "b": Standing(), "c": Standing()}, {"c": BAD}, START)
    assert found["c"] == Standing(ACTIVE, START, START // DAY, 0)


def test_the_terminated_hibernate_again_on_parole():
    gone = {"a": standing(TERMINATED)}
    assert decided(gone, {"a": FINE}, START + 29 * DAY) == {"a": TERMINATED}
    assert decided(gone, {"a": BAD}, START + 29 * DAY) == {"a": TERMINATED}
    assert decided(gone, {"a": BAD}, START + 30 * DAY) == {"a": HIBERNATED}


@pytest.mark.parametrize("state, above", [(HIBERNATED, REDUCED), (REDUCED, ACTIVE)])
@pytest.mark.parametrize("few", [vitals(trades=9), vitals(sharpe=None), vitals(trades=0)])
def test_what_trades_too_little_to_be_judged_rises_on_parole(few, state, above):
    put = {"a": standing(state)}
    assert decided(put, {"a": few}, START + 29 * DAY) == {"a": state}
    assert decided(put, {"a": few}, START + 30 * DAY) == {"a": above}
    losing = replace(few, edge=Decimal("0.499"))
    assert decided(put, {"a": losing}, START + 90 * DAY) == {"a": state}
    strict = MetaStrategyBrain(BrainSettings(parole_days=None))
    assert decided(put, {"a": few}, START + 900 * DAY, strict) == {"a": state}


def test_what_can_be_judged_rises_by_its_fitness_alone():
    put = {"a": standing(HIBERNATED)}
    middling = vitals("1.5", "0.5", "0.1", "1")
    assert BRAIN.fitness(middling) == Decimal("0.53")
    assert decided(put, {"a": middling}, START + 90 * DAY) == {"a": HIBERNATED}


def test_without_parole_only_a_person_revives():
    strict = MetaStrategyBrain(BrainSettings(parole_days=None))
    gone = standing(TERMINATED)
    assert decided({"a": gone}, {"a": FINE}, START + 900 * DAY, strict) == {"a": TERMINATED}
    assert revived(gone, START).state is ACTIVE


def test_shares_fall_to_nothing():
    assert [BRAIN.share(state) for state in StrategyState] == [
        ONE,
        Decimal("0.5"),
        Decimal("0.05"),
        ZERO,
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"fit_weight": Decimal("0.4")},
        {"demote": Decimal("0.7")},
        {"shares": (ZERO, ONE, ONE, ZERO)},
        {"shares": (ONE, ONE, ONE, ONE)},
        {"shares": (Decimal(2), ONE, ONE, ZERO)},
        {"hours_min": -1},
        {"parole_days": -1},
    ],
)
def test_settings_that_make_no_brain_are_refused(settings):
    with pytest.raises(BadChoice, match="brain"):
        BrainSettings(**settings)
