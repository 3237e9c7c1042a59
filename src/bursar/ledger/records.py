"""The records outsiders read: balances, positions, realised PnL, cash flows.

Names and fields are the contract's. Amounts are exact decimals; `*_base` is in base currency;
times are aware UTC datetimes.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO

SHIFT: Final = "shift"
"""How the kind of a record begins that only says what a fact moved (`ledger.shifts`). It is kept
among the trades, for round trips, and shown to nobody.
"""
BESIDES: Final = frozenset({"peg", "rounding"})
"""Kinds of records that go with another one of the same trade."""


class AssetBalance(msgspec.Struct, frozen=True):
    """Holdings of one asset: `total` = `free` + `reserved` (what open orders hold)."""

    asset: str
    free: Decimal
    reserved: Decimal
    total: Decimal
    account: str | None = None


class SpotPosition(msgspec.Struct, frozen=True):
    """What was done in one pair, and what its asset cost.

    `base_size` is the signed sum of the pair's fills, in units of now; `avg_entry_price` is the
    asset pool's average, in the quote; `None` where nothing is held or the quote has no rate.
    """

    pair: str
    base_asset: str
    quote_asset: str
    base_size: Decimal
    avg_entry_price: Decimal | None
    realized_pnl_base: Decimal
    fees_paid_base: Decimal
    unrealized_pnl_base: Decimal | None = None
    current_value_base: Decimal | None = None


class RealizedPnLRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What one trade did: amounts moved, fee, and realised PnL (fees taken off).

    `pnl_quote` is in quote currency where the quote is base currency or a peg; `pnl_base` always
    is in base currency. `kind` is `trade`, `peg`, `margin`, `rounding`, `conversion`, `flow` or
    `staged`. Where a transfer or a rename makes something in several accounts, or a transaction in
    several pairs, each has a record, the further ones with the account or the pair behind the kind.
    """

    trade_id: str
    order_id: str | None
    pair: str
    time: datetime
    side: str
    base_delta: Decimal
    quote_delta: Decimal
    fee_asset: str
    fee_amount: Decimal
    pnl_quote: Decimal | None
    strategy_tag: str | None
    pnl_base: Decimal = ZERO
    fee_base: Decimal | None = None
    regime: str | None = None
    account: str = ""
    kind: str = "trade"
    price: Decimal | None = None
    cost_base: Decimal = ZERO
    flags: tuple[str, ...] = ()


class CashFlowRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A movement that is not a trade: positive in, negative out; worth in base currency.

    `value_base` is `None` where it had no price. `cost_base` is what was booked; a portfolio that
    is asked for its flows says `None` where it has neither, and nothing of the cost is known.
    """

    id: str
    time: datetime
    asset: str
    amount: Decimal
    type: str
    note: str | None = None
    account: str = ""
    value_base: Decimal | None = None
    cost_base: Decimal | None = ZERO
    fee_amount: Decimal = ZERO
    flags: tuple[str, ...] = ()


def is_shift(record: RealizedPnLRecord) -> bool:
    """Tell whether a record is no trade, but says what moved beside one."""
    return record.kind.startswith(SHIFT)
