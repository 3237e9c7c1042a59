"""A book where nothing may be written: looked at as it is, its log included, and never changed."""

import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

import bursar
from bursar.errors import StoreBusy, StoreError, StoreReadOnly
from bursar.ledger import golden
from bursar.store import looking, open_store, schema, step_back
from tests.contract.samples import snapshot

FIRST = "2026-01-05T10:00:00Z deposit 100 USD #k:1"
LAST = "2026-01-06T10:00:00Z deposit 23 USD #k:2"
NEW = "2026-01-07T10:00:00Z deposit 1 USD #k:3"
NOBODY = 65_534


def entries(line):
    return list(golden.read([line]))


@pytest.fixture
def folder():
    """A folder that somebody else may enter, wherever the others lie."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


@pytest.fixture(params=["nothing", "log", "log and index"])
def left(request, folder):
    """A book in that folder, with what a crash leaves beside it."""
    made, place = folder / "made.db", folder / "a b%?#ü.db"
    with bursar.open(made) as book:
        book.record(*entries(FIRST))
        book.desk.store.save_snapshot(snapshot())
        book.record(*entries(LAST))
        ends = {"nothing": [""], "log": ["", "-wal"], "log and index": ["", "-wal", "-shm"]}
        if request.param == "nothing":
            book.close()
        for end in ends[request.param]:
            shutil.copy(f"{made}{end}", f"{place}{end}")
    for path in folder.iterdir():
        path.chmod(0o444)
    return place


@contextmanager
def only_looking(folder):
    """Be somebody who may write neither the folder nor what is in it."""
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o755)


def stamps(folder):
    return {p.name: (p.read_bytes(), stat.S_IMODE(p.stat().st_mode)) for p in folder.iterdir()}


def test_all_that_was_committed_is_seen_and_nothing_changes(left, folder):
    before = stamps(folder)
    with only_looking(folder), bursar.open(left, create=False) as book:
        assert book.desk.head.seq == 2
        assert str(book.equity()).startswith("123")
        assert book.verify().is_sound
        assert len(book.desk.store.get_snapshots()) == 1
        with pytest.raises(StoreReadOnly, match="can only be looked at"):
            book.record(*entries(NEW))
        with pytest.raises(StoreReadOnly):
            book.desk.store.save_memos({"a": "b"}, is_lasting=False)
        assert book.desk.halted is None
        assert book.verify().is_sound
    assert stamps(folder) == before


def test_a_copy_goes_with_the_book(left, folder, tmp_path, monkeypatch):
    copies = folder.parent / f"{folder.name}-copies"
    copies.mkdir()
    copies.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    try:
        with only_looking(folder):
            store = open_store(left, create=False)
            is_copied = bool(list(copies.iterdir()))
            assert is_copied or Path(f"{left}-shm").exists() or not Path(f"{left}-wal").exists()
            store.close()
        assert list(copies.iterdir()) == []
    finally:
        shutil.rmtree(copies)


def test_an_older_book_says_that_it_would_have_to_be_written(folder):
    place = folder / "book.db"
    with bursar.open(place) as book:
        book.record(*entries(FIRST))
        book.desk.store.save_memos({"fold": None})
    place.chmod(0o444)
    with only_looking(folder), pytest.raises(StoreReadOnly, match="worked out anew"):
        bursar.open(place, create=False)
    place.chmod(0o644)
    step_back(f"sqlite:///{place}")
    with only_looking(folder), pytest.raises(StoreReadOnly, match=schema.OLDER):
        open_store(place, create=False)


def test_a_log_that_cannot_be_copied_is_said(folder, monkeypatch):
    place = folder / "book.db"
    place.write_bytes(b"a")
    Path(f"{place}-wal").write_bytes(b"b")
    sizes = iter(range(100))
    with monkeypatch.context() as patch:
        patch.setattr(looking.Looking, "_stamps", lambda _: {place: (next(sizes), 0)})
        with pytest.raises(StoreBusy, match="changes while it is read"):
            looking.Looking(place).connect()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "none"))
    with pytest.raises(StoreError, match=r"book\.db.*-wal.*TMPDIR"):
        looking.Looking(place).connect()
