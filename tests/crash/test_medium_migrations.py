"""A book of an older revision, and an upgrade that is killed, fails, or meets another one.

The older books are made by Alembic's own steps and filled row by row from one of today, so nothing
here rests on the way back that it tests.
"""

import os
import shutil
import signal
import sqlite3
import threading
from contextlib import closing, suppress

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, event

from bursar.cli import main
from bursar.errors import BadChoice, StoreError, StoreFull
from bursar.store import migrate, open_store, schema, step_back
from tests.crash import damaged
from tests.crash.test_medium_errors import failing

pytestmark = pytest.mark.sweep
OLDER = schema.REVISIONS[:-1]
SEALED = {("portfolios", "terms"), ("outbox", "body"), ("snapshots", "body")}
SEALED_SINCE = "0004"
SEAL = 17  # sixteen digits and a space


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    path = tmp_path_factory.mktemp("today") / "book.db"
    damaged.fill(path)
    with closing(sqlite3.connect(path)) as raw:  # which fold made it: no older one said so
        raw.execute("DELETE FROM memos")
        raw.commit()
    return path


@pytest.fixture(scope="module", params=OLDER)
def older(request, tmp_path_factory, today):
    """A book of an older revision, as the bursar of that time would have left it."""
    path = tmp_path_factory.mktemp(request.param) / "book.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = migrate.configured()
        config.attributes["connection"] = connection
        command.upgrade(config, request.param)
    engine.dispose()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("ATTACH ? AS today", [str(today)])
        there = {name for (name,) in raw.execute("SELECT name FROM main.sqlite_master")}
        for table in there & {*damaged.TABLES}:
            copy_rows(raw, table, request.param)
        raw.commit()
    return path


def copy_rows(raw, table, revision):
    names = [name for _, name, *_ in raw.execute(f"PRAGMA main.table_info({table})")]
    read = [
        f'substr("{name}", {SEAL + 1})'
        if (table, name) in SEALED and revision < SEALED_SINCE
        else f'"{name}"'
        for name in names
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    raw.execute(
        f"INSERT INTO main.{table} ({columns}) SELECT {', '.join(read)} FROM today.{table}"  # noqa: S608
    )


@pytest.fixture
def path(older, tmp_path):
    return shutil.copy(older, tmp_path / "book.db")


def lay_down(book, path):
    """Put a copy of a book there, and nothing beside it."""
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    shutil.copy(book, path)


def revision(path):
    with closing(sqlite3.connect(path)) as raw:
        ((found,),) = raw.execute("SELECT version_num FROM bursar_schema")
    return found


def opened(path):
    open_store(path, create=False).close()
    return damaged.values(path)


def test_an_older_book_becomes_the_very_book_of_today(path, today):
    assert opened(path) == damaged.values(today)
    assert revision(path) == schema.LATEST
    assert damaged.faults(path) == []


@pytest.mark.slow("a process for every statement of an upgrade")
def test_an_upgrade_killed_at_any_statement_is_whole_or_absent_and_the_next_one_completes_it(
    nursery, older, today, tmp_path
):
    old, new, killed = damaged.values(older), damaged.values(today), set()
    path = tmp_path / "book.db"
    for statement in range(1, 200):
        lay_down(older, path)
        _, code = nursery.run("open", path=str(path), statement=statement)
        assert damaged.values(path) in (old, new)
        assert opened(path) == new
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed.add(statement)
    assert len(killed) > 10
    assert damaged.faults(path) == []


def test_a_step_back_killed_at_any_statement_is_whole_or_absent(nursery, today, tmp_path):
    new = damaged.values(today)
    path = tmp_path / "book.db"
    for statement in range(1, 200):
        lay_down(today, path)
        _, code = nursery.run("back", path=str(path), statement=statement)
        assert (damaged.values(path) == new) == (revision(path) == schema.LATEST)
        assert opened(path) == new
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert statement > 8
    assert damaged.faults(path) == []


def test_down_to_any_revision_and_up_again_gives_the_same_book(path, older, today):
    new = opened(path)
    while revision(path) != revision(older):
        step_back(str(path))
    assert damaged.values(path) == damaged.values(older)
    assert opened(path) == new == damaged.values(today)
    assert damaged.faults(path) == []


def test_an_upgrade_that_fails_at_any_statement_leaves_the_old_book(path, older, today):
    old, failed = damaged.values(older), 0
    for at in range(1, 200):
        try:
            with failing(at):
                open_store(path).close()
        except StoreError:
            if revision(path) == schema.LATEST:  # it was done, only the rest of opening failed
                break
            failed += 1
            assert damaged.values(path) == old
    assert failed > 5
    assert opened(path) == damaged.values(today)


def test_an_upgrade_without_room_leaves_the_old_book(path, older, today):
    with closing(sqlite3.connect(path)) as raw:
        ((pages,),) = raw.execute("PRAGMA page_count")

    def crowd(connection, _entry):
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(Engine, "connect", crowd)
    try:
        with suppress(StoreFull):
            open_store(path).close()
    finally:
        event.remove(Engine, "connect", crowd)
    if revision(older) == "0001":  # its upgrade makes indexes; a later one finds room in its rows
        assert revision(path) == "0001"
        assert damaged.values(path) == damaged.values(older)
    assert opened(path) == damaged.values(today)


@pytest.mark.parametrize("first", ["goes on", "is killed"])
def test_of_two_upgrades_at_once_one_waits_for_the_other(nursery, path, today, tmp_path, first):
    gate, waiting, outcome = tmp_path / "gate", threading.Event(), []
    os.mkfifo(gate)

    def second():
        try:
            outcome.append(opened(path))
        except BaseException as error:  # noqa: BLE001
            outcome.append(error)

    def heard(statement):
        if statement == "BEGIN IMMEDIATE":
            waiting.set()

    def listen(driver, _record):
        driver.set_trace_callback(heard)

    thread = threading.Thread(target=second)

    def meet(pid, _heard):
        thread.start()
        assert waiting.wait(60)
        assert not outcome  # the first one holds the book
        if first == "is killed":
            os.kill(pid, signal.SIGKILL)
        else:
            gate.write_text("go on")
        return True

    event.listen(Engine, "connect", listen)
    try:
        # By then the first one has changed tables and has not committed.
        nursery.run(
            "gate",
            path=str(path),
            statement=last_statement(path, tmp_path),
            gate=str(gate),
            kill=lambda pid, heard: heard == 1 and meet(pid, heard),
        )
        thread.join()
    finally:
        event.remove(Engine, "connect", listen)
    assert outcome == [damaged.values(today)]


def last_statement(path, tmp_path):
    """The number of the statement with which an upgrade looks whether all keys have an owner."""
    copied, told = shutil.copy(path, tmp_path / "counted.db"), []

    def listen(_connection, _cursor, statement, *_):
        told.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        open_store(copied).close()
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    return told.index("PRAGMA foreign_key_check") + 1


@pytest.mark.parametrize("command_line", [["verify"], ["status"], ["import", "more.journal"]])
def test_a_book_of_a_newer_bursar_is_not_opened_and_not_touched(
    today, tmp_path, capsys, monkeypatch, command_line
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.journal").write_text(damaged.NEW)
    path = shutil.copy(today, tmp_path / "book.db")
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE bursar_schema SET version_num = '0999'")
    before = path.read_bytes()
    assert main([*command_line, "--book", str(path)]) == 4
    said = capsys.readouterr().err
    assert f"the tables are of revision 0999, this bursar knows up to {schema.LATEST}" in said
    assert "code  schema_newer" in said
    assert "Upgrade bursar" in said
    with pytest.raises(BadChoice, match="0999"):
        step_back(str(path))
    assert path.read_bytes() == before
