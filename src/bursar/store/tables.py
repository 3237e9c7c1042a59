"""The tables. Each is keyed by portfolio first, so that portfolios in one database stay apart.

Numbers are exact decimals: text in SQLite (whose own numbers are floats), NUMERIC without bounds in
Postgres, where a check refuses what is no number. Instants are whole nanoseconds. Text sorts by
code point everywhere.

A table changed here needs a revision in `migrations/`; a test compares the two.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from bursar.exact import plain
from bursar.ledger import instant
from bursar.ledger.journal import Record
from bursar.store import texts

POSTGRES: Final = "postgresql"


class Exact(TypeDecorator[Decimal]):
    """A decimal with every digit it was written with; an exponent is written out."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose unbounded NUMERIC where it is exact, text elsewhere."""
        exact: TypeEngine[Any] = Numeric() if dialect.name == POSTGRES else Text()
        return dialect.type_descriptor(exact)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        """Write a number for the database."""
        return value if dialect.name == POSTGRES else _plain(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Decimal | None], str | None] | None:
        """Return what writes numbers, with nothing around it: there are many."""
        return None if dialect.name == POSTGRES else _plain

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], Decimal | None] | None:
        """Return what reads numbers back, with nothing around it: there are many."""
        return super().result_processor(dialect, coltype) if dialect.name == POSTGRES else _decimal


def _decimal(value: str | None) -> Decimal | None:
    if value is None:
        return None
    if _PLAIN.fullmatch(value) is None:
        raise ValueError("no plain decimal")
    return Decimal(value)


def _plain(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = str(value)  # there are many, and few have an exponent
    return plain(value) if "E" in text else text


def _nanoseconds(value: datetime | None) -> int | None:
    return None if value is None else instant.from_datetime(value)


@lru_cache(maxsize=256)
def _words(value: tuple[str, ...] | None) -> str:
    return texts.flags(value or ())


class Instant(TypeDecorator[datetime]):
    """An aware time, kept as UTC nanoseconds."""

    impl = BigInteger().with_variant(Integer(), "sqlite")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """Write a time for the database."""
        return _nanoseconds(value)

    def bind_processor(self, _dialect: Dialect) -> Callable[[datetime | None], int | None]:
        """Return what writes times, with nothing around it."""
        return _nanoseconds

    def result_processor(
        self, _dialect: Dialect, _coltype: object
    ) -> Callable[[int | None], datetime | None]:
        """Return what reads times back, in UTC."""
        return _moment


def _moment(value: int | None) -> datetime | None:
    if value is None:
        return None
    if value % 1_000:
        raise ValueError("an instant between two microseconds")
    return instant.to_datetime(value)


class Flags(TypeDecorator[tuple[str, ...]]):
    """A short list of words."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, _dialect: Dialect) -> str:
        """Write the words for the database."""
        return _words(value)

    def bind_processor(self, _dialect: Dialect) -> Callable[[tuple[str, ...] | None], str]:
        """Return what writes words, with nothing around it."""
        return _words

    def result_processor(
        self, _dialect: Dialect, _coltype: object
    ) -> Callable[[str | None], tuple[str, ...]]:
        """Return what reads words back."""
        return _read


@lru_cache(maxsize=256)
def _read(value: str | None) -> tuple[str, ...]:
    return texts.to_flags(value or "")


WORD: Final = Text().with_variant(Text(collation="C"), POSTGRES)
LONG: Final = BigInteger().with_variant(Integer(), "sqlite")

METADATA: Final = MetaData()
_PLAIN: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _portfolio() -> Column[str]:
    return Column("portfolio", WORD, ForeignKey("portfolios.name"), primary_key=True)


PORTFOLIOS: Final = Table(
    "portfolios",
    METADATA,
    Column("name", WORD, primary_key=True),
    Column("base", WORD, nullable=False),
    Column("terms", Text, nullable=False),
    Column("version", LONG, nullable=False),
    Column("seq", LONG, nullable=False),
    Column("hash", Text, nullable=False),
    Column("created_at", LONG, nullable=False),
    sqlite_strict=True,
)

JOURNAL: Final = Table(
    "journal",
    METADATA,
    _portfolio(),
    Column("seq", LONG, primary_key=True),
    Column("key", WORD, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("fact", WORD, nullable=False),
    Column("executed_at", LONG, nullable=False),
    Column("recorded_at", LONG, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("home", WORD, nullable=False),
    UniqueConstraint("portfolio", "key", name="journal_key"),
    Index("journal_by_home", "portfolio", "home"),
    sqlite_strict=True,
)

RECORD: Final = tuple(JOURNAL.c[name] for name in Record.__struct_fields__)
"""What of a journal row is its record; by the other columns rows are found."""

CELLS: Final = Table(
    "cells",
    METADATA,
    _portfolio(),
    Column("name", WORD, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_strict=True,
)

CHECKPOINTS: Final = Table(
    "checkpoints",
    METADATA,
    _portfolio(),
    Column("time", LONG, nullable=False),
    Column("seq", LONG, nullable=False),
    Column("hash", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", Text, nullable=False),
    sqlite_strict=True,
)

TRADES: Final = Table(
    "trades",
    METADATA,
    _portfolio(),
    Column("trade_id", WORD, primary_key=True),
    Column("kind", WORD, primary_key=True),
    Column("order_id", Text),
    Column("pair", WORD, nullable=False),
    Column("account", Text, nullable=False),
    Column("time", Instant, nullable=False),
    Column("side", Text, nullable=False),
    Column("base_delta", Exact, nullable=False),
    Column("quote_delta", Exact, nullable=False),
    Column("fee_asset", Text, nullable=False),
    Column("fee_amount", Exact, nullable=False),
    Column("pnl_quote", Exact),
    Column("pnl_base", Exact, nullable=False),
    Column("fee_base", Exact),
    Column("cost_base", Exact, nullable=False),
    Column("price", Exact),
    Column("strategy_tag", Text),
    Column("regime", Text),
    Column("flags", Flags, nullable=False),
    Index("trades_by_time", "portfolio", "time"),
    sqlite_strict=True,
)

FLOWS: Final = Table(
    "flows",
    METADATA,
    _portfolio(),
    Column("id", WORD, primary_key=True),
    Column("time", Instant, nullable=False),
    Column("asset", WORD, nullable=False),
    Column("amount", Exact, nullable=False),
    Column("type", Text, nullable=False),
    Column("note", Text),
    Column("account", Text, nullable=False),
    Column("value_base", Exact),
    Column("cost_base", Exact, nullable=False),
    Column("fee_amount", Exact, nullable=False),
    Column("flags", Flags, nullable=False),
    Index("flows_by_time", "portfolio", "time"),
    sqlite_strict=True,
)

SNAPSHOTS: Final = Table(
    "snapshots",
    METADATA,
    _portfolio(),
    Column("time", Instant, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_strict=True,
)

MEMOS: Final = Table(
    "memos",
    METADATA,
    _portfolio(),
    Column("name", WORD, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_strict=True,
)

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    _portfolio(),
    Column("number", LONG, primary_key=True),
    Column("version", LONG, nullable=False),
    Column("id", WORD, nullable=False),
    Column("topic", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", LONG, nullable=False),
    UniqueConstraint("portfolio", "id", name="outbox_id"),
    sqlite_strict=True,
)

for _table in METADATA.tables.values():
    for _column in _table.columns:
        if isinstance(_column.type, Exact):
            _finite = f"{_column.name} NOT IN ('NaN', 'Infinity', '-Infinity')"
            _check = CheckConstraint(_finite, name=f"{_table.name}_{_column.name}_finite")
            _table.append_constraint(_check.ddl_if(dialect=POSTGRES))

# Which revision the tables are of. Alembic makes the same table; it is no part of METADATA, since
# it is about the tables and not one of them.
SCHEMA: Final = Table(
    "bursar_schema",
    MetaData(),
    Column("version_num", String(32), primary_key=True),
)
