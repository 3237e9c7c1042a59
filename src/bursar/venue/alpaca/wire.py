"""Alpaca's answers as records: what bursar needs of each.

Errors: as `record`.
"""

from decimal import Decimal
from typing import TypeVar

import msgspec

from bursar.errors import Malformed, VenueGarbled
from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.venue import record

_T = TypeVar("_T")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What the account comes to. `equity` is cash, what open orders hold of it, and positions."""

    id: str
    cash: Decimal
    equity: Decimal
    long_market_value: Decimal = ZERO
    short_market_value: Decimal = ZERO
    currency: str = "USD"
    status: str = ""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one symbol; below zero where it is sold short."""

    symbol: str
    qty: Decimal
    qty_available: Decimal | None = None
    side: str = "long"
    asset_class: str = ""
    current_price: Decimal | None = None
    market_value: Decimal | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An open order: what of it is left, at which price at most."""

    id: str
    symbol: str
    side: str
    qty: Decimal | None = None
    notional: Decimal | None = None
    filled_qty: Decimal = ZERO
    limit_price: Decimal | None = None


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """What can be traded, and whether in fractions."""

    symbol: str
    asset_class: str = msgspec.field(name="class", default="")
    status: str = "active"
    tradable: bool = True
    fractionable: bool = False
    min_order_size: Decimal | None = None
    min_trade_increment: Decimal | None = None


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the stock market is open, and when that changes; New York's own times."""

    timestamp: str
    is_open: bool
    next_open: str
    next_close: str


class Trade(msgspec.Struct, frozen=True):
    """A public trade: its price and its time."""

    p: Decimal
    t: str

    @property
    def at(self) -> int:
        """When it was."""
        return _time(self.t)


class Quote(msgspec.Struct, frozen=True):
    """A best bid and a best ask, zero where that side is empty."""

    bp: Decimal
    ap: Decimal
    t: str

    @property
    def at(self) -> int:
        """When it was."""
        return _time(self.t)


class LatestTrades(msgspec.Struct, frozen=True):
    """The last trade of each symbol."""

    trades: dict[str, Trade]


class LatestQuotes(msgspec.Struct, frozen=True):
    """The last quote of each symbol."""

    quotes: dict[str, Quote]


class Trades(msgspec.Struct, frozen=True):
    """Trades of each symbol; `null` where there is none."""

    trades: dict[str, list[Trade]] | None = None


def read(name: str, kind: type[_T], said: object) -> _T:
    """Read an answer, or a part of one, as a record."""
    return record.read("Alpaca", name, kind, said)


def _time(text: str) -> int:
    try:
        return instant.parse(text)
    except Malformed:
        raise VenueGarbled("Alpaca's price has a time that is none", field="t") from None
