"""Transactions beside each other: blocks that end in any order, threads, batches, interrupts."""

import asyncio
import logging
from contextlib import ExitStack, contextmanager
from contextvars import Context, copy_context
from threading import Thread

import pytest

from bursar.desk import Desk
from bursar.desk.transactions import State, running
from bursar.errors import BadChoice, StoreBusy, StoreDown, TransactionOver
from bursar.portfolio import hand
from bursar.store import MemoryStore, open_store
from tests.unit.desk.cycles import USD, book, committed, over, reviewed
from tests.unit.desk.test_transactions_async import Gate
from tests.unit.portfolio.places import Clock

# Blocks


def test_two_portfolios_are_staged_side_by_side():
    one, other = book(), book()
    with one.transaction() as a, other.transaction() as b:
        a.stage_cash_delta(-5)
        b.stage_cash_delta(5)
        assert a.commit({})
        assert b.commit({})
    assert (one.equity().value, other.equity().value) == (99995, 100005)


def test_blocks_may_end_in_the_order_they_began_in():
    one, other = book(), book()
    first, second = ExitStack(), ExitStack()
    first.enter_context(one.transaction())
    second.enter_context(other.transaction())
    first.close()
    second.close()
    for portfolio in (one, other):
        with portfolio.transaction() as tx:
            tx.stage_cash_delta(1)
            assert tx.commit({})


def opened(portfolio):
    with portfolio.transaction() as tx:
        yield tx


async def opened_in_a_loop(portfolio):
    async with portfolio.transaction() as tx:
        yield tx


def test_a_generator_may_be_closed_in_another_context():
    portfolio = book()
    generator = opened(portfolio)
    left = next(generator)
    Context().run(generator.close)
    assert left.state is State.DISCARDED
    committed(portfolio.transaction())
    assert portfolio.equity().value == 100001


def test_an_async_generator_may_be_closed_in_another_task():
    async def close_elsewhere():
        generator = opened_in_a_loop(book())
        left = await anext(generator)
        await asyncio.create_task(generator.aclose())
        return left.state

    assert asyncio.run(close_elsewhere()) is State.DISCARDED


def test_what_outlives_the_block_it_was_started_in_begins_its_own():
    portfolio = book()
    with portfolio.transaction() as tx:
        inherited = copy_context()
        tx.stage_cash_delta(1)
        assert tx.commit({})
    later = portfolio.transaction()
    inherited.run(committed, later)
    assert (later.state, later.depth) == (State.COMMITTED, 1)
    assert portfolio.equity().value == 100002


def test_after_a_commit_another_may_begin_in_the_same_block():
    portfolio = book()
    with portfolio.transaction() as tx:
        tx.stage_cash_delta(1)
        assert tx.commit({})
        committed(portfolio.transaction())
    assert portfolio.equity().value == 100002


def test_another_thread_is_told_that_it_is_another_one():
    with book().transaction() as tx, pytest.raises(TransactionOver, match="another thread"):
        Context().run(tx.stage_cash_delta, 1)
    with (
        book().transaction() as tx,
        tx.nested(),
        pytest.raises(TransactionOver, match="inside this one"),
    ):
        tx.stage_cash_delta(1)


# Batches


def test_a_batch_that_is_not_open_commits_nothing():
    portfolio = book()
    batch = portfolio.batch()
    with pytest.raises(TransactionOver, match="not begun"):
        batch.transaction()
    with batch:
        made = batch.transaction()
        left = batch.transaction().__enter__()
        left.stage_cash_delta(1)
    for late in (batch.transaction, made.__enter__, lambda: left.commit({})):
        with pytest.raises(TransactionOver, match="ended"):
            late()
    assert portfolio.desk.head.version == 1


def test_beside_a_batch_nothing_can_promise_to_be_durable():
    portfolio = book()
    with portfolio.batch() as batch:
        committed(batch.transaction())
        with pytest.raises(TransactionOver, match="batch"):
            portfolio.transaction().__enter__()
        with pytest.raises(BadChoice, match="batch"):
            portfolio.batch().__enter__()
    committed(portfolio.transaction())
    assert portfolio.equity().value == 100002


def test_another_change_inside_a_batch_comes_after_what_waits():
    portfolio = book()
    with portfolio.batch(validation_epsilon=10) as batch:
        committed(batch.transaction())
        portfolio.add("deposit", "5", "USD")
        committed(batch.transaction())
    assert [seen and seen.total for seen in batch.verdicts] == [100001, 100007]
    assert portfolio.equity().value == 100007
    assert [row.seq for row in portfolio.journal()] == [1, 2, 3, 4]
    assert portfolio.verify().is_sound


def test_a_savepoint_of_a_batch_is_judged_on_what_waits():
    portfolio = book()
    with portfolio.batch() as batch:
        committed(batch.transaction())
        with batch.transaction() as tx:
            with portfolio.transaction("100001") as inner:
                inner.stage_cash_delta(1)
                assert inner.commit({})
            assert tx.commit({})
    assert portfolio.equity().value == 100002
    assert portfolio.desk.head.version == 3


def test_a_batch_inside_a_transaction_is_refused():
    portfolio = book()
    with portfolio.transaction() as tx:
        with pytest.raises(BadChoice, match="transaction"):
            portfolio.batch().__enter__()
        tx.stage_cash_delta(1)
        assert tx.commit({})
    assert portfolio.equity().value == 100001


def test_a_batch_whose_beginning_fails_keeps_nobody_off(monkeypatch):
    portfolio = book()
    before = portfolio.transaction_counts()

    def away(_session):
        raise StoreDown("away")

    with monkeypatch.context() as patch:
        patch.setattr(portfolio.desk.store, "get_latest_cash_equity", away)
        with pytest.raises(StoreDown):
            portfolio.batch().__enter__()
    assert portfolio.transaction_counts() == before
    committed(portfolio.transaction())
    assert portfolio.equity().value == 100001


def test_async_transactions_of_a_batch_wait_in_it(tmp_path):
    portfolio = over(Desk(open_store(tmp_path / "book.db", terms=USD), Clock()))

    async def cycles():
        with portfolio.batch(0, validation_epsilon=10) as batch:
            for quantity in (1, -1):  # the second goes the slow way: the fold says what it realises
                async with batch.transaction() as tx:
                    tx.stage_cash_delta(-quantity)
                    tx.stage_position_delta("BTC", quantity, entry_price=1)
                    if quantity < 0:
                        tx.stage_lot_remove("BTC", "pool")
                    assert tx.commit({"BTC": 1})
                    assert tx.state is State.COMMITTED
        return batch

    assert asyncio.run(asyncio.wait_for(cycles(), 10)).is_durable
    assert portfolio.desk.store.head().version == 2
    portfolio.close()


def test_a_transaction_of_a_long_batch_is_in_it_or_not_whatever_fails(monkeypatch):
    monkeypatch.setattr(running, "WAITING_MAX", 3)
    portfolio, armed = interrupted("journal")
    refused = []
    with portfolio.batch(0) as batch:
        for number in range(9):
            if number == 2:
                armed.append(StoreBusy)
            try:
                committed(batch.transaction())
            except StoreBusy:
                refused.append(number)
    assert refused == [3]
    states = [each.state for each in batch.transactions]
    assert states.count(State.COMMITTED) == portfolio.equity().value == 8
    assert states[3] is State.DISCARDED
    assert portfolio.verify().is_sound


# Interrupts


def interrupted(step):
    """A portfolio whose next commit is broken off at a step, if told so."""
    armed: list[type[BaseException]] = []

    def break_off(name):
        if armed and name == step:
            raise armed.pop()("here")

    store = MemoryStore(terms=USD, steps=break_off)
    return over(Desk(store, Clock())), armed


@pytest.mark.parametrize("step", ["journal", "before_commit", "after_commit"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("is_async", [False, True])
def test_an_interrupted_commit_says_what_became_of_it(step, error, is_async, caplog):
    if is_async and error is KeyboardInterrupt:
        return  # it comes to the main thread only
    caplog.set_level(logging.INFO)
    portfolio, armed = interrupted(step)
    tx = portfolio.transaction(0, announced=True)

    async def in_a_loop():
        async with tx:
            tx.stage_cash_delta(1)
            assert tx.commit({})

    armed.append(error)
    with pytest.raises(error):
        asyncio.run(in_a_loop()) if is_async else committed(tx)
    has_landed = step == "after_commit"
    assert tx.state is (State.COMMITTED if has_landed else State.DISCARDED)
    assert tx.reason == (None if has_landed else "exception")
    assert caplog.messages[-1].startswith("PORTFOLIO_COMMIT" if has_landed else "PORTFOLIO_DISCARD")
    assert portfolio.desk.head == portfolio.desk.store.head()
    assert portfolio.equity().value == has_landed
    assert portfolio.recover().interrupted == ()
    counts = portfolio.transaction_counts()
    assert (counts.commits, sum(counts.discards.values())) == (has_landed, not has_landed)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_a_commit_that_is_interrupted_while_it_is_taken_over_has_happened(error, monkeypatch):
    portfolio = book()
    desk, tx = portfolio.desk, portfolio.transaction(announced=True)

    def broken(_):
        monkeypatch.undo()
        raise error

    monkeypatch.setattr(desk.timeline, "land", broken)
    with pytest.raises(error):
        committed(tx)
    assert (tx.state, tx.reason) == (State.COMMITTED, None)
    assert desk.head == desk.store.head()
    committed(portfolio.transaction())
    assert portfolio.equity().value == 100002
    assert portfolio.transaction_counts().commits == 3
    assert portfolio.recover().interrupted == ()
    assert portfolio.verify().is_sound


def test_an_interrupted_commit_of_a_store_that_stays_away_is_unknown(monkeypatch):
    portfolio, armed = interrupted("after_commit")
    tx, store = portfolio.transaction(0), portfolio.desk.store

    def away(**_):
        raise StoreDown("away")

    armed.append(KeyboardInterrupt)
    with monkeypatch.context() as patch:
        patch.setattr(store, "grouped", away)
        with pytest.raises(KeyboardInterrupt):
            committed(tx)
    assert tx.state is State.UNKNOWN
    (found,) = portfolio.recover().interrupted
    assert (found.id, found.has_landed) == (reviewed(tx).id, True)


def test_a_batch_that_is_interrupted_when_all_is_written_has_happened(monkeypatch):
    portfolio = book()
    store, grouped = portfolio.desk.store, portfolio.desk.store.grouped
    batch = portfolio.batch()

    @contextmanager
    def interrupted_after(**how):
        with grouped(**how):
            yield
        monkeypatch.undo()
        raise KeyboardInterrupt

    def cut_off():
        with batch:
            committed(batch.transaction())

    monkeypatch.setattr(store, "grouped", interrupted_after)
    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert batch.is_durable
    assert [each.state for each in batch.transactions] == [State.COMMITTED]
    assert portfolio.equity().value == 100001
    assert portfolio.desk.head == store.head()
    assert portfolio.verify().is_sound


def test_a_batch_that_is_interrupted_before_has_not():
    portfolio, armed = interrupted("before_commit")
    batch = portfolio.batch(0)

    def cut_off():
        with batch:
            committed(batch.transaction())
            armed.append(KeyboardInterrupt)

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert not batch.is_durable
    assert [each.state for each in batch.transactions] == [State.DISCARDED]
    committed(portfolio.transaction(0))
    assert portfolio.equity().value == 1
    assert portfolio.verify().is_sound


# Afterwards


def impatient(portfolio):
    """Wait for no lock at all."""
    cursor = portfolio.desk.store._writer.connected().connection.cursor()
    cursor.execute("PRAGMA busy_timeout=0")
    cursor.close()


def test_recovery_says_nothing_while_somebody_is_still_at_the_commit(tmp_path):
    gate = Gate("before_commit")
    one = over(Desk(open_store(tmp_path / "book.db", terms=USD, steps=gate), Clock()))
    other = over(Desk(open_store(tmp_path / "book.db"), Clock()))
    impatient(other)
    gate.is_shut = True
    at_it = Thread(target=committed, args=(one.transaction(0, idempotency_key="k"),))
    at_it.start()
    assert gate.reached.wait(10)
    with pytest.raises(StoreBusy):
        other.recover()
    gate.opened.set()
    at_it.join()
    (found,) = other.recover("k").interrupted
    assert found.has_landed
    assert other.recover().version == 1
    one.close()
    other.close()


@pytest.mark.parametrize("part", ["tx-k", "tx-k/2"])
def test_what_made_several_entries_is_taken_back_whole(part):
    portfolio = book()
    before = portfolio.digest()
    with portfolio.transaction("100000", idempotency_key="k") as tx:
        tx.stage_position_delta("BTC", 1, entry_price=50000)
        tx.stage_cash_delta(-50000)
        with tx.nested() as inner:
            inner.stage_position_delta("ETH", 1, entry_price=2000)
            inner.stage_lot_add("ETH", 1, price=2000)
            inner.stage_cash_delta(-2000)
            assert inner.commit()
        assert tx.commit({"BTC": 50000, "ETH": 2000})
    after = portfolio.digest()
    with portfolio.transaction("100000", idempotency_key="k/3") as other:  # only looks like a part
        other.stage_cash_delta("0.5")
        assert other.commit({"BTC": 50000, "ETH": 2000})
    with portfolio.transaction("100000", idempotency_key="z") as last:
        last.stage_cash_delta("-0.5")
        assert last.commit({"BTC": 50000, "ETH": 2000})
    assert portfolio.reverse("tx-z").review.recorded == 1
    assert portfolio.reverse("tx-k/3").review.recorded == 1
    assert portfolio.digest() == after
    assert portfolio.reverse(part).review.recorded == 2
    assert portfolio.digest() == before
    assert portfolio.reverse("tx-k").review.duplicates == 2
    assert portfolio.reverse(hand.reversed_(portfolio.desk, part).id).review.recorded == 2
    assert portfolio.digest() == after
    assert portfolio.verify().is_sound


def test_recovery_finds_what_stands_under_a_key_whatever_account_and_key_it_was():
    portfolio = book()
    for key, account in (("k", "cold:wallet"), ("cycle:7", "manual:main")):
        with portfolio.transaction("100000", idempotency_key=key, account=account) as tx:
            tx.stage_cash_delta("0.5")
            assert tx.commit({})
    with portfolio.transaction("100001", idempotency_key="idle") as tx:
        assert tx.commit({})
    found = portfolio.recover("k", "cycle:7", "idle", "never", "no:never").interrupted
    assert {each.id: each.has_landed for each in found} == {
        "cold:wallet:tx-k": True,
        "manual:main:tx-cycle:7": True,
        "manual:main:tx-idle": True,
        "manual:main:tx-never": False,
        "no:never": False,
    }
