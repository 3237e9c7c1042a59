"""What a database does when it cannot: busy, full, damaged, or silent at the wrong moment."""

import sqlite3
from contextlib import closing, suppress
from typing import Any, cast

import pytest
from sqlalchemy import Connection, event

from bursar.errors import (
    KeyReused,
    OutcomeUnknown,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
)
from bursar.ledger import journal
from bursar.store import dialect, open_store
from bursar.store.dialect import MANY
from tests.contract.samples import NUMBERS, commit, contents, flow, trade


@pytest.fixture
def path(tmp_path):
    return tmp_path / "book.db"


@pytest.fixture
def store(path):
    store = open_store(path)
    store.commit(commit(store.head(), "a"))
    yield store
    store.close()


def settle(store, pragma):
    """Set a pragma on the writer's connection, outside any transaction."""
    cursor = store._writer.connected().connection.cursor()
    cursor.execute(f"PRAGMA {pragma}").fetchall()
    cursor.close()


def pragma(store, name):
    cursor = store._writer.connected().connection.cursor()
    ((value,),) = cursor.execute(f"PRAGMA {name}").fetchall()
    cursor.close()
    return value


def answer_with(store, monkeypatch, code, *, after):
    """Let COMMIT fail with an SQLite code, before or after it has been done."""
    dialect = store._engine.dialect
    real = dialect.do_commit

    def commit_and_fail(connection):
        if after:
            real(connection)
        error = sqlite3.OperationalError("planted")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(dialect, "do_commit", commit_and_fail)


def test_the_settings_that_the_promises_rest_on(store):
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 2
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "busy_timeout") == 5000


def test_earlier_tellings_are_looked_up_and_not_walked_to(store):
    asked: list = []

    def hear(_connection, _cursor, statement, parameters, *_):
        if "FROM journal" in statement:
            asked.append((statement, parameters))

    event.listen(store._engine, "before_cursor_execute", hear)
    store.recall(["kraken:main:a"], ["kraken:main:a"])
    event.remove(store._engine, "before_cursor_execute", hear)
    with store._engine.connect() as connection:
        plans = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            for statement, parameters in asked
        ]
    told = [" ".join(str(row.detail) for row in plan) for plan in plans]
    assert ["key=?" in told[0], "home=?" in told[1], len(told)] == [True, True, 2]


def test_numbers_at_rest_are_text_with_every_digit(store, path):
    for n, number in enumerate(NUMBERS):
        store.save_cash_flows([flow(f"f{n}", amount=number)])
    with closing(sqlite3.connect(path)) as raw:
        kept = raw.execute("SELECT amount, typeof(amount) FROM flows ORDER BY rowid").fetchall()
    assert kept == [(format(number, "f"), "text") for number in NUMBERS]


@pytest.mark.parametrize("count", [1, MANY + 3])
def test_rows_that_go_in_together_are_those_that_go_in_one_by_one(store, count):
    names = [f"{place}" for place in range(count)]
    told = [trade(trade_id=name, pnl_base=NUMBERS[int(name) % len(NUMBERS)]) for name in names]
    planned = commit(store.head(), *names, trades=tuple(told))
    store.commit(planned)
    assert list(store.records(1)) == list(planned.records)
    assert sorted(store.get_trades(), key=lambda each: int(each.trade_id)) == told
    again = [trade(trade_id=name, pnl_base=NUMBERS[0]) for name in names]
    store.append_trades([*again, again[0]])  # of two of one name, the later one stays
    assert sorted(store.get_trades(), key=lambda each: int(each.trade_id)) == again


def test_a_whole_group_writes_the_rows_that_commits_write_one_by_one(store, tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "WIDE", 8)  # full statements, and those for the rest
    names = [str(place) for place in range(25)]
    told = [trade(trade_id=name, pnl_base=NUMBERS[int(name) % len(NUMBERS)]) for name in names]
    with store.grouped(is_whole=True):
        head = store.commit(commit(store.head(), *names, trades=tuple(told), flows=(flow("f"),)))
        assert store.head() == head
        store.append_trades([told[0], *told])  # of two of one name, the later one stays
    other = open_store(tmp_path / "other.db")
    other.commit(commit(other.head(), "a"))
    other.commit(commit(other.head(), *names, trades=tuple(told), flows=(flow("f"),)))
    assert contents(store) == contents(other)
    other.close()


@pytest.mark.parametrize("is_refused", [False, True])
def test_what_a_whole_group_trusts_is_asked_for_again_after_it(store, is_refused):
    before = contents(store)
    with suppress(KeyReused), store.grouped(is_whole=True):
        assert pragma(store, "foreign_keys") == 0
        store.commit(commit(store.head(), "b", *(["a"] if is_refused else [])))
    assert pragma(store, "foreign_keys") == 1
    assert (contents(store) == before) is is_refused
    assert store.examine() == ()


def test_a_key_that_is_there_already_is_found_among_many(store):
    names = [str(place) for place in range(MANY + 5)]
    before = contents(store)
    with pytest.raises(KeyReused, match="is in the journal already"):
        store.commit(commit(store.head(), *names, "a"))
    assert contents(store) == before


def test_a_busy_database_says_so_and_writes_nothing(store, path):
    settle(store, "busy_timeout=0")
    before = contents(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            store.commit(commit(store.head(), "b"))
        assert contents(store) == before  # readers go on
        other.execute("ROLLBACK")
    assert store.commit(commit(store.head(), "b")).version == 2


def test_a_full_disk_leaves_nothing_of_the_commit_at_any_page(store):
    before = contents(store)
    planned = commit(store.head(), *map(str, range(200)), trades=(trade(),), flows=(flow(),))
    refused = 0
    for spare in range(100):
        settle(store, f"max_page_count={pragma(store, 'page_count') + spare}")
        try:
            store.commit(planned)
        except StoreFull:
            refused += 1
            assert contents(store) == before
        else:
            break
    assert refused > 10
    assert store.head().version == 2
    assert len(list(journal.check(store.records()))) == store.head().seq == 201


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_answer_at_commit_is_an_unknown_outcome(store, monkeypatch, after):
    planned = commit(store.head(), "b")
    with monkeypatch.context() as patch:
        answer_with(store, patch, sqlite3.SQLITE_IOERR, after=after)
        with pytest.raises(OutcomeUnknown):
            store.commit(planned)
    # Ask by id, then go on: it is whole or it is absent.
    found = planned.records[0].key in {record.key for record in store.records()}
    assert found is after
    assert store.head().version == (2 if after else 1)
    if after:
        with pytest.raises(KeyReused):
            store.commit(commit(store.head(), "b", message="again"))
    assert store.commit(commit(store.head(), "c")).version == store.head().version


@pytest.mark.parametrize(
    "code, error", [(sqlite3.SQLITE_BUSY, StoreBusy), (sqlite3.SQLITE_FULL, StoreFull)]
)
def test_busy_and_full_at_commit_are_certain(store, monkeypatch, code, error):
    before = contents(store)
    with monkeypatch.context() as patch:
        answer_with(store, patch, code, after=False)
        with pytest.raises(error):
            store.commit(commit(store.head(), "b"))
    assert contents(store) == before
    assert store.commit(commit(store.head(), "b")).version == 2


def test_a_damaged_page_is_corruption(store, path):
    for n in range(40):
        store.commit(commit(store.head(), f"x{n}"))
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StoreCorrupt):
        open_store(path).head()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal SET body = replace(body, '10.50', '10.51') WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 2",
        "UPDATE journal SET recorded_at = recorded_at + 1 WHERE seq = 3",
    ],
)
def test_a_changed_journal_is_found_by_its_chain(store, path, change):
    store.commit(commit(store.head(), "b", "c"))
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(change)
    with pytest.raises(StoreCorrupt):
        list(journal.check(store.records()))


def test_a_row_far_beyond_the_others_is_told_after_them_and_found_by_the_chain(store, path):
    store.commit(commit(store.head(), "b", "c"))
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE journal SET seq = ? WHERE seq = 3", [2**62])
    assert [row.seq for row in store.records()] == [1, 2, 2**62]
    with pytest.raises(StoreCorrupt):
        list(journal.check(store.records()))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE flows SET amount = replace(amount, '100', ' 100')",
        "UPDATE flows SET amount = '1e2'",
        "UPDATE flows SET amount = '1_00.00'",
        "UPDATE flows SET amount = 'NaN'",
        "UPDATE flows SET time = time + 1",
        "UPDATE flows SET flags = ''",
        "UPDATE flows SET flags = '7'",
    ],
)
def test_a_value_that_bursar_would_not_have_written_is_not_read(store, path, change):
    store.save_cash_flows([flow()])
    assert store.get_cash_flows() == [flow()]
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(change)
    with pytest.raises(StoreCorrupt, match="a flow record: a value that nobody wrote"):
        store.get_cash_flows()


def test_an_error_names_no_values(store, path):
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("DROP TABLE flows")
    with pytest.raises(StoreError) as caught:
        store.save_cash_flows([flow(note="c4nary")])
    assert "c4nary" not in f"{caught.value} {caught.value.__cause__}"


def test_a_text_that_is_none_any_more_is_named_without_its_value(store, path):
    store.save_cash_flows([flow(note="c4nary")])
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE flows SET note = CAST(x'ff' || note AS TEXT)")
        raw.execute("UPDATE journal SET body = CAST(x'ff' || body AS TEXT)")
    with pytest.raises(StoreCorrupt, match="Could not decode to UTF-8 column 'note'") as caught:
        store.get_cash_flows()
    assert "c4nary" not in str(caught.value)
    with pytest.raises(StoreCorrupt, match="journal row 1 cannot be read") as caught:
        list(store.records())
    assert caught.value.context == {"seq": 1}


@pytest.mark.parametrize("kind", ["a commit", "a group", "a note"])
def test_an_interrupt_as_soon_as_the_lock_is_had_keeps_it_from_nobody(path, store, kind):
    head = store.head()
    doings = {
        "a commit": lambda: store.commit(commit(head, "b")),
        "a group": lambda: store.grouped().__enter__(),
        "a note": lambda: store.save_memos({"a": "b"}, is_lasting=False),
    }
    doings[kind]() if kind == "a note" else store.save_memos({"b": "c"})  # it is connected

    def interrupt(_):
        event.remove(store._engine, "begin", interrupt)
        raise KeyboardInterrupt  # as one that came while the lock was waited for

    event.listen(store._engine, "begin", interrupt)
    with pytest.raises(KeyboardInterrupt):
        doings[kind]()
    other = open_store(path)
    assert other.commit(commit(other.head(), "other")).version == 2
    assert store.commit(commit(store.head(), "own")).version == 3
    store.save_memos({"a": "d"}, is_lasting=False)
    assert other.memos()["a"] == "d"
    other.close()


@pytest.mark.parametrize("kind", ["a commit", "a note"])
def test_a_second_interrupt_while_the_connection_is_dropped_keeps_no_dead_one(
    store, monkeypatch, kind
):
    doings = {
        "a commit": lambda: store.commit(commit(store.head(), "b")),
        "a note": lambda: store.save_memos({"a": "b"}, is_lasting=False),
    }
    doings[kind]()  # it is connected

    def interrupt(*_):
        raise KeyboardInterrupt

    real = Connection.close

    def closed(connection):
        real(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "close", closed)
        event.listen(store._engine, "begin", interrupt)
        with pytest.raises(KeyboardInterrupt):
            doings[kind]()
        event.remove(store._engine, "begin", interrupt)
    store.save_memos({"a": "c"}, is_lasting=False)
    assert store.commit(commit(store.head(), "own")).version == store.head().version
    assert store.memos()["a"] == "c"


def test_an_interrupt_inside_a_commit_leaves_nothing_and_the_store_goes_on(path, store):
    def interrupt(name):
        if name == "cells":
            raise KeyboardInterrupt

    other = open_store(path, steps=interrupt)
    with pytest.raises(KeyboardInterrupt):
        other.commit(commit(other.head(), "b"))
    assert store.commit(commit(store.head(), "b")).version == 2
    assert other.head().version == 2
    other.close()


def test_only_what_need_not_last_goes_without_a_wait_for_the_disk(tmp_path):
    full, normal = (2,), (1,)
    store, other = open_store(tmp_path / "book.db"), open_store(tmp_path / "book.db")

    for n, lasts in enumerate((True, False, False, True)):
        store.save_memos({"a": str(n), "b": None}, is_lasting=lasts)
        assert other.memo("a") == str(n)
    assert store.announce("c", "1", 0)
    assert other.memo("c") == "1"
    kept = cast("Any", store)
    for place, waits in ((kept._writer._connection, full), (kept._aside._place.connection, normal)):
        driver = place.connection.driver_connection
        assert driver.execute("PRAGMA synchronous").fetchone() == waits
        assert not driver.in_transaction
    with kept._reading() as connection:  # what has promised less goes to nobody else
        kept._aside.close()
        assert connection.exec_driver_sql("PRAGMA synchronous").one() == full
    with kept._reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").one() == full
    for each in (store, other):
        each.close()


def test_who_waits_for_the_disk_can_be_told_so_time_and_again(tmp_path):
    store = open_store(tmp_path / "book.db")
    connection = cast("Any", store)._writer.connected()
    for _ in range(2):  # a statement that is kept prepared has to do the same the second time
        for tell, waits in ((dialect._hasten, (1,)), (dialect._slow, (2,))):
            tell(connection)
            asked = dialect._driver(connection).execute("PRAGMA synchronous")
            assert asked.fetchone() == waits
    store.close()


def test_a_note_that_is_refused_leaves_no_connection_that_would_not_wait_for_the_disk(tmp_path):
    store = open_store(tmp_path / "book.db")
    store.save_memos({"a": "1"})
    with closing(sqlite3.connect(tmp_path / "book.db")) as other:
        other.execute("DROP TABLE memos")
    with pytest.raises(StoreCorrupt):
        store.announce("c", "1", 0)
    assert cast("Any", store)._writer._connection is None
    store.close()
