"""A CSV file, read row by row, with its faults named: file, line, column, value, expectation.

Columns are found by name, in any order, and columns nobody asked for are passed over. A byte order
mark, any line ends and blank lines are fine, and so is what spreadsheets and some venues leave
behind: columns without a name, rows of commas alone, empty cells after the last column. Anything
that would make a cell mean something else is not: bytes that are not UTF-8, NUL, a row with too few
or too many cells, a quote that does not close.

The file is streamed: at most a line is in memory at once.

Errors
- `Malformed`: the file breaks its format.
- `OutOfBounds`: more bytes, rows or characters in a cell than the door lets in.
- `UnknownFormat`: an empty file.
- `InputError`: the file cannot be opened or read.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

from bursar import exact
from bursar.errors import InputError, Malformed, NotExact, OutOfBounds, UnknownFormat
from bursar.ledger import instant

BYTES_MAX: Final = 256 * 1024 * 1024
ROWS_MAX: Final = 1_000_000
CELL_MAX: Final = 64 * 1024
LINE_MAX: Final = 1024 * 1024
_SHOWN_MAX: Final = 60
_EXPECTED_MAX: Final = 400
_REPORT_EVERY: Final = 1024 * 1024

Progress = Callable[[int, int], None]
"""Told (bytes done, bytes in all) about once a megabyte and at the end."""


class Table:
    """An open file of rows: its column names, and its rows once. `cell` is what faults call one."""

    def __init__(
        self,
        name: str,
        columns: Sequence[str],
        records: Iterator[tuple[int, list[str]]],
        *,
        cell: str = "column",
    ) -> None:
        self.name = name
        self._cell = cell
        self.columns = tuple(columns)
        self._written: dict[str, str] = {}
        self._records = records

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the cells of each row, as many as there are columns."""
        width = len(self.columns)
        for count, (line, cells) in enumerate(self._records, 1):
            if count > ROWS_MAX:
                raise OutOfBounds(f"{self.name}: over {ROWS_MAX:,} rows; split the file by date")
            if len(cells) > width and not any(cells[width:]):
                del cells[width:]
            if len(cells) != width:
                raise Malformed(
                    f"{self.name}, line {line}: {len(cells)} columns, expected {width} as in the"
                    " header; is the file cut off?",
                    file=self.name,
                    line=line,
                )
            if max(map(len, cells)) > CELL_MAX:
                raise OutOfBounds(
                    f"{self.name}, line {line}: a cell of over {CELL_MAX:,} characters",
                    file=self.name,
                    line=line,
                )
            yield line, cells

    def rename(self, names: Mapping[str, str]) -> None:
        """Call columns by other names, by which they are found; faults name them as written."""
        self._written = {new: old for old, new in names.items()}
        self.columns = tuple(names.get(column, column) for column in self.columns)

    def place(self, column: str) -> int:
        """Return where a column stands that the file must have."""
        if column not in self.columns:
            raise Malformed(
                f"{self.name}, line 1: no column {column!r}, expected one; export again with it",
                file=self.name,
                line=1,
                column=column,
            )
        return self.columns.index(column)

    def place_if_any(self, column: str) -> int | None:
        """Return where a column stands, or `None` where the export leaves it out."""
        return self.columns.index(column) if column in self.columns else None

    def fault(self, line: int, column: str, value: str, expected: str) -> Malformed:
        """Make the error that names the cell and what should be in it."""
        column = self._written.get(column, column)
        place = f"{self.name}, line {line}, {self._cell} {column}"
        if len(expected) > _EXPECTED_MAX:  # it quotes another cell
            expected = f"{expected[:_EXPECTED_MAX]}…"
        return Malformed(
            f"{place}: {_shown(value)}, expected {expected}",
            file=self.name,
            line=line,
            column=column,
            value=_shown(value),
            expected=expected,
        )

    def number(self, line: int, column: str, text: str) -> Decimal:
        """Read a number cell."""
        try:
            return exact.parse_venue(text)
        except NotExact:
            raise self.fault(line, column, text, "a plain decimal number") from None
        except OutOfBounds:
            limits = "a number of at most 20 integer and 18 fractional digits"
            raise self.fault(line, column, text, limits) from None

    def unsigned(self, line: int, column: str, text: str) -> Decimal:
        """Read a number cell that may not be below zero."""
        value = self.number(line, column, text)
        if value < 0:
            raise self.fault(line, column, text, "a number not below zero")
        return value

    def time(self, line: int, column: str, text: str) -> int:
        """Read a time cell, UTC."""
        try:
            return _instant(text)
        except Malformed:
            raise self.fault(line, column, text, "a UTC time like 2026-01-05 10:00:00") from None


@contextmanager
def opened(path: Path, *, progress: Progress | None = None) -> Iterator[Table]:
    """Open a CSV file and read its header."""
    with readable(path) as file:
        records = _records(path.name, _parted(path.name, lines(path, file, progress)))
        first = next(records, None)
        if first is None:
            raise UnknownFormat(f"{path.name}: the file is empty", file=path.name)
        line, cells = first
        columns = [cell.strip().casefold() for cell in cells]
        twice = [column for column, count in Counter(columns).items() if column and count > 1]
        if twice:
            raise Malformed(
                f"{path.name}, line {line}: column {_shown(min(twice))} stands there twice,"
                " expected each name once; is the line missing that names the columns?",
                file=path.name,
                line=line,
            )
        yield Table(path.name, columns, records)


@contextmanager
def readable(path: Path) -> Iterator[BinaryIO]:
    """Open a file for its bytes; what the system refuses, now or later, is an `InputError`."""
    try:
        with path.open("rb") as file:
            yield file
    except IsADirectoryError:
        raise InputError(
            f"{path}: this is a folder; name the files in it", file=str(path)
        ) from None
    except OSError as error:
        raise InputError(
            f"{path.name or path}: cannot be read: {error.strerror or error}", file=path.name
        ) from None


def one_line(text: str) -> str:
    """Return a note without line ends and control characters, which would break a screen."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _parted(name: str, texts: Iterator[str]) -> Iterator[str]:
    """Refuse a first line whose cells something else than commas parts, as spreadsheets do."""
    first = next(texts, "")
    mark = max(_OTHER_MARKS, key=first.count)
    if first.count(mark) > first.count(","):
        raise UnknownFormat(
            f"{name}, line 1: cells parted by {mark!r}, expected ','; import the file as it was"
            " exported, since a spreadsheet that saves it changes numbers and times as well",
            file=name,
            line=1,
        )
    yield first
    yield from texts


def _records(name: str, texts: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(texts, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Malformed(
                f"{name}, line {start}: {error}, expected comma-separated cells, quotes closed",
                file=name,
                line=start,
            ) from None
        if any(cells):
            yield start, cells


def lines(path: Path, file: BinaryIO, progress: Progress | None) -> Iterator[str]:
    """Yield the lines of an open file as text, each ended by a bare line feed."""
    total = path.stat().st_size
    done = reported = 0
    for number, raw in enumerate(iter(lambda: file.readline(LINE_MAX + 1), b""), 1):
        done += len(raw)
        if done > BYTES_MAX or len(raw) > LINE_MAX:
            raise OutOfBounds(
                f"{path.name}, line {number}: over {BYTES_MAX >> 20} MiB in the file or"
                f" {LINE_MAX >> 20} MiB in a line; split the file by date",
                file=path.name,
                line=number,
            )
        yield from _ended(_decoded(path.name, number, raw))
        if progress is not None and done - reported >= _REPORT_EVERY:
            reported = done
            progress(done, total)
    if progress is not None:
        progress(done, total)


def _decoded(name: str, number: int, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(
            f"{name}, line {number}: byte {error.start + 1} is"
            f" 0x{raw[error.start]:02x}, expected UTF-8 text",
            file=name,
            line=number,
        ) from None
    if "\0" in text:
        raise Malformed(f"{name}, line {number}: a NUL, expected text", file=name, line=number)
    return text


def _ended(text: str) -> Iterator[str]:
    """Give every line the same end; a bare carriage return ends one too."""
    if "\r" not in text:
        yield text
        return
    pieces = text.replace("\r\n", "\n").split("\r")
    for piece in pieces[:-1]:
        yield piece + "\n"
    if pieces[-1]:
        yield pieces[-1]


def _instant(text: str) -> int:
    """Read a time by its day and by its clock, both of which come again and again."""
    return _day(text[:_DAY_LENGTH]) + _clock(text[_DAY_LENGTH:])


_OTHER_MARKS: Final = (";", "\t", "|")
_DAY_LENGTH: Final = len("2026-01-05")
_day: Final = lru_cache(maxsize=4096)(instant.parse)


@lru_cache(maxsize=100_000)
def _clock(text: str) -> int:
    return instant.parse(f"1970-01-01{text}")


def _shown(value: str) -> str:
    """Quote a value, cut where it is long, control characters escaped."""
    return repr(value if len(value) <= _SHOWN_MAX else value[:_SHOWN_MAX] + "…")
