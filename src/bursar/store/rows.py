"""Rows as the driver takes them: each value as an INSERT through SQLAlchemy would write it.

SQLAlchemy looks at every row of a statement anew. Where there are many, asking it once for each
column says the same thing several times sooner, and most columns are taken as they are.

Errors: `KeyError` for a row that lacks a column, `ValueError` for one that is not as wide as the
table.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Table

Values = tuple[Any, ...]
"""A row: a value for each column of its table, in the table's order."""


def listed(rows: Iterable[Mapping[str, Any]], table: Table) -> list[Values]:
    """Return rows that name their columns as values in the table's order."""
    values = itemgetter(*_names(table))
    return [values(row) for row in rows]


def named(rows: Iterable[Values], table: Table) -> list[dict[str, Any]]:
    """Return rows with the names of their columns, as SQLAlchemy takes them."""
    return [dict(zip(_names(table), row, strict=True)) for row in rows]


def written(rows: Sequence[Values], table: Table, dialect: Dialect) -> Iterable[Values]:
    """Return the rows with their values as the driver takes them, column by column. O(values)."""
    writers = _writers(table, dialect)
    if not writers:
        return rows
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for place, write in writers:
        columns[place] = map(write, columns[place])
    return zip(*columns, strict=True)


@lru_cache
def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


@lru_cache
def _writers(table: Table, dialect: Dialect) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """Return what writes those values that are not taken as they are, by their places."""
    processors = (
        column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns
    )
    return tuple((place, write) for place, write in enumerate(processors) if write is not None)
