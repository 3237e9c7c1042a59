"""Transactions killed at any moment, and many writers at once: every dollar is there, once."""

import os
import random
import signal
import time

import pytest

from bursar.desk import Desk
from bursar.desk.metrics import COMMITS, read
from bursar.desk.transactions import PortfolioTransaction, recover, rules_of
from bursar.ledger import audit
from bursar.store import STEPS, open_store
from tests import figures
from tests.crash.nursery import Ticks, settle

pytestmark = pytest.mark.sweep


def judge(path, acknowledged, *, cut_off=None):
    """Open the book anew, which compares chain, fold and projection; return its dollars."""
    store = open_store(path, create=False)
    settle(store)
    desk = Desk(store, Ticks())
    try:
        version = desk.head.version
        dollars = desk.timeline.book.held("manual:main", "USD").quantity
        assert dollars == version == desk.head.seq == len(store.outbox())
        assert max((version for version, _ in acknowledged), default=0) <= version
        assert not audit.breaches(desk.timeline.book)
        told = store.get_latest_cash_equity("main")
        assert (told["total_equity"] if told else 0) == dollars
        assert read(store.memos(COMMITS).get(COMMITS)).commits == version
        found = recover(desk)
        assert found.version == version
        if cut_off is not None:
            assert [each.has_landed for each in found.interrupted] == cut_off
        assert recover(desk).interrupted == ()
        return dollars
    finally:
        store.close()


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_a_step_leaves_the_transaction_whole_or_absent(nursery, new_place, step):
    path = new_place()
    open_store(path).close()
    acknowledged, code = nursery.run("transact", path=path, step=step)
    assert code == -signal.SIGKILL
    landed = step == "after_commit"
    # What has landed has taken its announcement away in the same commit.
    assert judge(path, acknowledged, cut_off=[] if landed else [False]) == (3 if landed else 2)
    again = Desk(open_store(path), Ticks())  # the same key once more: one effect in all
    for _ in range(2):
        rules = rules_of(0, {"idempotency_key": "2", "validation_epsilon": 10**9})
        with PortfolioTransaction(again, rules) as tx:
            tx.stage_cash_delta(1)
            assert tx.commit({})
    again.store.close()
    assert judge(path, acknowledged) == 3


@pytest.mark.parametrize("step", ["begin", "before_commit", "after_commit"])
def test_a_kill_inside_a_batch_leaves_none_of_it(nursery, new_place, step):
    path = new_place()
    open_store(path).close()
    _, code = nursery.run("transact", path=path, step=step, batch=4, at=2)
    assert code == -signal.SIGKILL
    assert judge(path, []) == 4


def test_kills_at_random_moments_lose_and_double_no_dollar(nursery, new_place):
    path = new_place()
    open_store(path).close()
    choices = random.Random(figures.SEED)
    told, before = [], 0
    for _ in range(figures.KILLS // 2):
        wanted, pause = choices.randint(0, 4), choices.random() * 0.004

        def kill(pid, heard, wanted=wanted, pause=pause):
            if heard < wanted:
                return False
            time.sleep(pause)  # into the middle of a commit: real processes know no other clock
            os.kill(pid, signal.SIGKILL)
            return True

        acknowledged, code = nursery.run("transact", path=path, kill=kill)
        assert code == -signal.SIGKILL
        told += acknowledged
        dollars = judge(path, told)
        assert dollars - before - len(acknowledged) in {0, 1}, f"seed {figures.SEED}"
        before = dollars


@pytest.mark.slow("processes that commit to one book at once, each until it has done its share")
def test_many_writers_lose_no_update_and_all_finish(new_place, nursery):
    path = new_place()
    open_store(path).close()
    each = [
        {"path": path, "writer": f"w{n}-", "commits": figures.WRITES}
        for n in range(figures.WRITERS)
    ]
    told, code = nursery.run("together", what="transact", each=each)
    assert code == 0
    acknowledged = [version for version, _ in told]
    assert len(set(acknowledged)) == figures.WRITERS * figures.WRITES
    assert judge(path, []) == len(acknowledged)
