"""Days at Alpaca: most activities state a day and no time, and it is New York's.

A trading day begins at 20:00 in New York on the evening before, when late trading has ended and
the overnight session begins; a calendar day ends at midnight there. New York keeps daylight saving
from the second Sunday of March to the first of November, as since 2007, so no table is needed.
"""

from datetime import date, timedelta
from typing import Final

from bursar.ledger import instant

_EVENING: Final = 20
_SUNDAY: Final = 6


def starts(day: int) -> int:
    """Return when the trading day begins of which `day` is midnight UTC."""
    before = day - instant.DAY
    return before + (_EVENING + _behind(before)) * instant.HOUR


def closes(day: int) -> int:
    """Return the last instant of the trading day of which `day` is midnight UTC."""
    return starts(day + instant.DAY) - 1


def ends(day: int) -> int:
    """Return the last instant of the day of which `day` is midnight UTC."""
    return day + instant.DAY + _behind(day) * instant.HOUR - 1


def _behind(day: int) -> int:
    """Return how many hours New York is behind UTC on the evening of a day."""
    on = instant.to_datetime(day).date()
    spring = _sunday(date(on.year, 3, 8))
    autumn = _sunday(date(on.year, 11, 1))
    return 4 if spring <= on < autumn else 5


def _sunday(first: date) -> date:
    """Return the first Sunday from a date on."""
    return first + timedelta(days=_SUNDAY - first.weekday())
