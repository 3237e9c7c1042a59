"""What other programs tell a portfolio: one record per type of event.

Unknown fields are passed over, so a sender may say more. Numbers may be JSON numbers or strings;
every digit counts. Ids may be numbers too. A time is RFC 3339 (without an offset: UTC), or a count
of seconds, milliseconds, microseconds or nanoseconds since 1970; without one, the envelope's is it.

Errors: `Malformed`, naming type and field; `NotExact` and `OutOfBounds` for numbers.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Final

import msgspec

from bursar.errors import InputError, Malformed
from bursar.exact import money, number
from bursar.ledger import instant
from bursar.ledger.entries import Side

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Name = Annotated[int, msgspec.Meta(ge=0)] | Word
"""An id as senders write it: text, or a whole number."""

Reason = Annotated[str, msgspec.Meta(max_length=500)]
Time = str | int | float
Number = Decimal


class Direction(Enum):
    """Which way a position or an order goes; both spellings are in use."""

    LONG = "LONG"
    SHORT = "SHORT"
    BUY = "BUY"
    SELL = "SELL"

    @property
    def side(self) -> Side:
        """The side of the order that opens a position this way."""
        return Side.BUY if self in {Direction.LONG, Direction.BUY} else Side.SELL


class TradeOpened(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A leveraged or spot-margin position was opened, or grew.

    `quantity` is in units of the base asset, `entry_price` in quote per unit, `fee` in
    `fee_asset` (by default the quote). `fill_id` is the venue's own id of the execution.
    """

    trade_id: Name
    symbol: Word
    side: Direction
    entry_price: Number
    quantity: Number
    leverage: Number | None = None
    timestamp: Time | None = None
    account: Word | None = None
    fee: Number | None = None
    fee_asset: Word | None = None
    fill_id: Name | None = None
    strategy: Word | None = None
    regime: Word | None = None


class TradeClosed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A position was closed, or a part of it. `side` is that of the position.

    `realized_pnl` is the PnL the venue settled, in quote, without `fee`; where it is left out, the
    book derives it from the prices. `close_id` tells several partial closes of one trade apart.
    """

    trade_id: Name
    symbol: Word
    side: Direction
    exit_price: Number
    quantity: Number
    realized_pnl: Number | None = None
    entry_price: Number | None = None
    leverage: Number | None = None
    timestamp: Time | None = None
    account: Word | None = None
    fee: Number | None = None
    fee_asset: Word | None = None
    close_id: Name | None = None
    fill_id: Name | None = None
    strategy: Word | None = None
    regime: Word | None = None


class OrderFilled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One execution of an order: `quantity` of base at `price` in quote per unit.

    With `leverage` it changes a leveraged position and moves no asset but `realized_pnl` and the
    fee; without, assets change hands. `fill_id` tells several fills of one order apart.
    """

    order_id: Name
    symbol: Word
    side: Direction
    quantity: Number
    price: Number
    fill_id: Name | None = None
    leverage: Number | None = None
    realized_pnl: Number | None = None
    timestamp: Time | None = None
    account: Word | None = None
    fee: Number | None = None
    fee_asset: Word | None = None
    strategy: Word | None = None
    regime: Word | None = None


class OrderExecuted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order was executed somehow: a hint to look, never a fact."""

    order_id: Name | None = None
    symbol: Word | None = None
    account: Word | None = None
    fill_id: Name | None = None
    timestamp: Time | None = None
    strategy: Word | None = None
    regime: Word | None = None


class EssTripped(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The emergency stop of the risk service has tripped: everything is to be measured anew."""

    reason: str | None = None
    level: str | None = None
    timestamp: Time | None = None


class MarketTick(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A price of a symbol, in quote per unit of base."""

    symbol: Word
    price: Number
    timestamp: Time | None = None


class MarketRegime(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The market's regime from `timestamp` on, in the sender's own words, such as BULL."""

    regime: Word
    reason: Reason | None = None
    timestamp: Time | None = None


Incoming = (
    TradeOpened | TradeClosed | OrderFilled | OrderExecuted | EssTripped | MarketTick | MarketRegime
)

POSITIVE: Final = ("entry_price", "exit_price", "price", "quantity")
_ANY_SIGN: Final = ("realized_pnl", "fee", "leverage")
# The largest count of each unit that is a time before the year 2286; the next is a finer unit.
_UNITS: Final = ((10**10, 10**9), (10**13, 10**6), (10**16, 10**3), (10**19, 1))


def check(told: Incoming) -> Incoming:
    """Return a record whose numbers and times are such; the door of every event.

    Raises:
        Malformed, NotExact, OutOfBounds: naming the field.
    """
    fields = {name: getattr(told, name) for name in told.__struct_fields__}
    exact: dict[str, Decimal] = {}
    for name in (*POSITIVE, *_ANY_SIGN):
        value = fields.get(name)
        if isinstance(value, Decimal):
            exact[name] = number(value, field=name)
    for name in POSITIVE:
        if name in exact and exact[name] <= 0:
            raise Malformed(f"{name}: expected more than 0, told {exact[name]:f}", field=name)
    if exact.get("leverage", 1) < 0:
        raise Malformed("leverage: expected 0 or more", field="leverage")
    if isinstance(told, MarketRegime) and not told.regime.strip():
        raise Malformed("regime: expected a name such as BULL", field="regime")
    moment(fields.get("timestamp"), 0)
    return msgspec.structs.replace(told, **exact) if exact else told


@money
def moment(time: Time | None, otherwise: int) -> int:
    """Return when an event says it happened, or else that instant.

    Raises:
        Malformed: it is no time.
    """
    if time is None:
        return otherwise
    if isinstance(time, str):
        return _dated(time)
    value = number(time, field="timestamp")
    for below, factor in _UNITS:
        if 0 <= value < below:
            return int(value * factor)
    raise Malformed(f"timestamp: {value:f} is no time since 1970", field="timestamp")


def _dated(text: str) -> int:
    try:
        return instant.parse(text, field="timestamp")
    except InputError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None:
            raise
    return instant.from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
