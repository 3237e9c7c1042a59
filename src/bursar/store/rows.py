"""Rows as the driver takes them: each value as an INSERT through SQLAlchemy would write it.

SQLAlchemy looks at every row of a statement anew. Where there are many, asking it once for each
column says the same thing several times sooner, and most columns are taken as they are.

Errors: `KeyError` for a row that lacks a column.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Table

_Cells = Callable[[Mapping[str, Any]], tuple[Any, ...]]
_Writers = tuple[tuple[int, Callable[[Any], Any]], ...]


def written(
    rows: Iterable[Mapping[str, Any]], table: Table, dialect: Dialect
) -> Iterator[tuple[Any, ...]]:
    """Yield the values of each row in the order of the table's columns."""
    cells, writers = _columns(table, dialect)
    for row in rows:
        values = cells(row)
        if writers:
            changed = list(values)
            for place, write in writers:
                changed[place] = write(changed[place])
            values = tuple(changed)
        yield values


@lru_cache
def _columns(table: Table, dialect: Dialect) -> tuple[_Cells, _Writers]:
    """Return what takes the values out of a row, and what writes those that need it."""
    processors = (
        column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns
    )
    writers = tuple((place, write) for place, write in enumerate(processors) if write is not None)
    return itemgetter(*(column.name for column in table.columns)), writers
