"""The tables in Postgres: made at once or revision by revision, by one or by many at once."""

import os
import subprocess
import sys
import threading
from contextlib import closing

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event

import bursar
from bursar.cli import main
from bursar.errors import PortfolioNotFound, SchemaNewer, StoreBusy, StoreError
from bursar.store import migrate, open_store, postgres, schema, step_back
from bursar.store.places import address, engine_of
from bursar.store.tables import METADATA, SCHEMA
from tests.contract.samples import commit, contents, flow, snapshot, trade
from tests.servers.postgres import OVERRIDE, asking
from tests.unit.store.newer_tables import tells_newer_tables_from_damage

CATALOG = """
SELECT 'column', table_name || '.' || column_name,
       concat_ws(' ', data_type, is_nullable, collation_name, column_default)
FROM information_schema.columns WHERE table_schema = current_schema()
UNION ALL
SELECT 'constraint', conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
UNION ALL
SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
"""


GIVEN = pytest.mark.skipif(OVERRIDE in os.environ, reason="the role of a given server is its own")


@pytest.fixture
def nothing(postgres):
    """A database without tables."""
    with postgres.database(empty=True) as url:
        yield url


def run(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def shape(url):
    return set(run(url, CATALOG))


def in_schema(url, name):
    return asking(url, options=f"-csearch_path={name}")


def revise(url, target):
    """Make the tables of a revision as Alembic does."""
    engine, _ = engine_of(address(url))
    with engine.begin() as connection:
        config = migrate.configured()
        config.attributes["connection"] = connection
        command.upgrade(config, target)
    engine.dispose()


def fill(url, portfolio="main"):
    with closing(open_store(url, portfolio)) as store:
        parts = {"cells": {"cash": "1.50"}, "trades": (trade(),), "flows": (flow(),)}
        store.commit(commit(store.head(), "a", "b", **parts))
        store.save_snapshot(snapshot())
        return contents(store)


def told(url, portfolio="main"):
    with closing(open_store(url, portfolio, create=False)) as store:
        return contents(store)


@pytest.mark.parametrize("made", ["at once", "revision by revision"])
def test_the_tables_are_the_ones_in_the_metadata(database, nothing, made):
    url = database if made == "at once" else nothing
    if made != "at once":
        revise(url, "head")
    engine, _ = engine_of(address(url))
    with engine.connect() as connection:
        settings = {"version_table": SCHEMA.name, "compare_type": True}
        context = MigrationContext.configure(connection, opts=settings)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()
    without = {row for row in shape(url) if SCHEMA.name not in row[1]}
    assert without == {row for row in shape(database) if SCHEMA.name not in row[1]}


def test_one_step_back_and_forward_again_keeps_every_byte(database):
    before, tables = fill(database), shape(database)
    for older in reversed(schema.REVISIONS[:-1]):
        assert step_back(database) == older
    assert shape(database) != tables
    assert told(database) == before
    assert shape(database) == tables


def test_a_newer_schema_is_not_opened_and_not_touched(database):
    run(database, "UPDATE bursar_schema SET version_num = '0999'")
    before = shape(database)
    with pytest.raises(SchemaNewer) as caught:
        open_store(database)
    assert caught.value.context == {"found": "0999", "known": schema.LATEST}
    assert shape(database) == before


def test_tables_that_a_newer_bursar_changes_meanwhile_are_no_damage(database):
    tells_newer_tables_from_damage(database, lambda sql: run(database, sql))


def test_somebody_elses_tables_are_left_alone_and_a_schema_of_ones_own_is_made_use_of(nothing):
    run(nothing, "CREATE TABLE photos (name TEXT); CREATE SCHEMA books")
    with pytest.raises(StoreError, match="not bursar's"):
        open_store(nothing)
    before = fill(in_schema(nothing, "books"))
    assert told(in_schema(nothing, "books")) == before
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert run(nothing, tables) == [("photos",)]


def test_two_schemas_of_a_database_keep_two_books(nothing):
    run(nothing, "CREATE SCHEMA one; CREATE SCHEMA two")
    one, two = in_schema(nothing, "one"), in_schema(nothing, "two")
    before = fill(one)
    open_store(two).close()
    assert told(two)["head"].version == 0
    fill(two)
    assert told(one) == before


def test_a_schema_that_is_not_there_is_said_so(nothing):
    with pytest.raises(StoreError, match="schema"):
        open_store(in_schema(nothing, "nowhere"))


def test_nothing_is_made_where_nothing_may_be_made(nothing):
    with pytest.raises(PortfolioNotFound, match="there is no book at postgresql://"):
        open_store(nothing, create=False)
    assert run(nothing, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []
    open_store(nothing, "one").close()
    with pytest.raises(PortfolioNotFound, match="only: one"):
        open_store(nothing, "two", create=False)


@GIVEN
def test_the_role_that_owns_a_book_is_an_ordinary_one(database):
    who = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert run(database, who) == [(False, False, False)]


@pytest.mark.parametrize("there", ["nothing", "older tables"])
def test_eight_at_once_make_one_book(nothing, there):
    if there == "older tables":
        revise(nothing, schema.REVISIONS[0])
    failed = []

    def make(barrier):
        try:
            barrier.wait()
            open_store(nothing).close()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    barrier = threading.Barrier(8)
    threads = [threading.Thread(target=make, args=(barrier,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert told(nothing)["head"].version == 0


def test_two_processes_at_once_make_one_book(nothing):
    code = "import sys; from bursar.store import open_store; open_store(sys.argv[1]).close()"
    command = [sys.executable, "-c", code, nothing]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(process.communicate()[1], process.returncode) for process in both] == [("", 0)] * 2
    assert told(nothing)["head"].version == 0


def test_tables_that_come_between_two_questions_are_no_damage(nothing):
    engine, dialect = engine_of(address(nothing))
    waiting = [nothing]

    def made_meanwhile(_connection, _cursor, statement, *_):
        if "pg_class" in statement and waiting:
            open_store(waiting.pop()).close()

    event.listen(engine, "after_cursor_execute", made_meanwhile)
    assert schema.ensure(engine, dialect, create=False)
    assert not waiting
    engine.dispose()


def test_a_change_of_tables_waits_for_another_one(database):
    step_back(database)
    with psycopg.connect(database) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [postgres.lock_key(schema.TABLES)])
        with pytest.raises(StoreBusy):
            open_store(asking(database, options="-clock_timeout=50ms"))
    with closing(open_store(database)) as store:
        assert store.head().version == 0


def test_the_front_door_and_the_command_line_take_an_address(nothing, tmp_path, capsys):
    story = tmp_path / "day.journal"
    story.write_text("2026-01-05T10:00:00Z deposit 1000.50 USD #k:1\n", encoding="utf-8")
    assert main(["import", str(story), "--book", nothing]) == 0
    assert main(["status", "--book", nothing, "--json"]) == 0
    assert "1000.5" in capsys.readouterr().out
    portfolio = bursar.open(nothing, create=False)
    assert str(portfolio.equity().value) == "1000.50"
    portfolio.close()
