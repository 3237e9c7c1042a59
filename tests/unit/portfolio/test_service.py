"""The portfolio service over a venue told by hand: what it asks, what it keeps, what it answers."""

# long: one service, asked everything that its contract names
import asyncio
import json
from contextlib import closing
from datetime import date
from decimal import Decimal

import pytest

from bursar.app.limits import limits_of
from bursar.config import PortfolioSettings
from bursar.desk import Desk
from bursar.errors import (
    BadChoice,
    Malformed,
    Oversold,
    PositionNotFoundError,
    StoreFull,
    VenueDown,
)
from bursar.exact import ratio18
from bursar.ledger import audit, golden, instant
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio, following
from bursar.portfolio.events import saying
from bursar.portfolio.kept import closing_prices
from bursar.portfolio.service import PortfolioService, Rules
from bursar.reconcile import Limits
from bursar.store import open_store
from bursar.value.marks import Mark
from bursar.value.worth import Options
from tests.unit.portfolio.places import Clock, opened
from tests.unit.portfolio.venues import Told

D = Decimal
HISTORY = (
    "2026-05-30T10:00:00Z deposit 100000 EUR #k:1",
    "2026-05-31T10:00:00Z buy 2 XBT @ 40000 EUR fee 8 EUR #k:2  strategy=trend",
    "2026-06-01T09:00:00Z sell 0.5 XBT @ 50000 EUR fee 5 EUR #k:3",
    "2026-06-01T10:00:00Z withdrawal 1000 EUR #k:4",
)


def followed(*lines, rules=None, **options):
    clock = Clock()
    venue = Told(clock, *(lines or HISTORY), **options)
    venue.holdings = {"EUR": D("43987"), "XBT": D("1.5")}
    venue.worth = {"XBT": D(60000)}
    return PortfolioService(opened(clock=clock), (venue,), rules), venue


def _no_files(*_):
    raise AssertionError("nothing is imported here")


def synced(service):
    return asyncio.run(service.sync())


# ------------------------------------------------------------------------------------------ sync


def test_the_first_sync_brings_everything_in_and_agrees():
    service, venue = followed()
    done = synced(service)
    assert (done.new_trades_count, done.new_cash_flows_count) == (2, 2)
    assert done.updated_pairs == ("XBT/EUR",)
    assert (done.drift_detected, done.is_whole) == (False, True)
    assert venue.asked == ["history", "history", "statement", "marks"]
    equity = service.get_equity()
    assert equity.equity_base == D("133987")  # 43,987 + 1.5 × 60,000
    assert equity.cash_base == D("43987")
    assert equity.realized_pnl_base_total == D("4987")  # 25,000 − 20,000 − 5 − 8
    assert equity.unrealized_pnl_base_total == D("30000")
    assert (equity.drift_flag, equity.is_complete) == (False, True)


def test_a_sync_without_news_asks_three_times_and_writes_nothing():
    service, venue = followed()
    synced(service)
    head, memos = service.portfolio.desk.head, service.portfolio.desk.store.memos("sync")
    venue.asked.clear()
    done = synced(service)
    assert venue.asked == ["history", "statement"]
    assert done.accounts[0].new_entries == 0
    assert service.portfolio.desk.head == head
    assert service.portfolio.desk.store.memos("sync") == memos


def test_only_what_is_new_comes_later():
    service, venue = followed()
    synced(service)
    venue.lines.append("2026-06-01T11:00:00Z sell 0.5 XBT @ 60000 EUR #k:5")
    venue.holdings = {"EUR": D("73987"), "XBT": D(1)}
    done = synced(service)
    assert (done.new_trades_count, done.accounts[0].new_entries) == (1, 1)
    assert service.get_equity().equity_base == D("133987")


@pytest.mark.parametrize("dies_at", range(1, 8))
def test_a_sync_that_dies_at_any_request_ends_in_the_same_book(dies_at):
    whole, _ = followed(size=1)
    synced(whole)
    service, venue = followed(size=1)
    venue.failing = {dies_at: VenueDown("away")}
    done = synced(service)
    assert done.is_whole == (dies_at == 7)
    assert done.accounts[0].failure == (None if dies_at == 7 else "away")
    synced(service)
    assert service.portfolio.digest() == whole.portfolio.digest()
    assert service.portfolio.verify().is_sound


def test_the_mark_lands_with_its_statements_or_not_at_all():
    service, venue = followed()
    store = service.portfolio.desk.store
    kept, store.save_memos = store.save_memos, _full
    with pytest.raises(StoreFull):
        synced(service)
    store.save_memos = kept
    assert (store.head().seq, store.memos()) == (0, {})
    assert service.portfolio.desk.head.seq == 0
    synced(service)
    assert service.get_equity().equity_base == D("133987")
    assert len(venue.lines) == service.portfolio.desk.head.seq


def _full(_memos):
    raise StoreFull("no room")


@pytest.mark.parametrize("kind", [VenueDown, Malformed, Oversold])
def test_a_venue_that_is_away_hides_nothing_of_another(kind):
    service, venue = followed()
    other = Told(venue.clock, "2026-05-30T10:00:00Z deposit 5 EUR #b:1", account="b")
    other.failing = {"history": kind("away")}
    both = PortfolioService(service.portfolio, (other, venue))
    done = synced(both)
    assert [each.failure for each in done.accounts] == ["away", None]
    assert both.get_equity().equity_base == D("133987")
    assert both.get_equity().unreconciled == ("b",)


def test_what_has_no_price_is_asked_for_once_and_put_right():
    service, venue = followed(
        "2026-05-30T10:00:00Z buy 1 XBT @ 40000 EUR #k:1",
        "2026-05-31T10:00:00Z buy 10 ETH @ 0.05 XBT #k:2",
    )
    venue.holdings = {"EUR": D(-40000), "XBT": D("0.5"), "ETH": D(10)}
    at = instant.parse("2026-05-31T10:00:00Z")
    venue.past = {("XBT", at): "2026-05-31T10:00:00Z price XBT 50000 EUR #k:price-1"}
    done = synced(service)
    assert [(each.asset, each.quote, each.at) for each in venue.wanted] == [("XBT", "EUR", at)]
    assert done.accounts[0].prices == 1
    assert service.portfolio.gaps() == ()
    assert service.get_equity().realized_pnl_base_total == D(5000)
    venue.asked.clear()
    synced(service)
    assert "prices" not in venue.asked


def test_a_price_that_may_still_come_is_no_closing_price():
    service, venue = followed(*HISTORY, "2026-06-01T11:00:00Z withdrawal 0.1 XBT #k:5")
    venue.holdings["XBT"] = D("1.4")
    venue.clock.set("2026-06-01T11:05:00Z")  # so young that the venue may still come to know it
    synced(service)
    assert "XBT" in service.portfolio.desk.store.memo("prices k")
    service.create_snapshot()
    assert list(service.portfolio.risk().symbols.names) == ["XBT"]
    assert list(closing_prices(service.portfolio)["XBT"]) == [date(2026, 6, 1)]


def test_the_worth_of_coins_that_left_is_asked_for():
    service, venue = followed(*HISTORY, "2026-06-01T11:00:00Z withdrawal 0.1 XBT #k:5")
    venue.holdings["XBT"] = D("1.4")
    at = instant.parse("2026-06-01T11:00:00Z")
    venue.past = {("XBT", at): "2026-06-01T11:00:00Z price XBT 60000 EUR #k:price-1"}
    synced(service)
    assert service.get_cash_flows("XBT")[0].value_base == D(-6000)
    assert service.get_pnl_summary().net_flows_base == D(99000 - 6000)


def test_each_fact_has_the_price_of_its_own_instant_however_a_sync_is_cut(monkeypatch):
    lines = [f"2026-05-31T{hour:02}:00:00Z reward 10 ETH #k:{hour}" for hour in (8, 9, 20)]
    past = {
        ("ETH", instant.parse(f"2026-05-31T{hour:02}:00:00Z")): (
            f"2026-05-31T{hour:02}:00:00Z price ETH {hour}00 EUR #k:price-{hour}"
        )
        for hour in (8, 9, 20)
    }

    def income(chunks_held):
        monkeypatch.setattr(following, "CHUNKS_HELD", chunks_held)
        service, venue = followed(*lines, size=1)
        venue.holdings, venue.past = {"ETH": D(30)}, past
        synced(service)
        return service.portfolio.digest(), audit.totals(service.portfolio.book()).income

    assert income(1) == income(2) == income(9)
    assert income(1)[1] == D(8000 + 9000 + 20000)


def test_prices_that_exports_lack_are_asked_for_by_the_first_sync():
    service, venue = followed("2026-05-31T11:00:00Z buy 1 XBT @ 40000 EUR #k:2")
    reward = "2026-05-31T10:00:00Z reward 10 ETH #k:1"
    service.portfolio.record(*golden.read([reward]))
    at = instant.parse("2026-05-31T10:00:00Z")
    venue.past = {("ETH", at): "2026-05-31T10:00:00Z price ETH 2000 EUR #k:p"}
    synced(service)
    assert service.portfolio.gaps() == ()


def test_a_price_that_the_venue_cannot_tell_is_not_asked_for_again():
    service, venue = followed("2026-05-31T10:00:00Z reward 10 ETH #k:2")
    venue.holdings = {"ETH": D(10)}
    synced(service)
    assert venue.asked.count("prices") == 1
    synced(service)
    assert venue.asked.count("prices") == 1
    assert [gap.flag for gap in service.portfolio.gaps()] == ["unpriced"]


def test_prices_that_later_exports_lack_are_asked_for_where_that_is_wished():
    service, venue = followed("2026-05-31T11:00:00Z buy 1 XBT @ 40000 EUR #k:2")
    synced(service)
    service.portfolio.record(*golden.read(["2026-05-31T10:00:00Z reward 10 ETH #k:1"]))
    at = instant.parse("2026-05-31T10:00:00Z")
    venue.past = {("ETH", at): "2026-05-31T10:00:00Z price ETH 2000 EUR #k:p"}
    asyncio.run(service.initialize())
    assert [gap.flag for gap in service.portfolio.gaps()] == ["unpriced"]
    done = asyncio.run(service.initialize(prices_anew=True))
    assert (service.portfolio.gaps(), done.accounts[0].prices) == ((), 1)


def test_prices_that_a_kill_left_unasked_are_asked_for_by_the_next_sync():
    service, venue = followed("2026-05-31T10:00:00Z reward 10 ETH #k:2")
    venue.holdings = {"ETH": D(10)}
    venue.failing = {"prices": VenueDown("away")}
    synced(service)
    at = instant.parse("2026-05-31T10:00:00Z")
    venue.failing, venue.past = {}, {("ETH", at): "2026-05-31T10:00:00Z price ETH 2000 EUR #k:p"}
    again = PortfolioService(service.portfolio, (venue,))
    synced(again)
    assert again.portfolio.gaps() == ()


# ------------------------------------------------------------------------------------------ drift


def test_a_difference_beyond_the_tolerance_is_drift():
    service, venue = followed()
    venue.holdings["XBT"] += D("0.01")  # worth 600
    assert synced(service).drift_detected
    assert service.get_equity().drift_flag


def test_a_difference_within_the_tolerance_is_none():
    service, venue = followed()
    venue.holdings["XBT"] += D("0.00001")  # worth 0.60
    assert not synced(service).drift_detected
    assert not service.get_equity().drift_flag


def test_what_is_missing_in_a_book_of_bitcoin_is_drift():
    clock = Clock()
    venue = Told(clock, "2026-05-30T10:00:00Z deposit 2 XBT #k:1")
    venue.holdings = {"XBT": D("1.5")}
    service = PortfolioService(opened(clock=clock, terms=Terms(base="XBT")), (venue,))
    assert synced(service).drift_detected
    venue.holdings = {"XBT": D("1.9999995")}
    assert not synced(service).drift_detected


def test_the_tolerance_is_what_the_settings_say_or_as_little_in_every_base_currency():
    silent, said = PortfolioSettings(), PortfolioSettings(reconciliation_tolerance=D("0.25"))
    of = limits_of
    assert of(silent, "EUR") == of(silent, "USD") == Limits()
    assert of(silent, "XBT") == Limits(asset=D("1e-6"), total=D("1e-6"), dust=D("1e-8"))
    assert of(silent, "JPY") == Limits(asset=D(100), total=D(100), dust=D(1))
    assert (of(said, "XBT").asset, of(said, "XBT").total) == (D("0.25"), D("0.25"))
    both = PortfolioSettings(reconciliation_tolerance_total=D(3))
    assert (of(both, "XBT").asset, of(both, "XBT").total) == (D("1e-6"), D(3))


def test_a_trade_between_history_and_statement_is_no_drift():
    service, venue = followed()

    def trades():
        venue.lines.append("2026-06-01T11:59:59Z sell 0.5 XBT @ 60000 EUR #k:5")
        venue.holdings.update(EUR=D("73987"), XBT=D(1))

    venue.on_statement = [trades]
    assert not synced(service).drift_detected
    assert venue.asked.count("statement") == 2
    assert service.get_equity().equity_base == D("133987")


def test_a_statement_counts_from_the_moment_it_is_told():
    service, venue = followed()
    synced(service)
    assert not service.get_equity().drift_flag
    venue.holdings["XBT"] += 1
    synced(service)
    assert service.get_equity().drift_flag, "within the same second"


def test_what_another_account_has_ahead_of_now_is_no_part_of_what_a_venue_said():
    service, _ = followed()
    ahead = "2062-06-01T00:00:00Z deposit 1 EUR #manual:main:1"
    service.portfolio.record(*golden.read([ahead]))
    made = asyncio.run(service.initialize())
    assert "equal venue as of 2026-06-01T12:00:00Z" in made.certificates[0]
    service.portfolio.record(*golden.read(["2026-06-01T12:00:01Z sell 1 XBT @ 9 EUR #k:5"]))
    assert not service.get_equity().drift_flag, "it happened after the venue spoke"
    service.portfolio.record(
        *golden.read(["2026-06-02T00:00:00Z transfer 1 EUR to k #manual:main:2"])
    )
    synced(service)
    found = service.get_drift()[0].comparison
    assert instant.show(found.as_of) == "2026-06-02T00:00:00Z", "it came to the account itself"


def test_what_open_orders_hold_is_reserved():
    service, venue = followed()
    venue.reserved = {"XBT": D("0.25")}
    synced(service)
    held = {each.asset: each for each in service.get_balances()}
    assert (held["XBT"].free, held["XBT"].reserved) == (D("1.25"), D("0.25"))
    assert held["EUR"].reserved == 0


def test_drift_is_known_after_a_restart_without_a_network():
    service, venue = followed()
    venue.holdings["XBT"] += D("0.01")
    synced(service)
    venue.failing = {"statement": VenueDown("away"), "history": VenueDown("away")}
    again = PortfolioService(service.portfolio, (venue,))
    assert again.get_equity().drift_flag
    assert synced(again).accounts[0].drift_detected is None
    assert again.get_equity().drift_flag, "what is known stays known"


# ---------------------------------------------------------------------------------------- answers


def test_manual_trades_are_in_balances_always_and_in_pnl_as_the_rule_says():
    told, _ = followed()
    silent, _ = followed(rules=Rules(tracks_manual=False))
    for service in (told, silent):
        synced(service)
        assert service.get_equity().equity_base == D("133987")
        assert service.get_pnl_summary(include_manual=True).realized_pnl_base_total == D("4987")
        assert service.get_pnl_summary(include_manual=False).realized_pnl_base_total == D("-8")
        assert len(service.get_trade_history(include_manual=True)) == 2
        assert [t.trade_id for t in service.get_trade_history(include_manual=False)] == ["k:2"]
    assert told.get_pnl_summary().realized_pnl_base_total == D("4987")
    assert silent.get_pnl_summary().realized_pnl_base_total == D("-8")
    assert len(silent.get_trade_history()) == 1


@pytest.mark.parametrize(
    "period,realized,trades,flows",
    [
        ("all", "4987", 2, "99000"),
        ("day", "4995", 1, "-1000"),
        ("week", "4995", 1, "-1000"),  # the first of June 2026 is a Monday
        ("month", "4995", 1, "-1000"),
        (("2026-05-30", "2026-06-01"), "-8", 1, "100000"),
        (("2026-05-31T10:00:00Z", None), "4987", 2, "-1000"),
        ((None, "2026-05-31T10:00:00Z"), "0", 0, "100000"),
    ],
)
def test_a_period_holds_what_happened_in_it(period, realized, trades, flows):
    service, _ = followed()
    synced(service)
    found = service.get_pnl_summary(period)
    assert found.realized_pnl_base_total == D(realized)
    assert sum(part.trades for part in found.parts.values()) == trades
    assert found.net_flows_base == D(flows)


@pytest.mark.parametrize(
    "by,keys", [("pair", {"XBT/EUR"}), ("asset", {"XBT"}), ("strategy", {"manual", "trend"})]
)
def test_the_parts_of_a_period_add_up(by, keys):
    service, _ = followed()
    synced(service)
    found = service.get_pnl_summary(by=by)
    assert {key for key, part in found.parts.items() if part.trades} == keys
    parts = found.parts.values()
    assert sum(part.realized for part in parts) == found.realized_pnl_base_total
    assert sum(part.unrealized for part in parts) == found.unrealized_pnl_base_total
    assert found.pnl_base == D("34987")  # 133,987 − 99,000: realised + unrealised


def test_what_withdrawals_carried_away_is_the_rest_of_what_was_made():
    service, _ = followed(
        "2026-05-30T10:00:00Z deposit 1000 EUR #k:1",
        "2026-05-30T11:00:00Z buy 10 XBT @ 100 EUR #k:2",
        "2026-05-31T10:00:00Z withdrawal 4 XBT #k:3 value=520",
        "2026-06-01T10:00:00Z sell 3 XBT @ 150 EUR #k:4",
    )
    synced(service)
    found = service.get_pnl_summary(prices={"XBT": "110"})
    assert found.transferred_unrealized_base == 120  # 4 that had cost 400 went at a worth of 520
    assert (found.realized_pnl_base_total, found.unrealized_pnl_base_total) == (D(150), D(30))
    assert found.pnl_base == D(150 + 30 + 120)
    parts = ((None, "2026-05-31"), ("2026-05-31", "2026-06-01"), ("2026-06-01", None))
    told = [service.get_pnl_summary(part).transferred_unrealized_base for part in parts]
    assert told == [0, 120, 0]


def test_what_is_dated_ahead_counts_now_and_is_said():
    clock = Clock()
    lines = (
        "2026-05-31T00:00:00Z deposit 1000 EUR #k:1",
        "2026-05-31T01:00:00Z buy 1 XBT @ 400 EUR #k:2",
        "2062-06-01T00:00:00Z sell 1 XBT @ 500 EUR #k:3",
        "2062-06-02T00:00:00Z reward 7 EUR #k:4",
    )
    service = PortfolioService(opened(*lines, clock=clock))
    book, said = service.portfolio, "yet to come: facts of up to 2062-06-02T00:00:00Z"
    for seen in (book.valuation(), book.live().valuation()):
        assert seen.coverage.lines()[0].startswith(said)
        assert seen.coverage.is_complete
    for period in ("all", ("2026-05-30", None)):
        found = service.get_pnl_summary(period)
        assert found.realized_pnl_base_total == D(100)
        assert found.income_base == D(7)
        assert found.net_flows_base == 1000
    assert service.get_pnl_summary().pnl_base == 107
    assert book.at("now").valuation().coverage.ahead is None
    assert book.at("now").equity().value == 1000
    book.reverse("k:4")
    book.reverse("k:3")
    assert book.valuation().coverage.ahead is None
    book.record(*golden.read(["2026-06-03T12:00:00Z deposit 1 EUR #k:5"]))
    assert book.valuation().coverage.ahead is None, "a day ends later elsewhere"
    clock.set("2062-06-02T00:00:00Z")
    assert opened(*lines, clock=clock).valuation().coverage.ahead is None


def test_every_cost_rule_answers_a_period():
    service, venue = followed(
        "2026-05-30T10:00:00Z buy 1 XBT @ 30000 EUR #k:1",
        "2026-05-31T10:00:00Z buy 1 XBT @ 50000 EUR #k:2",
        "2026-06-01T10:00:00Z sell 1 XBT @ 60000 EUR #k:3",
    )
    venue.holdings = {"EUR": D(-20000), "XBT": D(1)}
    synced(service)
    made = {
        rule: service.get_pnl_summary("day", method=rule).realized_pnl_base_total
        for rule in ("wac", "fifo", "lifo", "hifo")
    }
    assert made == {"wac": D(20000), "fifo": D(30000), "lifo": D(10000), "hifo": D(10000)}


def test_what_a_day_made_needs_a_snapshot_of_its_start():
    service, venue = followed()
    clock = venue.clock
    clock.set("2026-05-31T23:59:00Z")
    late = venue.lines[2:]
    del venue.lines[2:]
    venue.holdings = {"EUR": D("19992"), "XBT": D(2)}
    venue.worth = {"XBT": D(45000)}
    synced(service)
    assert service.get_pnl_summary("day").pnl_base is None
    service.create_snapshot()  # 19,992 + 90,000
    venue.lines += late
    venue.holdings = {"EUR": D("43987"), "XBT": D("1.5")}
    venue.worth = {"XBT": D(60000)}
    clock.set("2026-06-01T12:00:00Z")
    synced(service)
    found = service.get_pnl_summary("day")
    assert found.equity_start == D("109992")
    assert found.pnl_base == D("24995")  # 133,987 − 109,992 + 1,000 withdrawn
    clock.set("2026-06-02T12:00:00Z")
    assert service.get_pnl_summary("day").pnl_base is None, "the start is too long ago"


def test_a_flow_without_a_price_leaves_what_was_made_unknown():
    service, venue = followed(*HISTORY, "2026-06-01T11:00:00Z withdrawal 0.1 XBT #k:5")
    venue.holdings["XBT"] = D("1.4")
    synced(service)
    found = service.get_pnl_summary()
    assert (found.net_flows_base, found.pnl_base) == (None, None)
    assert found.unpriced_flows == ("k:5",)


def test_what_has_no_known_cost_is_named_beside_the_unrealised_that_lacks_it():
    service, venue = followed(*HISTORY, "2026-06-01T11:00:00Z reward 2 SGB #k:5")
    venue.holdings["SGB"] = D(2)
    synced(service)
    found = service.get_pnl_summary(prices={"XBT": "60000", "SGB": "10"})
    assert (found.unvalued, found.unpriced_flows, found.unfounded) == ((), (), ("SGB",))
    made = (
        found.realized_pnl_base_total
        + found.unrealized_pnl_base_total
        + found.income_base
        - found.expenses_base
        + found.transferred_unrealized_base
    )
    assert found.pnl_base - made == 20  # 2 SGB at 10


@pytest.mark.parametrize("by, key", [("asset", "SGB"), ("pair", "SGB/EUR")])
def test_what_is_unrealised_in_a_part_is_unknown_without_a_price(by, key):
    service, venue = followed(*HISTORY, "2026-06-01T11:00:00Z deposit 2 SGB #k:5 basis=7")
    venue.holdings["SGB"] = D(2)
    synced(service)
    found = service.get_pnl_summary(by=by, prices={"XBT": "60000"})
    assert (found.unvalued, found.parts[key].unrealized) == (("SGB",), None)
    assert found.parts["XBT" if by == "asset" else "XBT/EUR"].unrealized == 30000
    known = service.get_pnl_summary(by=by, prices={"XBT": "60000", "SGB": "10"})
    assert known.parts[key].unrealized == 13


def test_a_change_of_cost_is_no_capital_of_any_period():
    edit = "staged lot update XBT pool 1.5 cost 60007"
    service, _ = followed(*HISTORY, f"2026-06-01T11:00:00Z {edit} #k:5")
    synced(service)
    whole = service.get_pnl_summary()
    ended = service.get_pnl_summary((None, "2026-06-01T12:00:00Z"))
    assert whole.net_flows_base == ended.net_flows_base == 99000  # 1,000 was withdrawn
    assert whole.transferred_unrealized_base == ended.transferred_unrealized_base == 7


def test_a_period_and_a_heading_outside_their_sets_are_refused():
    service, _ = followed()
    for wrong in ("fortnight", ("2026-06-01", "2026-05-01")):
        with pytest.raises(BadChoice):
            service.get_pnl_summary(wrong)
    with pytest.raises(BadChoice):
        service.get_pnl_summary(by="colour")


def test_a_position_that_is_not_there_has_its_own_error():
    service, _ = followed()
    synced(service)
    assert service.get_position("XBTEUR").base_size == D("1.5")
    assert service.get_position("BTC/EUR") == service.get_positions()[0]
    with pytest.raises(PositionNotFoundError):
        service.get_position("ETHEUR")


def test_exposure_is_percent_of_equity():
    service, _ = followed()
    synced(service)
    found = {each.asset: each for each in service.get_asset_exposure()}
    assert found["XBT"].value_base == D(90000)
    assert found["EUR"].value_base == D("43987")
    assert sum(each.percentage_of_equity for each in found.values()) == pytest.approx(D(100))


def test_fees_are_told_as_percent_of_gross_pnl():
    service, _ = followed()
    synced(service)
    found = service.get_fee_summary()
    assert (found.total_base, found.gross_pnl_base) == (D(13), D(5000))
    assert found.pct_of_gross_pnl == D("0.26")
    assert found.by_pair == {"XBT/EUR": D(13)}


def test_a_fee_of_no_known_worth_is_no_fee_of_zero():
    service, _ = followed(
        "2026-05-30T10:00:00Z deposit 100000 EUR #k:1",
        "2026-05-31T10:00:00Z buy 1 XBT @ 40000 EUR fee 1 BNB #k:2",
    )
    synced(service)
    found = service.get_fee_summary()
    assert (found.by_asset, found.unpriced) == ({"BNB": None}, ("BNB",))


def test_only_fees_of_trades_are_a_part_of_gross_pnl():
    service, venue = followed(
        "2026-05-30T10:00:00Z deposit 100000 EUR #k:1",
        "2026-05-31T10:00:00Z buy 1 XBT @ 40000 EUR fee 8 EUR #k:2",
        "2026-06-01T09:00:00Z sell 1 XBT @ 40100 EUR fee 2 EUR #k:3",
        "2026-06-01T10:00:00Z withdrawal 1000 EUR fee 5 EUR #k:4",
    )
    venue.holdings = {"EUR": D("99085")}
    synced(service)
    found = service.get_fee_summary()
    assert (found.total_base, found.trading_base) == (D(15), D(10))
    assert (found.gross_pnl_base, found.pct_of_gross_pnl) == (D(100), D(10))


def test_rebates_are_fees_below_zero_and_so_is_their_percentage():
    service, venue = followed(
        "2026-05-30T10:00:00Z deposit 100000 EUR #k:1",
        "2026-05-31T10:00:00Z buy 1 XBT @ 40000 EUR fee -8 EUR #k:2",
        "2026-06-01T09:00:00Z sell 1 XBT @ 40100 EUR fee -2 EUR #k:3",
    )
    venue.holdings = {"EUR": D("100110")}
    synced(service)
    found = service.get_fee_summary()
    assert (found.total_base, found.trading_base, found.by_pair) == (-10, -10, {"XBT/EUR": D(-10)})
    assert (found.gross_pnl_base, found.pct_of_gross_pnl) == (D(100), D(-10))
    assert service.portfolio.pnl()[0].pnl.total.realized == 110


@pytest.mark.parametrize(
    "fee,asset,rate",
    [
        ("0.001", "XBT", ""),  # worth the trade's own price
        ("40", "EUR", ""),
        ("0.02", "ETH", "rate=ETH|EUR|2000|candle|2026-05-31T10:00:00Z"),
    ],
)
def test_a_fee_is_worth_the_same_in_base_quote_and_a_third_asset(fee, asset, rate):
    service, venue = followed(
        "2026-05-30T09:00:00Z deposit 100000 EUR #k:1",
        "2026-05-30T10:00:00Z buy 1 ETH @ 2000 EUR #k:2",
        f"2026-05-31T10:00:00Z buy 1 XBT @ 40000 EUR fee {fee} {asset} #k:3 {rate}",
    )
    synced(service)
    found = service.get_fee_summary()
    assert found.by_asset == {asset: D(40)}
    assert (found.total_base, found.by_pair["XBT/EUR"]) == (D(40), D(40))
    assert (
        service.get_pnl_summary(prices={"XBT": 40000, "ETH": 2000}).realized_pnl_base_total == -40
    )
    assert service.get_equity({"XBT": 40000, "ETH": 2000}).equity_base == D(99960)
    assert venue.asked.count("prices") == 0


def test_equity_exposure_and_unrealised_at_prices_told_by_hand():
    service, _ = followed(
        "2026-05-30T10:00:00Z deposit 100000 EUR #k:1",
        "2026-05-31T10:00:00Z buy 1 XBT @ 40000 EUR #k:2",
        "2026-05-31T11:00:00Z buy 1 XBT @ 50000 EUR #k:3",
        "2026-05-31T12:00:00Z buy 4 ETH @ 2000 EUR #k:4",
        "2026-06-01T09:00:00Z sell 0.5 XBT @ 60000 EUR #k:5",
    )
    synced(service)
    prices = {"XBT": "44000", "ETH": "2500"}
    # Cash 100,000 − 90,000 − 8,000 + 30,000; 1.5 XBT that cost 67,500; 4 ETH that cost 8,000.
    equity = service.get_equity(prices)
    assert (equity.cash_base, equity.equity_base) == (D(32000), D(108000))
    assert equity.realized_pnl_base_total == D(7500)  # 30,000 less half of 45,000
    assert equity.unrealized_pnl_base_total == D(500)  # −1,500 and +2,000
    position = service.get_position("XBT/EUR", prices)
    assert (position.base_size, position.avg_entry_price) == (D("1.5"), D(45000))
    assert (position.unrealized_pnl_base, position.current_value_base) == (D(-1500), D(66000))
    snapshot = service.create_snapshot(prices)
    assert {each.asset: each.value_base for each in snapshot.asset_valuations} == {
        "ETH": D(10000),
        "EUR": D(32000),
        "XBT": D(66000),
    }
    assert snapshot.unrealized_pnl_base_by_pair == {"ETH/EUR": D(2000), "XBT/EUR": D(-1500)}
    assert snapshot.realized_pnl_base_by_pair == {"ETH/EUR": D(0), "XBT/EUR": D(7500)}


@pytest.mark.parametrize("name", ["XBT/EUR", "XBTEUR", "BTC/EUR", "BTC-EUR", "btceur"])
def test_trades_of_a_pair_are_found_under_any_of_its_names(name):
    service, _ = followed()
    synced(service)
    assert [each.trade_id for each in service.get_trade_history(name)] == ["k:3", "k:2"]
    assert [each.trade_id for each in service.get_trade_history(name, 1)] == ["k:3"]
    assert [each.trade_id for each in service.get_trade_history(name, include_manual=False)] == [
        "k:2"
    ]
    assert service.get_position(name).pair == "XBT/EUR"
    assert service.get_trade_history("ETH/EUR") == []


def test_flows_of_an_asset_are_found_under_any_of_its_names():
    service, _ = followed(
        "2026-05-30T10:00:00Z deposit 1 XBT #k:1  value=40000",
        "2026-05-30T11:00:00Z deposit 2 BTC #k:2  value=80000",
        "2026-05-30T12:00:00Z deposit 3 ETH #k:3  value=6000",
    )
    synced(service)
    for name in ("XBT", "BTC"):
        assert [each.id for each in service.get_cash_flows(name)] == ["k:2", "k:1"]
        assert [each.id for each in service.get_cash_flows(name, 1)] == ["k:2"]
    assert service.get_cash_flows("DOGE") == []
    with pytest.raises(BadChoice):
        service.get_cash_flows("XBT", -1)


def test_what_the_view_leaves_out_is_in_no_heading_and_spoils_no_total():
    service, _ = followed(
        "2026-05-30T10:00:00Z deposit 10000 EUR #k:1",
        "2026-05-30T11:00:00Z deposit 1 ETH #k:2  value=2000",
        "2026-05-31T10:00:00Z buy 1 ETH @ 2000 EUR #k:3",
        "2026-06-01T10:00:00Z sell 1 ETH @ 2600 EUR fee 100 EUR #k:4",
    )
    synced(service)
    service.portfolio.options = Options(exclude_assets=frozenset({"ETH"}))
    equity = service.get_equity({"ETH": 3000})
    assert (equity.equity_base, equity.excluded_value) == (D(10500), D(3000))
    found = service.get_pnl_summary(prices={"ETH": 3000})
    assert (found.parts, found.realized_pnl_base_total, found.fees_base) == ({}, 0, 0)
    assert found.unrealized_pnl_base_total == 0
    # All that there is grew from 12,000 to 13,500, whatever is looked at.
    assert (found.net_flows_base, found.pnl_base) == (D(12000), D(1500))


def test_what_has_no_price_leaves_what_was_made_unknown():
    service, _ = followed(
        "2026-05-30T10:00:00Z deposit 10000 EUR #k:1",
        "2026-05-30T11:00:00Z deposit 1 SGB #k:2  value=20",
    )
    synced(service)
    found = service.get_pnl_summary()
    assert (found.unvalued, found.pnl_base) == (("SGB",), None)
    assert service.get_pnl_summary(prices={"SGB": 30}).pnl_base == D(10)


def test_what_was_kept_reads_back_the_same(tmp_path):
    def service():
        store = open_store(str(tmp_path / "book.db"), "main", terms=Terms(base="EUR"))
        return PortfolioService(Portfolio(Desk(store, venue.clock), _no_files), (venue,))

    told, venue = followed()
    asyncio.run(told.initialize())
    with closing(service()) as first:
        asyncio.run(first.initialize())
        before = answers(first)
        assert before == answers(told), "in memory and in a file it is the same"
    with closing(service()) as again:
        assert answers(again) == before
        assert again.portfolio.verify().is_sound
        venue.asked.clear()
        assert synced(again).accounts[0].new_entries == 0


def answers(service):
    """Everything that a service answers."""
    return (
        service.portfolio.digest(),
        service.get_equity(),
        service.get_pnl_summary(),
        service.get_positions(),
        service.get_asset_exposure(),
        service.get_balances(),
        service.get_trade_history(),
        service.get_fee_summary(),
        service.get_cash_flows(),
        service.get_snapshots(),
        service.get_daily_closes(),
        service.get_certificate("k"),
    )


def test_drift_is_in_equity_and_in_the_log(caplog):
    service, venue = followed()
    venue.holdings["XBT"] += D("0.01")
    synced(service)
    assert service.get_equity().drift_flag
    (told,) = [each for each in caplog.records if "PORTFOLIO_DRIFT" in each.message]
    assert told.levelname == "WARNING"
    assert "account='k'" in told.message
    assert "{'XBT': '0.01'}" in told.message


def said(service):
    """What waits to be told on the bus: type and data, the oldest first."""
    events = saying.waiting(service.portfolio.desk.store).values()
    return [(each.type, json.loads(each.data)) for each in events]


def test_drift_waits_to_be_told_with_each_signal():
    service, venue = followed()
    for off in ("0.01", "0", "-0.01"):
        venue.holdings["XBT"] += D(off)
        venue.clock.at += 60 * instant.SECOND
        synced(service)
    drifts = [(data["signal"], data["assets"]) for kind, data in said(service)]
    assert drifts == [("flagged", {"XBT": 0.01}), ("notify", {"XBT": 0.01}), ("cleared", {})]


def test_only_the_newest_wait_where_nobody_tells_them(monkeypatch):
    monkeypatch.setattr(saying, "WAITING_MAX", 3)
    service, venue = followed()
    for number in range(7):
        venue.holdings["XBT"] += D("0.01") if number % 2 == 0 else D("-0.01")
        venue.clock.at += 60 * instant.SECOND
        synced(service)
    assert [data["signal"] for _, data in said(service)] == ["flagged", "cleared", "flagged"]


# -------------------------------------------------------------------------------------- snapshots


def test_snapshots_are_pruned_and_daily_closes_stay():
    service, venue = followed()
    asyncio.run(service.initialize())
    for day in ("2026-06-01T18:00:00Z", "2026-06-20T12:00:00Z", "2026-07-10T12:00:00Z"):
        venue.clock.set(day)
        service.create_snapshot()
    assert len(service.get_snapshots()) == 4
    venue.clock.set("2026-07-11T12:00:00Z")
    assert service.prune_snapshots() == 2
    assert len(service.get_snapshots()) == 2
    closes = service.get_daily_closes()
    assert [str(each.day) for each in closes] == ["2026-06-01", "2026-06-20", "2026-07-10"]
    assert closes[0].timestamp.hour == 18
    assert closes[0].equity_base == D("133987")


def test_retention_ends_at_the_midnight_so_many_days_ago():
    service, venue = followed()
    asyncio.run(service.initialize())
    for time in ("2026-06-10T23:59:59Z", "2026-06-11T00:00:00Z"):
        venue.clock.set(time)
        service.create_snapshot()
    venue.clock.set("2026-07-11T12:00:00Z")
    service.prune_snapshots()
    (kept,) = service.get_snapshots()
    assert kept.timestamp.isoformat() == "2026-06-11T00:00:00+00:00"


def test_marks_of_a_venue_are_kept_and_grow_stale():
    service, venue = followed()
    synced(service)
    again = PortfolioService(service.portfolio, (venue,))
    assert again.get_equity().stale == ()
    venue.clock.at += 10 * 60 * instant.SECOND
    assert again.get_equity().stale == ("XBT",)
    assert again.get_equity().equity_base == D("133987")


def test_external_activity_is_told_above_its_threshold(caplog):
    service, venue = followed(rules=Rules(external_activity_pct=D(1)))
    synced(service)
    venue.lines.append("2026-06-01T11:30:00Z deposit 10000 EUR #k:5")
    venue.holdings["EUR"] += 10000
    done = synced(service)
    assert done.accounts[0].external_activity_pct == ratio18(D(100), D(10000), D("143987"))
    (told,) = [each.message for each in caplog.records if "2026" not in each.message][-1:]
    assert "EXTERNAL_ACTIVITY" in told
    assert "6.945" in told
    ((kind, data),) = said(service)
    assert (kind, data["account"], data["worth"]) == ("portfolio.external_activity", "k", 10000)
    assert str(data["percent"])[:5] == "6.945"


def test_a_first_sync_that_is_cut_off_makes_no_external_activity_of_the_rest(monkeypatch):
    monkeypatch.setattr(following, "CHUNKS_HELD", 1)
    service, venue = followed(size=1)
    venue.failing = {4: VenueDown("away")}
    assert not synced(service).is_whole
    assert service.portfolio.desk.head.seq == 3
    venue.failing = {}
    (done,) = synced(service).accounts
    assert (done.new_entries, done.external_activity_pct, done.restated) == (1, None, ())
    assert said(service) == []


def test_external_activity_is_told_once_it_has_a_worth_and_not_again_when_that_changes():
    service, venue = followed(rules=Rules(external_activity_pct=D(1)))
    synced(service)
    at = instant.parse("2026-06-01T11:30:00Z")
    venue.clock.at = at + 60 * instant.SECOND
    venue.lines.append("2026-06-01T11:30:00Z deposit 1 XBT #k:5")
    venue.holdings["XBT"] += 1
    synced(service)
    assert said(service) == []  # what it was worth is not known
    venue.past = {("XBT", at): "2026-06-01T11:30:00Z price XBT 59000 EUR #k:price-1"}
    synced(service)
    assert [data["worth"] for _, data in said(service)] == [59000]
    venue.lines.append("2026-06-01T11:30:00Z deposit 1 XBT #k:5  source=ledger  note=wire")
    (done,) = synced(service).accounts
    assert (done.new_entries, done.external_activity_pct) == (1, None)
    assert len(said(service)) == 1


def test_external_activity_of_a_sync_that_died_before_it_told_is_told_by_the_next_one_once(
    monkeypatch,
):
    service, venue = followed(rules=Rules(external_activity_pct=D(1)))
    synced(service)
    venue.lines.append("2026-06-01T11:30:00Z deposit 10000 EUR #k:5")
    venue.holdings["EUR"] += 10000

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(service, "_external", dies)
    with pytest.raises(KeyboardInterrupt):
        synced(service)
    assert service.portfolio.desk.head.seq == 5
    again = PortfolioService(service.portfolio, (venue,), service.rules)
    assert said(again) == []
    venue.failing = {"history": VenueDown("away")}
    (done,) = synced(again).accounts
    assert (done.new_entries, done.failure is None) == (0, False)
    assert done.external_activity_pct == ratio18(D(100), D(10000), D("143987"))
    assert [(kind, data["worth"]) for kind, data in said(again)] == [
        ("portfolio.external_activity", 10000)
    ]
    venue.failing = {}
    (done,) = synced(again).accounts
    assert (done.new_entries, done.external_activity_pct) == (0, None)
    assert len(said(again)) == 1


def test_external_activity_is_a_share_of_all_that_is_owned():
    service, venue = followed(rules=Rules(external_activity_pct=D(1)))
    synced(service)
    service.portfolio.options = Options(exclude_assets=frozenset({"BTC"}))
    venue.lines.append("2026-06-01T11:30:00Z deposit 10000 EUR #k:5")
    venue.holdings["EUR"] += 10000
    done = synced(service)
    assert done.accounts[0].external_activity_pct == ratio18(D(100), D(10000), D("143987"))


def test_a_live_price_changes_equity_at_once_and_is_what_the_whole_comes_to():
    service, venue = followed()
    synced(service)
    venue.clock.at += 10 * 60 * instant.SECOND
    assert service.get_equity().stale == ("XBT",)
    mark = Mark("BTC", "EUR", D(61000), "stream", venue.clock.now())
    seen = service.see(mark)
    assert (seen.equity_base, seen.unrealized_pnl_base_total) == (D("135487"), D("31500"))
    assert seen.stale == ()
    assert service.get_equity() is seen
    venue.clock.at += instant.SECOND
    whole = service.get_equity()
    assert whole is not seen
    assert (whole.equity_base, whole.stale) == (seen.equity_base, ())
    assert service.get_positions()[0].current_value_base == D("91500")
