"""Rolling trade statistics: the closed trips of a stretch of time, followed one by one.

Each trip comes in once and leaves once, so an update costs O(1) on average, however long the
stretch; `steps` counts, and a test holds it to that. Sums are decimals: what left has left, to the
last digit, and nothing drifts.

Invariant: after any updates, the figures are those of the trips that closed within `span` up to
now, the beginning left out.

Errors: none.
"""

import math
from collections import deque
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money
from bursar.measure.measured import Measured, measured, percent, quotient, unknown
from bursar.measure.trades import NO_LOSS, NO_TRIP


class Rolled(msgspec.Struct, frozen=True):
    """The figures of a stretch. `losses_in_a_row` are its last ones."""

    count: int
    wins: int
    losses: int
    gross_profit: Decimal
    gross_loss: Decimal
    net: Decimal
    win_rate: Measured
    profit_factor: Measured
    expectancy: Measured
    deviation: Measured
    losses_in_a_row: int


class RollingTrades:
    """Follows the PnL of closed trips over the last `span` nanoseconds."""

    def __init__(self, span: int) -> None:
        self.steps = 0
        self._span = span
        self._now = 0
        self._kept: deque[tuple[int, Decimal]] = deque()
        self._wins = self._losses = self._row = 0
        self._profit = self._loss = self._squares = ZERO

    @money
    def add(self, at: int, pnl: Decimal) -> None:
        """Take in a trip that closed at an instant, no earlier than the last."""
        assert at >= self._now, "trips come in order of closing"
        self._kept.append((at, pnl))
        self._count(pnl, 1)
        self._row = self._row + 1 if pnl < 0 else 0
        self._forget(at)

    @money
    def at(self, now: int) -> Rolled:
        """Let go of what is too long ago, and return the figures."""
        self._forget(now)
        count, net = len(self._kept), self._profit - self._loss
        return Rolled(
            count=count,
            wins=self._wins,
            losses=self._losses,
            gross_profit=self._profit,
            gross_loss=self._loss,
            net=net,
            win_rate=percent(Decimal(self._wins), Decimal(count)) if count else unknown(NO_TRIP),
            profit_factor=quotient(
                self._profit, self._loss, otherwise=NO_LOSS if count else NO_TRIP
            ),
            expectancy=quotient(net, Decimal(count), otherwise=NO_TRIP),
            deviation=self._deviation(net, count),
            losses_in_a_row=min(self._row, count),
        )

    def _forget(self, now: int) -> None:
        self._now = max(self._now, now)
        while self._kept and self._kept[0][0] <= self._now - self._span:
            self._count(self._kept.popleft()[1], -1)

    def _count(self, pnl: Decimal, sign: int) -> None:
        self.steps += 1
        self._squares += sign * pnl * pnl
        if pnl > 0:
            self._wins += sign
            self._profit += sign * pnl
        elif pnl < 0:
            self._losses += sign
            self._loss -= sign * pnl

    def _deviation(self, net: Decimal, count: int) -> Measured:
        """Return the sample standard deviation of PnL, from exact sums."""
        if count <= 1:
            return unknown("a deviation needs two round trips")
        spread = self._squares * count - net * net
        return measured(math.sqrt(float(spread) / (count * (count - 1))))
