"""Whatever happens to strategies, capital is divided within every bound, in every order."""

import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.capital.allocator import Bound
from bursar.capital.candidates import AllocatorSettings, Method
from bursar.capital.deciding import (
    AllocationState,
    Cause,
    Decision,
    Figures,
    Own,
    Rules,
    decide,
    made_again,
)
from bursar.capital.strategy_memory import DAY, HOUR
from bursar.capital.trades import ClosedTrade, tally
from bursar.exact import ATOM, ONE, ZERO

NAMES = tuple("abcde")
hundredths = st.integers(0, 100).map(lambda count: Decimal(count) / 100)
statistics = st.none() | st.integers(-400, 400).map(lambda count: Decimal(count) / 100)
pnls = st.lists(st.integers(-50, 50).map(Decimal), max_size=8)
encode = msgspec.json.Encoder(order="deterministic").encode


@st.composite
def rules(draw):
    floor, cap = sorted((draw(hundredths), draw(hundredths)))
    own = st.builds(
        Own,
        is_enabled=st.integers(0, 9).map(bool),
        is_frozen=st.integers(0, 9).map(lambda chance: chance == 0),
        most=st.none() | hundredths,
    )
    return Rules(
        allocator=AllocatorSettings(
            method=draw(st.sampled_from(Method)),
            cap=cap,
            floor=floor,
            change=draw(hundredths),
            reserve=draw(hundredths),
        ),
        strategies=draw(st.dictionaries(st.sampled_from(NAMES), own, max_size=3)),
    )


@st.composite
def looks(draw):
    figures = {
        name: Figures(
            results=tally(draw(pnls)),
            recent=tally(draw(pnls)),
            drawdown=draw(hundredths),
            sharpe=draw(statistics),
            volatility=draw(st.none() | hundredths),
            kelly=draw(statistics),
        )
        for name in draw(st.sets(st.sampled_from(NAMES), max_size=5))
    }
    trades = tuple(
        ClosedTrade(
            id=str(number),
            strategy=draw(st.sampled_from(NAMES)),
            at=draw(st.integers(0, 3)) * HOUR,
            pnl=Decimal(draw(st.integers(-5, 5))),
            regime=draw(st.sampled_from(("BULL", "BEAR"))),
        )
        for number in range(draw(st.integers(0, 6)))
    )
    hours = draw(st.integers(1, 40))
    return hours, draw(st.sampled_from(("BULL", "BEAR"))), figures, trades


def in_turn(history, rule, shuffle=None):
    """Decide look by look; `shuffle` changes the order in which everything is handed over."""
    state, at = AllocationState(), 100 * DAY
    for hours, regime, figures, trades in history:
        at += hours * HOUR
        told = [
            msgspec.structs.replace(trade, id=f"{at} {trade.id}", at=at - trade.at)
            for trade in trades
        ]
        names = list(figures)
        if shuffle is not None:
            shuffle.shuffle(told)
            shuffle.shuffle(names)
        seen = {name: figures[name] for name in names}
        cause = Cause(at=at, regime=regime, figures=seen, trades=tuple(told))
        decision = decide(state, cause, rule)
        yield decision
        state = decision.after


@pytest.mark.sweep
@given(st.lists(looks(), min_size=1, max_size=6), rules())
def test_every_bound_holds_for_the_final_weights(history, rule):
    own = rule.strategies
    for decision in in_turn(history, rule):
        lines = decision.allocation.lines
        total = sum((line.weight for line in lines), ZERO)
        assert total + decision.allocation.reserve == 1
        assert decision.allocation.reserve >= 0
        part = Decimal(1) / (len(lines) or 1)
        for line in lines:
            setting = own.get(line.strategy, Own())
            assert setting.is_enabled
            cap = rule.allocator.cap if setting.most is None else setting.most
            if line.bound is Bound.BLOCKED:
                assert line.weight == 0
            elif line.bound is Bound.FROZEN:
                assert line.weight == line.previous
            else:
                assert line.weight <= cap * line.share
                step = rule.allocator.change * max(line.opening, part) + 2 * ATOM
                assert line.weight <= line.opening + step
                assert line.weight >= min(line.opening - step, line.previous, cap * line.share)
            assert bool(line.memory and line.share) or not line.weight


@pytest.mark.sweep
@given(st.lists(looks(), min_size=1, max_size=5), rules(), st.integers(0, 2**32))
def test_the_order_of_telling_changes_no_byte_and_a_stored_decision_is_made_again(
    history, rule, seed
):
    told = in_turn(history, rule)
    for decision, other in zip(told, in_turn(history, rule, random.Random(seed)), strict=True):
        assert encode(decision.allocation) == encode(other.allocation)
        assert encode(decision.after) == encode(other.after)
        read = msgspec.json.decode(encode(decision), type=Decision)
        assert encode(made_again(read)) == encode(decision)


@pytest.mark.sweep
@given(pnls, st.integers(1, 100).map(Decimal), hundredths, hundredths)
def test_of_two_alike_the_better_never_gets_less(had, more, cap, change):
    rule = Rules(allocator=AllocatorSettings(cap=cap, floor=ZERO, change=change))
    results = tally(had)
    better = msgspec.structs.replace(results, profit=results.profit + more)
    figures = {"a": Figures(results=results), "b": Figures(results=better)}
    cause = Cause(at=DAY, regime="BULL", figures=figures)
    worse, best = decide(AllocationState(), cause, rule).allocation.lines
    assert best.weight >= worse.weight


@pytest.mark.sweep
@given(st.integers(1, 5), hundredths.filter(bool))
def test_a_strategy_at_nothing_can_come_back(losses, change):
    rule = Rules(allocator=AllocatorSettings(cap=ONE, change=change))
    trades = tuple(
        ClosedTrade(id=str(number), strategy="a", at=0, pnl=-ONE, regime="BULL")
        for number in range(3 * losses)
    )
    figures = dict.fromkeys("ab", Figures())
    gone = decide(
        AllocationState(), Cause(at=HOUR, regime="BULL", figures=figures, trades=trades), rule
    )
    assert gone.allocation.lines[0].weight == 0
    back = decide(gone.after, Cause(at=4 * DAY, regime="BULL", figures=figures), rule)
    assert back.allocation.lines[0].weight > 0
