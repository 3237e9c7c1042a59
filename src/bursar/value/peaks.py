"""Peaks: the highest equity of all time, of this week and of this day, and the fall from each.

Weeks start on Monday, days at 00:00 UTC. Equity that leaves something out, since it has no price,
neither makes a peak nor has a fall: it would be taken for a loss.

Errors: none.
"""

from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money, percent18
from bursar.ledger import instant


class Peaks(msgspec.Struct, frozen=True):
    """The highest equity as of `at`, the last look at it; `None` where none was whole yet."""

    at: int = 0
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
    is_week = instant.week_start(peaks.at) == instant.week_start(at)
    is_day = instant.day_start(peaks.at) == instant.day_start(at)
    return Peaks(
        at=at,
        ever=_higher(peaks.ever, equity),
        week=_higher(peaks.week if is_week else None, equity),
        day=_higher(peaks.day if is_day else None, equity),
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


def _higher(peak: Decimal | None, equity: Decimal) -> Decimal:
    return equity if peak is None or equity > peak else peak
