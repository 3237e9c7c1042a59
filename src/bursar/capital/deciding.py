"""One whole look at all strategies: what happened since the last one → a decision, and why.

In this order: trades that closed are remembered, by time, strategy and id, whatever order they
came in; drawdowns start cool-downs; pressure decays; the brain moves states; the allocator divides.
A `Cause` holds everything that went in, so `decide(state, cause, rules)` made again from what was
stored gives the same bytes.

Trades are looked at once: a cause holds those of the rolling window that became known since the
last decision.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.capital.allocator import Allocation, CapitalAllocator, Weights
from bursar.capital.candidates import AllocatorSettings, Candidate
from bursar.capital.capital_pressure import CapitalPressure, Pressure, PressureSettings
from bursar.capital.decision_memory import DecisionMemory, DecisionSettings, DecisionsPast
from bursar.capital.meta_strategy_brain import (
    BrainSettings,
    MetaStrategyBrain,
    Standing,
    Vitals,
    revived,
)
from bursar.capital.strategy_memory import MemorySettings, StrategyMemory, StrategyPast
from bursar.capital.trades import ClosedTrade, Tally, in_order
from bursar.exact import ONE, ZERO, money, negated, quotient18, ratio18


class Own(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person set for one strategy: weights as fractions, fit by regime in [0, 1]."""

    is_enabled: bool = True
    is_frozen: bool = False
    least: Decimal | None = None
    most: Decimal | None = None
    fits: Mapping[str, Decimal] = {}


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting that a decision depends on."""

    allocator: AllocatorSettings = AllocatorSettings()
    pressure: PressureSettings = PressureSettings()
    memory: MemorySettings = MemorySettings()
    decisions: DecisionSettings = DecisionSettings()
    brain: BrainSettings = BrainSettings()
    strategies: Mapping[str, Own] = {}


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How a strategy did: closed trades in the window, lately, and in the regime of now.

    `drawdown` is the fall from its own peak, a fraction; statistics are None where they cannot be
    told.
    """

    results: Tally = Tally()
    recent: Tally = Tally()
    in_regime: Tally = Tally()
    drawdown: Decimal = ZERO
    sharpe: Decimal | None = None
    volatility: Decimal | None = None
    kelly: Decimal | None = None


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision was made from, beside the state before it.

    `marked` says what is doubtful about the figures, such as drift that is not explained.
    """

    at: int
    regime: str
    figures: Mapping[str, Figures]
    trades: tuple[ClosedTrade, ...] = ()
    revived: tuple[str, ...] = ()
    marked: str | None = None


class Mind(msgspec.Struct, frozen=True):
    """What is kept of one strategy between decisions."""

    pressure: Pressure = Pressure()
    past: StrategyPast = StrategyPast()
    standing: Standing = Standing()


class AllocationState(msgspec.Struct, frozen=True):
    """What is kept between decisions."""

    weights: Weights = Weights()
    minds: Mapping[str, Mind] = {}
    decisions: DecisionsPast = DecisionsPast()


FORMAT: Final = 5
"""Of the rules that decide. It rises when they change, so that a stored decision comes out anew."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with everything it takes to make it again, by rules of the same `format`."""

    before: AllocationState
    cause: Cause
    rules: Rules
    allocation: Allocation
    after: AllocationState
    format: int = 1


_UNSET: Final = Own()
_UNKNOWN: Final = Figures()


def decide(state: AllocationState, cause: Cause, rules: Rules) -> Decision:
    """Look at every strategy that has figures and is enabled, and divide capital among them."""
    names = sorted(name for name in cause.figures if _own(rules, name).is_enabled)
    minds = {name: state.minds.get(name, Mind()) for name in sorted({*state.minds, *names})}
    decisions = state.decisions
    memory = DecisionMemory(rules.decisions)
    for closed in in_order(cause.trades):
        trade = memory.entered(decisions, closed)
        decisions = memory.after_trade(decisions, trade)
        if trade.strategy in minds:
            minds[trade.strategy] = _after_trade(minds[trade.strategy], trade, rules)
    for name in cause.revived:
        if name in minds:
            back = revived(minds[name].standing, cause.at)
            minds[name] = msgspec.structs.replace(minds[name], standing=back)
    for name in names:
        minds[name] = _at_rebalance(minds[name], cause.figures[name], rules, cause.at)
    minds |= _judged({name: minds[name] for name in names}, cause, rules)
    candidates = [_candidate(name, minds[name], cause, rules) for name in names]
    allocation = CapitalAllocator(rules.allocator).decide(
        candidates, state.weights, regime=cause.regime, at=cause.at
    )
    after = AllocationState(allocation.weights, minds, decisions)
    return Decision(
        before=state, cause=cause, rules=rules, allocation=allocation, after=after, format=FORMAT
    )


def made_again(decision: Decision) -> Decision:
    """Return the decision made again from what it was made from; anything else is a fault."""
    return decide(decision.before, decision.cause, decision.rules)


def fit(name: str, cause: Cause, rules: Rules) -> Decimal:
    """Return how a strategy suits the regime, 0 to 1: as set, or what it won there of all it moved.

    0.5 is neutral, and what a strategy without trades in the regime has.
    """
    own = _own(rules, name).fits.get(cause.regime)
    if own is not None:
        return own
    return cause.figures.get(name, _UNKNOWN).in_regime.edge(rules.allocator.prior)


def _own(rules: Rules, name: str) -> Own:
    return rules.strategies.get(name, _UNSET)


def _after_trade(mind: Mind, trade: ClosedTrade, rules: Rules) -> Mind:
    return Mind(
        CapitalPressure(rules.pressure).after_trade(mind.pressure, trade),
        StrategyMemory(rules.memory).after_trade(mind.past, trade),
        mind.standing,
    )


def _at_rebalance(mind: Mind, figures: Figures, rules: Rules, at: int) -> Mind:
    pressure = CapitalPressure(rules.pressure)
    return Mind(
        pressure.at_rebalance(mind.pressure, figures.recent, figures.drawdown),
        StrategyMemory(rules.memory).at_rebalance(mind.past, figures.drawdown, at),
        mind.standing,
    )


def _judged(minds: Mapping[str, Mind], cause: Cause, rules: Rules) -> dict[str, Mind]:
    vitals = {
        name: Vitals(
            trades=cause.figures[name].results.trades,
            sharpe=cause.figures[name].sharpe,
            fit=fit(name, cause, rules),
            drawdown=cause.figures[name].drawdown,
            alpha_decay=_alpha_decay(cause.figures[name], rules.allocator.prior),
            edge=cause.figures[name].results.edge(rules.allocator.prior),
            rank=_rank(cause.figures[name], rules.allocator.prior),
        )
        for name in minds
    }
    standings = {name: mind.standing for name, mind in minds.items()}
    found = MetaStrategyBrain(rules.brain).decide(standings, vitals, cause.at)
    return {
        name: msgspec.structs.replace(mind, standing=found[name]) for name, mind in minds.items()
    }


def _rank(figures: Figures, prior: int) -> tuple[Decimal, ...]:
    """Return the figures by which one of two that are as fit is the better, the larger the more."""
    return (
        figures.results.edge(prior),
        figures.recent.edge(prior),
        figures.sharpe or ZERO,
        figures.kelly or ZERO,
        negated(figures.volatility or ZERO),
        negated(figures.drawdown),
    )


@money
def _alpha_decay(figures: Figures, prior: int) -> Decimal:
    """Return what of the window's edge is gone lately, 0 to 1; few trades lately say little."""
    lately, had = figures.recent, figures.results.won
    if lately.won is None or not had:
        return ZERO
    gone = max(ONE - quotient18(lately.won, had), ZERO)
    return ratio18(gone, Decimal(lately.trades), Decimal(lately.trades + prior))


def _candidate(name: str, mind: Mind, cause: Cause, rules: Rules) -> Candidate:
    figures, own, memory = cause.figures[name], _own(rules, name), StrategyMemory(rules.memory)
    return Candidate(
        name=name,
        results=figures.results,
        fit=fit(name, cause, rules),
        memory=memory.penalty(mind.past, cause.regime, cause.at),
        is_resting=not memory.is_listed(mind.past, cause.regime, cause.at),
        pressure=mind.pressure.multiplier,
        share=MetaStrategyBrain(rules.brain).share(mind.standing.state),
        sharpe=figures.sharpe,
        volatility=figures.volatility,
        kelly=figures.kelly,
        is_frozen=own.is_frozen,
        least=own.least,
        most=own.most,
    )
