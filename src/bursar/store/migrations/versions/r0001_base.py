"""The first tables.

A revision is history: it spells its tables out and imports none that may change.
"""

import sqlalchemy as sa
from alembic import op

from bursar.errors import BadChoice

revision = "0001"
down_revision = None

WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.Text().with_variant(sa.Numeric(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "portfolios",
        sa.Column("name", WORD, primary_key=True),
        sa.Column("base", WORD, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("version", LONG, nullable=False),
        sa.Column("seq", LONG, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("created_at", LONG, nullable=False),
        sqlite_strict=True,
    )
    _journal()
    _projection()
    op.create_table(
        "outbox",
        _portfolio(),
        sa.Column("number", LONG, primary_key=True),
        sa.Column("version", LONG, nullable=False),
        sa.Column("id", WORD, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", LONG, nullable=False),
        sa.UniqueConstraint("portfolio", "id", name="outbox_id"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    raise BadChoice("before the first revision there is no book")


def _portfolio() -> sa.Column[str]:
    return sa.Column("portfolio", WORD, sa.ForeignKey("portfolios.name"), primary_key=True)


def _journal() -> None:
    op.create_table(
        "journal",
        _portfolio(),
        sa.Column("seq", LONG, primary_key=True),
        sa.Column("key", WORD, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("fact", WORD, nullable=False),
        sa.Column("executed_at", LONG, nullable=False),
        sa.Column("recorded_at", LONG, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.UniqueConstraint("portfolio", "key", name="journal_key"),
        sqlite_strict=True,
    )


def _projection() -> None:
    op.create_table(
        "cells",
        _portfolio(),
        sa.Column("name", WORD, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    _trades()
    op.create_table(
        "flows",
        _portfolio(),
        sa.Column("id", WORD, primary_key=True),
        sa.Column("time", LONG, nullable=False),
        sa.Column("asset", WORD, nullable=False),
        sa.Column("amount", EXACT, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("value_base", EXACT),
        sa.Column("cost_base", EXACT, nullable=False),
        sa.Column("fee_amount", EXACT, nullable=False),
        sa.Column("flags", sa.Text, nullable=False),
        *_finite("flows", "amount", "value_base", "cost_base", "fee_amount"),
        sqlite_strict=True,
    )
    op.create_table(
        "snapshots",
        _portfolio(),
        sa.Column("time", LONG, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_strict=True,
    )


def _trades() -> None:
    op.create_table(
        "trades",
        _portfolio(),
        sa.Column("trade_id", WORD, primary_key=True),
        sa.Column("kind", WORD, primary_key=True),
        sa.Column("order_id", sa.Text),
        sa.Column("pair", WORD, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("time", LONG, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("base_delta", EXACT, nullable=False),
        sa.Column("quote_delta", EXACT, nullable=False),
        sa.Column("fee_asset", sa.Text, nullable=False),
        sa.Column("fee_amount", EXACT, nullable=False),
        sa.Column("pnl_quote", EXACT),
        sa.Column("pnl_base", EXACT, nullable=False),
        sa.Column("fee_base", EXACT),
        sa.Column("cost_base", EXACT, nullable=False),
        sa.Column("price", EXACT),
        sa.Column("strategy_tag", sa.Text),
        sa.Column("regime", sa.Text),
        sa.Column("flags", sa.Text, nullable=False),
        *_finite("trades", "base_delta", "quote_delta", "fee_amount", "pnl_quote", "pnl_base"),
        *_finite("trades", "fee_base", "cost_base", "price"),
        sqlite_strict=True,
    )


def _finite(table: str, *columns: str) -> list[sa.CheckConstraint]:
    """Refuse what is no number, where the database's own numbers would let it in."""
    return [
        sa.CheckConstraint(
            f"{column} NOT IN ('NaN', 'Infinity', '-Infinity')", name=f"{table}_{column}_finite"
        ).ddl_if(dialect="postgresql")
        for column in columns
    ]
