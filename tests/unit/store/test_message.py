"""A commit on Postgres as two messages: what is answered, and what a failure among them means."""

import psycopg
import pytest

from bursar.errors import KeyReused, OutcomeUnknown, StoreDown
from bursar.store import message, open_store
from bursar.store.message import Message
from tests.contract.samples import commit, contents, trade
from tests.unit.store.test_postgres import ask, plant, store

__all__ = ["ask", "store"]  # fixtures


@pytest.mark.parametrize("late", [False, True])
def test_a_hanging_up_among_the_rows_is_certain_and_one_at_commit_is_not(store, ask, late):
    before = contents(store)
    plant(ask, "00000", at_commit=late, instead="PERFORM pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(OutcomeUnknown if late else StoreDown):
        store.commit(commit(store.head(), "b"))
    ask("DROP TRIGGER planted ON outbox")
    assert contents(store) == before
    assert store.commit(commit(store.head(), "b")).version == 2


def test_a_commit_waits_for_two_answers_and_a_question_for_one(store, monkeypatch):
    sent = []

    def heard(kind, name):
        real = getattr(kind, name)

        def hear(*told, **how):
            sent.append(told)
            return real(*told, **how)

        monkeypatch.setattr(kind, name, hear)

    heard(Message, "send")
    heard(psycopg.Cursor, "execute")
    for name in ("c", "d"):  # what is prepared for the first time goes along as well
        planned = commit(store.head(), name, cells={"a": name, "b": "2"}, trades=(trade(name),))
        sent.clear()
        store.commit(planned)
        assert len(sent) == 2
    with store.grouped():
        planned = commit(store.head(), "e", cells={"a": "3"})
        sent.clear()
        store.commit(planned)
        assert len(sent) == 2  # with the way back of its own
    sent.clear()
    head, memos = store.standing(["a", "none"])
    assert store.announce("a", "1", head.version)
    assert (len(sent), memos) == (2, {})


def test_a_message_of_nothing_asks_nothing(store):
    before = store.head()
    assert store.commit(commit(before)).version == 2
    store.save_memos({}, is_lasting=False)
    assert store.memos() == {}


def test_what_was_prepared_is_there_after_a_rollback(store):
    for name in ("b", "c"):
        with store.grouped():
            for _ in range(8):  # more often than the driver waits to prepare
                store.head()
            with pytest.raises(KeyReused):
                store.commit(commit(store.head(), name, "a"))
            store.commit(commit(store.head(), name))
        store.commit(commit(store.head()))
    assert store.head().version == 5


@pytest.mark.parametrize("kind", ["a note", "an announcement", "a commit", "a group"])
def test_an_interrupt_while_the_server_is_waited_for_stays_one(database, monkeypatch, kind):
    store = open_store(database)
    head = store.commit(commit(store.head(), "a"))

    def interrupted(*_):
        raise KeyboardInterrupt

    def grouped():
        with store.grouped():
            store.save_memos({"a": "c"})

    doings = {
        "a note": lambda: store.save_memos({"a": "c"}, is_lasting=False),
        "an announcement": lambda: store.announce("a", "c", head.version),
        "a commit": lambda: store.commit(commit(head, "b")),
        "a group": grouped,
    }
    store.save_memos({"a": "b"}, is_lasting=False)
    with monkeypatch.context() as patch:
        patch.setattr(message, "_answered", interrupted)
        with pytest.raises(KeyboardInterrupt):
            doings[kind]()
    other = open_store(database)
    assert other.commit(commit(other.head(), "c")).version == 2
    store.save_memos({"a": "d"}, is_lasting=False)
    assert (store.memos(), other.memos()) == ({"a": "d"}, {"a": "d"})
    assert store.head().version == 2
    store.close()
    other.close()
