"""The walked moments are walked again where the past is another than before."""

from datetime import date
from decimal import Decimal

from bursar.desk import Desk
from bursar.errors import StoreBusy
from bursar.ledger import golden, instant
from bursar.portfolio import Portfolio, kept, snapshots, walk
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
    snapshots.take(portfolio, {"XBT": str(price)})


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

    def get_snapshots(self, since=None, limit=None, until=None):
        found = self._store.get_snapshots(since, limit, until)
        self.read += len(found)
        return found

    def snapshot_totals(self, since=None):
        for each in self._store.snapshot_totals(since):
            self.read += 1
            yield each


class Busy:
    """A store that somebody else writes to."""

    def grouped(self):
        raise StoreBusy("somebody else writes")


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


def test_pruning_makes_the_rest_walked_again_and_not_read_again():
    portfolio = begun()
    walked(portfolio, 80)
    store = portfolio.desk.store
    counting = portfolio.desk.store = Counting(store)
    assert snapshots.prune(store, portfolio.desk.clock.at, 1) == 4 + 11 + 24
    portfolio.desk.clock.at += instant.SECOND
    keep(portfolio, 70)
    portfolio.desk.clock.at += instant.SECOND
    told = portfolio.views()
    assert counting.read == 3 + 2  # the first that are left; the last one, and the new one
    assert told.drawdown == anew(portfolio)
    assert portfolio.history() == Portfolio(Desk(store, portfolio.desk.clock), opened).history()
    late = portfolio.desk.clock.at
    portfolio.desk.clock.set("2026-01-05T10:30:00Z")
    keep(portfolio, 71)
    portfolio.desk.clock.at = late
    assert portfolio.views().drawdown == anew(portfolio)
    assert counting.read > 3 + 40


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


def test_a_walk_that_cannot_be_written_now_is_written_later():
    portfolio = begun()
    walked(portfolio, 4)
    store = portfolio.desk.store
    store.save_memos(dict.fromkeys(store.memos(walk.NAME)))
    portfolio.followed = Followed(block=4)
    portfolio.views()
    portfolio.desk.store = Busy()
    portfolio.followed.write(portfolio)
    portfolio.desk.store = store
    portfolio.followed.write(portfolio)
    assert started(portfolio)[1] == 1


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


def test_a_block_that_is_gone_costs_a_walk_and_no_figure_and_is_told_of():
    portfolio = begun()
    walked(portfolio, 58)
    store = portfolio.desk.store
    whole, told = store.memos(walk.NAME), started(portfolio)[0]
    store.save_memos({sorted(whole)[3]: None})
    assert started(portfolio) == (told, 4 + 58)
    (said,) = portfolio.verify().faults
    assert said.startswith("the walk along the snapshots")
    portfolio.followed = Followed(block=4)
    portfolio.views()
    portfolio.followed.write(portfolio)
    assert store.memos(walk.NAME) == whole
    assert portfolio.verify().is_sound


def test_what_could_go_wrong_is_told_without_the_snapshots():
    portfolio = begun()
    walked(portfolio, 60)
    store = Counting(portfolio.desk.store)
    fresh = Portfolio(Desk(store, portfolio.desk.clock), opened)
    told, read = fresh.risk(), store.read
    assert read == (4 + 60) % 4 + 1 + 4  # and the first day's, which began with no trail
    assert list(told.symbols.names) == ["XBT"]
    store.save_memos(dict.fromkeys([*store.memos(walk.NAME), *store.memos(snapshots.PRICES)]))
    assert repr(Portfolio(Desk(store, portfolio.desk.clock), opened).risk()) == repr(told)
    assert store.read == read + 2 * (4 + 60)


def test_closing_prices_are_of_all_snapshots_of_their_day_and_go_with_them():
    portfolio = begun()
    store, clock = portfolio.desk.store, portfolio.desk.clock
    walked(portfolio, 30)
    first, last = store.memos(snapshots.PRICES)
    assert store.memo(first) == '{"XBT":"120.000000000000000000"}'
    now = clock.at
    clock.set("2026-01-03T12:30:00Z")
    keep(portfolio, 70)  # late: it tells nothing of the end of its day
    assert store.memo(first) is None
    clock.at = now
    prices = kept.closing_prices(portfolio)["XBT"]
    assert [(day.day, price) for day, price in sorted(prices.items())] == [
        (2, Decimal(95)),
        (3, Decimal(120)),
        (4, Decimal(123)),
    ]
    store.save_memos({last: None})  # as a day that an earlier program began
    clock.at += instant.SECOND
    keep(portfolio, 72)
    assert store.memo(last) is None
    assert kept.closing_prices(portfolio)["XBT"][date(2026, 1, 4)] == 72
    clock.at += DAY
    keep(portfolio, 73)
    assert list(store.memos(snapshots.PRICES)) == [f"{snapshots.PRICES}2026-01-05"]
    snapshots.prune(store, clock.at + 40 * DAY, 30)
    assert list(store.memos(snapshots.PRICES)) == []
    assert kept.closing_prices(portfolio) == {}


def test_no_risk_is_told_across_equity_below_zero():
    portfolio = begun()
    for number in range(40):
        portfolio.desk.clock.at += DAY
        if number == 20:
            portfolio.record(*golden.read(["2026-01-23T00:00:00Z fee 2000 EUR #k:3"]))
        keep(portfolio, 100 if number < 30 else 300 + number)
    told = portfolio.risk({"XBT": "340"})
    for figure in (told.var_pct, told.cvar_pct, told.volatility_pct):
        assert figure.value is None
        assert figure.reason.startswith("equity was not above zero")
