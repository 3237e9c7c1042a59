"""Finding journal rows by what stands in their columns, memos by their names, records by time.

To put a statement together takes longer than a small one takes itself, so each is made once.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    Row,
    Select,
    Table,
    bindparam,
    select,
)

from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord
from bursar.ports import Head
from bursar.store import writes
from bursar.store.sending import Question
from bursar.store.tables import FLOWS, JOURNAL, MEMOS, PORTFOLIOS, RECORD, SNAPSHOTS, TRADES

CHUNK = 500
_FIELDS = {
    TRADES: RealizedPnLRecord.__struct_fields__,
    FLOWS: CashFlowRecord.__struct_fields__,
    SNAPSHOTS: ("time", "body"),
}
_MEMO = select(MEMOS.c.body).where(
    MEMOS.c.portfolio == bindparam("own"), MEMOS.c.name == bindparam("wanted")
)
_MEMOS = select(MEMOS).where(MEMOS.c.portfolio == bindparam("own")).order_by(MEMOS.c.name)
_SOME_MEMOS = _MEMOS.where(MEMOS.c.name >= bindparam("first"), MEMOS.c.name < bindparam("end"))


def rows(
    connection: Connection, portfolio: str, column: Column[str], names: Sequence[str]
) -> Iterator[Row[Any]]:
    """Yield the journal rows that have one of these names in a column, in no order.

    Asked for an order, SQLite would walk the journal in it instead of looking into the index.
    """
    for start in range(0, len(names), CHUNK):
        some = column.in_(names[start : start + CHUNK])
        found = select(*RECORD).where(JOURNAL.c.portfolio == portfolio, some)
        yield from connection.execute(found).all()


def memo(asked: Question, portfolio: str, name: str) -> str | None:
    """Return the text of a memo, if there is one of that very name."""
    rows = asked(_MEMO, {"own": portfolio, "wanted": name})
    return writes.memo(portfolio, name, rows[0][0]) if rows else None


def standing(asked: Question, portfolio: str, names: Sequence[str]) -> tuple[Head, dict[str, str]]:
    """Return where a portfolio stands, and the texts of some memos."""
    wanted = {f"name_{number}": name for number, name in enumerate(names)}
    rows = asked(_standing(len(names)), {"own": portfolio, **wanted})
    size = len(writes.HEAD)
    head = writes.headed([row[:size] for row in rows], portfolio)
    found = zip(names, rows[0][size:], strict=True)
    return head, {
        name: writes.memo(portfolio, name, body) for name, body in found if body is not None
    }


@cache
def _standing(count: int) -> Select[tuple[Any, ...]]:
    """Return the question for a head and so many memos, each of which is looked up by its key."""
    own = MEMOS.c.portfolio == PORTFOLIOS.c.name
    bodies = (
        select(MEMOS.c.body).where(own, MEMOS.c.name == bindparam(f"name_{number}"))
        for number in range(count)
    )
    asked = select(*writes.HEAD, *(body.scalar_subquery() for body in bodies))
    return asked.where(PORTFOLIOS.c.name == bindparam("own"))


def memos(connection: Connection, portfolio: str, prefix: str) -> dict[str, str]:
    """Return the memos whose names begin so, ordered by name."""
    # A range, since a pattern would be held against the name of every memo.
    found = _SOME_MEMOS if prefix else _MEMOS
    ends = {"first": prefix, "end": _next(prefix)} if prefix else {}
    return {
        row.name: writes.memo(portfolio, row.name, row.body)
        for row in connection.execute(found, {"own": portfolio, **ends})
    }


@cache
def newest(table: Table, given: frozenset[str]) -> Select[tuple[Any, ...]]:
    """Return the statement for a portfolio's rows of a table, newest first, their columns in the
    order of the record's fields: `since`, before `until`, at most `limit` of them, those of one
    `pair` or `asset`, or those `without` a pattern for their kind, as far as they are given.
    """
    wanted = (table.c[name] == bindparam(name) for name in sorted(given) if name in table.c)
    found = select(*(table.c[name] for name in _FIELDS[table]))
    found = found.where(table.c.portfolio == bindparam("own"), *wanted)
    if "since" in given:
        found = found.where(table.c.time >= bindparam("since"))
    if "until" in given:
        found = found.where(table.c.time < bindparam("until"))
    if "without" in given:
        found = found.where(table.c.kind.not_like(bindparam("without")))
    if "limit" in given:
        found = found.limit(bindparam("limit", type_=Integer))
    order = [table.c.time, *(c for c in table.primary_key if c.name != "portfolio")]
    return found.order_by(*(column.desc() for column in order))


def _next(prefix: str) -> str:
    """Return the first text behind all that begin so."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
