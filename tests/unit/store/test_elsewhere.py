"""A store whose file was taken away under it, or which another process has opened."""

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from bursar.errors import StoreDown, StoreError
from bursar.store import open_store
from tests.contract.samples import commit, contents


def gone(path):
    path.unlink()


def moved(path):
    path.rename(path.with_name("moved.db"))


def replaced(path):
    other = open_store(path.with_name("other.db"))
    other.close()
    path.with_name("other.db").replace(path)


def without_its_log(path):
    Path(f"{path}-wal").unlink()


@pytest.mark.parametrize("taken_away", [gone, moved, replaced, without_its_log])
def test_a_file_that_was_taken_away_is_written_no_more(tmp_path, taken_away):
    path = tmp_path / "book.db"
    store = open_store(path)
    store.commit(commit(store.head(), "a"))
    before = store.head()
    taken_away(path)
    for _ in range(2):
        with pytest.raises(StoreError, match="moved, replaced or deleted"):
            store.commit(commit(before, "b"))
    assert store.head() == before
    store.close()


def test_what_was_committed_before_a_log_was_deleted_is_there_when_all_is_closed(tmp_path):
    path = tmp_path / "book.db"
    store = open_store(path)
    store.commit(commit(store.head(), "a"))
    known = contents(store)
    store.close()
    store = open_store(path)
    store.commit(commit(store.head(), "b"))
    without_its_log(path)
    with pytest.raises(StoreError):
        store.commit(commit(store.head(), "c"))
    store.close()
    again = open_store(path)
    assert again.head().version == 2
    assert contents(again) != known
    again.close()


def test_who_goes_to_another_folder_still_has_the_same_book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = open_store("book.db")
    head = store.commit(commit(store.head(), "a"))
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir("deeper")
    assert store.commit(commit(head, "b")).version == 2
    assert [row.seq for row in store.records()] == [1, 2]
    store.close()
    assert list((tmp_path / "deeper").iterdir()) == []


def test_a_store_that_was_carried_over_a_fork_answers_nothing(tmp_path, monkeypatch):
    store = open_store(tmp_path / "book.db")
    head = store.commit(commit(store.head(), "a"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)  # as in a process that was forked
        for asked in (store.head, store.load_state, lambda: store.commit(commit(head, "b"))):
            with pytest.raises(StoreError, match="fork"):
                asked()
        store.close()  # leaves the connections to their own process
    assert store.commit(commit(head, "b")).version == 2
    store.close()


def held(store):
    return store._writer._lock


def test_a_lock_that_was_held_at_a_fork_keeps_nobody_waiting(tmp_path, monkeypatch):
    store = open_store(tmp_path / "book.db")
    head = store.head()
    with held(store), monkeypatch.context() as patch:  # as another thread had it then
        patch.setattr(os, "getpid", lambda: -1)
        for asked in (
            lambda: store.commit(commit(head, "a")),
            lambda: store.save_memos({"a": "b"}),
            lambda: store.save_memos({"a": "b"}, is_lasting=False),
            lambda: store.announce("a", "b", 0),
            store.close,
        ):
            with pytest.raises(StoreError, match="fork") if asked != store.close else nullcontext():
                asked()
    assert store.commit(commit(head, "a")).version == 1
    store.close()


def hang_up(store):
    store._writer.connected().invalidate()


def test_who_goes_on_without_a_connection_that_died_is_told_so(tmp_path):
    store = open_store(tmp_path / "book.db")

    def go_on():
        with store.grouped():
            hang_up(store)
            store.save_memos({"a": "b"})

    with pytest.raises(StoreDown, match="nothing was written"):
        go_on()
    store.save_memos({"a": "c"})
    assert store.memos() == {"a": "c"}
    store.close()
