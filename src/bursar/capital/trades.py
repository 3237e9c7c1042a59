"""A strategy's closed trades and what they add up to.

A tally counts; the profit factor read from it is shrunk toward 1 while trades are few, by mixing in
`prior` average wins and as many average losses. So one lucky trade is not a profit factor without
end, a strategy without trades stands at exactly 1, and of two tallies with the same number of
trades the one with more profit per loss is never told to be worse.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from bursar.exact import ONE, ZERO, money, quotient18


class ClosedTrade(msgspec.Struct, frozen=True, kw_only=True):
    """One trade that is over: what it brought in base currency, fees taken off, and when (ns).

    `context` is what `DecisionMemory.context` made of the moment it was entered; `symbol` is the
    pair, and `opened_at` (ns) the average of its entries, where that is known.
    """

    id: str
    strategy: str
    at: int
    pnl: Decimal
    regime: str = "NORMAL"
    context: str = ""
    symbol: str = ""
    opened_at: int | None = None


class Tally(msgspec.Struct, frozen=True):
    """How many trades, what the winners won, what the losers lost (≥ 0), in base currency."""

    trades: int = 0
    profit: Decimal = ZERO
    loss: Decimal = ZERO

    @money
    def plus(self, pnl: Decimal) -> "Tally":
        """Return the tally with one trade more."""
        if pnl < 0:
            return Tally(self.trades + 1, self.profit, self.loss - pnl)
        return Tally(self.trades + 1, self.profit + pnl, self.loss)

    @property
    def profit_factor(self) -> Decimal | None:
        """Profit ÷ loss, rounded to 18 decimals; `None` without a loss."""
        return quotient18(self.profit, self.loss) if self.loss else None

    @property
    @money
    def won(self) -> Decimal | None:
        """What winners are of all that was won and lost, 0 to 1; `None` where nothing was."""
        moved = self.profit + self.loss
        return quotient18(self.profit, moved) if moved else None

    @money
    def is_at_least(self, profit_factor: Decimal) -> bool:
        """Tell whether something was won, and at least that many times what was lost."""
        return self.profit > 0 and self.profit >= profit_factor * self.loss

    @money
    def shrunk(self, prior: int) -> Decimal:
        """Return the profit factor with `prior` average trades of each kind mixed in; 1 if none."""
        won, lost = self._mixed(prior)
        return quotient18(won, lost) if lost else ONE

    @money
    def edge(self, prior: int) -> Decimal:
        """Return what winners are of all that was won and lost, 0 to 1, shrunk; 0.5 if none."""
        won, lost = self._mixed(prior)
        return quotient18(won, won + lost) if lost else quotient18(ONE, Decimal(2))

    @money
    def _mixed(self, prior: int) -> tuple[Decimal, Decimal]:
        """Return both sums times the number of trades, `prior` × the average move added to each."""
        mixed = prior * (self.profit + self.loss)
        return self.trades * self.profit + mixed, self.trades * self.loss + mixed


def tally(pnls: Iterable[Decimal]) -> Tally:
    """Return the tally of trades."""
    found = Tally()
    for pnl in pnls:
        found = found.plus(pnl)
    return found


def in_order(trades: Iterable[ClosedTrade]) -> list[ClosedTrade]:
    """Return trades in the one order they are looked at: by time, then by strategy and id."""
    return sorted(trades, key=lambda trade: (trade.at, trade.strategy, trade.id))
