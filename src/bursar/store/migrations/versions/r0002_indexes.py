"""Indexes: a fact's statements by its id, trades and cash flows by time."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("journal_by_fact", "journal", ["portfolio", "fact"])
    op.create_index("trades_by_time", "trades", ["portfolio", "time"])
    op.create_index("flows_by_time", "flows", ["portfolio", "time"])


def downgrade() -> None:
    op.drop_index("flows_by_time", "flows")
    op.drop_index("trades_by_time", "trades")
    op.drop_index("journal_by_fact", "journal")
