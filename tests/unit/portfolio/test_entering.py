"""A strategy asks before it enters, and what became of it is remembered."""

from decimal import Decimal

import msgspec
import pytest

from bursar.errors import BadChoice, StaleVersion
from bursar.ledger import golden
from bursar.portfolio import allocating, entering
from bursar.portfolio.entering import Seen
from bursar.portfolio.events import saying
from tests.unit.portfolio.places import Clock
from tests.unit.portfolio.test_allocating import DAY, START, TWO, portfolio

SEEN = Seen(strategy="trend", symbol="XBT/USD", side="buy", spread=7, volatility="0.06")


def lose(made, name):
    """A losing round trip of which `name` is the closing trade."""
    made.desk.submit(
        golden.read(
            [
                f"2026-01-20T1{name[0]}:00:00Z buy 1 XBT @ 100 USD #k:main:{name}b strategy=trend",
                f"2026-01-20T1{name[0]}:30:00Z sell 1 XBT @ 90 USD #k:main:{name} strategy=trend",
            ]
        )
    )


def test_nothing_stands_against_a_first_entry():
    made = portfolio(*TWO)
    verdict = entering.enter(made, "t1", SEEN)
    assert verdict.penalty == 1
    assert verdict.context == "NORMAL spread 1 volatility 2 hours 0-6"
    (told,) = saying.waiting(made.desk.store).values()
    assert told.type == "order.decision"


def test_three_losses_in_the_same_circumstances_block_the_fourth():
    made = portfolio(*TWO)
    for number in range(3):
        entering.enter(made, f"k:main:{number}x", SEEN)
        lose(made, f"{number}x")
    verdict = entering.enter(made, "t4", SEEN)
    assert verdict.is_blocked
    assert "t4" not in allocating.kept(made).state.decisions.entries
    made.desk.clock.day = 22
    assert not entering.ask(made, SEEN).is_blocked


def test_the_memory_goes_on_when_capital_is_divided():
    made = portfolio(*TWO)
    entering.enter(made, "k:main:1x", SEEN)
    lose(made, "1x")
    before = entering.ask(made, SEEN)
    assert before.penalty < 1
    allocating.apply(made, allocating.propose(made))
    assert entering.ask(made, SEEN) == before


def test_a_trade_finds_its_entry_though_nobody_knew_its_id():
    """Two entries of 20 January, each bought after it and sold at a loss, under the venue's ids."""
    made = portfolio(*TWO)
    named = msgspec.structs.replace(SEEN, symbol="BTCUSD")
    for hour in (10, 11):
        made.desk.clock = Clock(START + 19 * DAY + hour * DAY // 24)
        entering.enter(made, f"mine {hour}", named)
        lose(made, f"{hour % 10}x")
    made.desk.clock = Clock(START + 20 * DAY)
    past = allocating.propose(made).decision.after.decisions
    assert past.entries == {}
    assert {name: met.streak for name, met in past.contexts.items()} == {
        "NORMAL spread 1 volatility 2 hours 6-12": 2
    }


def test_the_circumstances_of_an_entry_press_on_the_weight_that_follows():
    """Two losses in one context halve what a strategy is given; in two contexts they do not."""
    calm = msgspec.structs.replace(SEEN, volatility="0.01")
    for second, pressed in ((SEEN, True), (calm, False)):
        made = portfolio(TWO[0])
        entering.enter(made, "k:main:1x", SEEN)
        entering.enter(made, "k:main:2x", second)
        for name in ("1x", "2x"):
            lose(made, name)
        (line,) = allocating.propose(made).decision.allocation.lines
        assert (line.pressure < 1) is pressed


def test_the_same_entry_again_is_told_once():
    made = portfolio(*TWO)
    entering.enter(made, "t1", SEEN)
    entering.enter(made, "t1", SEEN)
    assert len(saying.waiting(made.desk.store)) == 1


def test_an_entry_between_a_proposal_and_its_application_is_not_forgotten():
    made = portfolio(*TWO)
    proposal = allocating.propose(made)
    entering.enter(made, "t1", SEEN)
    with pytest.raises(StaleVersion, match="propose again"):
        allocating.apply(made, proposal)
    allocating.apply(made, allocating.propose(made))
    assert "t1" in allocating.kept(made).state.decisions.entries


def test_an_entry_without_an_id_is_refused():
    with pytest.raises(BadChoice, match="an id and a strategy"):
        entering.enter(portfolio(*TWO), "", SEEN)


def test_regimes_told_or_seen_are_contexts_of_their_own():
    made = portfolio(*TWO)
    allocating.tell_regime(made, "BEAR")
    assert entering.ask(made, SEEN).context.startswith("BEAR ")
    bull = Seen(
        strategy="trend", symbol="X", side="buy", spread=1, volatility=Decimal(0), regime="BULL"
    )
    assert entering.ask(made, bull).context == "BULL spread 0 volatility 0 hours 0-6"
