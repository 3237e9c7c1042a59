"""The walked moments are walked again where the past is another than before."""

from bursar.desk import Desk
from bursar.ledger import golden, instant
from bursar.portfolio import Portfolio, snapshots
from tests.unit.portfolio.places import Clock, opened

DAY = 86_400 * instant.SECOND


def begun():
    """Ten coins for 1,000, and a day on which they stood at 55, 100, 60 and 95."""
    portfolio = opened(clock=Clock())
    lines = (
        "2026-01-01T00:00:00Z deposit 1000 EUR #k:1",
        "2026-01-01T00:00:00Z buy 10 XBT @ 100 EUR #k:2",
    )
    portfolio.record(*golden.read(list(lines)))
    for hour, price in (("09", 55), ("10", 100), ("11", 60), ("12", 95)):
        portfolio.desk.clock.set(f"2026-01-02T{hour}:00:00Z")
        keep(portfolio, price)
    portfolio.desk.clock.at += DAY
    return portfolio


def keep(portfolio, price):
    store = portfolio.desk.store
    snapshots.take(store, portfolio.book(), portfolio.valuation({"XBT": str(price)}))


def anew(portfolio):
    """What a process says that has kept nothing."""
    desk = Desk(portfolio.desk.store, portfolio.desk.clock)
    return Portfolio(desk, opened).views().drawdown


def test_a_fall_goes_with_its_snapshots():
    portfolio = begun()
    assert portfolio.views().drawdown.max_drawdown_pct == 40
    portfolio.desk.clock.at += 40 * DAY
    assert portfolio.views().drawdown.max_drawdown_pct == 40
    assert snapshots.prune(portfolio.desk.store, portfolio.desk.clock.at, 30) == 4
    assert portfolio.views().drawdown == anew(portfolio)
    assert portfolio.views().drawdown.max_drawdown_pct == 5  # the day's high, low and close stay
    assert snapshots.prune(portfolio.desk.store, portfolio.desk.clock.at, 30) == 0


def test_a_clock_that_goes_back_sees_what_was_before_it():
    portfolio = begun()
    portfolio.views()
    portfolio.desk.clock.set("2026-01-02T10:30:00Z")
    found = portfolio.views({"XBT": "90"}).drawdown
    assert (found.peak_equity, found.max_drawdown_pct) == (1000, 10)


def test_snapshots_of_before_the_trail_are_pruned_and_leave_none():
    portfolio = begun()
    store = portfolio.desk.store
    store.save_memos({"snapshots": None})
    assert snapshots.trail(store) is None
    assert snapshots.prune(store, portfolio.desk.clock.at + 40 * DAY, 30) == 4
    assert snapshots.trail(store) is None
    assert portfolio.views().drawdown == anew(portfolio)


def test_a_late_snapshot_and_another_of_the_same_instant_are_seen():
    portfolio = begun()
    portfolio.views()
    keep(portfolio, 200)
    keep(portfolio, 300)
    portfolio.desk.clock.at += DAY
    assert portfolio.views().drawdown == anew(portfolio)
    assert portfolio.views().drawdown.peak_equity == 3000
    late = portfolio.desk.clock.at
    portfolio.desk.clock.set("2026-01-02T15:00:00Z")
    keep(portfolio, 400)
    portfolio.desk.clock.at = late
    assert portfolio.views().drawdown.peak_equity == 4000


def test_a_trade_of_a_time_to_come_counts_from_then_on():
    portfolio = begun()
    now = portfolio.desk.clock.at
    later = instant.show(now + 3600 * instant.SECOND)
    portfolio.record(*golden.read([f"{later} sell 1 XBT @ 150 EUR #k:3"]))
    assert portfolio.views().pnl.realized_pnl_today == 0
    portfolio.desk.clock.at = now + 7200 * instant.SECOND
    assert portfolio.views().pnl.realized_pnl_today == 50
    portfolio.desk.clock.at = now
    assert portfolio.views().pnl.realized_pnl_today == 0
