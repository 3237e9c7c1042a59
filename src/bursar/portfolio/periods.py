"""Periods: which stretch of time a summary is of.

Day, week and month begin at 00:00 UTC, a week on Monday. A range takes its beginning in and its end
out, both cut to the microsecond, as records tell their time.

Errors: `BadChoice` for a period that there is none of.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.ledger import instant

PERIODS: Final = ("all", "day", "week", "month")
Range = tuple[datetime | str | None, datetime | str | None]


class Window(msgspec.Struct, frozen=True):
    """From `start` (at the very beginning, if none) until before `end` (now, if none)."""

    start: datetime | None = None
    end: datetime | None = None

    def has(self, moment: datetime) -> bool:
        """Tell whether a moment lies in it."""
        return (self.start is None or moment >= self.start) and (
            self.end is None or moment < self.end
        )


def window(period: str | Range, now: int, *, besides: Iterable[str] = ()) -> Window:
    """Return the window of `all`, `day`, `week`, `month`, or of a range of two moments.

    `besides` are names that the caller knows and looked for before.
    """
    if not isinstance(period, str):
        start, end = (_moment(each) for each in period)
        if start is not None and end is not None and end <= start:
            last = instant.show(instant.from_datetime(end))
            raise BadChoice(f"the period ends at {last}, before it begins", period=typed(period))
        return Window(start, end)
    match period:
        case "all":
            return Window()
        case "day":
            return Window(instant.to_datetime(instant.day_start(now)))
        case "week":
            return Window(instant.to_datetime(instant.week_start(now)))
        case "month":
            return Window(instant.to_datetime(instant.month_start(now)))
        case _:
            raise BadChoice(
                f"{period!r} is no period; one of {', '.join((*PERIODS, *besides))},"
                " or a beginning and an end (2024-01-01..2024-02-01 in a terminal)",
                period=period,
            )


def typed(period: str | Range) -> str:
    """Return a period as it is typed: `day`, `2024-01-01T00:00:00Z..2024-02-01T00:00:00Z`."""
    if isinstance(period, str):
        return period
    moments = (each and _moment(each) for each in period)
    return "..".join(instant.show(instant.from_datetime(each)) if each else "" for each in moments)


def _moment(given: datetime | str | None) -> datetime | None:
    if given is None:
        return None
    if isinstance(given, str):
        return instant.to_datetime(instant.parse(given, field="period"))
    return instant.to_datetime(instant.from_datetime(given))
