"""Following trades beside other writers, and from a checkpoint on."""

import pytest

from bursar.desk import Desk, desk
from bursar.ledger import copies, golden, instant, planning
from bursar.ledger.terms import Terms
from bursar.ledger.turns import BEGINNING
from bursar.portfolio import Portfolio, reading
from bursar.portfolio.trading import TradeFollower
from bursar.store import MemoryStore
from bursar.store.trades import MemoryTradeStore
from tests.unit.portfolio.places import Clock

DAYS = 12


@pytest.fixture
def store():
    return MemoryStore(terms=Terms(base="EUR"))


def opened(store):
    return Portfolio(Desk(store, Clock()), nothing)


def nothing(*asked):
    raise AssertionError(asked)


def buy(portfolio, day):
    line = f"2026-01-{day:02}T10:00:00Z buy 1 XBT @ 100 EUR #k:{day}"
    portfolio.record(*golden.read([line]))


def answers(follower):
    return follower.store.open_trades(), follower.store.closed_trades()


def test_what_another_process_wrote_is_followed_once_it_is_taken_up(store):
    here, there = opened(store), opened(store)
    follower = TradeFollower(here, MemoryTradeStore())
    buy(here, 1)
    buy(there, 2)
    assert follower.follow()
    assert follower.store.open_trades()[0].quantity == 1
    here.desk.catch_up()
    assert follower.follow()
    assert follower.store.open_trades()[0].quantity == 2
    afresh = TradeFollower(here, MemoryTradeStore())
    afresh.follow()
    assert answers(follower) == answers(afresh)


def test_from_a_checkpoint_all_are_read_once_and_then_what_is_new(store, monkeypatch):
    monkeypatch.setattr(desk, "KEPT_AHEAD", 2)
    monkeypatch.setattr(planning, "SPACING", 1)
    monkeypatch.setattr(copies, "SPACING", 1)
    before = opened(store)
    for day in range(1, DAYS + 1):
        buy(before, day)
    portfolio = opened(store)
    assert not portfolio.desk.timeline.is_whole
    trades = NotedStore()
    follower = TradeFollower(portfolio, trades)
    for day in (20, 21, 22):
        buy(portfolio, day)
        follower.follow()
    assert trades.told == [BEGINNING, None, None]
    assert follower.store.open_trades()[0].quantity == DAYS + 3


class NotedStore(MemoryTradeStore):
    """Trades in memory, and since when they were made anew each time."""

    def __init__(self):
        super().__init__()
        self.told = []

    def save(self, trades, reached, *, since=None, bookmark=None):
        self.told.append(since)
        super().save(trades, reached, since=since, bookmark=bookmark)


def tell(portfolio, line):
    portfolio.record(*golden.read([line]))


def afresh(portfolio):
    follower = TradeFollower(portfolio, MemoryTradeStore())
    follower.follow()
    return answers(follower)


@pytest.fixture
def spaced(monkeypatch):
    """Copies are kept of every other record, and little of the journal in memory."""
    monkeypatch.setattr(reading, "SPACING", 2)
    monkeypatch.setattr(desk, "KEPT_AHEAD", 4)
    monkeypatch.setattr(planning, "SPACING", 1)
    monkeypatch.setattr(copies, "SPACING", 1)


def test_a_late_fact_makes_anew_what_was_open_then_or_later(store, spaced, monkeypatch):
    monkeypatch.setattr(desk, "KEPT_AHEAD", 8)
    portfolio, trades = opened(store), NotedStore()
    follower = TradeFollower(portfolio, trades)
    for day in range(1, DAYS + 1):
        tell(portfolio, f"2026-01-{day:02}T10:00:00Z buy 1 XBT @ 100 EUR #k:{day:02}b")
        tell(portfolio, f"2026-01-{day:02}T11:00:00Z sell 1 XBT @ 100 EUR #k:{day:02}s")
    follower.follow()
    first = trades.closed_trades()[-1]
    tell(portfolio, "2026-01-11T10:30:00Z buy 1 ETH @ 100 EUR #k:late")
    follower.follow()
    anew, since = trades.told
    assert anew == BEGINNING
    assert instant.parse("2026-01-09") < since <= instant.parse("2026-01-11T10:30:00")
    assert trades.closed_trades()[-1] is first
    assert answers(follower) == afresh(portfolio)
    tell(portfolio, "2026-01-20T10:00:00Z void k:late #u:1")
    follower.follow()
    assert trades.told[-1] == since
    assert trades.open_trades() == []
    assert answers(follower) == afresh(portfolio)


def test_a_new_process_goes_on_from_the_bookmark(store, spaced):
    trades = NotedStore()
    with opened(store) as before:
        follower = TradeFollower(before, trades)
        for day in range(1, DAYS + 1):
            buy(before, day)
            follower.follow()
    portfolio = opened(store)
    follower = TradeFollower(portfolio, trades)
    assert not follower.follow()
    trades.told.clear()
    buy(portfolio, 20)
    assert follower.follow()
    assert not portfolio.desk.timeline.is_whole
    (since,) = trades.told
    assert since > instant.parse("2026-01-08")
    buy(portfolio, 21)
    follower.follow()
    assert trades.told == [since, None]
    assert trades.open_trades()[0].quantity == DAYS + 2
    assert answers(follower) == afresh(portfolio)


def test_what_was_told_behind_a_bookmark_gives_way_if_it_never_was(store, spaced):
    trades, before = NotedStore(), opened(store)
    follower = TradeFollower(before, trades)
    for day in range(1, DAYS):
        buy(before, day)
        follower.follow()
    tell(before, "2026-01-12T10:00:00Z buy 1 ETH @ 100 EUR #k:12")
    follower.follow()
    portfolio = opened(store)
    follower = TradeFollower(portfolio, trades)
    follower.follow()
    tell(portfolio, "2026-01-20T10:00:00Z void k:12 #u:1")
    follower.follow()
    assert trades.trade("k:12") is None
    assert answers(follower) == afresh(portfolio)


def test_of_two_processes_each_goes_on_from_what_the_other_told(store, spaced):
    trades, both = NotedStore(), [opened(store), opened(store)]
    followers = [TradeFollower(each, trades) for each in both]
    for day in range(1, 2 * DAYS + 1):
        for each in both:
            each.desk.catch_up()
        buy(both[day % 2], day)
        both[1 - day % 2].desk.catch_up()
        assert [each.follow() for each in followers[:: (-1) ** day]].count(True) == 1
        assert answers(followers[0]) == afresh(both[0])
    assert BEGINNING not in trades.told[-DAYS:]


def test_a_bookmark_of_another_state_is_not_believed(store, spaced):
    trades, before = NotedStore(), opened(store)
    follower = TradeFollower(before, trades)
    for day in range(1, DAYS + 1):
        buy(before, day)
        follower.follow()
    assert trades.bookmark()
    buy(opened(store), 15)  # nobody followed this
    portfolio = opened(store)
    follower = TradeFollower(portfolio, trades)
    buy(portfolio, 20)
    follower.follow()
    assert trades.told[-1] == BEGINNING
    assert answers(follower) == afresh(portfolio)


def test_trades_of_another_book_leave_no_bookmark(store, spaced):
    trades = NotedStore()
    portfolio = opened(store)
    for day in range(1, DAYS + 1):
        buy(portfolio, day)
    TradeFollower(portfolio, trades).follow()
    assert trades.bookmark()
    other = opened(MemoryStore(terms=Terms(base="EUR")))
    buy(other, 1)
    TradeFollower(other, trades).follow()
    assert trades.bookmark() == ""
    assert trades.open_trades()[0].quantity == 1
