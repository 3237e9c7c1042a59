"""A Postgres server killed while transactions run: no dollar is lost, none is there twice.

An answer that was lost is looked for by the transaction's id, and then the same key is told again.
"""

import logging
import random
import threading
from contextlib import closing

import pytest

from bursar.desk import Desk
from bursar.desk.transactions import PortfolioTransaction, recover, rules_of
from bursar.errors import OutcomeUnknown, StoreError
from bursar.ledger import audit
from bursar.store import open_store
from tests import figures
from tests.crash.nursery import Ticks, rest
from tests.servers.postgres import DURABLE, OWNER, Server, cluster

pytestmark = pytest.mark.sweep


class Writer(threading.Thread):
    """Adds a dollar under the next key, again and again, whatever happens to the server."""

    def __init__(self, url):
        super().__init__()
        self.store = open_store(url)
        self.acknowledged, self.lost, self.resolved = 0, 0, []
        self.is_over = False

    def run(self):
        # A desk that does not wait asks once, so an answer lost with the server stays unknown.
        desk = Desk(self.store, Ticks())
        while not self.is_over:
            try:
                self.resolved += recover(desk).interrupted if desk.unresolved else ()
                self.add(desk)
            except OutcomeUnknown:
                self.lost += 1
            except StoreError:
                rest(20)
            else:
                self.acknowledged += 1
        self.store.close()

    def add(self, desk):
        rules = rules_of(
            0, {"validation_epsilon": 10**9, "idempotency_key": str(self.acknowledged)}
        )
        with PortfolioTransaction(desk, rules) as tx:
            tx.stage_cash_delta(1)
            assert tx.commit({})

    def wait_for(self, count):
        while self.acknowledged < count:
            assert self.is_alive()
            rest(2)


@pytest.mark.slow("a server that waits for its disk is made, loaded, killed and recovers")
def test_transactions_survive_their_server(record_property):
    logging.getLogger("bursar.transactions").disabled = True
    choices = random.Random(figures.SEED)
    with cluster(DURABLE) as durable, Server(durable.url, OWNER).database() as url:
        writer = Writer(url)
        writer.start()
        try:
            for _ in range(figures.SERVER_KILLS):
                writer.wait_for(writer.acknowledged + choices.randint(2, 30))
                rest(choices.randint(0, 10))
                durable.kill()
                durable.start()
                writer.wait_for(writer.acknowledged + 2)  # it goes on by itself
        finally:
            writer.is_over = True
            writer.join()
            logging.getLogger("bursar.transactions").disabled = False
        with closing(open_store(url, create=False)) as store:
            desk = Desk(store, Ticks())  # compares chain, fold and projection
            dollars = desk.timeline.book.held("manual:main", "USD").quantity
            assert dollars == desk.head.version == writer.acknowledged
            assert not audit.breaches(desk.timeline.book)
            keys = {f"manual:main:tx-{n}" for n in range(writer.acknowledged)}
            assert set(desk.timeline.facts) == keys
    record_property("transactions", writer.acknowledged)
    record_property("lost answers", writer.lost)
    record_property("of these had landed", sum(each.has_landed for each in writer.resolved))
