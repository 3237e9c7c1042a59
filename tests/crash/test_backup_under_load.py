"""Backups taken while another process writes: each restores to one moment of it."""

import os
import signal

import pytest

from bursar.ledger import projection
from bursar.ledger.planning import planned
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline
from bursar.store import open_store
from bursar.store.backup import restore_backup, take_backup
from tests import figures

pytestmark = pytest.mark.sweep


def test_each_backup_of_a_busy_book_restores_to_a_moment_of_it(nursery, tmp_path):
    path = str(tmp_path / "book.db")
    open_store(path).close()
    taken: list = []
    behind: list[int] = []

    def back_up(pid, _heard):
        backup = tmp_path / f"{len(taken)}.backup"
        (kept,) = take_backup(path, backup).portfolios
        taken.append((backup, kept))
        store = open_store(path, create=False)
        behind.append(store.head().version - kept.version)
        store.close()
        if len(taken) == figures.BACKUPS:
            os.kill(pid, signal.SIGKILL)
        return len(taken) == figures.BACKUPS

    # A writer that a backup had stopped or failed would leave another code.
    _, code = nursery.run("desk", path=path, seed=figures.SEED, kill=back_up)
    assert code == -signal.SIGKILL
    assert sum(behind) > 0, "nothing was written while backups were taken"
    journal = records(path)
    for backup, kept in taken:
        restored = backup.with_suffix(".db")
        restore_backup(backup, restored)
        assert records(restored) == journal[: kept.seq]
        assert kept.digest == refolded(journal[: kept.seq])
        backup.unlink()
        restored.unlink()


def records(path):
    store = open_store(path, create=False)
    try:
        return list(store.records())
    finally:
        store.close()


def refolded(rows):
    timeline = Timeline(Terms())
    timeline.land(planned(timeline, [row.entry() for row in rows]))
    return projection.digest(timeline.book)
