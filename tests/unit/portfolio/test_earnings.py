"""What a period made, as the summary says it and as the views do."""

from decimal import Decimal

import pytest

from bursar.errors import BadChoice
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


def test_a_coin_of_two_names_stands_under_one_heading():
    told = (
        "2026-01-01T00:00:00Z deposit 1000 EUR #kraken:main:0",
        "2026-01-01T00:00:00Z deposit 1000 EUR #binance:main:0",
        "2026-01-02T00:00:00Z buy 2 XBT @ 100 EUR #kraken:main:1",
        "2026-01-02T00:00:00Z buy 2 BTC @ 100 EUR #binance:main:1",
        "2026-01-03T00:00:00Z sell 1 XBT @ 110 EUR #kraken:main:2",
        "2026-01-04T00:00:00Z sell 1 BTC @ 120 EUR #binance:main:2",
    )
    gone = (
        "2026-01-05T00:00:00Z sell 1 XBT @ 100 EUR #kraken:main:3",
        "2026-01-05T00:00:00Z sell 1 BTC @ 100 EUR #binance:main:3",
    )
    for entries in (told, told + gone):  # held by both; of neither anything is left
        portfolio = opened(*entries)
        made = summary(portfolio, Asked(by="asset"))
        (view,) = portfolio.pnl("asset")
        assert {name: part.realized for name, part in made.parts.items()} == {"XBT": D(30)}
        assert view.pnl.lines["XBT"].realized == 30
        assert "BTC" not in view.pnl.lines
        ended = summary(portfolio, Asked(("2026-01-04", "2026-01-05"), by="asset"))
        assert list(ended.parts) == ["XBT"]
    only = summary(opened(*(each for each in told if "binance" in each)), Asked(by="asset"))
    assert list(only.parts) == ["BTC"]


def test_what_is_wrong_with_a_period_names_it_as_it_is_typed():
    portfolio = opened("2026-01-02T00:00:00Z deposit 1 EUR #k:1")
    portfolio.desk.clock.set("2026-01-03")
    with pytest.raises(BadChoice, match="before it begins") as ended:
        portfolio.performance(("2026-01-02", "2026-01-01"))
    with pytest.raises(BadChoice, match="the period begins at") as begins:
        portfolio.performance(("2026-01-04", None))
    assert ended.value.context == {"period": "2026-01-02T00:00:00Z..2026-01-01T00:00:00Z"}
    assert begins.value.context == {"period": "2026-01-04T00:00:00Z.."}
