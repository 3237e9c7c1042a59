"""The rows of Binance's histories: times and numbers read, their meaning still open."""

from decimal import Decimal

import msgspec

from bursar.exact import ZERO
from bursar.ledger.entries import Side
from bursar.venue.binance.operations import Meaning
from bursar.venue.binance.symbols import Pair


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One asset moved in one wallet. `symbol` and `reference` are the futures history's."""

    executed_at: int
    pocket: str | None
    operation: str
    meaning: Meaning
    code: str
    change: Decimal
    remark: str = ""
    symbol: str = ""
    reference: str = ""


class TradeRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One execution on the spot market. It has no id."""

    executed_at: int
    pair: Pair
    side: Side
    price: Decimal
    quantity: Decimal
    amount: Decimal
    fee: Decimal = ZERO
    fee_asset: str = ""
