"""A disk that fails at the n-th call, for every n: whole or absent, told, and gone on from.

The failure is planted where the driver is called, by SQLAlchemy or by the store itself, once at one
statement or from it on; short writes of a real disk are in `test_medium_full`.
"""

import sqlite3
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

import bursar
from bursar.errors import StoreError
from bursar.store import dialect
from tests.crash import damaged

pytestmark = pytest.mark.sweep
CALLS = ("do_execute", "do_executemany")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "book.db"
    damaged.make(path)
    return path


def failure():
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
    return error


@contextmanager
def failing(at, *, for_good=False, engine=Engine):
    """Let the statement of that number fail, or it and all that follow."""
    count = 0

    def call(*_):
        nonlocal count
        count += 1
        if count == at or (for_good and count > at):
            raise failure()

    with called(engine, call):
        yield


class Driver:
    """A driver's connection that asks before it does anything."""

    def __init__(self, connection, call):
        self.connection, self.call = connection, call

    def execute(self, *told):
        self.call()
        return self.connection.execute(*told)

    def executemany(self, *told):
        self.call()
        return self.connection.executemany(*told)


@contextmanager
def called(target, call):
    """Let `call` come before every statement."""
    driver = dialect._driver
    for name in CALLS:
        event.listen(target, name, call)
    dialect._driver = lambda connection: Driver(driver(connection), call)  # type: ignore[assignment, return-value]
    try:
        yield
    finally:
        dialect._driver = driver
        for name in CALLS:
            event.remove(target, name, call)


@contextmanager
def failing_commit(database, *, after):
    """Let COMMIT fail, before or after it was done, and every statement that follows."""
    real, dead = database.do_commit, False

    def commit(connection):
        nonlocal dead
        if after:
            real(connection)
        dead = True
        raise failure()

    def call(*_):
        if dead:
            raise failure()

    database.do_commit = commit
    try:
        with called(database, call):
            yield
    finally:
        del database.do_commit


def engine_of(book):
    return book.desk.store._engine


@pytest.mark.parametrize("for_good", [False, True])
@pytest.mark.parametrize("lines", [[damaged.NEW], [damaged.LATE.replace("k:3", "k:late")]])
def test_a_commit_that_fails_at_any_statement_leaves_nothing_and_goes_through_later(
    path, lines, for_good
):
    before, said, receipt = damaged.values(path), [], None
    with bursar.open(path) as book:
        staged = book.desk.stage(damaged.entries(*lines))
        for at in range(1, 100):
            try:
                with failing(at, for_good=for_good, engine=engine_of(book)):
                    receipt = book.desk.commit(staged)
            except StoreError as error:
                said.append(str(error))
                assert damaged.values(path) == before
            else:
                break
        assert receipt is not None
        assert receipt.review.recorded == 1
        assert book.desk.halted is None
        assert book.verify().is_sound
    assert len(said) >= 5  # begin, head, journal, projection, message at least
    assert {*said} == {
        "the disk refuses (disk I/O error): is it full, over a quota, read-only or failing?"
    }


@pytest.mark.parametrize("after", [False, True])
def test_a_commit_whose_answer_and_disk_are_lost_is_cleared_up_by_the_next_one(path, after):
    with bursar.open(path) as book:
        version = book.desk.head.version
        with failing_commit(engine_of(book).dialect, after=after), pytest.raises(StoreError):
            book.record(*damaged.entries(damaged.NEW))
        if after:  # nobody could ask whether it happened: the book in memory is behind
            assert book.desk.head.version == version
            newer = book.record(*damaged.entries(damaged.NEW.replace("k:new", "k:newer")))
            assert (newer.version, newer.review.recorded) == (version + 2, 1)
        receipt = book.record(*damaged.entries(damaged.NEW))
        assert receipt.version == version + (2 if after else 1)
        assert receipt.review.recorded == (0 if after else 1)
        assert book.verify().is_sound


def test_a_rollback_that_fails_too_is_survived(path, monkeypatch):
    before = damaged.values(path)
    with bursar.open(path) as book:

        def refuse(_):
            raise failure()

        with monkeypatch.context() as patch:
            patch.setattr(engine_of(book).dialect, "do_rollback", refuse)
            with failing(3, engine=engine_of(book)), pytest.raises(StoreError):
                book.record(*damaged.entries(damaged.NEW))
        assert damaged.values(path) == before
        assert book.record(*damaged.entries(damaged.NEW)).review.recorded == 1
        assert book.verify().is_sound


def test_a_proof_that_cannot_read_says_so_and_stops_the_desk(path):
    for at in range(1, 100):
        with bursar.open(path) as book:
            try:
                with failing(at, engine=engine_of(book)):
                    assert book.verify().is_sound
            except StoreError:
                with pytest.raises(StoreError, match="disk I/O error"):
                    book.record(*damaged.entries(damaged.NEW))
            else:
                assert book.desk.halted is None
                break
    assert at > 6
    assert damaged.faults(path) == []


def test_the_command_line_tells_a_failing_disk_at_any_statement(path):
    codes = []
    for at in range(1, 100):
        with failing(at):
            code, told = damaged.proof(path, "main")
        codes.append(code)
        if code == 0:
            break
        assert code == 4, told
        assert told["error"]["code"] == "store"
    assert len(codes) > 10
    assert damaged.faults(path) == []
