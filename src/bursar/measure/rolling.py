"""Rolling trade statistics: the closed trips of a stretch of time, followed one by one.

Each trip comes in once and leaves once, so an update costs O(1) on average, however long the
stretch; `steps` counts, and a test holds it to that. A trip that a later fill adds to is taken back
and comes in anew: O(1) if it was the last one, else O(those after it). Sums are
decimals: what left has left, to the last digit, and nothing drifts.

Invariant: after any updates, the figures are those of the trips that closed within `span` up to
now, the beginning left out.

Errors: none.
"""

import math
from collections import deque
from collections.abc import Callable
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


Key = tuple[str, ...]


class _Kept(msgspec.Struct, frozen=True, gc=False):
    """A trip of the stretch, in its place, and how many losses in a row there were with it."""

    at: int
    key: Key
    pnl: Decimal
    row: int


class RollingTrades:
    """Follows the PnL of closed trips over the last `span` nanoseconds."""

    def __init__(self, span: int) -> None:
        self.steps = 0
        self._span = span
        self._floor = -span
        self._kept: deque[_Kept] = deque()
        self._wins = self._losses = 0
        self._profit = self._loss = self._squares = ZERO

    @money
    def add(self, at: int, pnl: Decimal, key: Key = ()) -> None:
        """Take in a trip that closed at an instant; of one instant, keys tell the order."""
        self._forget(at)
        if at <= self._floor:
            return
        later = self._popped(lambda last: (last.at, last.key) <= (at, key))
        self._append(at, key, pnl)
        for each in reversed(later):
            self._append(each.at, each.key, each.pnl)

    @money
    def take_back(self, at: int, pnl: Decimal, key: Key = ()) -> None:
        """Take back a trip that came in."""
        if at <= self._floor:
            return
        later = self._popped(lambda last: (last.at, last.key, last.pnl) == (at, key, pnl))
        self._count(self._kept.pop().pnl, -1)
        for each in reversed(later):
            self._append(each.at, each.key, each.pnl)

    def _popped(self, is_there: Callable[[_Kept], bool]) -> list[_Kept]:
        """Take out the latest trips, down to one, and return them, the latest first."""
        later: list[_Kept] = []
        while self._kept and not is_there(self._kept[-1]):
            later.append(self._kept.pop())
            self._count(later[-1].pnl, -1)
        return later

    def _append(self, at: int, key: Key, pnl: Decimal) -> None:
        row = self._kept[-1].row if self._kept else 0
        self._kept.append(_Kept(at, key, pnl, row + 1 if pnl < 0 else 0))
        self._count(pnl, 1)

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
            losses_in_a_row=min(self._kept[-1].row, count) if self._kept else 0,
        )

    def _forget(self, now: int) -> None:
        self._floor = max(self._floor, now - self._span)
        while self._kept and self._kept[0].at <= self._floor:
            self._count(self._kept.popleft().pnl, -1)

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
