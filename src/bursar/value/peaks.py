"""Peaks: the highest equity of all time, of this week and of this day, and the fall from each.

Weeks start on Monday, days at 00:00 UTC; the peak of each counts what stood at its start, if that
is of at most a day before. Equity that leaves something out, since it has no price, neither makes a
peak nor has a fall: it would be taken for a loss.

Errors: none.
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money, percent18
from bursar.ledger import instant


class Peaks(msgspec.Struct, frozen=True):
    """The highest equity as of `at`, the last look at it; `None` where none was whole yet.

    `stood` is what equity was then.
    """

    at: int = 0
    stood: Decimal | None = None
    ever: Decimal | None = None
    week: Decimal | None = None
    day: Decimal | None = None


class Falls(msgspec.Struct, frozen=True):
    """The fall of equity from each peak, percent (≥ 0); `None` is not known."""

    ever: Decimal | None = None
    week: Decimal | None = None
    day: Decimal | None = None


def raised(peaks: Peaks, equity: Decimal, at: int) -> Peaks:
    """Return the peaks after another look at equity, no earlier than the last one. O(1)."""

    def higher(peak: Decimal | None, period: Callable[[int], int]) -> Decimal:
        return _higher(high_before(peak, peaks.stood, period, peaks.at, at), equity)

    return Peaks(
        at=at,
        stood=equity,
        ever=_higher(peaks.ever, equity),
        week=higher(peaks.week, instant.week_start),
        day=higher(peaks.day, instant.day_start),
    )


@money
def falls(peaks: Peaks, equity: Decimal) -> Falls:
    """Return how far equity is below each peak. O(1)."""
    return Falls(*(fall(peak, equity) for peak in (peaks.ever, peaks.week, peaks.day)))


def fall(peak: Decimal | None, equity: Decimal) -> Decimal | None:
    """Return how far equity is below a peak (> 0), in percent; call it in the money context."""
    if peak is None or peak <= 0:
        return None
    return percent18(peak - equity, peak) if equity < peak else ZERO


def high_before(
    high: Decimal | None, stood: Decimal | None, period: Callable[[int], int], last: int, at: int
) -> Decimal | None:
    """Return the high of the period of `at` before that look, as far as any counts for it.

    In the period of the `last` look it is the high so far; a new one begins with what `stood`
    then, if that was at most a day before. `period` tells where that of an instant began.
    """
    begun = period(at)
    if period(last) == begun:
        return high
    return stood if begun - last <= instant.DAY else None


def _higher(peak: Decimal | None, equity: Decimal) -> Decimal:
    return equity if peak is None or equity > peak else peak
