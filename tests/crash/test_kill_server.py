"""A database server killed or restarted under load: a desk goes on by itself, nothing is lost.

The server waits for its disk here, and comes back on the same data.
"""

import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from bursar.desk import Desk
from bursar.errors import OutcomeUnknown, StoreDown
from bursar.ledger import audit, golden, journal
from bursar.store import open_store
from tests import figures
from tests.crash.nursery import Ticks, fill_line
from tests.servers.postgres import DURABLE, OWNER, Server, at_commit, cluster

pytestmark = pytest.mark.sweep


def rest(milliseconds):
    """Let time pass: real servers know no other clock."""
    threading.Event().wait(milliseconds / 1000)


class Counting:
    """A store that counts the answers it has lost."""

    def __init__(self, store):
        self._store, self.lost = store, 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    def commit(self, commit):
        try:
            return self._store.commit(commit)
        except OutcomeUnknown:
            self.lost += 1
            raise


class Writer(threading.Thread):
    """Submits one fill after the other through one desk, whatever happens to the server."""

    def __init__(self, url):
        super().__init__()
        self.store = Counting(open_store(url))
        self.acknowledged, self.refused, self.unresolved = 0, 0, 0
        self.is_over = False

    def run(self):
        desk, choices = Desk(self.store, Ticks(), wait=rest), random.Random(figures.SEED)
        while not self.is_over:
            fill = list(golden.read([fill_line(self.acknowledged, choices)]))
            while not self.submitted(desk, fill):
                rest(20)
            self.acknowledged += 1
        self.store.close()

    def submitted(self, desk, fill):
        """One try. After `StoreDown` nothing is written: the same desk may write the same again."""
        try:
            if self.unresolved:
                desk.reload()
            desk.submit(fill)
        except StoreDown:
            self.refused += 1
            return False
        except OutcomeUnknown:
            self.unresolved += 1
            return False
        return True

    def wait_for(self, count):
        while self.acknowledged < count:
            assert self.is_alive()
            rest(2)


@pytest.fixture(scope="module")
def durable():
    """A server of its own for what is done to it here."""
    with cluster(DURABLE) as running:
        yield running
    assert not running.folder.exists()


def kill(cluster):
    cluster.kill()


def restart(cluster):
    cluster.stop(signal.SIGINT)


@pytest.mark.slow("a server that waits for its disk is made, loaded, killed and recovers")
@pytest.mark.parametrize("end, times", [(kill, figures.SERVER_KILLS), (restart, 1)])
def test_a_desk_survives_its_server(durable, record_property, end, times):
    choices = random.Random(figures.SEED)
    with Server(durable.url, OWNER).database() as url:
        writer = Writer(url)
        writer.start()
        try:
            for _ in range(times):
                writer.wait_for(writer.acknowledged + choices.randint(2, 30))
                rest(choices.randint(0, 10))
                end(durable)
                durable.start()
                writer.wait_for(writer.acknowledged + 2)  # it goes on by itself
        finally:
            writer.is_over = True
            writer.join()
        judge(url, writer)
    record_property("commits", writer.acknowledged)
    record_property("refused before COMMIT", writer.refused)
    record_property("lost answers", writer.store.lost)
    record_property("lost answers that took a reload", writer.unresolved)


@pytest.mark.parametrize("landed", [True, False])
def test_an_answer_lost_with_the_server_is_found_when_it_is_back(durable, monkeypatch, landed):
    killed = threading.Event()

    def commit_and_die(_driver, send):
        if landed:
            send()
        durable.kill()
        killed.set()
        raise psycopg.OperationalError("the server closed the connection unexpectedly")

    with Server(durable.url, OWNER).database() as url, closing(open_store(url)) as store:
        desk = Desk(store, Ticks(), wait=lambda milliseconds: rest(5 * milliseconds))
        fill = list(golden.read([fill_line(0, random.Random(figures.SEED))]))
        with ThreadPoolExecutor() as aside, monkeypatch.context() as patch:
            at_commit(patch, commit_and_die)
            answer = aside.submit(desk.submit, fill)
            assert killed.wait(60)
            durable.start()  # by this thread: the server dies with the one that started it
            error = answer.exception()
        if landed:
            assert error is None
            assert answer.result().version == desk.head.version == store.head().version == 1
        else:
            assert isinstance(error, OutcomeUnknown)
            assert "not in the journal" in error.message
        again = desk.submit(fill).review
        assert (again.duplicates, again.recorded) == ((1, 0) if landed else (0, 1))
        assert [row.entry().id for row in journal.check(store.records())] == ["k:0"]


def judge(url, writer):
    """Everything acknowledged is there, once, and the books close."""
    with closing(open_store(url, create=False)) as store:
        desk = Desk(store, Ticks())  # compares chain, fold and projection
        rows = list(journal.check(store.records()))
        assert [row.entry().id for row in rows] == [f"k:{n}" for n in range(writer.acknowledged)]
        assert not audit.breaches(desk.timeline.book)
        assert [message.version for message in store.outbox()] == list(range(1, len(rows) + 1))
        assert {trade.trade_id for trade in store.get_trades()} == {row.entry().id for row in rows}
        assert len(store.get_trades()) == store.head().version == len(rows)
