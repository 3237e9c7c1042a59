"""Following trades beside other writers, and from a checkpoint on."""

import pytest

from bursar.desk import Desk, desk
from bursar.ledger import copies, golden, planning
from bursar.ledger.terms import Terms
from bursar.ledger.turns import BEGINNING
from bursar.portfolio import Portfolio
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
    follower, told = TradeFollower(portfolio, MemoryTradeStore()), []
    save = follower.store.save

    def noted(trades, reached, *, since):
        told.append(since)
        save(trades, reached, since=since)

    monkeypatch.setattr(follower.store, "save", noted)
    for day in (20, 21, 22):
        buy(portfolio, day)
        follower.follow()
    assert told == [BEGINNING, None, None]
    assert follower.store.open_trades()[0].quantity == DAYS + 3
