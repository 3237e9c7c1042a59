"""Live figures: a tick and a commit move them by what they touch, and they say what all says."""

from decimal import Decimal

import pytest

from bursar.errors import Malformed, NotExact
from bursar.ledger import golden, instant
from bursar.portfolio.service import PortfolioService
from bursar.value.marks import Mark
from bursar.value.peaks import Falls
from tests.unit.portfolio.places import MINUTE, NOON, Clock, opened

LINES = (
    "2026-05-01T10:00:00Z deposit 1000 EUR #k:1",
    "2026-05-02T10:00:00Z buy 2 XBT @ 100 EUR #k:2",
    "2026-05-03T10:00:00Z buy 5 ATOM @ 10 EUR #k:3",
)


def same(portfolio):
    """The live valuation, which must be the whole one."""
    kept, whole = portfolio.live().valuation(), portfolio.valuation()
    assert kept == whole
    assert portfolio.live().running.equity == whole.equity
    return whole


def test_a_tick_moves_equity_exposure_and_the_fall_from_the_peak():
    portfolio = opened(*LINES)
    live = portfolio.live()
    assert live is portfolio.live()
    first = live.mark("XBT/EUR", "150.5", NOON)
    assert (first.equity, first.unrealized) == (Decimal(750 + 301 + 50), Decimal(101))
    assert (first.long, first.short, first.gross, first.net) == (351, 0, 351, 351)
    assert first.exposure == {"XBT": Decimal(301)}
    assert first.drawdown == Falls(Decimal(0), Decimal(0), Decimal(0))
    second = live.mark("BTC-EUR", 95.25, NOON + 1)
    assert second.equity == Decimal("990.5")
    assert second.drawdown == Falls(*[Decimal("10.036330608537693006")] * 3)
    assert second.exposure == {"XBT": Decimal("190.5")}
    same(portfolio)


def test_a_price_older_than_what_is_known_changes_nothing():
    live = opened(*LINES).live()
    live.mark("ATOM", "12", NOON)
    told = live.mark("ATOM", "99", NOON - 1)
    assert (told.exposure, told.equity) == ({}, Decimal(750 + 200 + 60))


def test_a_commit_is_taken_up_by_itself_or_with_the_next_tick():
    portfolio = opened(*LINES)
    live = portfolio.live()
    live.mark("ATOM", "12")
    portfolio.record(*golden.read(["2026-05-04T10:00:00Z sell 2 ATOM @ 11 EUR #k:4"]))
    told = live.commit()
    assert told.exposure == {"ATOM": Decimal(36)}  # and cash, which is no exposure
    assert told.equity == 772 + 200 + 36
    assert live.commit().exposure == {}
    same(portfolio)
    portfolio.record(*golden.read(["2026-05-05T10:00:00Z sell 1 XBT @ 110 EUR #k:5"]))
    assert set(live.mark("ATOM", "13").exposure) == {"XBT", "ATOM"}
    same(portfolio)


@pytest.mark.parametrize("taken", ["#k:m", "#k:2"])
def test_a_leveraged_position_that_is_taken_back_is_valued_no_more(taken):
    portfolio = opened(*LINES, "2026-05-04T10:00:00Z margin buy 1 XBT @ 90 EUR #k:m")
    live = portfolio.live()
    assert live.mark("XBT/EUR", "110").unrealized == 20 + 20
    portfolio.reverse(taken.removeprefix("#"))
    assert live.commit().unrealized == 20
    same(portfolio)
    portfolio.reverse(("#k:2" if taken == "#k:m" else "#k:m").removeprefix("#"))
    assert live.commit().exposure == {"XBT": 0}
    same(portfolio)


def test_what_a_venue_told_is_taken_up():
    portfolio = opened(*LINES)
    live = portfolio.live()
    portfolio.keep_marks([Mark("ATOM", "EUR", Decimal(20), "venue", NOON)], "kraken")
    assert live.commit().exposure == {"ATOM": Decimal(100)}
    same(portfolio)


def venue(price, at, asset="XBT"):
    return Mark(asset, "EUR", Decimal(price), "venue", at)


def test_prices_go_on_after_a_clock_was_set_back():
    clock = Clock(NOON + 120 * MINUTE)
    portfolio = opened(*LINES, clock=clock)
    live = portfolio.live()
    live.see(venue(150, clock.at))
    portfolio.keep_marks([venue(12, clock.at, "ATOM")], "kraken")
    live.commit()
    clock.at = NOON
    assert same(portfolio).coverage.future  # what was told before, until there is something else
    assert live.see(venue(110, clock.at)).exposure == {"XBT": 220}
    assert live.see(venue(11, clock.at, "ATOM")).exposure == {"ATOM": 55}
    assert not same(portfolio).coverage.future
    for minutes in (60, 119, 120, 121, 180):  # past the time that was told wrongly
        clock.at = NOON + minutes * MINUTE
        for asset in ("ATOM", "XBT"):
            live.see(venue(minutes, clock.at, asset))
            same(portfolio)
        assert live.commit().equity == 750 + 7 * minutes
        same(portfolio)


def test_a_price_of_another_clock_that_is_ahead_does_not_keep_out_those_after_it():
    portfolio = opened(*LINES)
    live, clock = portfolio.live(), portfolio.desk.clock
    assert live.see(venue(99, clock.at + 10_000 * MINUTE)).exposure == {"XBT": 198}
    assert live.see(venue(100, clock.at)).exposure == {"XBT": 200}
    assert live.see(venue(99, clock.at + 10_000 * MINUTE)).exposure == {}
    assert live.see(venue(101, clock.at)).exposure == {"XBT": 202}
    same(portfolio)


def test_what_is_from_the_future_gives_way_to_what_another_process_is_told():
    portfolio = opened(*LINES)
    live, clock = portfolio.live(), portfolio.desk.clock
    live.see(venue(99, clock.at + 10 * MINUTE))
    portfolio.keep_marks([venue(98, clock.at + 10 * MINUTE)], "one")
    portfolio.keep_marks([venue(100, clock.at)], "other")
    assert live.commit().exposure["XBT"] == 200
    same(portfolio)


def test_equity_with_a_gap_has_no_fall():
    portfolio = opened(*LINES, "2026-05-04T10:00:00Z deposit 3 DOT #k:9")
    told = portfolio.live().mark("XBT", "150")
    assert [each.asset for each in told.unvalued] == ["DOT"]
    assert told.drawdown == Falls()
    told = portfolio.live().mark("DOT", "1")
    assert (told.unvalued, told.drawdown.ever) == ((), 0)


def test_peaks_survive_a_restart():
    clock = Clock()
    portfolio = opened(*LINES, clock=clock)
    service = PortfolioService(portfolio)
    portfolio.live().mark("XBT", "1000")
    service.create_snapshot()
    clock.at += 2 * instant.DAY
    portfolio.keep_marks([Mark("XBT", "EUR", Decimal(100), "venue", clock.at)], "kraken")
    fresh = type(portfolio)(portfolio.desk, portfolio._reader)
    told = fresh.live().commit()
    assert told.equity == 1000
    fall = Decimal("64.285714285714285714")
    assert told.drawdown == Falls(ever=fall, week=fall, day=Decimal(0))  # Monday and Wednesday


def test_symbols_are_read_as_people_write_them():
    portfolio = opened(*LINES)
    live = portfolio.live()
    for symbol in ("ATOM/EUR", "ATOMEUR", "ATOM-EUR", "ATOM", "ATOMEURC"):
        live.mark(symbol, "17")
        same(portfolio)
    assert live.running.exposure("ATOM") == 85
    assert live.mark("DOTEUR", "3").exposure == {}
    assert portfolio.marks().get("DOT", "EUR").price == 3
    for wrong in ("", "/EUR", "XBT/", "-"):
        with pytest.raises(Malformed, match="symbol"):
            live.mark(wrong, "1")
    with pytest.raises(NotExact):
        live.mark("XBT", "many")


def test_the_service_follows_the_same_figures():
    clock = Clock()
    service = PortfolioService(opened(*LINES, clock=clock))
    before = service.get_equity()
    summary = service.see(Mark("XBT", "EUR", Decimal(200), "venue", clock.at))
    assert summary.equity_base == before.equity_base + 200
    assert summary == service.get_equity()
    assert summary.stale == ("ATOM",)  # a last trade, of weeks ago
    clock.at += 10 * MINUTE
    assert service.get_equity().stale == ("ATOM", "XBT")
