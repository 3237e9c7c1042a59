"""A desk killed at any moment: the journal, its fold and the projection agree when it is opened."""

import os
import random
import signal
import time

import pytest

from bursar.desk import Desk
from bursar.ledger import audit
from bursar.store import STEPS, open_store
from tests import figures
from tests.crash.nursery import Ticks, settle

pytestmark = pytest.mark.sweep


def judge(path, acknowledged):
    """Open the book anew (which compares chain, fold and projection) and return its head."""
    store = open_store(path, create=False)
    settle(store)
    desk = Desk(store, Ticks())
    try:
        assert not audit.breaches(desk.timeline.book)
        assert max((seq for _, seq in acknowledged), default=0) <= desk.head.seq
        stated = {fact for fact in desk.timeline.facts if not fact.startswith("opening:")}
        assert stated == {f"k:{n}" for n in range(desk.head.seq)}
        assert {trade.trade_id for trade in desk.store.get_trades()} == stated
        assert len(desk.store.outbox()) == desk.head.version
        return desk.head
    finally:
        desk.store.close()


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_a_step_leaves_a_book_that_opens(nursery, new_place, step):
    path = new_place()
    open_store(path).close()
    acknowledged, code = nursery.run("desk", path=path, seed=figures.SEED, step=step)
    assert code == -signal.SIGKILL
    assert judge(path, acknowledged).version == (3 if step == "after_commit" else 2)


def test_kills_at_random_moments_leave_a_book_that_opens(nursery, new_place):
    path = new_place()
    open_store(path).close()
    choices = random.Random(figures.SEED)
    told, before = [], 0
    for _ in range(figures.KILLS):
        wanted, pause = choices.randint(0, 4), choices.random() * 0.004

        def kill(pid, heard, wanted=wanted, pause=pause):
            if heard < wanted:
                return False
            time.sleep(pause)  # into the middle of a commit: real processes know no other clock
            os.kill(pid, signal.SIGKILL)
            return True

        acknowledged, code = nursery.run("desk", path=path, seed=choices.random(), kill=kill)
        assert code == -signal.SIGKILL
        told += acknowledged
        head = judge(path, told)
        assert head.version - before - len(acknowledged) in {0, 1}, f"seed {figures.SEED}"
        before = head.version
