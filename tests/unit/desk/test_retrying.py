"""Work that is run again because another writer was first."""

import pytest

from bursar.desk import Desk, again
from bursar.desk.transactions import PortfolioTransaction, State, rules_of
from bursar.errors import StaleVersion, StoreDown
from bursar.ledger.golden import read
from bursar.store import MemoryStore
from tests.unit.desk.cycles import USD, committed, over
from tests.unit.portfolio.places import Clock


def test_work_is_run_again_after_another_writer():
    store = MemoryStore(terms=USD)
    one, other = over(Desk(store, Clock())), Desk(store, Clock())
    seen = []

    def work(tx):
        seen.append(tx.version)
        if len(seen) == 1:
            with PortfolioTransaction(other, rules_of(0, {})) as first:
                first.stage_cash_delta(1)
                assert first.commit({})
        tx.stage_cash_delta(1)

    tx = one.transact(work, {}, previous_equity=1)
    assert (seen, tx.state, one.desk.head.version) == ([0, 1], State.COMMITTED, 2)
    assert one.transaction_counts().retries == 1
    assert one.verify().is_sound


def test_among_many_writers_the_first_try_is_under_the_lock_until_they_are_gone():
    store = MemoryStore(terms=USD)
    one, other = over(Desk(store, Clock())), Desk(store, Clock())
    seen = []

    def work(tx):
        seen.append(tx.version)
        if len(seen) == 1:
            committed(PortfolioTransaction(other, rules_of(0, {})))
        tx.stage_cash_delta(1)

    for left in (True, True, False):
        one.transact(work, {}, validation_epsilon=99)
        assert one.desk.is_crowded is left
        if left and len(seen) == 2:
            committed(PortfolioTransaction(other, rules_of(2, {})))
    assert (seen, one.desk.head.version) == ([0, 1, 3, 4], 5)


def test_a_second_try_answers_what_another_desk_has_done_under_its_key_meanwhile():
    store = MemoryStore(terms=USD)
    one, other = over(Desk(store, Clock())), Desk(store, Clock())
    seen = []

    def work(tx):
        seen.append(tx.version)
        if len(seen) == 1:
            rules = rules_of(0, {"idempotency_key": "k", "validation_epsilon": 9})
            with PortfolioTransaction(other, rules) as first:
                first.stage_cash_delta(1)
                assert first.commit({})
        tx.stage_cash_delta(1)

    tx = one.transact(work, {}, previous_equity=0, validation_epsilon=9, idempotency_key="k")
    assert (len(seen), tx.is_repeat, one.desk.head.version) == (2, True, 1)


def test_when_no_try_is_left_the_loser_is_told():
    store = MemoryStore(terms=USD)
    one, other = over(Desk(store, Clock())), Desk(store, Clock())

    def work(tx):
        with PortfolioTransaction(other, rules_of(0, {"validation_epsilon": 9})) as first:
            first.stage_cash_delta(1)
            assert first.commit({})
        tx.stage_cash_delta(1)

    with pytest.raises(StaleVersion):
        one.transact(work, {}, previous_equity=0, retry_stale=0)


# ------------------------------------------------------------------------------------------- again


def test_what_is_stated_is_planned_anew_on_what_another_writer_did():
    store = MemoryStore(terms=USD)
    one, other = Desk(store, Clock()), Desk(store, Clock())
    seen = []

    def work():
        seen.append(one.head.version)
        staged = one.stage(read(["2026-01-05T10:00:00Z deposit 1 USD #k:1"]))
        if len(seen) == 1:
            other.submit(read(["2026-01-05T10:00:00Z deposit 2 USD #k:2"]))
        return one.commit(staged)

    assert again(one, work).version == 2
    assert seen == [0, 1]
    assert [row.seq for row in store.records()] == [1, 2]


def test_it_is_not_tried_for_ever():
    desk, tries = Desk(MemoryStore(terms=USD), Clock()), []

    def work():
        tries.append(desk.head.version)
        raise StaleVersion

    with pytest.raises(StaleVersion):
        again(desk, work)
    assert len(tries) == 2


def test_what_is_undone_while_the_database_is_away_stands_no_more(monkeypatch):
    store = MemoryStore(terms=USD)
    desk = Desk(store, Clock())
    entries = list(read(["2026-01-05T10:00:00Z deposit 1 USD #k:1"]))

    def away():
        raise StoreDown("away")

    def interrupted():
        with desk.alone():
            desk.submit(entries)
            monkeypatch.setattr(store, "head", away)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    monkeypatch.undo()
    assert store.head().version == 0
    assert desk.submit(entries).version == 1
    assert desk.head == store.head()
