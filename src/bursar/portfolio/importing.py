"""Files into a desk: at once where they are small, in order of time where one is streamed.

If another writer was first, it is planned anew on what that one did: the rows are the same.

A stream needs memory for a part of it only. Not every history can be taken so: what reaches back,
behind what stands in the book or in an earlier part, needs all of it at once. Then the whole is
staged as one, as small files are. The book is the same either way.

Errors: as the readers and the desk.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from heapq import merge
from operator import attrgetter
from pathlib import Path

import msgspec

from bursar.desk import Desk, Receipt, again, submit_in_order, unswept
from bursar.errors import BadChoice, LedgerError
from bursar.ledger.entries import AnyEntry, Movement
from bursar.ledger.timeline import Expected
from bursar.portfolio.answers import FileImported
from bursar.ports import FileReader, Progress, Reading


class ReadFiles(msgspec.Struct, frozen=True):
    """Files that were read, or looked through where they are streamed."""

    files: tuple[FileImported, ...]
    readings: tuple[Reading, ...]

    @property
    def is_streamed(self) -> bool:
        """Tell whether one of them is too big to be held."""
        return any(reading.expected is not None for reading in self.readings)

    def entries(self) -> list[AnyEntry]:
        """Return all statements, file after file."""
        return [entry for reading in self.readings for entry in reading.statements]

    def named(self) -> set[str]:
        """Return the assets that the statements are in."""
        fields = ("asset", "base", "quote")
        held = (reading for reading in self.readings if reading.expected is None)
        told = (
            getattr(entry, name, None)
            for each in held
            for entry in each.statements
            for name in fields
        )
        streamed = (asset for reading in self.readings for asset in reading.assets)
        return {name for name in (*told, *streamed) if name is not None}


def read(
    reader: FileReader, paths: Iterable[Path], account: str | None, progress: Progress | None
) -> ReadFiles:
    """Read files.

    Raises:
        InputError: the first row that cannot be read.
    """
    files, readings = [], []
    for place in paths:
        with unswept():
            reading = reader(place, account, progress)
        counts = reading.rows, reading.pending, reading.unknown
        files.append(FileImported(place.name, reading.format, *counts))
        readings.append(reading)
    if not files:
        raise BadChoice("no file to import")
    return ReadFiles(tuple(files), tuple(readings))


def submit(desk: Desk, files: ReadFiles, progress: Progress | None) -> Receipt:
    """Commit what files state: all of it or nothing."""
    rows = sum(each.rows for each in files.files)
    tell = progress or _untold
    if files.is_streamed:
        expected = _expected(files.readings)
        with suppress(LedgerError):  # behind, or refused: the whole says which
            return submit_in_order(
                desk,
                _by_time(files.readings),
                expected=expected,
                progress=lambda done: tell("writing", done, rows),
            )

    entries = files.entries()

    def at_once() -> Receipt:
        tell("folding", 0, rows)
        staged = desk.stage(entries)
        tell("writing", 1, 1)
        return desk.commit(staged)

    return again(desk, at_once)


def _by_time(readings: Iterable[Reading]) -> Iterator[AnyEntry]:
    """Merge statements in order of time; those of one instant come file after file."""
    when: Callable[[AnyEntry], int] = attrgetter("executed_at")
    told = [
        sorted(reading.statements, key=when) if reading.expected is None else reading.statements
        for reading in readings
    ]
    return iter(told[0]) if len(told) == 1 else merge(*told, key=when)


def _expected(files: Sequence[Reading]) -> Expected:
    told = [reading.expected for reading in files if reading.expected is not None]
    firsts: tuple[Movement, ...] = tuple(row for each in told for row in each.firsts)
    spans = tuple(span for each in told for span in each.spans)
    # Of several files, two may speak of one trade.
    is_one = len(files) == len(told) == 1
    return Expected(firsts, spans, are_distinct=is_one and told[0].are_distinct)


def _untold(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""
