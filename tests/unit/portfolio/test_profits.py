"""Profit is taken once, divided once, and what is kept goes to the reserve as a fact."""

from decimal import Decimal

import msgspec
import pytest

from bursar.capital.deciding import Own
from bursar.capital.profit_capture import CaptureSettings, Compounded, Session
from bursar.capital.profit_target_tracker import ProfitTarget, TargetPeriod
from bursar.capital.rebalancer import RebalancerSettings
from bursar.capital.settings import CapitalSettings
from bursar.capital.smart_reinvestor import Policy, ReinvestSettings
from bursar.desk import Desk
from bursar.errors import Doubtful, StaleVersion
from bursar.events.outgoing import OrderExitDecision
from bursar.ledger import golden
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio, allocating, profits, snapshots
from bursar.portfolio.events import saying
from bursar.store.memory import MemoryStore
from bursar.value.worth import Options
from tests.unit.portfolio.test_allocating import At, portfolio, unread

MADE = (
    "2026-01-01T10:00:00Z deposit 1000 USD #k:main:1",
    "2026-01-01T11:00:00Z sleeve 500 from manual to trend #k:main:2",
    "2026-01-02T10:00:00Z buy 1 XBT @ 100 USD #k:main:3 strategy=trend",
    "2026-01-03T10:00:00Z sell 1 XBT @ 200 USD #k:main:4 strategy=trend",
)
HALF = CapitalSettings(reinvest=ReinvestSettings(policy=Policy.HALF))


def equities(made):
    return {each.strategy: each.equity for each in allocating.strategies(made)}


def test_what_is_kept_of_a_profit_goes_to_the_reserve_once():
    made = portfolio(*MADE)
    seen = profits.look(made, HALF)
    assert seen.divisions["trend"].reinvest == 50
    assert seen.kept_back == {"trend": 50}
    profits.apply(made, seen)
    assert equities(made) == {"manual": 550, "trend": 550}
    again = profits.look(made, HALF)
    assert again.kept_back == {}
    profits.apply(made, again)
    assert equities(made) == {"manual": 550, "trend": 550}
    assert made.verify().is_sound


@pytest.mark.parametrize("divides, carry, trend", [(False, 525, 525), (True, 550, 550)])
def test_what_is_kept_is_not_divided_again(divides, carry, trend):
    other = "2026-01-04T10:00:00Z sleeve 10 from manual to carry #k:main:9"
    made = portfolio(*MADE, other)
    profits.apply(made, profits.look(made, HALF))
    asked = allocating.Asked(moving=RebalancerSettings(divides_profit=divides))
    rules = CapitalSettings(strategies={"carry": Own(), "trend": Own()}).rules
    proposal = allocating.propose(made, rules, asked=asked)
    assert {line.weight for line in proposal.decision.allocation.lines} == {Decimal("0.5")}
    assert proposal.set_aside == (0 if divides else 50)
    allocating.apply(made, proposal)
    assert equities(made) == {"carry": carry, "trend": trend, "manual": 1100 - carry - trend}


def test_of_what_is_kept_no_more_is_held_back_than_is_there():
    gone = "2026-01-10T10:00:00Z withdrawal 520 USD #k:main:9"
    made = portfolio(*MADE)
    profits.apply(made, profits.look(made, HALF))
    made.desk.submit(golden.read([gone]))
    assert allocating.propose(made).set_aside == 30


def test_what_is_kept_has_the_decimals_of_the_base():
    lines = [line.replace("USD", "XBT").replace(" XBT @", " ETH @") for line in MADE]
    told = [line.replace(" 200 XBT", " 100.00700101 XBT") for line in lines]
    made = portfolio(*told, store=MemoryStore(terms=Terms(base="XBT")))
    profits.apply(made, profits.look(made, HALF))
    assert equities(made) == {
        "manual": Decimal("500.00350050"),
        "trend": Decimal("500.00350051"),
    }


def test_what_positions_bind_is_moved_when_they_are_closed():
    bound = "2026-01-04T10:00:00Z buy 5.8 XBT @ 100 USD #k:main:5 strategy=trend"
    made = portfolio(*MADE, bound)
    seen = profits.look(made, HALF, prices={"XBT": "100"})
    assert seen.kept_back == {"trend": 20}
    profits.apply(made, seen)
    closed = "2026-01-05T10:00:00Z sell 5.8 XBT @ 100 USD #k:main:6 strategy=trend"
    made.desk.submit(golden.read([closed]))
    assert profits.look(made, HALF).kept_back == {"trend": 30}


def test_a_restart_goes_on_with_the_session():
    made = portfolio(*MADE)
    profits.apply(made, profits.look(made, HALF))
    again = Portfolio(Desk(made.desk.store, At(20)), unread)
    assert profits.look(again, HALF).before == profits.look(made, HALF).before
    made.desk.clock.day = 21
    assert profits.look(made, HALF).before.day == 20454 + 21


def test_a_profit_given_back_is_told_as_an_intent_once():
    settings = CapitalSettings(
        capture=CaptureSettings(target=Decimal(50), target_pct=None, trail=Decimal("0.2"))
    )
    made = portfolio(*MADE)
    profits.apply(made, profits.look(made, settings))
    bought = "2026-01-21T00:00:00Z buy 1 XBT @ 100 USD #k:main:7 strategy=trend"
    made.desk.submit(golden.read([bought]))
    for price, intent in (("100", None), ("200", None), ("170", "close_all"), ("160", None)):
        seen = profits.look(made, settings, prices={"XBT": price})
        assert (seen.capture.intent.value if seen.capture else None) == intent
        profits.apply(made, seen)
    (told,) = saying.waiting(made.desk.store).values()
    assert told.type == "order.exit_decision"


def test_a_look_of_yesterday_does_not_undo_what_today_remembers():
    made = portfolio(*MADE, day=20)
    profits.apply(made, profits.look(made, HALF))
    late = profits.look(made, HALF)
    made.desk.clock.day = 21
    profits.apply(made, profits.look(made, HALF))
    with pytest.raises(StaleVersion):
        profits.apply(made, late)
    assert profits.look(made, HALF).before.day == 20454 + 21
    made.desk.clock.day = 20  # set right: a day of its own again, and no end to looking
    profits.apply(made, profits.look(made, HALF))


FIFTY = CapitalSettings(
    capture=CaptureSettings(target=Decimal(50), target_pct=None, trail=Decimal("0.2"))
)


def merging(asset, at="2026-01-21T00:00:00Z"):
    """Yield a book that holds 10 XBT and was looked at after a split of before, told only then."""
    made = portfolio(*MADE, "2026-01-05T00:00:00Z buy 10 XBT @ 10 USD #k:main:7 strategy=trend")
    made.desk.clock.day = 21
    for price in ("10", "100"):  # ten old units became one, and the price is of that
        profits.apply(made, profits.look(made, FIFTY, prices={"XBT": price}))
    before = profits.look(made, FIFTY, prices={"XBT": "100"}).before
    made.desk.submit(golden.read([f"{at} split {asset} 1 for 10 #k:main:8"]))
    return made, before


def test_a_peak_of_before_a_split_was_told_arms_nothing():
    made, before = merging("XBT", at="2026-01-20T23:00:00Z")
    assert (before.session.peak, before.session.is_armed) == (900, True)
    seen = profits.look(made, FIFTY, prices={"XBT": "101"})
    assert seen.capture is None
    assert seen.before.session == Session(Decimal(1101))
    assert seen.before.compounded == Compounded(Decimal(1101))
    profits.apply(made, seen)
    for price, intent in (("100", None), ("161", None), ("140", "close_all")):
        seen = profits.look(made, FIFTY, prices={"XBT": price})
        assert (seen.capture.intent.value if seen.capture else None) == intent
        profits.apply(made, seen)


def test_what_was_captured_before_a_split_was_told_is_not_captured_again_that_day():
    made, _ = merging("XBT", at="2026-01-20T23:00:00Z")
    made.desk.submit(golden.read(["2026-01-22T00:00:00Z void k:main:8 #k:main:9"]))
    profits.apply(made, profits.look(made, FIFTY, prices={"XBT": "100"}))
    profits.apply(made, profits.look(made, FIFTY, prices={"XBT": "200"}))
    profits.apply(made, profits.look(made, FIFTY, prices={"XBT": "100"}))
    made.desk.submit(golden.read(["2026-01-20T23:00:00Z split XBT 1 for 5 #k:main:10"]))
    seen = profits.look(made, FIFTY, prices={"XBT": "10"})
    assert seen.before.session == Session(Decimal(1020), is_captured=True)


@pytest.mark.parametrize("asset, at", [("ETH", "2026-01-20T23:00:00Z"), ("XBT", "2027-01-01")])
def test_a_split_that_no_look_has_missed_begins_nothing_anew(asset, at):
    made, before = merging(asset, at)
    assert profits.look(made, FIFTY, prices={"XBT": "100"}).before == before


def test_what_came_in_is_in_every_figure_of_an_intent():
    settings = CapitalSettings(
        capture=CaptureSettings(target=Decimal(50), target_pct=None, trail=Decimal("0.2"))
    )
    made = portfolio(*MADE)
    came = (
        "2026-01-21T00:00:00Z buy 1 XBT @ 100 USD #k:main:7 strategy=trend",
        "2026-01-21T00:00:00Z deposit 5000 USD #k:main:8",
    )
    profits.apply(made, profits.look(made, settings))
    made.desk.submit(golden.read(came))
    for price in ("200", "170"):
        profits.apply(made, profits.look(made, settings, prices={"XBT": price}))
    (told,) = saying.waiting(made.desk.store).values()
    said = msgspec.json.decode(told.data, type=OrderExitDecision)
    figures = said.baseline_equity, said.current_equity, said.peak_equity
    assert figures == (Decimal(6100), Decimal(6170), Decimal(6200))


def test_a_deposit_is_no_profit():
    made = portfolio(*MADE)
    profits.apply(made, profits.look(made))
    made.desk.submit(golden.read(["2026-01-21T00:00:00Z deposit 5000 USD #k:main:8"]))
    assert profits.look(made).after.session.peak == 0


def test_what_the_view_leaves_out_makes_no_profit_when_it_goes():
    made = portfolio(*MADE, "2026-01-05T10:00:00Z deposit 10 ODD #k:main:8  value=5000")
    made.options = Options(exclude_assets=frozenset({"ODD"}))
    priced = {"ODD": "500"}
    profits.apply(made, profits.look(made, prices=priced))
    made.desk.submit(golden.read(["2026-01-21T00:00:00Z withdrawal 10 ODD #k:main:9  value=5000"]))
    seen = profits.look(made, prices=priced)
    assert seen.equity == 1100
    assert seen.after.session.peak == 0
    assert seen.capture is None


def test_targets_are_followed_from_a_kept_moment():
    settings = CapitalSettings(
        targets=(
            ProfitTarget(period=TargetPeriod.MONTH, amount=Decimal(200)),
            ProfitTarget(period=TargetPeriod.DAY, amount=Decimal(10)),
        )
    )
    made = portfolio("2025-12-31T10:00:00Z deposit 1000 USD #k:main:1", day=0)
    snapshots.take(made)
    made.desk.clock.day = 20
    made.desk.submit(golden.read(MADE[1:]))
    found = {each.period: each for each in profits.look(made, settings).targets}
    assert found[TargetPeriod.MONTH].progress == Decimal("0.5")


def test_what_is_not_known_is_not_divided():
    with pytest.raises(Doubtful, match="no price of ODD"):
        profits.look(portfolio(*MADE, "2026-01-05T10:00:00Z reward 1 ODD #k:main:9"))
    with pytest.raises(Doubtful, match="nobody has priced"):
        profits.look(
            portfolio(*MADE, "2026-01-05T10:00:00Z deposit 1 ODD #k:main:9"), prices={"ODD": "1"}
        )


def test_another_writer_in_between_is_told():
    made = portfolio(*MADE)
    seen = profits.look(made, HALF)
    made.desk.submit(golden.read(["2026-01-05T10:00:00Z deposit 1 USD #k:main:9"]))
    with pytest.raises(StaleVersion, match="look again"):
        profits.apply(made, seen)


def test_of_two_looks_at_one_state_one_is_applied():
    made = portfolio(*MADE, "2026-01-04T10:00:00Z buy 1 XBT @ 100 USD #k:main:5 strategy=trend")
    settled = CapitalSettings(reinvest=ReinvestSettings(policy=Policy.FULL))
    profits.apply(made, profits.look(made, settled, prices={"XBT": "100"}))
    higher = profits.look(made, settled, prices={"XBT": "110"})
    profits.apply(made, profits.look(made, settled, prices={"XBT": "120"}))
    with pytest.raises(StaleVersion, match="another look was applied"):
        profits.apply(made, higher)
    assert profits.look(made, settled, prices={"XBT": "110"}).before.session.peak == 20
