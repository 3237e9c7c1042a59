"""The rows of Binance's histories: times and numbers read, their meaning still open."""

from decimal import Decimal

import msgspec

from bursar.exact import ZERO
from bursar.ledger.entries import Side
from bursar.venue.binance.operations import Meaning
from bursar.venue.binance.symbols import Pair


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One asset moved in one wallet. `symbol` and `reference` are the futures history's;
    of which `trade` a row settles or charges, only the API tells.

    `change` leaves `fee` out where the fee is told; where a `fee` is `None` it is not known, and
    may be part of the change.
    """

    executed_at: int
    pocket: str | None
    operation: str
    meaning: Meaning
    code: str
    change: Decimal
    remark: str = ""
    symbol: str = ""
    reference: str = ""
    trade: str = ""
    fee: Decimal | None = ZERO


class TradeRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One execution on the spot market. Exports tell neither its order nor its number."""

    executed_at: int
    pair: Pair
    side: Side
    price: Decimal
    quantity: Decimal
    amount: Decimal
    fee: Decimal = ZERO
    fee_asset: str = ""
    order_id: str | None = None
    number: int | None = None
