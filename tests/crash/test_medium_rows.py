"""Rows of a book changed, lost, doubled or exchanged behind its back: found, and by name.

Each test runs over every kind of database in `damaged.BOOKS`; it speaks to them by SQLAlchemy only.
"""
# ruff: noqa: S608 (names are those of our own tables)

import random
import re
from decimal import Decimal

import pytest
from sqlalchemy import text

import bursar
from bursar.errors import StoreCorrupt
from bursar.store.tables import METADATA
from tests import figures
from tests.crash import damaged

pytestmark = pytest.mark.sweep
KEYS = {
    "portfolios": ("name",),
    "journal": ("portfolio", "seq"),
    "cells": ("portfolio", "name"),
    "trades": ("portfolio", "trade_id", "kind"),
    "flows": ("portfolio", "id"),
    "snapshots": ("portfolio", "time"),
    "memos": ("portfolio", "name"),
    "outbox": ("portfolio", "number"),
    "checkpoints": ("portfolio",),
}
COLUMNS = [
    (table.name, column.name)
    for table in METADATA.sorted_tables
    for column in table.columns
    if f"{column.name} of {table.name}" != damaged.UNREAD
]


@pytest.fixture(scope="module", params=damaged.BOOKS)
def kept(request):
    return request.param(request)


@pytest.fixture
def book(kept):
    kept.restore()
    return kept


@pytest.fixture
def choices():
    return random.Random(figures.SEED)


def rows(connection, table):
    """The rows of the portfolio `main`, in the order of their keys, as the database has them."""
    owner, names = KEYS[table][0], ", ".join(KEYS[table])
    found = text(f"SELECT * FROM {table} WHERE {owner} = 'main' ORDER BY {names}")
    return [dict(row) for row in connection.execute(found).mappings()]


def set_cell(connection, table, row, column, value):
    where = " AND ".join(f'"{key}" = :key_{key}' for key in KEYS[table])
    keys = {f"key_{key}": row[key] for key in KEYS[table]}
    change = text(f'UPDATE {table} SET "{column}" = :value WHERE {where}')
    assert connection.execute(change, {**keys, "value": value}).rowcount == 1


def add(connection, table, row):
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def drop(connection, table, row):
    where = " AND ".join(f'"{key}" = :{key}' for key in KEYS[table])
    gone = connection.execute(text(f"DELETE FROM {table} WHERE {where}"), row)
    assert gone.rowcount == 1


def bent(value, column, choices):
    """Change a value a little: one character, one unit, or something where nothing was."""
    if value is None:
        return Decimal(1) if "NUMERIC" in str(column.type).upper() else "1"
    if not isinstance(value, str):
        return value + 1000
    if not value:
        return "1"
    at = choices.choice([n for n, char in enumerate(value) if char.isalnum()] or [0])
    other = {"9": "0", "z": "a", "Z": "A"}.get(value[at], chr(ord(value[at]) + 1))
    return value[:at] + other + value[at + 1 :]


def refused(place):
    found = damaged.faults(place)
    assert found
    assert damaged.refuses_to_write(place)
    return found


def test_no_table_is_left_out():
    assert set(KEYS) == set(damaged.TABLES) == set(METADATA.tables)


@pytest.mark.parametrize("table", KEYS)
def test_a_change_of_any_column_of_any_table_is_found(book, choices, table):
    for name in (name for owner, name in COLUMNS if owner == table):
        book.restore()
        with book.inside() as connection:
            there = rows(connection, table)
            row = choices.choice(there)
            value = bent(row[name], METADATA.tables[table].c[name], choices)
            if value in {each[name] for each in there}:  # of which there may be one alone
                value += "1" if isinstance(value, str) else 1_000_000
            set_cell(connection, table, row, name, value)
        found = damaged.faults(book.place)
        assert found, f"{name} of {row} changed to {value!r}"
        if table == "journal" and name not in {"portfolio", "seq"}:
            assert re.search(rf"row {row['seq']}\b", found[0])
    assert damaged.refuses_to_write(book.place)


def test_a_missing_journal_row_is_named(book, choices):
    with book.inside() as connection:
        count = len(rows(connection, "journal"))
    for seq in (1, choices.randint(2, count - 1), count):
        book.restore()
        with book.inside() as connection:
            drop(connection, "journal", {"portfolio": "main", "seq": seq})
        said = refused(book.place)[0]
        assert re.search(rf"row {seq} is missing|ends at row {seq - 1}\b", said)


def test_a_cut_tail_is_found_whatever_goes_with_it(book, choices):
    with book.inside() as connection:
        journal = rows(connection, "journal")
    left = choices.randint(1, len(journal) - 1)
    for also in (
        (),
        ("UPDATE portfolios SET seq = :seq, hash = :hash WHERE name = 'main'",),
        (
            "UPDATE portfolios SET seq = :seq, hash = :hash, version = 1 WHERE name = 'main'",
            "DELETE FROM outbox WHERE portfolio = 'main' AND number > 1",
        ),
    ):
        book.restore()
        with book.inside() as connection:
            cut = {"seq": left, "hash": journal[left - 1]["hash"]}
            for change in ("DELETE FROM journal WHERE portfolio = 'main' AND seq > :seq", *also):
                used = {name: cut[name] for name in cut if f":{name}" in change}
                connection.execute(text(change), used)
        assert refused(book.place)


def test_a_journal_row_told_twice_is_found(book, choices):
    with book.inside() as connection:
        journal = rows(connection, "journal")
        again = {**choices.choice(journal), "seq": len(journal) + 1, "key": "again"}
        add(connection, "journal", again)
    assert f"row {len(journal) + 1}" in refused(book.place)[0]


def test_a_journal_row_of_another_portfolio_is_found(book):
    with book.inside() as connection:
        drop(connection, "journal", {"portfolio": "main", "seq": 4})
        moved = text("UPDATE journal SET portfolio = 'main' WHERE portfolio = 'other' AND seq = 4")
        assert connection.execute(moved).rowcount == 1
        # The two told the same story at other times, so only the chain tells them apart.
    assert re.search(r"row 4\b", refused(book.place)[0])


@pytest.mark.parametrize(
    "table, columns",
    [
        ("journal", ["body"]),
        ("journal", ["key", "fact", "executed_at", "body"]),
        ("journal", ["outcome", "key", "fact", "executed_at", "body", "previous", "hash"]),
        ("cells", ["body"]),
        ("trades", ["pnl_base", "cost_base"]),
        ("flows", ["amount", "value_base"]),
        ("snapshots", ["body"]),
        ("outbox", ["body"]),
        ("outbox", ["id", "topic", "body", "created_at"]),
    ],
)
def test_two_rows_exchanged_are_found(book, choices, table, columns):
    with book.inside() as connection:
        there = rows(connection, table)
        one, other = choices.sample(there, 2)
        while any(one[name] == other[name] for name in columns if name in {"body", "pnl_base"}):
            one, other = choices.sample(there, 2)
        for row, values in ((one, "x"), (other, "y")):
            for name in ("key", "id"):  # unique: out of the way first
                if name in columns:
                    set_cell(connection, table, row, name, values)
        for to, of in ((one, other), (other, one)):
            for name in columns:
                set_cell(connection, table, to, name, of[name])
    assert refused(book.place)


@pytest.mark.parametrize("table", ["portfolios", "cells", "trades", "flows", "outbox"])
def test_a_missing_row_beside_the_journal_is_found(book, choices, table):
    with book.inside() as connection:
        drop(connection, table, choices.choice(rows(connection, table)))
    assert refused(book.place)


@pytest.mark.parametrize(
    "table, other",
    [
        ("cells", {"name": '["holdings", "k", "XDG"]'}),
        ("trades", {"trade_id": "k:ghost"}),
        ("flows", {"id": "k:ghost"}),
        ("outbox", {"number": 99, "id": "ghost"}),
        ("snapshots", {"time": 1_000}),
    ],
)
def test_a_row_that_nobody_wrote_is_found(book, choices, table, other):
    with book.inside() as connection:
        add(connection, table, {**choices.choice(rows(connection, table)), **other})
    assert refused(book.place)


def test_a_book_that_is_open_meanwhile_finds_it_and_stops_for_good(book):
    with bursar.open(book.place) as open_book:
        with book.inside() as connection:
            set_cell(connection, "journal", {"portfolio": "main", "seq": 2}, "recorded_at", 1)
            before = rows(connection, "journal")
        assert not open_book.verify().is_sound
        for _ in range(2):
            with pytest.raises(StoreCorrupt, match="row 2 was changed"):
                open_book.record(*damaged.entries(damaged.NEW))
            open_book.desk.reload()  # what it reads, from the checkpoint on, is sound
    with book.inside() as connection:
        assert rows(connection, "journal") == before


def test_a_book_that_was_mended_is_written_again_only_after_it_is_opened_anew(book):
    with bursar.open(book.place) as open_book:
        with book.inside() as connection:
            (cell, *_) = rows(connection, "cells")
            set_cell(connection, "cells", cell, "body", "7")
        assert not open_book.verify().is_sound
        with book.inside() as connection:
            set_cell(connection, "cells", cell, "body", cell["body"])
        assert open_book.verify().is_sound
        open_book.desk.reload()
        with pytest.raises(StoreCorrupt, match="stored projection"):
            open_book.record(*damaged.entries(damaged.NEW))
    with bursar.open(book.place) as anew:
        assert anew.record(*damaged.entries(damaged.NEW)).review.recorded == 1


def test_a_table_that_went_missing_under_a_commit_stops_the_desk(book):
    with bursar.open(book.place) as open_book:
        with book.inside() as connection:
            connection.execute(text("DROP TABLE outbox"))
            before = rows(connection, "journal")
        for _ in range(2):
            with pytest.raises(StoreCorrupt, match="outbox"):
                open_book.record(*damaged.entries(damaged.NEW))
        with book.inside() as connection:
            assert rows(connection, "journal") == before
