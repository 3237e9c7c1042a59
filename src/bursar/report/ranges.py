"""Ranges: which stretch of time a name of the page means, and what a stretch is called.

Errors: `BadChoice` for a name that there is none of.
"""

from typing import Final

from bursar.ledger import instant
from bursar.portfolio import kept
from bursar.portfolio.periods import Range, Window
from bursar.portfolio.portfolio import Portfolio

RANGES: Final[dict[str, str]] = {
    "1D": "day",
    "1W": "week",
    "1M": "30d",
    "3M": "90d",
    "1Y": "1y",
    "All": "all",
}
"""The ranges of the page, and the periods that they are; `YTD` begins on 1 January."""

YEAR_TO_DATE: Final = "YTD"


def window(portfolio: Portfolio, period: str | Range) -> Window:
    """Return the stretch of time that is asked for, of a portfolio."""
    if period == YEAR_TO_DATE:
        today = instant.to_datetime(portfolio.desk.clock.now())
        first = today.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        return Window(first)
    name = RANGES.get(period, period) if isinstance(period, str) else period
    return kept.span_of(portfolio, name)


def named(period: str | Range, span: Window) -> str:
    """Return the name of a range; one of moments is named by them."""
    if isinstance(period, str):
        return period
    ends = (
        None if each is None else instant.from_datetime(each) for each in (span.start, span.end)
    )
    return " – ".join("…" if at is None else instant.show(at) for at in ends)
