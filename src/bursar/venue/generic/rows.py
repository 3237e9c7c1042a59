"""A row of the generic CSV: its numbers and time read, its type known to ask for what it needs."""

from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec


class Type(Enum):
    """What a row tells."""

    BUY = "buy"
    SELL = "sell"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    CONVERSION = "conversion"
    REWARD = "reward"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    FUNDING = "funding"
    REBATE = "rebate"
    AIRDROP = "airdrop"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    UNCLASSIFIED = "unclassified"
    SPLIT = "split"
    RENAME = "rename"


TRADES: Final = frozenset({Type.BUY, Type.SELL})
SIGNED: Final = frozenset(
    {
        Type.REWARD,
        Type.DIVIDEND,
        Type.INTEREST,
        Type.FUNDING,
        Type.REBATE,
        Type.AIRDROP,
        Type.ADJUSTMENT,
        Type.UNCLASSIFIED,
    }
)
"""Types whose quantity is signed: income may be taken back, and the last two go either way."""

FLOWS: Final = SIGNED | {Type.DEPOSIT, Type.WITHDRAWAL, Type.FEE}


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event. Numbers are as they stand in the file; `None` where the cell is empty."""

    type: Type
    at: int
    account: str
    asset: str
    quantity: Decimal | None = None
    quote: str | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    fee: Decimal | None = None
    fee_asset: str | None = None
    value: Decimal | None = None
    basis: Decimal | None = None
    to_account: str | None = None
    id: str | None = None
    sequence: int | None = None
    order_id: str | None = None
    strategy: str | None = None
    regime: str | None = None
    note: str | None = None
