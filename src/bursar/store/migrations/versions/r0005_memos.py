"""Memos: short texts by name, beside the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "memos",
        sa.Column("portfolio", WORD, sa.ForeignKey("portfolios.name"), primary_key=True),
        sa.Column("name", WORD, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("memos")
