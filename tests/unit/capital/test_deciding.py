"""One whole look at all strategies, and what is kept of it."""

from decimal import Decimal

import msgspec

from bursar.capital.allocator import Bound, Weights
from bursar.capital.deciding import (
    AllocationState,
    Cause,
    Decision,
    Figures,
    Mind,
    Own,
    Rules,
    decide,
    fit,
    made_again,
)
from bursar.capital.meta_strategy_brain import Standing, StrategyState
from bursar.capital.trades import ClosedTrade, Tally
from bursar.exact import ONE, ZERO
from bursar.ledger.instant import DAY, HOUR

AT = 50 * DAY


def cause(*trades, at=AT, names="ab", figures=None, **more):
    known = dict.fromkeys(names, Figures()) if figures is None else figures
    return Cause(at=at, regime="BULL", figures=known, trades=trades, **more)


def loss(count, strategy="a", at=AT - HOUR):
    return ClosedTrade(id=str(count), strategy=strategy, at=at, pnl=-ONE, regime="BULL")


def lines(decision):
    return {line.strategy: line for line in decision.allocation.lines}


def test_trades_since_the_last_look_press_and_list_a_strategy():
    decision = decide(AllocationState(), cause(*map(loss, range(3))), Rules())
    assert lines(decision)["a"].bound is Bound.BLOCKED
    assert decision.after.minds["a"].pressure.multiplier < 1
    assert lines(decision)["b"].weight == Decimal("0.5")


def test_a_listed_strategy_comes_back_when_its_days_are_over():
    first = decide(AllocationState(), cause(*map(loss, range(3))), Rules())
    later = decide(first.after, cause(at=AT + 4 * DAY), Rules())
    assert lines(later)["a"].weight > 0


def test_what_hibernates_with_few_trades_rises_unless_they_lose():
    asleep = Mind(standing=Standing(StrategyState.HIBERNATED, AT))
    state = AllocationState(minds={"a": asleep, "b": asleep})
    few = {"a": Figures(), "b": Figures(results=Tally(9, ONE, Decimal(9)))}
    early, late = (
        decide(state, cause(at=AT + days * DAY, figures=few), Rules()) for days in (29, 30)
    )
    assert early.after.minds["a"].standing.state is StrategyState.HIBERNATED
    assert late.after.minds["a"].standing.state is StrategyState.REDUCED
    assert late.after.minds["b"].standing.state is StrategyState.HIBERNATED
    assert lines(late)["a"].share == Decimal("0.5")


def test_the_order_of_arrival_changes_nothing():
    trades = [loss(1), loss(2, at=AT - 2 * HOUR), loss(3, "b"), loss(4)]
    first = decide(AllocationState(), cause(*trades), Rules())
    other = decide(AllocationState(), cause(*trades[::-1]), Rules())
    assert first.allocation == other.allocation
    assert first.after == other.after


def test_a_decision_read_back_is_made_again_to_the_byte():
    rules = Rules(strategies={"b": Own(least=Decimal("0.1"), fits={"BULL": ONE})})
    decision = decide(AllocationState(), cause(*map(loss, range(5))), rules)
    decision = decide(decision.after, cause(at=AT + DAY, revived=("a", "unheard of")), rules)
    encode = msgspec.json.Encoder(order="deterministic").encode
    read = msgspec.json.decode(encode(decision), type=Decision)
    assert encode(made_again(read)) == encode(decision)


def test_the_disabled_take_no_part_and_are_remembered():
    rules = Rules(strategies={"a": Own(is_enabled=False)})
    decision = decide(AllocationState(), cause(loss(1), loss(2)), rules)
    assert list(lines(decision)) == ["b"]
    kept = decide(
        AllocationState(minds=decide(AllocationState(), cause(), Rules()).after.minds),
        cause(loss(1), loss(2)),
        rules,
    )
    assert kept.after.minds["a"].pressure.multiplier == Decimal("0.5")


def test_a_trade_of_a_strategy_without_figures_is_remembered_by_nobody():
    decision = decide(AllocationState(), cause(loss(1, "stranger")), Rules())
    assert set(decision.after.minds) == {"a", "b"}


def test_a_revived_strategy_is_active_at_once():
    standing = decide(AllocationState(), cause(), Rules()).after.minds["a"].standing
    gone = msgspec.structs.replace(standing, state=StrategyState.TERMINATED)
    minds = decide(AllocationState(), cause(), Rules()).after.minds
    state = AllocationState(
        minds={**minds, "a": msgspec.structs.replace(minds["a"], standing=gone)}
    )
    assert lines(decide(state, cause(), Rules()))["a"].weight == 0
    revived = decide(state, cause(revived=("a",)), Rules())
    assert lines(revived)["a"].share == 1


def test_fit_is_what_was_set_or_what_was_won_in_the_regime():
    won = Figures(in_regime=Tally(90, Decimal(90), Decimal(10)))
    asked = cause(figures={"a": won})
    assert fit("a", asked, Rules()) > Decimal("0.8")
    assert fit("new", asked, Rules()) == Decimal("0.5")
    assert fit("a", asked, Rules(strategies={"a": Own(fits={"BULL": ZERO})})) == 0
    assert fit("a", asked, Rules(strategies={"a": Own(fits={"BEAR": ZERO})})) > Decimal("0.8")


def test_an_edge_that_is_gone_counts_as_decay():
    had = Figures(results=Tally(90, Decimal(90), Decimal(10)), sharpe=Decimal(3))
    lost = msgspec.structs.replace(had, recent=Tally(90, Decimal(10), Decimal(90)))
    decision = decide(AllocationState(), cause(figures={"a": had, "b": lost}), Rules())
    assert lines(decision)["a"].wish == lines(decision)["b"].wish  # fitness moves no state yet
    assert decision.after.weights == Weights(
        AT // DAY, dict.fromkeys("ab", Decimal("0.5")), dict.fromkeys("ab", Decimal("0.5"))
    )
