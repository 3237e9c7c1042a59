"""The small immutable values that a book is made of."""

from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO
from bursar.ledger.entries import CashFlow
from bursar.ledger.lots import Lot, Pool

NO_PAIR: Final = "none"

CellKey = tuple[str, str, str, str, str]
HoldingKey = tuple[str, str]


class Holding(msgspec.Struct, frozen=True, gc=False):
    """Quantity and total cost of one asset in one place; `pool` is its lots, `owed` is missing."""

    quantity: Decimal
    cost: Decimal
    pool: Pool = None
    owed: tuple[Lot, ...] = ()


class Cell(msgspec.Struct, frozen=True, gc=False):
    """What one strategy made on one asset in one pair and regime of one account.

    `size` is the signed sum of the pair's fills, split with their asset; `realized` has fees taken
    off; `fees` is their worth; `peg` is the part of realised that came from a peg away from 1.
    """

    size: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    trades: int = 0
    peg: Decimal = ZERO


class FeeTotal(msgspec.Struct, frozen=True, gc=False):
    """Fees charged in one asset, and their worth in base currency.

    `unknown` counts those whose worth nobody knows: it is not in `value`.
    """

    amount: Decimal = ZERO
    value: Decimal = ZERO
    unknown: int = 0


class FlowTotal(msgspec.Struct, frozen=True, gc=False):
    """Flows of one kind: quantity, what was booked (cost or value), worth, and how many.

    `unknown` counts those whose worth nobody knows: it is not in `value`.
    """

    amount: Decimal = ZERO
    booked: Decimal = ZERO
    value: Decimal = ZERO
    count: int = 0
    unknown: int = 0


class Margin(msgspec.Struct, frozen=True, gc=False):
    """A leveraged position: signed quantity, and the notional at which it was entered (≥ 0).

    `leverage` is as it was last told when the position was opened or grew; `None` if nobody did.
    `unseen` (≥ 0) adds up what was closed and nobody told the opening of: it lies before what is
    known.
    """

    base: str
    quote: str
    quantity: Decimal = ZERO
    notional: Decimal = ZERO
    leverage: Decimal | None = None
    unseen: Decimal = ZERO


class Removal(msgspec.Struct, frozen=True):
    """What left a holding: the lots it came from and their cost; what was missing, and the proceeds
    that wait for it.
    """

    parts: tuple[Lot, ...]
    cost: Decimal
    missing: Decimal = ZERO
    deferred: Decimal = ZERO


class Moved(msgspec.Struct, frozen=True):
    """What a flow that will be reversed moved, so that it can be put back."""

    flow: CashFlow
    removal: Removal | None = None
    fees: tuple[Removal, ...] = ()


class Line(msgspec.Struct, frozen=True, gc=False):
    """One piece of PnL that a fact made: for its record, its verdict line, and `why`.

    `undone` is the flow that a reversal put back; what it cost stands in `cost`, signed. `settled`
    is what a leveraged trade settled in its quote, stated or worked out; where `is_unsettled` that
    lacks what it made on a part that nobody told the opening of.
    """

    kind: str
    key: CellKey
    realized: Decimal
    cost: Decimal = ZERO
    parts: tuple[Lot, ...] = ()
    undone: CashFlow | None = None
    settled: Decimal = ZERO
    is_unsettled: bool = False

    @property
    def asset(self) -> str:
        """The asset it was made on."""
        return self.key[1]

    @property
    def pair(self) -> str:
        """The pair it was made in."""
        return self.key[2]
