"""Reports over HTTP: the record as JSON, and the file that `bursar report` writes.

A report is a file of its own with a style in it, so it is handed over to be kept: what this service
shows in a browser has no style but the page's. While it is made, other requests wait.

Errors: `BadChoice` for what there is no report of, and where what sets it is not installed.
"""

from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.portfolio.gains import year_start
from bursar.report import RANGES, YEAR_TO_DATE, Asked, Report, html, pdf, report
from bursar.serve.asking import Kind, Param, Query
from bursar.serve.reading import Room

KINDS: Final = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}
_DAYS_MAX: Final = 36_500
PARAMS: Final = (
    Param(
        "range",
        "which stretch of time",
        choices=(*RANGES, YEAR_TO_DATE),
        default="All",
    ),
    Param("from", "the first moment, instead of a range", Kind.TIME),
    Param("to", "the moment it ends before", Kind.TIME),
    Param("strategy", "of one strategy alone"),
    Param("method", "by another cost rule", choices=("wac", "fifo", "lifo", "hifo", "specific")),
    Param("benchmark", "an asset, bought at the start and held"),
    Param("tax_year", "month and day on which a tax year begins, such as 04-06"),
    Param("long_after", "gains are long after more than so many days", Kind.COUNT, most=_DAYS_MAX),
)
FORMAT: Final = Param("format", "how it is set", choices=tuple(KINDS), default="html")


class File(msgspec.Struct, frozen=True):
    """A report that was set."""

    name: str
    kind: str
    content: bytes


def told(room: Room, query: Query) -> Report:
    """Return the record of a report."""
    return report(room.service.portfolio, _asked(query))


def written(room: Room, query: Query) -> File:
    """Return a report as a file."""
    found, chosen = told(room, query), query.word("format")
    content = pdf(found) if chosen == "pdf" else html(found).encode()
    return File(f"bursar-report.{chosen}", KINDS[chosen], content)


def _asked(query: Query) -> Asked:
    start, end, tax_year = query.time("from"), query.time("to"), query.text("tax_year")
    is_long_said = query.text("long_after") is not None
    if query.word("range") != "All" and (start or end):
        raise BadChoice("range, or from and to, not both", field="range")
    return Asked(
        period=(start, end) if start or end else query.word("range"),
        strategy=query.text("strategy"),
        method=query.text("method"),
        benchmark=query.text("benchmark"),
        tax_year=None if tax_year is None else year_start(tax_year),
        long_after=query.count("long_after") if is_long_said else None,
    )
