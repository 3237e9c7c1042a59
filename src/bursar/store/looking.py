"""An SQLite book where nothing may be written: on a read-only file system, or of somebody else.

SQLite keeps its log beside the file and shares it among those who have the file open, so it will
not read where it cannot write, unless it is told how. What is right depends on what is there:

- a log and its index: whoever has the book open shares them, and one who only reads may join;
- no log, or one without a byte: all is in the file, which is read as it is;
- a log that cannot be shared: what was committed last stands in it alone. File and log are copied
  to a folder of our own, which goes with the connections, and read there.

Errors: `StoreBusy` where the two change while they are copied; `StoreError` where there is no room
for a copy.
"""

import os
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bursar.errors import StoreBusy, StoreError

_TRIES: Final = 3


class Looking:
    """Makes connections that only read; a copy, where it needs one, is made once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._copy: Path | None = None
        self._forgetting: Callable[[], object] = _nothing

    def connect(self) -> sqlite3.Connection:
        """Return a connection on which nothing can be written."""
        if self._copy is None and (found := self._there()) is not None:
            return found
        if self._copy is None:
            self._copy = self._copied()
        return _connected(self._copy, "rw")

    def forget(self) -> None:
        """Let go of the copy, if there is one; whoever connects again makes another."""
        self._forgetting()
        self._copy = None

    def _there(self) -> sqlite3.Connection | None:
        """Return a connection to the file where it stands, if that shows all of it."""
        log, index = Path(f"{self._path}-wal"), Path(f"{self._path}-shm")
        if not (log.exists() and log.stat().st_size):
            return _connected(self._path, "ro", "immutable=1")
        if not index.exists():
            return None
        made = _connected(self._path, "ro")
        try:
            made.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:  # the index is of no use to one who may not mend it
            made.close()
            return None
        return made

    def _copied(self) -> Path:
        try:
            folder = Path(tempfile.mkdtemp(prefix="bursar-"))
        except OSError as error:
            raise self._no_room(error) from error
        self._forgetting = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        for _ in range(_TRIES):
            before = self._stamps()
            try:
                for each in before:
                    shutil.copyfile(each, folder / each.name)
            except OSError as error:
                raise self._no_room(error) from error
            if self._stamps() == before:
                return folder / self._path.name
        raise StoreBusy(f"{self._path.name} changes while it is read; retry in a moment")

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        pair = (self._path, Path(f"{self._path}-wal"))
        return {each: (each.stat().st_size, each.stat().st_mtime_ns) for each in pair}

    def _no_room(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self._path.name} may not be written, and what its -wal holds is read in a copy, for"
            f" which there is no place ({error.strerror}): name a folder in TMPDIR"
        )


def may_write(path: Path) -> bool:
    """Tell whether a book can be written: the file, and beside it the log."""
    real = path.resolve()
    return all(os.access(each, os.W_OK, effective_ids=_EFFECTIVE) for each in (real, real.parent))


def _nothing() -> None:
    """Do nothing: there is no copy."""


_EFFECTIVE: Final = os.access in os.supports_effective_ids


def _connected(path: Path, mode: str, *more: str) -> sqlite3.Connection:
    options = "&".join((f"mode={mode}", *more))
    place = f"file:{quote(str(path))}?{options}"
    made = sqlite3.connect(place, uri=True, check_same_thread=False)
    made.execute("PRAGMA query_only=ON")
    return made
