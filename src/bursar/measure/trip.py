"""The round trip, and all of them with what is no trip: the records that `trips` makes.

Errors: none.
"""

from decimal import Decimal

import msgspec

from bursar.measure.measured import Measured, percent


class Trip(msgspec.Struct, frozen=True, gc=False):
    """One closed round trip. `cost` is that of the lots which left; `opened_at` may be unknown."""

    id: str
    account: str
    asset: str
    pair: str
    strategy: str
    regime: str
    opened_at: int | None
    closed_at: int
    cost: Decimal
    pnl: Decimal
    fees: Decimal
    fills: int = 1
    flags: tuple[str, ...] = ()

    @property
    def return_pct(self) -> Measured:
        """The PnL as percent of the cost."""
        return percent(self.pnl, self.cost)

    @property
    def held(self) -> int | None:
        """How long it was held, in nanoseconds."""
        return None if self.opened_at is None else self.closed_at - self.opened_at


class Trips(msgspec.Struct, frozen=True):
    """All round trips in order of closing, and the rest of what the records realised.

    `open_fees` were paid for what is still open, less what paying made (a rebate, a currency that
    had become dearer); `flowed` is what flows realised, less what was paid for the coins they took.
    """

    trips: tuple[Trip, ...]
    open_fees: Decimal
    flowed: Decimal
