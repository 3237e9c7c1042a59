"""The rows of a file that gives each of them an id: each id once.

A row that stands in the file twice in the same words, as where exports overlap, is read once. The
same id with other values is a fault, since nobody can tell which of the two is right.

Errors: `Malformed`, naming both lines.
"""

from typing import Generic, TypeVar

from bursar.venue.files.table import Table

_R = TypeVar("_R")


class UniqueRows(Generic[_R]):
    """Rows with their line numbers, and how many were `repeated`. `column` is where ids stand."""

    def __init__(self, table: Table, column: str) -> None:
        self.rows: list[_R] = []
        self.lines: list[int] = []
        self.repeated = 0
        self._table = table
        self._column = column
        self._places: dict[str | tuple[str, ...], int] = {}

    def add(self, line: int, row: _R, name: str | None, *of: str) -> None:
        """Take a row over, known by its name among those `of` the same. Without one it is new."""
        if name is not None:
            place = self._places.setdefault((name, *of) if of else name, len(self.rows))
            if place < len(self.rows):
                self._repeat(line, row, name, place)
                return
        self.rows.append(row)
        self.lines.append(line)

    def reverse(self) -> None:
        """Turn the rows round; from then on none may be added."""
        self.rows.reverse()
        self.lines.reverse()

    def _repeat(self, line: int, row: _R, name: str, place: int) -> None:
        if self.rows[place] != row:
            before = f"an id of its own; line {self.lines[place]} has it with other values"
            raise self._table.fault(line, self._column, name, before)
        self.repeated += 1
