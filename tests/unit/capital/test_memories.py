"""What is remembered of strategies and of decisions."""

from decimal import Decimal

import msgspec
import pytest

from bursar.capital.decision_memory import (
    ENTRIES_MAX,
    DecisionMemory,
    DecisionSettings,
    DecisionsPast,
    Entry,
)
from bursar.capital.strategy_memory import (
    MemorySettings,
    StrategyMemory,
    StrategyPast,
)
from bursar.capital.trades import ClosedTrade
from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO
from bursar.ledger.instant import DAY, HOUR

STRATEGIES, DECISIONS = StrategyMemory(), DecisionMemory()


def trade(pnl, *, at=0, regime="BULL", context="", name="t"):
    return ClosedTrade(
        id=name, strategy="trend", at=at, pnl=Decimal(pnl), regime=regime, context=context
    )


def remembered(*trades):
    state = StrategyPast()
    for each in trades:
        state = STRATEGIES.after_trade(state, each)
    return state


def test_three_losses_in_a_row_in_a_regime_list_that_pair_for_three_days():
    state = remembered(*[trade(-1, at=HOUR)] * 3)
    assert STRATEGIES.penalty(state, "BULL", HOUR + 3 * DAY - 1) == 0
    assert STRATEGIES.penalty(state, "BULL", HOUR + 3 * DAY) == 1
    assert STRATEGIES.penalty(state, "BEAR", HOUR) == 1


def test_losses_that_come_late_end_no_listing_early():
    late = [trade(-1, at=-DAY) for _ in range(3)]
    state = remembered(*(trade(-1) for _ in range(3)), *late)
    assert state.listed_until == {"BULL": 3 * DAY}


def test_a_win_or_another_regime_breaks_the_row():
    assert STRATEGIES.penalty(remembered(trade(-1), trade(-1), trade(1), trade(-1)), "BULL", 1) == 1
    mixed = remembered(trade(-1), trade(-1), trade(-1, regime="BEAR"))
    assert STRATEGIES.penalty(mixed, "BULL", 1) == 1


def test_a_listing_that_is_over_is_forgotten():
    state = STRATEGIES.at_rebalance(remembered(*[trade(-1)] * 3), ZERO, 3 * DAY)
    assert state.listed_until == {}


def test_a_deep_drawdown_starts_one_rest_until_it_was_left():
    deep, low = Decimal("0.2"), Decimal("0.1")
    first = STRATEGIES.at_rebalance(StrategyPast(), deep, 0)
    assert STRATEGIES.penalty(first, "BULL", 1) == Decimal("0.5")
    later = STRATEGIES.at_rebalance(first, deep, 2 * DAY)
    assert STRATEGIES.penalty(later, "BULL", 2 * DAY) == 1
    again = STRATEGIES.at_rebalance(STRATEGIES.at_rebalance(later, low, 3 * DAY), deep, 4 * DAY)
    assert STRATEGIES.penalty(again, "BULL", 4 * DAY) == Decimal("0.5")


@pytest.mark.parametrize(
    "settings",
    [{"losses": 0}, {"list_days": -1}, {"drawdown": ONE}, {"rest_penalty": Decimal(2)}],
)
def test_a_memory_that_could_not_remember_is_refused(settings):
    with pytest.raises(BadChoice, match="strategy memory"):
        MemorySettings(**settings)


def test_a_context_is_regime_and_three_bands():
    at = 5 * DAY + 13 * HOUR
    assert DECISIONS.context("BULL", Decimal(7), Decimal("0.06"), at) == (
        "BULL spread 1 volatility 2 hours 12-18"
    )


def past(*trades):
    state = DecisionsPast()
    for each in trades:
        state = DECISIONS.after_trade(state, each)
    return state


def test_each_loss_in_a_row_takes_its_part_and_the_third_blocks():
    losses = [trade(-1, at=HOUR, context="c")] * 3
    assert DECISIONS.ask(past(), "c", HOUR).penalty == 1
    assert DECISIONS.ask(past(losses[0]), "c", HOUR).penalty == Decimal("0.666666666666666667")
    verdict = DECISIONS.ask(past(*losses), "c", HOUR)
    assert verdict.is_blocked
    assert verdict.penalty == 0
    assert verdict.blocked_until == 25 * HOUR


def test_a_block_ends_by_the_clock_and_leaves_a_clean_context():
    verdict = DECISIONS.ask(past(*[trade(-1, context="c")] * 3), "c", 24 * HOUR)
    assert not verdict.is_blocked
    assert verdict.penalty == 1


def test_a_win_forgives_the_context_alone():
    state = past(trade(-1, context="c"), trade(-1, context="d"), trade(1, context="c"))
    assert DECISIONS.ask(state, "c", 0).penalty == 1
    assert DECISIONS.ask(state, "d", 0).penalty < 1


def test_an_outcome_finds_the_context_of_its_entry():
    entered = DECISIONS.enter(DecisionsPast(), "e1", Entry("c"))
    assert DECISIONS.enter(entered, "e1", Entry("other")) == entered
    state = DECISIONS.after_trade(entered, trade(-1, name="e1", context="told otherwise"))
    assert state.entries == {}
    assert state.contexts["c"].streak == 1


@pytest.mark.parametrize(
    "opened_at, symbol, found",
    [
        (5, "BTC/USD", "e2"),  # the last before it was opened
        (3, "XBT/USD", "e2"),
        (2, "BTC/USD", "e1"),
        (0, "BTC/USD", "e1"),  # both came later: the first of them
        (None, "BTC/USD", "e3"),  # who knows when: the last before it closed
        (5, "ETH/USD", None),
        (5, "", None),
    ],
)
def test_a_trade_is_the_outcome_of_the_last_entry_before_it_was_opened(opened_at, symbol, found):
    state = DecisionsPast()
    for name, strategy, at in (
        *(("e1", "trend", 1), ("e2", "trend", 3), ("e3", "trend", 7)),
        *(("e4", "trend", 11), ("other", "carry", 4)),
    ):
        state = DECISIONS.enter(state, name, Entry(name, strategy, "BTCUSD", at))
    closed = msgspec.structs.replace(trade(-1, at=10), symbol=symbol, opened_at=opened_at)
    assert DECISIONS.entry_of(state, closed) == found
    assert DECISIONS.entered(state, closed).context == (found or "")
    after = DECISIONS.after_trade(state, closed)
    assert state.entries.keys() - after.entries.keys() == {found} - {None}


def test_only_the_newest_entries_are_remembered():
    state = DecisionsPast()
    for number in range(ENTRIES_MAX + 2):
        state = DECISIONS.enter(state, str(number), Entry("c", at=number))
    assert len(state.entries) == ENTRIES_MAX
    assert "1" not in state.entries
    assert "2" in state.entries


def test_a_trade_of_no_known_context_teaches_nothing():
    assert past(trade(-1)) == DecisionsPast()


@pytest.mark.parametrize(
    "settings",
    [{"hours": 5}, {"losses": 0}, {"spreads": (Decimal(2), ONE)}, {"volatilities": (ONE, ONE)}],
)
def test_bands_that_are_none_are_refused(settings):
    with pytest.raises(BadChoice, match="decision memory"):
        DecisionSettings(**settings)
