"""What a period made, as the summary says it and as the views do."""

from decimal import Decimal

from bursar.portfolio.earnings import Asked, summary
from tests.unit.portfolio.places import opened
from tests.unit.portfolio.test_measures import begun, keep, tell

D = Decimal


def test_what_the_day_made_is_known_to_the_summary_where_it_is_to_the_view():
    portfolio = begun("2025-12-31T12:00:00Z deposit 1 ABC #k:2", at="2026-01-01T23:50:00Z")
    keep(portfolio, "2026-01-01T23:50:00Z", ABC=7)
    portfolio.desk.clock.set("2026-01-02T10:00:00Z")
    day = summary(portfolio, Asked("day"), {"ABC": "9"})
    assert portfolio.views({"ABC": "9"}).snapshot.daily_pnl is None
    assert (day.pnl_base, day.net_flows_base, day.unpriced_flows) == (None, D(0), ("k:2",))
    tell(portfolio, "2025-12-31T12:00:00Z price ABC 6 EUR #p:1")
    keep(portfolio, "2026-01-02T10:00:00Z", ABC=9)
    portfolio.desk.clock.set("2026-01-03T10:00:00Z")
    assert portfolio.views({"ABC": "10"}).snapshot.daily_pnl == 1
    day = summary(portfolio, Asked("day"), {"ABC": "10"})
    assert (day.pnl_base, day.unpriced_flows) == (D(1), ())


def test_the_first_day_begins_with_nothing():
    portfolio = opened("2026-01-02T09:00:00Z deposit 1 ABC #k:1 value=7")
    portfolio.desk.clock.set("2026-01-02T10:00:00Z")
    for period in ("day", "week"):
        day = summary(portfolio, Asked(period), {"ABC": "9"})
        assert (day.equity_start, day.net_flows_base, day.pnl_base) == (D(0), D(7), D(2)), period
    assert portfolio.views({"ABC": "9"}).snapshot.daily_pnl == 2
