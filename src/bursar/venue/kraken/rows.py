"""The rows of Kraken's two histories: times and numbers read, their meaning still open."""

from decimal import Decimal

import msgspec

from bursar.ledger.entries import Side


class LedgerRow(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One asset moved. `subtype` and `balance` are `None` where the export lacks the column."""

    txid: str
    refid: str
    executed_at: int
    type: str
    subtype: str | None
    code: str
    wallet: str
    amount: Decimal
    fee: Decimal
    balance: Decimal | None = None
    amount_usd: Decimal | None = None


class TradeRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One execution. `ledgers` are the ids of the ledger rows it is booked in; `margin` is what was
    put up for it, in the quote, `None` where that is not stated. `position` is the id of the trade
    that opened what this one closes, or one that stands for none; `position_status` is empty but
    where the trade opened a position.
    """

    txid: str
    pair: str
    executed_at: int
    side: Side
    volume: Decimal
    cost: Decimal
    fee: Decimal
    margin: Decimal | None
    price: Decimal | None = None
    misc: str = ""
    order_type: str = ""
    position: str = ""
    position_status: str = ""
    order_id: str | None = None
    ledgers: tuple[str, ...] = ()


def settles_position(order_type: str) -> bool:
    """Tell whether an order of that type settles a leveraged position: a `settle-position`."""
    return "settle" in order_type
