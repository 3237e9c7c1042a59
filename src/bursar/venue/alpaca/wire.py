"""Alpaca's answers as records: what bursar needs of each, digit for digit; the rest is passed over.

Amounts are texts or JSON numbers, both exact. New fields come at any time and old ones go, so
little is required.

Errors: `VenueGarbled`, naming the answer and the field, never what stands in it.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeVar

import msgspec

from bursar import exact
from bursar.errors import Malformed, NotExact, OutOfBounds, VenueGarbled
from bursar.exact import ZERO
from bursar.ledger import instant

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
    try:
        found = msgspec.convert(said, kind)
        for number in _numbers(found):
            exact.number(number, strict_numbers=True)
    except msgspec.ValidationError as error:
        raise VenueGarbled(f"Alpaca's {name}: {error}", answer=name) from None
    except (NotExact, OutOfBounds):
        expected = "numbers of at most 20 and 18 digits"
        raise VenueGarbled(f"Alpaca's {name}: expected {expected}", answer=name) from None
    return found


def _numbers(found: object) -> Iterator[Decimal]:
    """Yield every number in a record, however deep."""
    match found:
        case Decimal():
            yield found
        case msgspec.Struct():
            for name in found.__struct_fields__:
                yield from _numbers(getattr(found, name))
        case list():
            for each in found:
                yield from _numbers(each)
        case dict():
            for each in found.values():
                yield from _numbers(each)
        case _:
            pass


def _time(text: str) -> int:
    try:
        return instant.parse(text)
    except Malformed:
        raise VenueGarbled("Alpaca's price has a time that is none", field="t") from None
