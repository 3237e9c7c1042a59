"""A writer killed at any moment: what it acknowledged is there, once, and nothing by halves."""

import os
import random
import signal
import time
from contextlib import suppress

import pytest

from bursar.errors import PortfolioNotFound, StoreCorrupt
from bursar.ledger import journal
from bursar.store import STEPS, open_store, step_back
from tests import figures
from tests.contract.samples import commit, contents
from tests.crash.nursery import settle

pytestmark = pytest.mark.sweep


def judge(path, acknowledged):
    """Check a book after a kill against what was acknowledged, and return its head."""
    store = open_store(path, create=False)
    try:
        settle(store)
        head, cells = store.head(), store.load_state()
        checked = list(journal.check(store.records()))
        messages = store.outbox()
        assert (head.seq, head.hash) == (len(checked), checked[-1].hash if checked else head.hash)
        assert [row.number for row in messages] == list(range(1, head.version + 1))
        assert len({row.message.id for row in messages}) == head.version
        assert len(store.get_trades()) == len(store.get_cash_flows()) == head.version
        if head.version:
            assert (cells["version"], cells["seq"]) == (str(head.version), str(head.seq))
            slots = {int(body) for name, body in cells.items() if name.startswith("slot-")}
            assert slots == set(range(max(1, head.version - 4), head.version + 1))
        versions = [version for version, _ in acknowledged]
        assert versions == sorted(set(versions))
        assert all(seq <= head.seq for _, seq in acknowledged)
        assert max(versions, default=0) <= head.version
    finally:
        store.close()
    return head


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_a_step_leaves_the_commit_whole_or_absent(nursery, new_place, step):
    path = new_place()
    open_store(path).close()
    acknowledged, code = nursery.run("write", path=path, seed=figures.SEED, step=step)
    assert code == -signal.SIGKILL
    assert [version for version, _ in acknowledged] == [1, 2]
    assert judge(path, acknowledged).version == (3 if step == "after_commit" else 2)
    # The next writer goes on as if nothing had been.
    more, code = nursery.run("write", path=path, seed=figures.SEED, commits=2)
    assert code == 0
    assert len(more) == 2
    judge(path, acknowledged + more)


def test_kills_at_random_moments_lose_and_double_nothing(nursery, new_place, record_property):
    path = new_place()
    open_store(path).close()
    choices = random.Random(figures.SEED)
    told, unknown, before = [], 0, 0
    for _ in range(figures.KILLS):
        wanted = choices.randint(0, 6)
        pause = choices.random() * 0.003

        def kill(pid, heard, wanted=wanted, pause=pause):
            if heard < wanted:
                return False
            time.sleep(pause)  # into the middle of a commit: real processes know no other clock
            os.kill(pid, signal.SIGKILL)
            return True

        acknowledged, code = nursery.run("write", path=path, seed=choices.random(), kill=kill)
        assert code == -signal.SIGKILL
        told += acknowledged
        head = judge(path, told)
        lost_answers = head.version - before - len(acknowledged)
        assert lost_answers in {0, 1}, f"seed {figures.SEED}"
        unknown, before = unknown + lost_answers, head.version
    record_property("seed", figures.SEED)
    record_property("commits", before)
    record_property("commits that nobody was told of", unknown)


def test_a_kill_while_a_book_is_made_leaves_one_that_opens(nursery, new_place):
    killed = 0
    for statement in range(1, 100):
        path = new_place()
        _, code = nursery.run("open", path=path, statement=statement)
        with suppress(PortfolioNotFound, StoreCorrupt):  # none, or a file with nothing in it
            open_store(path, create=False).close()
        open_store(path).close()
        judge(path, [])
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
    assert killed > 10  # each table, the revision, the portfolio


def test_a_kill_inside_a_migration_leaves_the_old_tables_and_the_next_opening_resumes(
    nursery, postgres
):
    killed = 0
    with postgres.database(empty=True) as old:
        store = open_store(old)
        store.commit(commit(store.head(), "a", "b", cells={"cash": "1.50"}))
        before = contents(store)
        store.close()
        while step_back(old) != "0001":
            pass
        for statement in range(1, 100):
            with postgres.database(like=old) as path:
                _, code = nursery.run("open", path=path, statement=statement)
                store = open_store(path)
                assert contents(store) == before
                store.close()
            if code == 0:
                break
            assert code == -signal.SIGKILL
            killed += 1
    assert killed > 5  # each index and the revision among them
