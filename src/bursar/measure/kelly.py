"""Kelly: the share of capital that would have grown it fastest, from trades or from returns.

    from trades    f = W − (1 − W) ÷ R      W wins ÷ trips, R average win ÷ average loss
    from returns   f = mean(x) ÷ var(x)     x daily returns above the risk-free rate

It is a figure of the past and swings with every trade, so half of it is the usual advice; below
zero there was no edge. 0.25 is a quarter of capital. Past figures are no promise.

Errors: none; too few trades or returns are a reason.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ONE, money, quotient18
from bursar.measure.measured import Measured, measured, unknown
from bursar.measure.ratios import USUAL, Conventions, deviation, mean
from bursar.measure.trades import TradeStatistics

TRIPS_LEAST: Final = 20
_EVEN: Final = 1e-12
_TWO: Final = Decimal(2)


class Kelly(msgspec.Struct, frozen=True):
    """The full fraction, and half of it."""

    full: Measured

    @property
    @money
    def half(self) -> Measured:
        """Half of the full fraction."""
        if self.full.value is None:
            return self.full
        return Measured(quotient18(self.full.value, _TWO))


@money
def from_trades(trades: TradeStatistics, *, least: int = TRIPS_LEAST) -> Kelly:
    """Return the Kelly fraction of round trips. Exact but for the rounding of R and of the rest."""
    if trades.count < least:
        return Kelly(unknown(f"{trades.count} round trips; it takes {least}"))
    if trades.payoff.value is None:
        return Kelly(trades.payoff)
    share = quotient18(Decimal(trades.wins), Decimal(trades.count))
    return Kelly(Measured(share - quotient18(ONE - share, trades.payoff.value)))


def from_returns(returns: Sequence[float], conventions: Conventions = USUAL) -> Kelly:
    """Return the Kelly fraction of daily returns."""
    least = max(conventions.least, 2)
    if len(returns) < least:
        return Kelly(unknown(f"{len(returns)} daily returns; it takes {least}"))
    excess = [value - conventions.risk_free for value in returns]
    spread = deviation(excess)
    if spread < _EVEN:
        return Kelly(unknown("the returns do not differ"))
    return Kelly(measured(mean(excess) / spread**2))
