"""Parts of a report: the return of each month and year."""

from decimal import Decimal

from bursar.ledger import instant
from bursar.measure.curve import Point
from bursar.portfolio.periods import Window
from bursar.report.parts import returns

LATE = "what stood when it began was not kept"


def told(*moments):
    """The returns of a curve of times and unit prices."""
    points = [
        Point(instant.parse(at), Decimal(nav), is_complete=True, nav=Decimal(nav))
        for at, nav in moments
    ]
    return {
        f"{each.year}-{each.month}".rstrip("-"): each.twr_pct.reason or each.twr_pct.value
        for each in returns(points, Window())
    }


def test_a_month_and_a_year_begin_with_what_stood():
    found = told(
        ("2025-12-15T12:00:00Z", 80),
        ("2025-12-31T12:00:00Z", 100),
        ("2026-01-20T00:00:00Z", 110),
        ("2026-01-31T23:00:00Z", 120),
        ("2026-02-10T00:00:00Z", 90),
    )
    assert found == {"2025-12": 25, "2025": 25, "2026-01": 20, "2026-02": -25, "2026": -10}


def test_what_was_made_in_a_gap_is_of_no_month():
    found = told(
        ("2025-12-30T23:00:00Z", 100),
        ("2026-01-31T12:00:00Z", 110),
        ("2026-02-10T00:00:00Z", 121),
        ("2026-04-10T00:00:00Z", 60),
    )
    assert {name for name, said in found.items() if said == LATE} == {"2026-01", "2026-04", "2026"}
    assert found["2026-02"] == 10
