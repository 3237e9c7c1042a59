"""The walked moments are walked again where the past is another than before."""

from bursar.desk import Desk
from bursar.ledger import golden, instant
from bursar.portfolio import Portfolio, snapshots, walk
from bursar.portfolio.followed import Followed
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


class Counting:
    """A store that counts the snapshots that are read from it."""

    def __init__(self, store):
        self.read = 0
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def snapshot_totals(self, since=None):
        for each in self._store.snapshot_totals(since):
            self.read += 1
            yield each


def walked(portfolio, moments, *, every_s=3600):
    """Keep so many moments, an hour apart, and write down the walk in blocks of four."""
    portfolio.followed = Followed(block=4)
    for n in range(moments):
        portfolio.desk.clock.at += every_s * instant.SECOND
        keep(portfolio, 50 + n * 37 % 100)
    portfolio.desk.clock.at += instant.SECOND
    portfolio.views()
    portfolio.followed.write(portfolio)


def started(portfolio):
    """What another process says that starts now, and how many snapshots it has read for it."""
    store = Counting(portfolio.desk.store)
    fresh = Portfolio(Desk(store, portfolio.desk.clock), opened)
    fresh.live()
    return repr((fresh.views(), fresh.performance())), store.read


def unwritten(portfolio):
    """The same with what was written down taken away."""
    store = portfolio.desk.store
    store.save_memos(dict.fromkeys(store.memos(walk.NAME)))
    return started(portfolio)[0]


def test_a_start_reads_what_came_since_the_last_full_block():
    portfolio = begun()
    walked(portfolio, 58)
    told, read = started(portfolio)
    assert read == (4 + 58) % 4 + 1  # the last moment of the block is read with what came since
    assert list(walk.check(portfolio.desk.store)) == []
    assert portfolio.verify().is_sound
    assert told == unwritten(portfolio)
    assert started(portfolio)[1] == 62


def test_blocks_are_written_once_and_replaced_when_the_past_is_another():
    portfolio = begun()
    walked(portfolio, 8)
    store = portfolio.desk.store
    before = store.memos(walk.NAME)
    assert len(before) == 1 + 3
    walked(portfolio, 4)
    after = store.memos(walk.NAME)
    assert len(after) == 1 + 4
    assert {name for name in before if before[name] != after[name]} == {walk.NAME}
    portfolio.desk.clock.at += 40 * DAY
    assert snapshots.prune(store, portfolio.desk.clock.at, 30) == 16
    told, read = started(portfolio)
    assert (read, len(store.memos(walk.NAME))) == (0, 1 + 4)  # they are of another past
    portfolio.followed.write(portfolio)
    assert len(store.memos(walk.NAME)) == 1 + 4  # nothing was walked since
    portfolio.views()
    portfolio.followed.write(portfolio)
    assert len(store.memos(walk.NAME)) == 1 + 1
    assert told == started(portfolio)[0] == unwritten(portfolio)


def test_a_walk_is_not_written_once_its_past_is_over():
    portfolio = begun()
    walked(portfolio, 8)
    store = portfolio.desk.store
    before, trail = store.memos(walk.NAME), snapshots.trail(store)
    assert trail is not None
    own = walk.read(store, trail.epoch)
    snapshots.prune(store, portfolio.desk.clock.at + 40 * DAY, 30)
    store.save_memos(dict.fromkeys(before))
    walk.write(store, trail.epoch, own)
    assert store.memos(walk.NAME) == {}


def test_a_clock_before_the_last_block_walks_from_the_first_moment():
    portfolio = begun()
    walked(portfolio, 8)
    portfolio.desk.clock.set("2026-01-02T10:30:00Z")
    told, read = started(portfolio)
    assert read == 12
    assert told == unwritten(portfolio)


def test_a_walk_that_is_not_along_the_snapshots_is_found():
    portfolio = begun()
    walked(portfolio, 8)
    store = portfolio.desk.store
    other = begun()
    walked(other, 8, every_s=60)
    store.save_memos(other.desk.store.memos(walk.NAME))
    (said,) = portfolio.verify().faults
    assert said.startswith("the walk along the snapshots")
    store.prune_snapshots(instant.to_datetime(portfolio.desk.clock.at))
    assert list(walk.check(store)) != []
