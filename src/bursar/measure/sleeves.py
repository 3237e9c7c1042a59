"""How strategies did on the capital they really held.

    return of a day = made that day ÷ (capital at cost the evening before + given that day)

Made is realised + income − expenses; the last day also has the unrealised PnL of what is open now.
Capital that a sleeve transfer or a loan of coins brings is no return. A day on which nothing was
held has no return and is left out; a day on which capital lay idle has 0. Of what lost all that it
held, or more, a unit is worth nothing from that day on: what it makes with other capital later
brings none of it back, and no return across that day is defined.

Errors: none; what cannot be told is a reason.
"""

import operator
from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate

import msgspec

from bursar.exact import HUNDRED, ONE, ZERO, money, quotient18, statistic
from bursar.ledger.sleeves import DayClose
from bursar.measure.measured import Measured, measured, unknown
from bursar.measure.ratios import USUAL, Conventions, deviation, sharpe


class SleeveReturns(msgspec.Struct, frozen=True):
    """Daily returns as fractions, oldest first, for the UTC days (by number) that have one."""

    days: tuple[int, ...]
    returns: tuple[float, ...]

    def since(self, day: int) -> "SleeveReturns":
        """Return those of a day and later."""
        kept = [pair for pair in zip(self.days, self.returns, strict=True) if pair[0] >= day]
        return SleeveReturns(tuple(pair[0] for pair in kept), tuple(pair[1] for pair in kept))

    @property
    def growth(self) -> tuple[Decimal, ...]:
        """What one unit of capital had become at the end of each of the days: the unit value. Once
        all was lost it stays 0.
        """
        return tuple(statistic(value) for value in self._grown())

    @property
    @money
    def pct(self) -> Decimal | None:
        """What all of the days came to, in percent; `None` without a day, or if all was lost."""
        growth = self.growth
        return (growth[-1] - ONE) * HUNDRED if growth and growth[-1] else None

    @property
    def drawdown(self) -> Decimal:
        """How far below its peak the unit value is now, as a fraction of the peak."""
        grown = [1.0, *self._grown()]
        return statistic(1 - grown[-1] / max(grown))

    def _grown(self) -> list[float]:
        return list(accumulate((max(1 + value, 0.0) for value in self.returns), operator.mul))

    def sharpe(self, conventions: Conventions = USUAL) -> Measured:
        """Return the Sharpe ratio by the year."""
        least = max(conventions.least, 2)
        if len(self.returns) < least:
            return unknown(f"{len(self.returns)} daily returns; it takes {least}")
        return sharpe(self.returns, conventions)

    def volatility(self, conventions: Conventions = USUAL) -> Measured:
        """Return the deviation of daily returns, as a fraction a day."""
        least = max(conventions.least, 2)
        if len(self.returns) < least:
            return unknown(f"{len(self.returns)} daily returns; it takes {least}")
        return measured(deviation(self.returns))


@money
def sleeve_returns(
    closes: Sequence[DayClose], *, today: int, unrealized: Decimal = ZERO
) -> SleeveReturns:
    """Return a strategy's daily returns from its closes (its own, in order) up to today."""
    days, returns = [], []
    known = {close.day: close for close in closes}
    before = DayClose("", 0, ZERO, ZERO)
    for day in range(min(known, default=today), today + 1):
        close = known.get(day, before)
        made = close.made - before.made + (unrealized if day == today else ZERO)
        given = max(close.contributed - before.contributed, ZERO)
        capital = before.contributed + before.made + given
        if capital > 0:
            days.append(day)
            returns.append(float(quotient18(made, capital)))
        before = close
    return SleeveReturns(tuple(days), tuple(returns))
