"""What was kept before a split was known is of the old units, and no figure rests on it."""

from datetime import date
from decimal import Decimal

import pytest

from bursar.desk import Desk
from bursar.ledger import instant
from bursar.portfolio import Portfolio, benchmark, kept, snapshots, walk
from bursar.portfolio.earnings import Asked, summary
from bursar.portfolio.followed import Followed
from bursar.portfolio.measures import drawdown, performance
from bursar.portfolio.performance import remarks
from bursar.portfolio.units import Doubt
from tests.unit.portfolio.places import opened
from tests.unit.portfolio.test_measures import begun, keep, tell

D = Decimal
SPLIT = "2026-01-05T00:00:00Z split ACME 4 for 1 #k:3"
VOID = "2026-01-08T00:00:00Z void k:3 #u:1"


def missed(*prices):
    """Ninety shares at 100; from the fifth day on, snapshots at these prices miss a split."""
    portfolio = begun()
    portfolio.followed = Followed(block=2)
    tell(portfolio, "2026-01-02T09:00:00Z buy 90 ACME @ 100 EUR #k:2")
    for day, price in enumerate((100, 100, *prices), start=3):
        keep(portfolio, f"2026-01-{day:02}T10:00:00Z", ACME=price)
        portfolio.views()
        portfolio.followed.write(portfolio)
    portfolio.desk.clock.set("2026-01-06T11:00:00Z")
    return portfolio


def late(*prices):
    portfolio = missed(*(prices or (25, 26)))
    tell(portfolio, SPLIT)
    return portfolio


def complete(portfolio):
    store, told = portfolio.desk.store, portfolio.desk.timeline.splits.values()
    seen = snapshots.moments(store, doubted=snapshots.doubts(store, told))
    return [instant.to_datetime(each.at).day for each in seen if each.is_complete]


def test_a_split_told_late_is_no_loss():
    portfolio = missed(25, 26)
    now = {"ACME": "26"}
    assert drawdown(portfolio, prices=now).max_pct.value == D("67.5"), "nobody has heard of a split"
    tell(portfolio, SPLIT)
    assert drawdown(portfolio, prices=now).max_pct.value == 0
    assert portfolio.views(now).drawdown.max_drawdown_pct == 0
    found = performance(portfolio, "all", now)
    assert found.twr_pct.value == D("3.6")
    assert "2 of 8 moments lack a price, or missed a split" in "; ".join(remarks(found))
    keep(portfolio, "2026-01-07T10:00:00Z", ACME=27)
    assert complete(portfolio) == [3, 4, 7]
    assert portfolio.views({"ACME": "27"}).drawdown.max_drawdown_pct == 0


def test_nor_is_a_reverse_split_a_peak():
    portfolio = missed(400, 400)
    tell(portfolio, "2026-01-05T00:00:00Z split ACME 1 for 4 #k:3")
    assert drawdown(portfolio, prices={"ACME": "400"}).max_pct.value == 0
    assert drawdown(portfolio, prices={"ACME": "400"}).current_pct.value == 0


def test_a_live_peak_goes_with_the_units_it_was_of():
    portfolio = missed()
    live = portfolio.live()
    assert live.mark("ACME", "400").equity == 37_000
    tell(portfolio, "2026-01-05T00:00:00Z split ACME 1 for 4 #k:3")
    live.commit()
    assert live.peaks.ever == 10_000


def test_what_stood_at_a_price_of_before_the_split_is_not_known_either():
    """Of 100 of the fifth day nobody can say that it was of before the split."""
    portfolio = late(100, 26)
    assert complete(portfolio) == [3, 4]


def test_a_split_taken_back_takes_the_doubt_along_and_gives_another():
    portfolio = late()
    assert complete(portfolio) == [3, 4]
    portfolio.desk.clock.set("2026-01-08T11:00:00Z")
    tell(portfolio, VOID)
    assert complete(portfolio) == [3, 4, 5, 6], "they knew what is known now"
    portfolio = late()
    keep(portfolio, "2026-01-07T10:00:00Z", ACME=26)
    portfolio.desk.clock.set("2026-01-08T11:00:00Z")
    tell(portfolio, VOID)
    assert complete(portfolio) == [3, 4, 5, 6], "the seventh believed in it"


def test_a_split_put_right_and_one_told_under_another_name_of_the_asset():
    portfolio = begun()
    tell(portfolio, "2026-01-02T09:00:00Z buy 1 XBT @ 100 EUR #k:2")
    keep(portfolio, "2026-01-03T10:00:00Z", XBT=100)
    tell(portfolio, "2026-01-03T09:00:00Z split BTC 2 for 1 #k:3")
    assert complete(portfolio) == []
    keep(portfolio, "2026-01-04T10:00:00Z", XBT=100)
    tell(
        portfolio,
        "2026-01-03T09:00:00Z void k:3 #u:1",
        "2026-01-03T09:00:00Z split BTC 3 for 1 #k:4",
    )
    assert complete(portfolio) == []
    keep(portfolio, "2026-01-05T10:00:00Z", XBT=100)
    assert complete(portfolio) == [5]


def test_what_was_not_held_is_in_no_doubt():
    portfolio = begun()
    keep(portfolio, "2026-01-06T10:00:00Z")
    tell(portfolio, "2026-01-02T09:00:00Z buy 90 ACME @ 100 EUR #k:2", SPLIT)
    assert complete(portfolio) == [6], "an account that is imported later was not in it at all"


@pytest.mark.parametrize("is_held", [True, False])
def test_closes_are_in_doubt_when_their_snapshots_are_gone(is_held):
    portfolio = begun()
    asset = "ACME" if is_held else "OTHER"
    tell(portfolio, f"2026-01-02T09:00:00Z buy 90 {asset} @ 100 EUR #k:2")
    for day in range(3, 8):
        keep(portfolio, f"2026-01-{day:02}T10:00:00Z", **{asset: 100 if day < 5 else 25})
    portfolio.desk.clock.set("2026-03-01T10:00:00Z")
    assert snapshots.prune(portfolio.desk.store, portfolio.desk.clock.at, 30) == 5
    tell(portfolio, SPLIT)
    assert complete(portfolio) == ([3, 4] if is_held else [3, 4, 5, 6, 7])


def test_prices_of_the_stretch_are_of_unknown_units():
    portfolio = late()
    keep(portfolio, "2026-01-07T10:00:00Z", ACME=27)
    days = [date(2026, 1, day) for day in (3, 4, 7)]
    assert list(kept.closing_prices(portfolio)["ACME"]) == days
    found = performance(portfolio, "all", {"ACME": "27"})
    held = benchmark.benchmark(portfolio, "ACME", found.curve.points, {"ACME": "27"})
    assert held.return_pct.value == 8
    assert held.own_pct.value == D("7.2")


def test_a_day_and_a_period_that_begin_in_the_stretch_have_no_beginning():
    portfolio = late()
    keep(portfolio, "2026-01-06T12:00:00Z", ACME=26)
    portfolio.desk.clock.set("2026-01-07T10:00:00Z")
    assert portfolio.views({"ACME": "26"}).snapshot.daily_pnl == D("0E-18"), "noon knew it"
    portfolio = late()
    portfolio.desk.clock.set("2026-01-07T10:00:00Z")
    assert portfolio.views({"ACME": "26"}).snapshot.daily_pnl is None
    found = summary(portfolio, Asked(period="day"))
    assert found.equity_start is None
    assert found.pnl_base is None


def test_what_was_written_down_of_another_doubt_is_not_gone_on_from():
    portfolio = late()
    portfolio.views()
    portfolio.followed.write(portfolio)
    store, splits = portfolio.desk.store, portfolio.desk.timeline.splits.values()
    assert list(walk.check(store, snapshots.doubts(store, splits))) == []
    anew = Portfolio(Desk(store, portfolio.desk.clock), opened)
    assert repr(anew.views({"ACME": "26"})) == repr(portfolio.views({"ACME": "26"}))
    assert anew.verify().faults == ()


def test_the_past_doubts_what_was_not_known_then():
    portfolio = late()
    keep(portfolio, "2026-01-07T10:00:00Z", ACME=26)
    portfolio.desk.clock.set("2026-01-09T10:00:00Z")
    assert drawdown(portfolio.at("2026-01-08"), prices={"ACME": "26"}).max_pct.value == 0
    then = portfolio.at("2026-01-06T10:30:00Z")
    assert drawdown(then, prices={"ACME": "26"}).max_pct.value == 0


def test_a_snapshot_is_read_once_however_many_splits_it_may_have_missed(monkeypatch):
    store, read = missed(25, 26).desk.store, []
    fifth, sixth = (instant.parse(f"2026-01-{day:02}T10:00:00Z") for day in (5, 6))
    newest = snapshots.newest

    def counted(*asked):
        for each in newest(*asked):
            read.append(each.timestamp.day)
            yield each

    monkeypatch.setattr(snapshots, "newest", counted)
    doubted = [Doubt(f"NONE{number}", fifth, sixth) for number in range(20)]
    doubted += [Doubt("ACME", fifth, fifth + 1), Doubt("ACME", sixth, sixth + 1)]
    found = list(snapshots.moments(store, doubted=tuple(doubted)))
    assert read == [6, 5]
    assert [each.is_complete for each in found] == [True, True, False, False]
