"""Finding journal rows by what stands in their columns."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Row, select

from bursar.store.tables import JOURNAL

CHUNK = 500


def rows(
    connection: Connection, portfolio: str, column: Column[str], names: Sequence[str]
) -> Iterator[Row[Any]]:
    """Yield the journal rows that have one of these names in a column, some at a time."""
    for start in range(0, len(names), CHUNK):
        some = column.in_(names[start : start + CHUNK])
        found = select(JOURNAL).where(JOURNAL.c.portfolio == portfolio, some)
        yield from connection.execute(found.order_by(JOURNAL.c.seq)).all()
