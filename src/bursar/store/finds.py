"""Finding journal rows by what stands in their columns, and memos by their names."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Row, bindparam, select

from bursar.store import writes
from bursar.store.sending import Question
from bursar.store.tables import JOURNAL, MEMOS

CHUNK = 500
_MEMO = select(MEMOS.c.body).where(
    MEMOS.c.portfolio == bindparam("own"), MEMOS.c.name == bindparam("wanted")
)


def rows(
    connection: Connection, portfolio: str, column: Column[str], names: Sequence[str]
) -> Iterator[Row[Any]]:
    """Yield the journal rows that have one of these names in a column, in no order.

    Asked for an order, SQLite would walk the journal in it instead of looking into the index.
    """
    for start in range(0, len(names), CHUNK):
        some = column.in_(names[start : start + CHUNK])
        found = select(JOURNAL).where(JOURNAL.c.portfolio == portfolio, some)
        yield from connection.execute(found).all()


def memo(asked: Question, portfolio: str, name: str) -> str | None:
    """Return the text of a memo, if there is one of that very name."""
    rows = asked(_MEMO, {"own": portfolio, "wanted": name})
    return writes.memo(portfolio, name, rows[0][0]) if rows else None


def memos(connection: Connection, portfolio: str, prefix: str) -> dict[str, str]:
    """Return the memos whose names begin so, ordered by name."""
    found = select(MEMOS).where(
        MEMOS.c.portfolio == portfolio, MEMOS.c.name.startswith(prefix, autoescape=True)
    )
    return {
        row.name: writes.memo(portfolio, row.name, row.body)
        for row in connection.execute(found.order_by(MEMOS.c.name))
    }
