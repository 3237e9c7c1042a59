"""Transactions in `async with`: the loop goes on while the disk is waited for."""

import asyncio
import os
import threading

import pytest

from bursar.desk import Desk
from bursar.desk.transactions import State
from bursar.errors import OutcomeUnknown, StaleVersion, StoreDown
from bursar.store import MemoryStore, open_store
from tests.unit.desk.cycles import USD, book, over, state
from tests.unit.portfolio.places import Clock


class Gate:
    """A step of the store that waits until it is let through; it may then fail."""

    def __init__(self, name):
        self.name = name
        self.is_shut = False
        self.error: Exception | None = None
        self.reached = threading.Event()
        self.opened = threading.Event()
        self.threads: set[threading.Thread] = set()  # not numbers: they are given anew

    def __call__(self, name):
        self.threads.add(threading.current_thread())
        if self.is_shut and name == self.name:
            self.reached.set()
            assert self.opened.wait(10), "nobody has opened the gate"
            if self.error is not None:
                raise self.error


def gated(step="before_commit"):
    gate = Gate(step)
    return over(Desk(MemoryStore(terms=USD, steps=gate), Clock())), gate


async def cycle(portfolio, *, delta=1):
    async with portfolio.transaction(0, validation_epsilon=5) as tx:
        tx.stage_cash_delta(delta)
        assert tx.commit({}) is True
        assert tx.state is State.COMMITTING
    return tx


async def until(event):
    """Go round the loop until something has happened in another thread."""
    for _ in range(1_000_000):
        if event.is_set():
            return
        await asyncio.sleep(0)
    raise AssertionError("it has not happened")


def test_a_process_that_was_forked_has_a_writer_of_its_own(monkeypatch):
    portfolio, gate = gated()
    asyncio.run(cycle(portfolio))
    (parents,) = gate.threads
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)  # where the parent's thread is not
        asyncio.run(cycle(portfolio))
    assert gate.threads > {parents}


def test_the_loop_goes_on_while_a_commit_waits():
    portfolio, gate = gated()

    async def both():
        gate.is_shut = True
        task = asyncio.create_task(cycle(portfolio))
        await until(gate.reached)
        assert portfolio.desk.head.version == 0  # read here, by the loop, while the store waits
        assert not task.done()
        gate.opened.set()
        return await task

    tx = asyncio.run(both())
    assert tx.state is State.COMMITTED
    assert portfolio.desk.head.version == 1
    assert threading.current_thread() not in gate.threads
    assert portfolio.verify().is_sound


@pytest.mark.parametrize(
    "error, ends",
    [
        (None, State.COMMITTED),
        (StoreDown("down"), State.DISCARDED),
        (OutcomeUnknown("lost"), State.UNKNOWN),
    ],
)
def test_one_cancelled_while_it_commits_knows_what_became_of_it(error, ends):
    portfolio, gate = gated()
    seen = []

    async def watched():
        async with portfolio.transaction(0) as tx:
            seen.append(tx)
            tx.stage_cash_delta(1)
            assert tx.commit({})

    async def both():
        gate.is_shut, gate.error = True, error
        task = asyncio.create_task(watched())
        await until(gate.reached)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        gate.opened.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(both())
    gate.is_shut = False
    (tx,) = seen
    assert tx.state is ends
    landed = ends is State.COMMITTED
    assert portfolio.desk.head.version == portfolio.desk.store.head().version == landed
    found = portfolio.recover().interrupted
    assert [each.has_landed for each in found] == ([False] if ends is State.UNKNOWN else [])


def test_a_block_that_raises_after_its_commit_writes_nothing():
    portfolio = book()
    before = state(portfolio)

    async def broken():
        async with portfolio.transaction("100000") as tx:
            tx.stage_cash_delta(1)
            assert tx.commit({})
            raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(broken())
    assert state(portfolio) == before


def test_what_comes_too_late_says_so_at_the_end_of_the_block():
    portfolio, _ = gated()
    other = over(Desk(portfolio.desk.store, Clock()))

    async def late():
        async with portfolio.transaction(0) as tx:
            tx.stage_cash_delta(1)
            with other.transaction(0) as first:
                first.stage_cash_delta(1)
                assert first.commit({})
            assert tx.commit({})

    with pytest.raises(StaleVersion):
        asyncio.run(late())
    assert portfolio.desk.store.head().version == 1
    assert not portfolio.desk.store.memos("transaction open ")


@pytest.mark.parametrize("others", [0, 1])
def test_who_catches_up_meanwhile_lands_it_once(others):
    portfolio, gate = gated("after_commit")

    async def both():
        gate.is_shut = True
        task = asyncio.create_task(cycle(portfolio))
        await until(gate.reached)
        gate.is_shut = False
        if others:
            await cycle(over(Desk(portfolio.desk.store, Clock())), delta="0.25")
        portfolio.desk.catch_up()
        assert portfolio.desk.head.version == 1 + others
        gate.opened.set()
        await task
        return await cycle(portfolio, delta="0.5")

    last = asyncio.run(both())
    assert last.review_made.total == portfolio.equity().value
    assert str(portfolio.equity().value) == ("1.75" if others else "1.5")
    assert portfolio.verify().is_sound


def test_cycles_of_a_file_with_keys_and_discards_are_those_of_with(tmp_path):
    path = tmp_path / "book.db"
    portfolio = over(Desk(open_store(path, terms=USD), Clock()))

    async def cycles():
        states = []
        for key, delta in (("a", "1"), ("a", "1"), ("b", "9000"), ("c", "0"), ("d", "0.5")):
            async with portfolio.transaction(idempotency_key=key) as tx:
                tx.stage_cash_delta(delta)
                async with tx.nested() as inner:
                    inner.stage_position_delta("AAA", 0, entry_price=1)
                    assert inner.commit()
                tx.commit({})
            states.append((tx.state, tx.is_repeat, tx.reason))
        return states

    done, gone = State.COMMITTED, State.DISCARDED
    assert asyncio.run(cycles()) == [
        (done, False, None),
        (done, True, None),
        (gone, False, "validation_failed"),
        (done, False, None),
        (done, False, None),
    ]
    counts = portfolio.transaction_counts()
    assert (counts.commits, counts.repeats, counts.discards) == (3, 1, {"validation_failed": 1})
    portfolio.desk.store.close()
    again = over(Desk(open_store(path), Clock()))
    assert (again.desk.head.version, str(again.equity().value)) == (2, "1.5")
    again.desk.store.close()
