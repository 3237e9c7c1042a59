"""Trade statistics: what closed round trips say, in money and percent, exact.

`win_rate` is the percentage of trips with profit, of all of them: a trip that came out even is
neither a win nor a loss, and counts. `profit_factor` is gross profit ÷ gross loss; without a loss
there is none, and that is said, not infinity. `expectancy` is the mean PnL of a trip. `unpriced`
counts the trips that rest on a fee or a leg without a price, which was counted as worth nothing, or
on a settlement that nobody stated.

Invariants: gross profit − gross loss = net PnL; wins + losses + even = count.

Errors: none.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger.entries import Flag
from bursar.ledger.why import Amount, Why
from bursar.measure.measured import Measured, because, known, percent, quotient, unknown
from bursar.measure.trip import Trip

NO_TRIP: Final = "no round trip has closed"
NO_LOSS: Final = "no round trip has lost"
NO_WIN: Final = "no round trip has won"
NO_TIME: Final = "no round trip has a known entry"
_UNKNOWN: Final = frozenset({Flag.UNPRICED.value, Flag.UNSETTLED.value})


class TradeStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What round trips came to. Money in base currency, losses positive in `gross_loss` alone."""

    count: int
    wins: int
    losses: int
    even: int
    net: Decimal
    gross_profit: Decimal
    gross_loss: Decimal
    fees: Decimal
    win_rate: Measured
    profit_factor: Measured
    expectancy: Measured
    average_win: Measured
    average_loss: Measured
    payoff: Measured
    best: Measured
    worst: Measured
    longest_wins: int
    longest_losses: int
    streak: int
    held_mean_s: Measured
    unpriced: int

    def why_profit_factor(self) -> Why | Amount:
        """Explain the profit factor."""
        return because(
            self.profit_factor,
            "profit factor = gross profit ÷ gross loss of closed round trips",
            Amount("gross profit", self.gross_profit, f"{self.wins} trips"),
            Amount("gross loss", self.gross_loss, f"{self.losses} trips"),
            *self._doubts,
        )

    def why_win_rate(self) -> Why | Amount:
        """Explain the win rate."""
        return because(
            self.win_rate,
            "win rate in percent = 100 × trips with profit ÷ closed trips",
            Amount("trips with profit", Decimal(self.wins)),
            Amount("closed trips", Decimal(self.count)),
            *self._doubts,
        )

    @property
    def _doubts(self) -> tuple[Amount, ...]:
        """How much of the figures rests on what is not known, if any does."""
        if not self.unpriced:
            return ()
        return (Amount("trips with an unpriced fee, leg or settlement", Decimal(self.unpriced)),)


class Tally(msgspec.Struct):
    """What round trips come to so far, in order of closing. `add` is O(1)."""

    count: int = 0
    wins: int = 0
    losses: int = 0
    profit: Decimal = ZERO
    loss: Decimal = ZERO
    fees: Decimal = ZERO
    best: Decimal | None = None
    worst: Decimal | None = None
    held: Decimal = ZERO
    timed: int = 0
    streak: int = 0
    longest_wins: int = 0
    longest_losses: int = 0
    unpriced: int = 0

    @money
    def add(self, trip: Trip) -> None:
        """Take in a trip that closed after those before."""
        pnl = trip.pnl
        sign = (pnl > 0) - (pnl < 0)
        self.count += 1
        self.fees += trip.fees
        self.unpriced += not _UNKNOWN.isdisjoint(trip.flags)
        if sign > 0:
            self.wins, self.profit = self.wins + 1, self.profit + pnl
        elif sign < 0:
            self.losses, self.loss = self.losses + 1, self.loss - pnl
        if self.best is None or pnl > self.best:
            self.best = pnl
        if self.worst is None or pnl < self.worst:
            self.worst = pnl
        if trip.held is not None:
            self.held, self.timed = self.held + Decimal(trip.held).scaleb(-9), self.timed + 1
        # A streak is 3 for three wins in a row, −2 for two losses; what came out even ends it.
        self.streak = self.streak + sign if self.streak * sign > 0 else sign
        self.longest_wins = max(self.longest_wins, self.streak)
        self.longest_losses = max(self.longest_losses, -self.streak)

    @property
    @money
    def statistics(self) -> TradeStatistics:
        """The statistics of these trips."""
        wins, losses, count = self.wins, self.losses, self.count
        win, fall = _mean(self.profit, wins, NO_WIN), _mean(self.loss, losses, NO_LOSS)
        rate = percent(Decimal(wins), Decimal(count)) if count else unknown(NO_TRIP)
        none = NO_LOSS if count else NO_TRIP
        return TradeStatistics(
            count=count,
            wins=wins,
            losses=losses,
            even=count - wins - losses,
            net=self.profit - self.loss,
            gross_profit=self.profit,
            gross_loss=self.loss,
            fees=self.fees,
            win_rate=rate,
            profit_factor=quotient(self.profit, self.loss, otherwise=none),
            expectancy=_mean(self.profit - self.loss, count, NO_TRIP),
            average_win=win,
            average_loss=fall,
            payoff=_payoff(win, fall),
            best=unknown(NO_TRIP) if self.best is None else known(self.best),
            worst=unknown(NO_TRIP) if self.worst is None else known(self.worst),
            longest_wins=self.longest_wins,
            longest_losses=self.longest_losses,
            streak=self.streak,
            held_mean_s=_mean(self.held, self.timed, NO_TIME),
            unpriced=self.unpriced,
        )


@money
def statistics(trips: Iterable[Trip]) -> TradeStatistics:
    """Return the statistics of round trips, which stand in order of closing. O(trips)."""
    tally = Tally()
    for trip in trips:
        tally.add(trip)
    return tally.statistics


def by(trips: Iterable[Trip], heading: Callable[[Trip], str]) -> dict[str, TradeStatistics]:
    """Return the statistics under each heading, by name: `by(trips, lambda trip: trip.asset)`."""
    groups: dict[str, list[Trip]] = {}
    for trip in trips:
        groups.setdefault(heading(trip), []).append(trip)
    return {name: statistics(groups[name]) for name in sorted(groups)}


def _mean(total: Decimal, count: int, otherwise: str) -> Measured:
    return quotient(total, Decimal(count), otherwise=otherwise)


def _payoff(win: Measured, loss: Measured) -> Measured:
    """Return average win ÷ average loss."""
    for each in (win, loss):
        if each.value is None:
            return each
    return quotient(win.value or ZERO, loss.value or ZERO, otherwise=NO_LOSS)
