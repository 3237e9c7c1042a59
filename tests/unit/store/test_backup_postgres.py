"""The same backups from and to a server: one format for every store."""

import random

import pytest

from bursar.app import open as open_portfolio
from bursar.errors import BadChoice, StoreCorrupt
from bursar.ledger import golden
from bursar.store import open_store
from bursar.store.backup import restore, restore_backup, take, take_backup
from bursar.store.postgres import COPY_ROWS
from tests.contract.samples import contents, snapshot
from tests.crash.nursery import fill_line
from tests.unit.store.test_backup import held, opened, wrote


@pytest.fixture
def server(database):
    """The address of an empty database on a server."""
    return database


def test_a_file_becomes_a_book_on_a_server_and_a_file_again(server, tmp_path):
    book = tmp_path / "book.db"
    wrote(book)
    take_backup(book, tmp_path / "one")
    restore_backup(tmp_path / "one", server)
    assert held(server) == held(book)
    take_backup(server, tmp_path / "two")
    assert opened(tmp_path / "two")[1:-1] == opened(tmp_path / "one")[1:-1]
    restore_backup(tmp_path / "two", tmp_path / "again.db")
    assert held(tmp_path / "again.db") == held(book)
    with open_portfolio(server, create=False) as portfolio:
        assert portfolio.verify().is_sound
        portfolio.record(*golden.read(["2026-02-01T10:00:00Z  buy  1  XBT @ 1 USD  #k:9"]))


def test_a_server_with_a_book_is_not_written_into(server, tmp_path):
    wrote(server)
    before = held(server)
    take_backup(server, tmp_path / "one")
    with pytest.raises(BadChoice, match="'main' is in"):
        restore_backup(tmp_path / "one", server)
    assert held(server) == before


def test_a_writer_on_a_server_goes_on_and_is_not_in_the_backup(server, tmp_path, monkeypatch):
    monkeypatch.setattr(take, "_TELL_EVERY", 1)
    wrote(server)
    with open_portfolio(server, create=False) as writer:

        def commit(_what, row, _total):
            writer.record(*golden.read([fill_line(100 + row, random.Random(row))]))

        made = take_backup(server, tmp_path / "one", progress=commit)
        assert writer.desk.head.seq == 8
    (kept,) = made.portfolios
    assert (kept.seq, kept.messages) == (4, 4)
    restore_backup(tmp_path / "one", ":memory:")


def test_what_fails_half_way_leaves_no_row(server, tmp_path, monkeypatch):
    wrote(tmp_path / "book.db")
    take_backup(tmp_path / "book.db", tmp_path / "one")
    with monkeypatch.context() as patch:
        patch.setattr(restore, "records_of", lambda *_: iter(()))
        with pytest.raises(StoreCorrupt, match="not what was written"):
            restore_backup(tmp_path / "one", server)
    store = open_store(server, "other")
    assert contents(store)["journal"] == []
    store.close()
    with pytest.raises(BadChoice, match="'other' is in"):
        restore_backup(tmp_path / "one", server)


def test_a_backup_with_many_snapshots_goes_to_a_server_and_back(server, tmp_path):
    book = tmp_path / "book.db"
    wrote(book)
    store = open_store(book)
    with store.grouped():
        for minutes in range(COPY_ROWS + 1):
            store.save_snapshot(snapshot(minutes))
    store.close()
    take_backup(book, tmp_path / "one")
    restore_backup(tmp_path / "one", server)
    assert held(server) == held(book)
    take_backup(server, tmp_path / "two")
    assert opened(tmp_path / "two")[1:-1] == opened(tmp_path / "one")[1:-1]
