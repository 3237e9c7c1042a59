"""Tables as text: CSV, JSON, NDJSON. One line, or one row, at a time.

Numbers are in plain notation without trailing zeros, times RFC 3339 in UTC. In JSON decimals are
strings, so that no reader makes floats of them, and what is not known is `null`. In CSV a text
that a spreadsheet could take for a formula gets a leading apostrophe, and so does one that begins
with an apostrophe; to undo it, take one away from every text that has one. Numbers stay numbers:
-5 is no formula.
"""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from bursar.exact import trimmed
from bursar.ledger import instant
from bursar.portfolio.exports.tables import Cell, Column, Kind, Table

# What a cell may not begin with, full-width forms included; and our own mark.
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠", "'")
_SPECIAL: Final = re.compile(r'[,"\r\n\0]|^\s|\s$')
_INDENT: Final = 4


def csv_lines(table: Table) -> Iterator[str]:
    """Yield a head and one line a row; a line may hold line breaks, quoted."""
    columns = [(column, column.kind in _TEXTS) for column in table.columns]
    yield ",".join(_quoted(column.name) for column, _ in columns) + "\n"
    for row in table.rows:
        cells = [
            _quoted(csv_cell(column, value)) if is_text else csv_cell(column, value)
            for (column, is_text), value in zip(columns, row, strict=True)
        ]
        yield ",".join(cells) + "\n"


def ndjson_lines(table: Table) -> Iterator[str]:
    """Yield one JSON object a line."""
    for row in table.rows:
        yield json.dumps(_told(table, row), ensure_ascii=False, separators=(",", ":")) + "\n"


def json_lines(table: Table, *, is_ascii: bool = False) -> Iterator[str]:
    """Yield one document: the table's name, and all of its rows."""
    yield f"{{\n  {json.dumps(table.name)}: ["
    between = "\n"
    for row in table.rows:
        text = json.dumps(_told(table, row), indent=2, ensure_ascii=is_ascii)
        yield between + "\n".join(" " * _INDENT + line for line in text.split("\n"))
        between = ",\n"
    yield "]\n}\n" if between == "\n" else "\n  ]\n}\n"


def _told(table: Table, row: tuple[Cell, ...]) -> dict[str, object]:
    return {c.name: _plain(c, value) for c, value in zip(table.columns, row, strict=True)}


def _plain(column: Column, value: Cell) -> str | int | list[str] | None:
    if isinstance(value, Decimal):
        return trimmed(value)
    if isinstance(value, tuple):
        return list(value)
    if column.kind is Kind.TIME and isinstance(value, int):
        return instant.show(value)
    return value


def csv_cell(column: Column, value: Cell) -> str:
    """Write one cell: a number as it is, a text so that it is no formula."""
    return "" if value is None else _SPELLED[column.kind](value)


def _text(value: Cell) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_RISKY) else text


def _words(value: Cell) -> str:
    assert isinstance(value, tuple)
    return _text(" ".join(value))


def _number(value: Cell) -> str:
    assert isinstance(value, Decimal)
    return trimmed(value)


def _time(value: Cell) -> str:
    assert isinstance(value, int)
    return instant.show(value)


_TEXTS: Final = (Kind.TEXT, Kind.WORDS)
_SPELLED: Final[dict[Kind, Callable[[Cell], str]]] = {
    Kind.TEXT: _text,
    Kind.WORDS: _words,
    Kind.NUMBER: _number,
    Kind.COUNT: str,
    Kind.TIME: _time,
}


def _quoted(cell: str) -> str:
    # By hand: the standard library's writer leaves a carriage return unquoted, which ends a row.
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) else cell
