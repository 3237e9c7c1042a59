"""Trade statistics: what closed round trips say, in money and percent, exact.

`win_rate` is the percentage of trips with profit, of all of them: a trip that came out even is
neither a win nor a loss, and counts. `profit_factor` is gross profit ÷ gross loss; without a loss
there is none, and that is said, not infinity. `expectancy` is the mean PnL of a trip.

Invariants: gross profit − gross loss = net PnL; wins + losses + even = count.

Errors: none.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger.why import Amount, Why
from bursar.measure.measured import Measured, because, known, percent, quotient, summed, unknown
from bursar.measure.trips import Trip

NO_TRIP: Final = "no round trip has closed"
NO_LOSS: Final = "no round trip has lost"
NO_WIN: Final = "no round trip has won"
NO_TIME: Final = "no round trip has a known entry"


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

    def why_profit_factor(self) -> Why | Amount:
        """Explain the profit factor."""
        return because(
            self.profit_factor,
            "profit factor = gross profit ÷ gross loss of closed round trips",
            Amount("gross profit", self.gross_profit, f"{self.wins} trips"),
            Amount("gross loss", self.gross_loss, f"{self.losses} trips"),
        )

    def why_win_rate(self) -> Why | Amount:
        """Explain the win rate."""
        return because(
            self.win_rate,
            "win rate in percent = 100 × trips with profit ÷ closed trips",
            Amount("trips with profit", Decimal(self.wins)),
            Amount("closed trips", Decimal(self.count)),
        )


@money
def statistics(trips: Sequence[Trip]) -> TradeStatistics:
    """Return the statistics of round trips, which stand in order of closing."""
    pnls = [trip.pnl for trip in trips]
    wins, losses = [p for p in pnls if p > 0], [-p for p in pnls if p < 0]
    profit, loss, count = summed(wins), summed(losses), len(pnls)
    win, fall = _mean(wins, NO_WIN), _mean(losses, NO_LOSS)
    runs = _runs(pnls)
    times = [Decimal(trip.held).scaleb(-9) for trip in trips if trip.held is not None]
    return TradeStatistics(
        count=count,
        wins=len(wins),
        losses=len(losses),
        even=count - len(wins) - len(losses),
        net=profit - loss,
        gross_profit=profit,
        gross_loss=loss,
        fees=summed(trip.fees for trip in trips),
        win_rate=percent(Decimal(len(wins)), Decimal(count)) if count else unknown(NO_TRIP),
        profit_factor=quotient(profit, loss, otherwise=NO_LOSS if count else NO_TRIP),
        expectancy=_mean(pnls, NO_TRIP),
        average_win=win,
        average_loss=fall,
        payoff=_payoff(win, fall),
        best=known(max(pnls)) if pnls else unknown(NO_TRIP),
        worst=known(min(pnls)) if pnls else unknown(NO_TRIP),
        longest_wins=max((run for run in runs if run > 0), default=0),
        longest_losses=-min((run for run in runs if run < 0), default=0),
        streak=runs[-1] if runs else 0,
        held_mean_s=_mean(times, NO_TIME),
    )


def by(trips: Iterable[Trip], heading: Callable[[Trip], str]) -> dict[str, TradeStatistics]:
    """Return the statistics under each heading, by name: `by(trips, lambda trip: trip.asset)`."""
    groups: dict[str, list[Trip]] = {}
    for trip in trips:
        groups.setdefault(heading(trip), []).append(trip)
    return {name: statistics(groups[name]) for name in sorted(groups)}


def _mean(values: Sequence[Decimal], otherwise: str) -> Measured:
    return quotient(summed(values), Decimal(len(values)), otherwise=otherwise)


def _payoff(win: Measured, loss: Measured) -> Measured:
    """Return average win ÷ average loss."""
    for each in (win, loss):
        if each.value is None:
            return each
    return quotient(win.value or ZERO, loss.value or ZERO, otherwise=NO_LOSS)


def _runs(pnls: Iterable[Decimal]) -> list[int]:
    """Return the streaks in order: 3 for three wins in a row, −2 for two losses, 0 for even."""
    runs: list[int] = []
    for pnl in pnls:
        sign = (pnl > 0) - (pnl < 0)
        if runs and sign and runs[-1] * sign > 0:
            runs[-1] += sign
        else:
            runs.append(sign)
    return runs
