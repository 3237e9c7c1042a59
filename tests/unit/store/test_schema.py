"""The tables: made at once or revision by revision, they are the same."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bursar.errors import BadChoice, SchemaNewer, StoreCorrupt, StoreError
from bursar.store import migrate, open_store, schema, step_back
from bursar.store.sql import SqlStore
from bursar.store.tables import METADATA, SCHEMA
from tests.contract.samples import commit, contents, flow, snapshot, trade
from tests.unit.store.newer_tables import tells_newer_tables_from_damage


def revise(path, target):
    """Make the tables of a revision as Alembic does."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = migrate.configured()
        config.attributes["connection"] = connection
        command.upgrade(config, target)
    engine.dispose()


def ask(path, sql):
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()


def tables(path):
    return set(ask(path, "SELECT type, name, replace(sql, '\"', '') FROM sqlite_master"))


def fill(path):
    store = open_store(path)
    parts = {"cells": {"cash": "1.50"}, "trades": (trade(),), "flows": (flow(),)}
    store.commit(commit(store.head(), "a", "b", **parts))
    store.save_snapshot(snapshot())
    told = contents(store)
    store.close()
    return told


def test_the_revisions_are_the_ones_in_the_folder():
    folder = ScriptDirectory.from_config(migrate.configured())
    assert [r.revision for r in folder.walk_revisions()][::-1] == list(schema.REVISIONS)
    assert folder.get_heads() == [schema.LATEST]


@pytest.mark.parametrize("made", ["at once", "revision by revision"])
def test_the_tables_are_the_ones_in_the_metadata(tmp_path, made):
    path = tmp_path / "book.db"
    if made == "at once":
        open_store(path).close()
    else:
        revise(path, "head")
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        settings = {"version_table": SCHEMA.name, "compare_type": True}
        context = MigrationContext.configure(connection, opts=settings)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_both_ways_of_making_the_tables_give_the_same_text(tmp_path):
    open_store(tmp_path / "once.db").close()
    revise(tmp_path / "steps.db", "head")
    once, steps = (
        {row for row in tables(tmp_path / name) if row[1] != SCHEMA.name}
        for name in ("once.db", "steps.db")
    )
    assert once == steps
    assert all("STRICT" in sql for kind, _, sql in once if kind == "table")


def test_a_book_of_every_older_revision_is_brought_forward(tmp_path):
    for revision in schema.REVISIONS[:-1]:
        path = tmp_path / f"{revision}.db"
        revise(path, revision)
        fill(path)
        assert ask(path, "SELECT version_num FROM bursar_schema") == [(schema.LATEST,)]


def test_one_step_back_and_forward_again_keeps_every_byte(tmp_path):
    path = tmp_path / "book.db"
    before, shape = fill(path), tables(path)
    for revision in reversed(schema.REVISIONS[:-1]):
        assert step_back(str(path)) == revision
        assert ask(path, "SELECT version_num FROM bursar_schema") == [(revision,)]
    assert tables(path) != shape
    store = open_store(path)
    assert contents(store) == before
    store.close()
    assert tables(path) == shape


def test_before_the_first_revision_there_is_nothing(tmp_path):
    path = tmp_path / "book.db"
    before = fill(path)
    for _ in schema.REVISIONS[:-1]:
        step_back(str(path))
    with pytest.raises(BadChoice):
        step_back(str(path))
    store = open_store(path)
    assert contents(store) == before
    store.close()


def test_a_newer_schema_is_not_opened_and_not_touched(tmp_path):
    path = tmp_path / "book.db"
    fill(path)
    ask(path, "UPDATE bursar_schema SET version_num = '0999'")
    before = path.read_bytes()
    with pytest.raises(SchemaNewer) as caught:
        open_store(path)
    assert caught.value.context == {"found": "0999", "known": schema.LATEST}
    with pytest.raises(BadChoice):
        step_back(str(path))
    assert path.read_bytes() == before


def test_tables_that_a_newer_bursar_changes_meanwhile_are_no_damage(tmp_path):
    path = tmp_path / "book.db"
    fill(path)
    tells_newer_tables_from_damage(path, lambda sql: ask(path, sql))


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM bursar_schema",
        "INSERT INTO bursar_schema VALUES ('0001')",
        "UPDATE bursar_schema SET version_num = x'ff'",
        "DROP TABLE bursar_schema",
    ],
)
def test_tables_of_which_nobody_knows_the_revision_are_damaged(tmp_path, change):
    path = tmp_path / "book.db"
    fill(path)
    ask(path, change)
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="bursar_schema"):
        open_store(path)
    assert path.read_bytes() == before


def test_rows_of_no_portfolio_stop_a_migration(tmp_path):
    path = tmp_path / "book.db"
    fill(path)
    older = step_back(str(path))
    ask(path, "INSERT INTO cells VALUES ('ghost', 'cash', '1')")
    with pytest.raises(StoreCorrupt):
        open_store(path)
    assert ask(path, "SELECT version_num FROM bursar_schema") == [(older,)]


def test_a_migration_may_copy_a_table_that_others_point_to(tmp_path, monkeypatch):
    path = tmp_path / "book.db"
    before = fill(path)
    step_back(str(path))
    run = migrate.run

    def copy_and_run(connection, target):
        """SQLite alters a table by copying it and dropping the old one, which deletes its rows."""
        plan = Operations(MigrationContext.configure(connection))
        strict = {"sqlite_strict": True}
        with plan.batch_alter_table("portfolios", recreate="always", table_kwargs=strict) as table:
            table.alter_column("hash", comment="the last row's")
        run(connection, target)

    monkeypatch.setattr(migrate, "run", copy_and_run)
    store = open_store(path)
    assert contents(store) == before
    assert isinstance(store, SqlStore)
    store._writer._portfolio = "ghost"
    with pytest.raises(StoreError, match="FOREIGN KEY"):  # the guard is up again
        store.save_state({"cash": "1"})
    store.close()


def test_somebody_elses_database_is_refused(tmp_path):
    path = tmp_path / "photos.db"
    ask(path, "CREATE TABLE photos (name TEXT)")
    with pytest.raises(StoreError, match="not bursar's"):
        open_store(path)
    assert [name for _, name, _ in tables(path)] == ["photos"]


def test_making_and_opening_a_book_does_not_load_alembic(tmp_path):
    code = (
        "import sys; from bursar.store import open_store;"
        "open_store(sys.argv[1]).close(); open_store(sys.argv[1]).close();"
        "sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "book.db"], check=True)
