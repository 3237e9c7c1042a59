"""The views that are published: what is other than before is made anew, and nothing else."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from bursar.desk import Desk
from bursar.errors import OutcomeUnknown, StoreDown, StoreFull
from bursar.ledger import golden
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService
from bursar.serve import publishing
from bursar.serve.opening import Book
from bursar.serve.publishing import Publisher
from bursar.serve.shelf import Publication, published
from bursar.serve.views import Seen, Speller, at_one, look, seen
from bursar.store import MemoryStore
from bursar.value.marks import Mark
from tests.unit.portfolio.places import NOON, Clock, opened


def unread(*_):
    raise AssertionError("nothing is imported here")


class Away:
    """A store that nobody may ask."""

    def __getattr__(self, name):
        raise AssertionError(f"the store was asked for {name}")


class Down:
    """A store whose server is away."""

    def __getattr__(self, name):
        raise StoreDown(name)


class Asked:
    """A store that tells what it was asked for."""

    def __init__(self, store):
        self.names: list[str] = []
        self._store = store

    def __getattr__(self, name):
        self.names.append(name)
        return getattr(self._store, name)


def held(others):
    names = ("XBT", *(f"A{n}" for n in range(others)))
    lines = [f"2026-05-01T10:00:00Z buy 2 {name} @ 10 EUR #k:{name}" for name in names]
    portfolio = opened("2026-05-01T09:00:00Z deposit 100000 EUR #k:0", *lines)
    marks = [Mark(name, "EUR", Decimal(11), "venue", NOON) for name in names]
    portfolio.keep_marks(marks, "venue")
    return portfolio


class Looking:
    """Who looks again and again, and tells what was made anew since: rows, and their spellings."""

    def __init__(self, portfolio):
        self.portfolio, self.speller = portfolio, Speller()
        look(portfolio)
        self.views: Any = {}
        self.shown: Any = ()
        self.told: Any = {}
        self.again()

    def again(self):
        views: Any = seen(self.portfolio).found
        self.views = self.speller.spelled(views)
        shown, told = self.shown, self.told
        self.shown = views.snapshot.positions
        self.told = self.views["snapshot"]["positions"].rows
        known = {id(each) for each in shown}
        return (
            [each.symbol for each in self.shown if id(each) not in known],
            [name for name, row in self.told.items() if told.get(name) is not row],
        )


def test_a_tick_and_a_commit_make_one_row_anew_however_much_is_held():
    for others in (3, 300):
        portfolio = held(others)
        looking = Looking(portfolio)
        before = looking.views
        assert looking.again() == ([], [])
        store, portfolio.desk.store = portfolio.desk.store, Away()
        portfolio.live().see(Mark("XBT", "EUR", Decimal(12), "live", NOON + 1))
        assert looking.again() == (["XBTEUR"], ["XBTEUR LONG"])  # and the store was not asked
        portfolio.desk.store = store
        portfolio.record(*golden.read(["2026-05-02T10:00:00Z sell 1 A1 @ 12 EUR #k:s"]))
        assert looking.again() == (["A1EUR"], ["A1EUR LONG"])
        delta = json.loads(published(2, 1, looking.views, before).delta or b"")
        changed = delta["data"]["snapshot"]["set"]["positions"]
        assert [each["symbol"] for each in changed] == ["A1EUR", "XBTEUR"]


def test_after_a_commit_the_store_is_asked_for_the_trades_since_and_marks_kept_here_count():
    portfolio = held(3)
    looking = Looking(portfolio)
    portfolio.record(*golden.read(["2026-05-02T10:00:00Z sell 1 A1 @ 12 EUR #k:s"]))
    portfolio.keep_marks([Mark("A2", "EUR", Decimal(13), "venue", NOON + 1)], "another")
    store = portfolio.desk.store = Asked(portfolio.desk.store)
    assert looking.again() == (["A1EUR", "A2EUR"], ["A1EUR LONG", "A2EUR LONG"])
    assert store.names == ["get_shifted"]
    assert portfolio.live().valuation() == portfolio.valuation()


def test_a_publication_after_a_tick_asks_the_store_for_nothing():
    portfolio = held(3)
    made: list[Publication] = []
    publisher = Publisher(made.append, lambda _: None, interval=0)
    opened_ = Book(PortfolioService(portfolio))
    publisher.look(opened_)
    publisher.publish(opened_)
    portfolio.live().see(Mark("XBT", "EUR", Decimal(12), "live", NOON + 1))
    portfolio.desk.store = Away()
    publisher.publish(opened_)
    assert (len(made), publisher.state.trouble) == (2, None)


def test_a_publication_is_of_one_version_though_another_process_writes_between():
    store = MemoryStore(terms=Terms(base="EUR"))
    portfolio, other = (Portfolio(Desk(store, Clock()), unread) for _ in range(2))
    publisher = Publisher(lambda _: None, lambda _: None, interval=0)
    told: list[Seen] = []
    publisher.listener = lambda _, found: told.append(found)
    opened_ = Book(PortfolioService(portfolio))
    portfolio.record(*golden.read(["2026-06-01T09:00:00Z buy 9 XBT @ 100 EUR #k:b"]))
    publisher.look(opened_)
    for minute in range(10, 30, 2):  # each sale makes 10, and so does another one beside it
        other.writer.catch_up()
        for one, at in ((portfolio, minute), (other, minute + 1)):
            one.writer.catch_up()
            words = f"2026-06-01T10:{at}:00Z sell 0.1 XBT @ 200 EUR #k:{at}"
            one.record(*golden.read([words]))
        publisher.publish(opened_)
    made = [(each.found.pnl.realized_pnl_total, each.found.pnl.realized_pnl_today) for each in told]
    assert made == [(Decimal(20 * each), Decimal(20 * each)) for each in range(1, 11)]
    assert publisher.state.version == store.head().version


def test_who_goes_on_writing_holds_up_no_look():
    store = MemoryStore(terms=Terms(base="EUR"))
    portfolio, other = (Portfolio(Desk(store, Clock()), unread) for _ in range(2))
    looks: list[int] = []

    def look_():
        looks.append(portfolio.desk.head.version)
        other.writer.catch_up()
        words = f"2026-06-01T09:00:00Z deposit 1 EUR #k:{len(looks)}"
        other.record(*golden.read([words]))
        return looks[-1]

    assert (at_one(portfolio, look_), looks) == (2, [0, 1, 2])
    portfolio.desk.store = Down()
    assert at_one(portfolio, lambda: 7) == 7


def test_a_server_that_answers_is_not_away_and_room_is_not_known_before_a_write():
    publisher = Publisher(lambda _: None, lambda _: None, interval=0)
    opened_ = Book(PortfolioService(held(1)))
    for error, stays in ((StoreDown, False), (OutcomeUnknown, False), (StoreFull, True)):
        with pytest.raises(error), publisher.writing(opened_.service.portfolio.desk.clock):
            raise error("not written")
        publisher.look(opened_)
        assert (publisher.state.unwritten is not None) is stays
    publisher.wrote()
    assert publisher.state.unwritten is None


def test_a_clock_that_was_set_back_keeps_nobody_from_looking(monkeypatch):
    portfolio = held(1)
    monkeypatch.setattr(publishing, "LOOK_EVERY_S", 0.01)

    async def went():
        made = asyncio.Queue[Publication]()
        publisher = Publisher(made.put_nowait, lambda _: None, interval=0)
        task = asyncio.create_task(publisher.run(Book(PortfolioService(portfolio))))
        await made.get()
        portfolio.desk.clock.at -= 3_600 * 1_000_000_000
        portfolio.record(*golden.read(["2026-01-05T10:00:00Z deposit 7 EUR #k:late"]))
        await made.get()
        task.cancel()
        return publisher.state.trouble

    assert asyncio.run(asyncio.wait_for(went(), 5)) is None


def test_a_snapshot_taken_here_counts_in_the_next_views():
    portfolio = held(1)
    service = PortfolioService(portfolio)
    look(portfolio)
    portfolio.live().see(Mark("XBT", "EUR", Decimal(50), "live", NOON + 1))
    peak = service.create_snapshot().equity_base
    portfolio.desk.clock.at += 1_000_000_000
    portfolio.live().see(Mark("XBT", "EUR", Decimal(20), "live", NOON + 2))
    assert seen(portfolio).found.drawdown.peak_equity == peak
    portfolio.desk.clock.at += 40 * 86_400_000_000_000
    assert service.prune_snapshots() == 1
    assert repr(seen(portfolio).found.drawdown) == repr(portfolio.views().drawdown)
