"""A big CSV file, read by blocks of whole lines, from either end, as often as is asked.

Only a plain file is read so: UTF-8, every record on a line of its own and as wide as the header,
no cell too long. Anything else is `Malformed` without a place; whoever meets that reads the file
with care, by `table`, which names it.

Errors: `Malformed` for what is not plain, `InputError` for a file that cannot be read or that is
not the one it was.
"""

import csv
import os
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final

from bursar.errors import InputError, Malformed
from bursar.venue.files.table import BYTES_MAX, CELL_MAX, ROWS_MAX, Progress, readable

BLOCK: Final = 1024 * 1024


class Blocks:
    """A file's places where blocks begin; made once, read several times."""

    def __init__(self, path: Path, width: int) -> None:
        self._path = path
        self._width = width
        with readable(path) as file:
            self._was = _identity(file)
            self.size = self._was[0]
            if self.size > BYTES_MAX:
                raise Malformed("too big to be read by blocks")
            self._starts = list(_starts(file, self.size))

    def parts(
        self, *, backwards: bool = False, progress: Progress | None = None, after: int = 0
    ) -> Iterator[list[list[str]]]:
        """Yield the rows of each block, in the file's order or from its end. O(a block) at once.

        Those of the first `after` blocks are left out.
        """
        spans = list(pairwise((*self._starts, self.size)))
        done = count = 0
        with readable(self._path) as file:
            if _identity(file) != self._was:
                raise InputError(f"{self._path.name}: it was changed while it was read; once more")
            for start, end in (spans[::-1] if backwards else spans)[after:]:
                file.seek(start)
                rows = _parsed(file.read(end - start), self._width)
                count += len(rows)
                if count > ROWS_MAX:
                    raise Malformed("too many rows")
                if backwards:
                    rows.reverse()
                yield rows
                done += end - start
                if progress is not None:
                    progress(done, self.size)


def _identity(file: BinaryIO) -> tuple[int, int, int]:
    """Return what changes when somebody writes to a file."""
    seen = os.fstat(file.fileno())
    return seen.st_size, seen.st_mtime_ns, seen.st_ino


def _starts(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield where blocks begin: after the header, then after each line that a block's end cuts."""
    file.readline()
    while file.tell() < size:
        yield file.tell()
        file.seek(BLOCK, os.SEEK_CUR)
        file.readline()


def _parsed(block: bytes, width: int) -> list[list[str]]:
    try:
        text = block.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    lines = text.count("\n") + (not text.endswith("\n"))
    if "\0" in text or "\r" in text or max(map(len, text.split("\n"))) > CELL_MAX:
        raise Malformed("not plain lines")
    try:
        rows = list(csv.reader(StringIO(text), strict=True))
    except csv.Error:
        raise Malformed("not plain CSV") from None
    if len(rows) != lines:
        raise Malformed("a cell of several lines")
    return _full(rows, width)


def _full(rows: Sequence[list[str]], width: int) -> list[list[str]]:
    """Return the rows that are not blank, if all of those are as wide as the header."""
    full = list(filter(any, rows))
    if not set(map(len, full)) <= {width}:
        raise Malformed("not as wide as the header")
    return full
