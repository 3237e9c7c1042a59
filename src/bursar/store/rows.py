"""Rows as the driver takes them: each value as an INSERT through SQLAlchemy would write it.

SQLAlchemy looks at every row of a statement anew. Where there are many, asking it once for each
column says the same thing several times sooner.

Errors: `KeyError` for a row that lacks a column.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Table

_Writers = tuple[tuple[str, Callable[[Any], Any] | None], ...]


def written(
    rows: Iterable[Mapping[str, Any]], table: Table, dialect: Dialect
) -> Iterator[tuple[Any, ...]]:
    """Yield the values of each row in the order of the table's columns."""
    writers = _writers(table, dialect)
    for row in rows:
        yield tuple(row[name] if write is None else write(row[name]) for name, write in writers)


@lru_cache
def _writers(table: Table, dialect: Dialect) -> _Writers:
    return tuple(
        (column.name, column.type.dialect_impl(dialect).bind_processor(dialect))
        for column in table.columns
    )
