"""Trades in a database: SQLite or Postgres, in tables beside the book's or in another database.

The tables are no part of the book: they are made when they are missing, and a backup leaves them
out. Two open stores of one portfolio see the same trades; there should be one that writes.

Errors: `StoreError`s, as the book's own store; `BadChoice` for a place that is none.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    MetaData,
    Select,
    Table,
    Text,
    delete,
    or_,
    select,
)

from bursar.measure.positions import Trade
from bursar.store.dialect import WRITES, Dialect
from bursar.store.faults import translated
from bursar.store.places import address, engine_of
from bursar.store.tables import LONG, WORD
from bursar.store.trades import texts

_CHUNK: Final = 500
_METADATA: Final = MetaData()
_TRADES: Final = Table(
    "trade_view",
    _METADATA,
    Column("portfolio", WORD, primary_key=True),
    Column("trade_id", WORD, primary_key=True),
    Column("symbol", WORD, nullable=False),
    Column("opened_at", LONG, nullable=False),
    Column("closed_at", LONG),
    Column("body", Text, nullable=False),
    Index("trade_view_closed", "portfolio", "closed_at"),
    sqlite_strict=True,
)
_REACHED: Final = Table(
    "trade_view_reached",
    _METADATA,
    Column("portfolio", WORD, primary_key=True),
    Column("reached", Text, nullable=False),
    sqlite_strict=True,
)
_BOOKMARK: Final = Table(
    "trade_view_bookmark",
    _METADATA,
    Column("portfolio", WORD, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_strict=True,
)


def open_sql_trades(place: str | os.PathLike[str], portfolio: str) -> "SqlTradeStore":
    """Open the trades of a portfolio in a database: `book.db`, `postgresql://…`."""
    url = address(place)
    engine, dialect = engine_of(url)
    try:
        with translated(dialect.fault):
            dialect.prepare(url, True)  # noqa: FBT003 (the record's signature)
            with _writing(engine) as connection:
                dialect.lock(connection, "")
                _METADATA.create_all(connection)
    except BaseException:
        engine.dispose()
        raise
    return SqlTradeStore(engine, dialect, portfolio)


class SqlTradeStore:
    """A `TradeStore` over SQLAlchemy Core. `open_sql_trades` makes one."""

    def __init__(self, engine: Engine, dialect: Dialect, portfolio: str) -> None:
        self._engine = engine
        self._dialect = dialect
        self._portfolio = portfolio

    def __repr__(self) -> str:
        return f"SqlTradeStore(portfolio={self._portfolio!r})"

    def reached(self) -> str:
        """Return of which state the trades are."""
        return self._stamped(_REACHED, _REACHED.c.reached)

    def bookmark(self) -> str:
        """Return what was kept beside the trades."""
        return self._stamped(_BOOKMARK, _BOOKMARK.c.body)

    def save(
        self,
        trades: Iterable[Trade],
        reached: str,
        *,
        since: int | None = None,
        bookmark: str | None = None,
    ) -> None:
        """Keep trades and what they are of in one transaction."""
        own = self._portfolio
        rows = [
            {
                "portfolio": own,
                "trade_id": each.trade_id,
                "symbol": each.symbol,
                "opened_at": each.since,
                "closed_at": each.closed_at,
                "body": texts.encode(each),
            }
            for each in trades
        ]
        state = {"portfolio": own, "reached": texts.stamped(reached)}
        with translated(self._dialect.fault), _writing(self._engine) as connection:
            self._dialect.lock(connection, f"trades of {own}")
            if since is not None:
                closed_at = _TRADES.c.closed_at
                gone = or_(closed_at.is_(None), closed_at >= since)
                connection.execute(delete(_TRADES).where(_TRADES.c.portfolio == own, gone))
            for start in range(0, len(rows), _CHUNK):
                connection.execute(self._dialect.upsert(_TRADES), rows[start : start + _CHUNK])
            connection.execute(self._dialect.upsert(_REACHED), [state])
            if bookmark is not None:
                kept = {"portfolio": own, "body": texts.stamped(bookmark)}
                connection.execute(self._dialect.upsert(_BOOKMARK), [kept])

    def open_trades(self, symbol: str | None = None) -> list[Trade]:
        """Return what is open, by opening time and id."""
        found = self._of(symbol).where(_TRADES.c.closed_at.is_(None))
        return self._read(found.order_by(_TRADES.c.opened_at, _TRADES.c.trade_id))

    def closed_trades(
        self, symbol: str | None = None, *, since: int | None = None, limit: int | None = None
    ) -> list[Trade]:
        """Return what was closed at or after an instant, newest first."""
        found = self._of(symbol).where(_TRADES.c.closed_at >= (since or 0))
        newest = found.order_by(_TRADES.c.closed_at.desc(), _TRADES.c.trade_id.desc())
        return self._read(newest.limit(limit))

    def trade(self, trade_id: str) -> Trade | None:
        """Return one trade, if there is one of that id."""
        return next(iter(self._read(self._of(None).where(_TRADES.c.trade_id == trade_id))), None)

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()

    def _stamped(self, table: Table, column: Column[str]) -> str:
        found = select(column).where(table.c.portfolio == self._portfolio)
        with self._reading() as connection:
            return texts.unstamped(connection.execute(found).scalar() or "")

    def _of(self, symbol: str | None) -> Select[tuple[str]]:
        found = select(_TRADES.c.body).where(_TRADES.c.portfolio == self._portfolio)
        return found if symbol is None else found.where(_TRADES.c.symbol == symbol)

    def _read(self, found: Select[tuple[str]]) -> list[Trade]:
        with self._reading() as connection:
            return [texts.decode(row.body) for row in connection.execute(found)]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._dialect.fault), self._engine.connect() as connection:
            yield connection


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    options = {WRITES: True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection
