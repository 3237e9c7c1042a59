"""The regime is told by an event, a person or the detector, is kept with its cause, and stands."""

import json
import math
from decimal import Decimal

import pytest

from bursar.capital.regimes import named
from bursar.capital.settings import DetectorSettings
from bursar.capital.trades import Tally
from bursar.desk import Desk
from bursar.errors import BadChoice, Malformed, StaleVersion
from bursar.ledger import golden, instant
from bursar.portfolio import Portfolio, allocating, regimes
from bursar.portfolio.detecting import Detecting
from bursar.portfolio.events import Intake
from bursar.store import MemoryStore
from bursar.value.marks import Mark
from tests.unit.portfolio.events.told import event, pairs
from tests.unit.portfolio.places import MINUTE, NOON, Clock, opened
from tests.unit.portfolio.test_allocating import DAY, START, TWO, portfolio, unread


def regime_event(name="r1", at=NOON, **data):
    return event("market.regime", name, source="radar", at=at, **{"regime": "BULL", **data})


def told_last(made):
    """Who told the regime that stands, when and why."""
    return regimes.regime_told(made)


def test_a_regime_told_by_an_event_stands_with_its_cause():
    made = opened()
    heard = Intake(made, pairs).take([regime_event(reason="it rose")])
    assert heard.regimes == 1
    assert regimes.regime(made) == "BULL"
    told = told_last(made)
    assert (told.at, told.by, told.reason) == (NOON, "radar r1", "it rose")
    assert made.desk.head.seq == 0  # no journal row says what a market is like


def test_the_same_event_again_changes_nothing():
    made = opened()
    intake = Intake(made, pairs)
    intake.take([regime_event()])
    tell_again = intake.take([regime_event()])
    assert (tell_again.again, tell_again.regimes) == (1, 0)
    assert len(regimes.spells(made.desk.store)) == 1


def test_the_order_of_regimes_of_one_instant_does_not_matter():
    events = [regime_event("a", regime="BEAR"), regime_event("b", regime="BULL")]
    for batch in (events, events[::-1]):
        made = opened()
        Intake(made, pairs).take(batch)
        assert regimes.regime(made) == "BULL"


def test_an_event_that_comes_late_changes_what_stood_and_not_what_stands():
    made = opened()
    Intake(made, pairs).take([regime_event("b", at=NOON - MINUTE, regime="BEAR")])
    Intake(made, pairs).take([regime_event("a", at=NOON - 9 * MINUTE)])
    assert regimes.regime(made) == "BEAR"
    assert named(regimes.spells(made.desk.store), NOON - 5 * MINUTE) == "BULL"


def test_a_regime_without_a_name_is_no_event():
    with pytest.raises(Malformed, match="regime"):
        Intake(opened(), pairs).check(regime_event(regime="  "))


def test_a_restart_and_the_earlier_form_of_the_memo():
    store = MemoryStore()
    store.save_memos({regimes.MEMO: "BEAR"})
    made = portfolio(*TWO, store=store)
    assert allocating.regime(made) == "BEAR"
    allocating.tell_regime(made, "BULL")
    again = Portfolio(Desk(store, made.desk.clock), unread)
    assert allocating.propose(again).decision == allocating.propose(made).decision
    assert allocating.regime(again) == "BULL"


def test_a_regime_told_with_a_decision_is_written_with_it_or_not_at_all():
    made = portfolio(*TWO)
    proposal = allocating.propose(made, asked=allocating.Asked(regime="BULL"))
    assert (proposal.decision.cause.regime, allocating.regime(made)) == ("BULL", "NORMAL")
    allocating.apply(made, proposal)
    assert allocating.regime(made) == "BULL"
    assert told_last(made).by == "a person"
    made.desk.clock.day = 21
    with pytest.raises(BadChoice, match="has a name"):
        allocating.propose(made, asked=allocating.Asked(regime=" "))
    stale = allocating.propose(made, asked=allocating.Asked(regime="BEAR"))
    allocating.apply(made, allocating.propose(made))
    with pytest.raises(StaleVersion):
        allocating.apply(made, stale)
    assert allocating.regime(made) == "BULL"


def test_a_proposal_of_another_regime_is_stale():
    made = portfolio(*TWO)
    proposal = allocating.propose(made)
    allocating.tell_regime(made, "BEAR")
    with pytest.raises(StaleVersion, match="the regime is BEAR by now"):
        allocating.apply(made, proposal)


def test_a_trade_that_names_no_regime_belongs_to_the_one_it_closed_in():
    """Trend closed on 3 January, carry on the 4th; the market turned in between."""
    made = portfolio(*TWO)
    turn = START + 2 * DAY + DAY // 2
    Intake(made, pairs).take([regime_event(at=START), regime_event("r2", at=turn, regime="BEAR")])
    cause = allocating.propose(made).decision.cause
    assert {trade.strategy: trade.regime for trade in cause.trades} == {
        "trend": "BULL",
        "carry": "BEAR",
    }
    assert cause.figures["carry"].in_regime == Tally(1, Decimal(0), Decimal(20))
    assert cause.figures["trend"].in_regime == Tally()


# --------------------------------------------------------------------------------------- detector

HOURLY = DetectorSettings(symbol="BTC/USD")
HOUR = 60 * MINUTE
BEGIN = NOON // DAY * DAY


def price(hour):
    """Quiet noise, then a steep climb."""
    climb = 0.02 * max(hour - 70, 0)
    return Decimal(str(round(100 * math.exp(climb + 0.004 * math.sin(hour * 2.4)), 6)))


def live(detecting, made, hours, skipped=(), units=1):
    """Let hours pass; every twenty minutes the market is seen and looked at. The prices are of so
    many units for one of before.
    """
    for third in range(3 * hours[0], 3 * hours[1]):
        made.desk.clock.at = BEGIN + third * 20 * MINUTE + MINUTE
        if third // 3 not in skipped:
            at = made.desk.clock.at
            made.see([Mark("BTC", "USD", price(third // 3) / units, "tick", at)])
            detecting.look()


def market(store=None):
    made = Portfolio(Desk(store or MemoryStore(), Clock(BEGIN)), unread)
    return made, Detecting(made, HOURLY)


def test_the_detector_tells_the_regime_from_closes_of_its_own():
    made, detecting = market()
    live(detecting, made, (0, 70))
    calm = regimes.regime(made)
    assert calm.startswith("flat-")
    live(detecting, made, (70, 90))
    assert regimes.regime(made).startswith("up-")
    told = told_last(made)
    assert told.by == "detector BTC/USD"
    assert told.at % HOUR == 0
    assert "deviations" in told.reason


def test_a_restart_of_the_detector_changes_nothing():
    """One that lives on and one that is made anew every nine hours keep the same bytes."""
    made, detecting = market()
    live(detecting, made, (0, 90))
    made.desk.clock.at = BEGIN + 90 * HOUR
    detecting.look()
    store = MemoryStore()
    for start in range(0, 90, 9):
        other, anew = market(store)
        live(anew, other, (start, start + 9))
        other.desk.clock.at = BEGIN + (start + 9) * HOUR  # it ends when the next hour has begun
        anew.look()
    for memo in ("capital closes", regimes.MEMO):
        assert store.memo(memo) == made.desk.store.memo(memo) is not None


def test_a_gap_has_no_close_and_no_return():
    made, detecting = market()
    live(detecting, made, (0, 60), skipped=range(20, 40))
    assert told_last(made) is None  # fifty returns are not seen yet
    live(detecting, made, (60, 90))
    assert told_last(made) is not None


@pytest.mark.parametrize("known_at", [64, 67])
def test_a_split_is_no_fall_once_it_is_known(known_at):
    made, detecting = market()
    split = f"{instant.show(BEGIN + 64 * HOUR + 20 * MINUTE)} split XBT 10 for 1 #k:s"
    live(detecting, made, (0, 64))
    live(detecting, made, (64, known_at), units=10)
    made.record(*golden.read([split]))
    live(detecting, made, (known_at, 70), units=10)
    assert regimes.regime(made) == "flat-normal"
    live(detecting, made, (70, 90), units=10)
    assert regimes.regime(made).startswith("up-")
    told = json.loads(made.desk.store.memo("capital closes"))["closes"]
    assert told[0]["price"] == str(price(0)), "closes are kept as they were said"


def test_another_market_begins_anew_and_no_price_closes_nothing():
    made, detecting = market()
    detecting.look()
    live(detecting, made, (0, 60))
    other = Detecting(made, DetectorSettings(symbol="ETH/USD", minutes=60))
    made.see([Mark("ETH", "USD", Decimal(5), "tick", made.desk.clock.at)])
    other.look()
    made.desk.clock.at += HOUR
    other.look()
    assert made.desk.store.memo("capital closes").count("price") == 1


def test_two_that_detect_at_once_keep_each_close_once():
    made, one = market()
    other = Detecting(made, HOURLY)
    for hour in range(3):
        made.desk.clock.at = BEGIN + hour * HOUR
        made.see([Mark("BTC", "USD", Decimal(100 + hour), "tick", made.desk.clock.at)])
        one.look()
        other.look()
    assert made.desk.store.memo("capital closes").count("price") == 2


def test_the_detector_goes_on_after_a_clock_was_set_back():
    made, detecting = market()
    live(detecting, made, (0, 70))
    live(detecting, made, (1_000, 1_003))  # a clock that was wrong for a while
    live(detecting, made, (70, 90))
    assert regimes.regime(made).startswith("up-")
    other, straight = market()
    live(straight, other, (0, 90))
    assert made.desk.store.memo("capital closes") == other.desk.store.memo("capital closes")


def test_candles_that_do_not_fill_a_day_are_refused():
    with pytest.raises(BadChoice, match="divide a day"):
        DetectorSettings(symbol="BTC/USD", minutes=7)
