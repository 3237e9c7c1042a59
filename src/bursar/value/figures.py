"""Figures: what a valuation comes to, without its lines.

The totals of a view, its exposure, and whether anything in it is unpriced or rests on an old mark.
They are read off a whole valuation, or off one that is kept (`running`), and are the same.

Errors: none.
"""

from decimal import Decimal

import msgspec

from bursar.exact import money, percent18
from bursar.value.equity import Valuation
from bursar.value.exposure import exposure


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The totals of a view at one instant, in base currency.

    `long` and `short` (≥ 0) are notionals; base currency and pegs do not count. It `is_priced` if
    all that is shown has a value, and what else is owned too, but for what came for nothing: so
    `owned` is known. It `is_stale` if a value rests on an old mark.
    """

    base: str
    at: int
    equity: Decimal
    cash_base: Decimal
    cash: Decimal
    unrealized: Decimal
    excluded_value: Decimal
    long: Decimal
    short: Decimal
    is_priced: bool
    is_stale: bool

    @property
    @money
    def owned(self) -> Decimal:
        """What everything is worth, shown or not."""
        return self.equity + self.excluded_value

    @property
    @money
    def gross(self) -> Decimal:
        """Σ|notional|."""
        return self.long + self.short

    @property
    @money
    def net(self) -> Decimal:
        """Σ notional."""
        return self.long - self.short

    @property
    def gross_pct(self) -> Decimal | None:
        """Gross exposure as percent of equity."""
        return percent18(self.gross, self.equity) if self.equity > 0 else None


def figures(valuation: Valuation) -> Figures:
    """Return the figures of a valuation. O(holdings)."""
    found = exposure(valuation)
    return Figures(
        base=valuation.base,
        at=valuation.at,
        equity=valuation.equity,
        cash_base=valuation.cash_base,
        cash=valuation.cash,
        unrealized=valuation.unrealized,
        excluded_value=valuation.excluded_value,
        long=found.long,
        short=found.short,
        is_priced=not valuation.lacking,
        is_stale=bool(valuation.coverage.stale),
    )
