"""Seals: terms, messages and snapshots carry a hash of their text and of where it stands.

Back again, the seals come off and nothing else changes.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

DIGITS = 16
# Of each table: the column that is sealed, and those that say where it stands, its key first.
SEALED = {
    "portfolios": ("terms", ("name",)),
    "outbox": ("body", ("portfolio", "number", "version", "id", "topic", "created_at")),
    "snapshots": ("body", ("portfolio", "time")),
}
CHUNK = 500

Change = Callable[[str, Sequence[object]], str]


def upgrade() -> None:
    _rewrite(_seal)


def downgrade() -> None:
    _rewrite(_unseal)


def _seal(text: str, place: Sequence[object]) -> str:
    line = "\n".join((*map(str, place), text))
    return f"{sha256(line.encode()).hexdigest()[:DIGITS]} {text}"


def _unseal(text: str, _place: Sequence[object]) -> str:
    return text[DIGITS + 1 :]


def _rewrite(change: Change) -> None:
    bind = op.get_bind()
    for name, (sealed, place) in SEALED.items():
        table = sa.table(name, *(sa.column(each) for each in (sealed, *place)))
        keys = [table.c[each] for each in place[:2]]
        rows = bind.execute(sa.select(table.c[sealed], *(table.c[each] for each in place))).all()
        update = (
            sa.update(table)
            .where(*(key == sa.bindparam(f"key_{key.name}") for key in keys))
            .values({sealed: sa.bindparam("text")})
        )
        for start in range(0, len(rows), CHUNK):
            bind.execute(update, [_told(row, keys, change) for row in rows[start : start + CHUNK]])


def _told(
    row: Sequence[object], keys: Sequence[sa.ColumnClause[object]], change: Change
) -> dict[str, object]:
    text, place = str(row[0]), row[1:]
    named = {f"key_{key.name}": place[n] for n, key in enumerate(keys)}
    return {**named, "text": change(text, place)}
