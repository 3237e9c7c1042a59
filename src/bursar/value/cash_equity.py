"""What a portfolio came to at the marks of its last transaction, and the text it is kept as.

The text is a memo that is written in the transaction's own commit, so neither is there without the
other. Session and portfolio are one name.

Errors: none.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final, TypedDict

import msgspec

from bursar.ledger import instant

NAME: Final = "transactions equity"


class CashEquity(TypedDict):
    """Cash, positions at their marks, both together, and what they were compared with."""

    session_id: str
    version: int
    timestamp: datetime
    cash: Decimal
    positions: Decimal
    total_equity: Decimal
    previous_equity: Decimal


class Kept(msgspec.Struct, frozen=True):
    """The same at rest: `at` in nanoseconds, `version` the portfolio's after the transaction."""

    version: int
    at: int
    cash: Decimal
    positions: Decimal
    total: Decimal
    previous: Decimal


_DECODER: Final = msgspec.json.Decoder(Kept)


def encode(kept: Kept) -> str:
    """Write it as a memo's text."""
    return msgspec.json.encode(kept).decode()


def latest(session: str, text: str | None) -> CashEquity | None:
    """Return what the last transaction came to, from the memo's text if there is one."""
    if text is None:
        return None
    kept = _DECODER.decode(text)
    return CashEquity(
        session_id=session,
        version=kept.version,
        timestamp=instant.to_datetime(kept.at),
        cash=kept.cash,
        positions=kept.positions,
        total_equity=kept.total,
        previous_equity=kept.previous,
    )
