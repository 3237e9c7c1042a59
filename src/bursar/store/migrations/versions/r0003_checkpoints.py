"""Checkpoints, and the group of each journal row, by which a row that comes late is found."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHUNK = 1000


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("portfolio", WORD, sa.ForeignKey("portfolios.name"), primary_key=True),
        sa.Column("time", LONG, nullable=False),
        sa.Column("seq", LONG, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.drop_index("journal_by_fact", "journal")
    with op.batch_alter_table("journal", table_kwargs={"sqlite_strict": True}) as journal:
        journal.add_column(sa.Column("home", WORD, nullable=False, server_default=""))
    _fill()
    with op.batch_alter_table("journal", table_kwargs={"sqlite_strict": True}) as journal:
        journal.alter_column("home", server_default=None, existing_type=WORD)
    op.create_index("journal_by_home", "journal", ["portfolio", "home"])


def downgrade() -> None:
    op.drop_index("journal_by_home", "journal")
    with op.batch_alter_table("journal", table_kwargs={"sqlite_strict": True}) as journal:
        journal.drop_column("home")
    op.create_index("journal_by_fact", "journal", ["portfolio", "fact"])
    op.drop_table("checkpoints")


def _fill() -> None:
    database = op.get_bind()
    rows = sa.text(
        "SELECT portfolio, seq, body FROM journal WHERE portfolio > :p OR"
        " (portfolio = :p AND seq > :s) ORDER BY portfolio, seq LIMIT :n"
    )
    change = sa.text("UPDATE journal SET home = :home WHERE portfolio = :p AND seq = :s")
    portfolio, seq = "", 0
    while found := database.execute(rows, {"p": portfolio, "s": seq, "n": CHUNK}).all():
        told = [(each, json.loads(each.body)) for each in found]
        database.execute(
            change,
            [
                {"home": said.get("group") or said["id"], "p": each.portfolio, "s": each.seq}
                for each, said in told
            ],
        )
        portfolio, seq = found[-1].portfolio, found[-1].seq
