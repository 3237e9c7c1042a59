"""A book to be damaged, and the judge of what was noticed.

The judge looks only from outside: the command line's exit code and words, what a portfolio opened
in Python refuses, and every stored value as the database itself gives it.
"""

import io
import json
import shutil
import sqlite3
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout

import pytest
from sqlalchemy import make_url

import bursar
from bursar.cli import main
from bursar.desk import desk
from bursar.errors import StoreError
from bursar.ledger import copies, golden, planning
from bursar.ledger.terms import Method
from bursar.store.places import address, engine_of
from tests.contract.samples import snapshot

PORTFOLIOS = ("main", "other")
TABLES = (
    "portfolios",
    "journal",
    "cells",
    "trades",
    "flows",
    "snapshots",
    "memos",
    "outbox",
    "checkpoints",
)
UNREAD = "created_at of portfolios"  # no code reads it
STORY = (
    "2026-01-01T00:00:00Z deposit 100000 USD #k:d",
    "2026-01-05T10:00:00Z buy 2 XBT @ 40000 USD fee 8 USD #k:1 strategy=grid",
    "2026-01-06T10:00:00Z reward 0.5 ETH #k:r",
    "2026-02-01T09:30:00Z sell 0.5 XBT @ 50000 USD fee 5 USD #k:2 strategy=grid",
    "2026-02-02T09:30:00Z withdrawal 0.25 XBT #k:w",
)
LATE = "2026-01-10T00:00:00Z buy 0.1 XBT @ 60000 USD fee 1.23 USD #k:3"
OTHER_WORDS = "2026-01-05T10:00:00Z buy 3 XBT @ 40000 USD fee 8 USD #k:1"
NEW = "2026-03-01T00:00:00Z deposit 1 USD #k:new"


def entries(*lines):
    return list(golden.read(lines))


def make(place):
    """Fill two portfolios: fills, flows, a restatement, a conflict, snapshots, a checkpoint."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk, "KEPT_AHEAD", 2)
        patch.setattr(planning, "SPACING", 1)
        patch.setattr(copies, "SPACING", 1)
        fill(place)
    for name in PORTFOLIOS:
        with bursar.open(place, portfolio=name) as book:
            book.desk.store.save_memos({"sync kraken:main": "at 7", "close 2026-02-05": "1.5"})


def fill(place):
    """Fill two portfolios as `make`, which are too small for a checkpoint."""
    for name in PORTFOLIOS:
        terms = bursar.Terms(method=Method.FIFO, pegs=("USDT",))
        with bursar.open(place, portfolio=name, terms=terms) as book:
            book.record(*entries(*STORY))
            book.record(*entries(LATE))
            book.record(*entries(OTHER_WORDS))
            for n in range(9):
                side = "sell" if n % 3 else "buy"
                line = f"{side} 0.0{n + 1} XBT @ {50_000 + n}.5 USD fee 0.{n} USD #k:n{n}"
                book.record(*entries(f"2026-02-0{n // 4 + 3}T0{n % 4}:00:00Z {line}"))
            for minutes in range(3):
                book.desk.store.save_snapshot(snapshot(minutes))
            assert book.verify().is_sound


class SqliteBook:
    """A book in a file, made once and then copied, with a way in that asks no questions."""

    def __init__(self, request):
        folder = request.getfixturevalue("tmp_path_factory").mktemp("kept")
        self.place = folder / "book.db"
        self._kept = folder / "kept.db"
        make(self.place)
        shutil.copy(self.place, self._kept)

    def restore(self):
        for path in self.place.parent.glob("book.db*"):
            path.unlink()
        shutil.copy(self._kept, self.place)

    @contextmanager
    def inside(self):
        """Give a connection whose changes are kept, and to which no foreign key matters."""
        engine, dialect = engine_of(address(self.place))
        with engine.connect() as connection:
            connection.detach()
            dialect.unguard(connection)
            with connection.begin():
                yield connection
        engine.dispose()


class PostgresBook:
    """A database, made once and then copied, with a way in for one who may do anything."""

    def __init__(self, request):
        self._server = request.getfixturevalue("postgres")
        self._kept, self._name = self._server._create("template0"), None
        self.place = self._server._of(self._kept)
        make(self.place)

    def restore(self):
        if self._name is not None:
            self._server._drop(self._name)
        self._name = self._server._create(self._kept)
        self.place = self._server._of(self._name)

    @contextmanager
    def inside(self):
        """Give a connection whose changes are kept, and to which no foreign key matters."""
        might = make_url(self._server.url).set(database=self._name)
        engine, _ = engine_of(address(might.render_as_string(hide_password=False)))
        with engine.begin() as connection:
            connection.exec_driver_sql("SET session_replication_role = replica")
            yield connection
        engine.dispose()


BOOKS = (SqliteBook, PostgresBook)  # another kind of database joins here


def proof(place, portfolio):
    """Ask `bursar verify` as a user does; its exit code and its document."""
    said, remarks = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(remarks):
        code = main(["verify", "--book", str(place), "--portfolio", portfolio, "--json"])
    assert "Traceback" not in said.getvalue() + remarks.getvalue()
    return code, json.loads(said.getvalue())


def faults(place):
    """What `bursar verify` finds wrong in the first portfolio that is not sound, in plain words."""
    for portfolio in PORTFOLIOS:
        code, told = proof(place, portfolio)
        assert code in {0, 1, 4}, (code, told)
        lines = [told["error"]["message"]] if "error" in told else told["faults"]
        assert bool(lines) is bool(code)
        assert all(len(line) > 12 for line in lines)  # never an empty answer
        if lines:
            return lines
    return []


def refuses_to_write(place):
    """Once the damage is seen, nothing is written: nobody opens it, or a verify has halted it."""
    for portfolio in PORTFOLIOS:
        try:
            book = bursar.open(place, portfolio=portfolio)
        except StoreError:
            return True
        with book:
            if is_seen(book):
                return bool(book.desk.halted) and is_refused(book) and is_refused(book)
    return False


def is_seen(book):
    try:
        return not book.verify().is_sound
    except StoreError:
        return True


def is_refused(book):
    try:
        book.record(*entries(NEW))
    except StoreError as error:
        return len(error.message) > 12
    return False


def values(path):
    """Every stored value and its type, read from the tables themselves, past every index."""
    with closing(sqlite3.connect(path)) as raw:
        raw.text_factory = bytes
        there = {name.decode() for (name,) in raw.execute("SELECT name FROM sqlite_master")}
        return {name: _rows(raw, name) for name in (*TABLES, "bursar_schema") if name in there}


def _rows(raw, table):
    columns = [name.decode() for _, name, *_ in raw.execute(f"PRAGMA table_info({table})")]
    read = [c for c in columns if f"{c} of {table}" != UNREAD]
    told = ", ".join(f'"{c}", typeof("{c}")' for c in read)
    found = raw.execute(f"SELECT {told} FROM {table} NOT INDEXED")  # noqa: S608 (our own names)
    return sorted(map(repr, found))
