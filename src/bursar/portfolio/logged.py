"""The log of transactions: what each one that was committed came to, as its message tells it.

Errors: those of the store.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from bursar.portfolio.portfolio import Portfolio


class LoggedTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that was committed: what it was judged by, and what it came to."""

    version: int = 0  # these two the row says, the others its message
    committed_at: int = 0
    id: str
    entries: tuple[str, ...] = ()
    key: str | None = None
    correlation_id: str
    against: str
    cash: Decimal | None = None
    positions: Decimal | None = None
    total: Decimal | None = None
    previous_equity: Decimal | None = None
    delta: Decimal | None = None
    epsilon: Decimal | None = None
    realized: Decimal | None = None
    claimed: Decimal | None = None
    marks: dict[str, Decimal] = {}


class _Message(msgspec.Struct):
    transaction: LoggedTransaction | None = None


_DECODER: Final = msgspec.json.Decoder(_Message)


def transactions(portfolio: Portfolio) -> Iterator[LoggedTransaction]:
    """Return the transactions that were committed, oldest first. O(commits)."""
    for row in portfolio.desk.store.outbox():
        told = _DECODER.decode(row.message.body).transaction
        if told is not None:
            yield msgspec.structs.replace(told, version=row.version, committed_at=row.created_at)
