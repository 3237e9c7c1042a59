"""Against buying and holding: by the prices that the book knows, over the moments of both."""

from decimal import Decimal

from bursar.portfolio import benchmark as benchmarks
from tests.unit.measure.samples import loose
from tests.unit.portfolio.places import Clock, opened
from tests.unit.portfolio.test_measures import keep

D = Decimal
benchmark = loose(benchmarks.benchmark)
BEGINNING = (
    "2026-01-01T00:00:00Z deposit 1000 EUR #k:1",
    "2026-01-01T01:00:00Z buy 5 XBT @ 100 EUR #k:2",
)


def followed(*lines):
    clock = Clock()
    clock.set("2026-01-01T02:00:00Z")
    return opened(*BEGINNING, *lines, clock=clock)


def test_both_returns_are_of_the_same_moments():
    portfolio = followed()
    keep(portfolio, "2026-01-01T10:00:00Z", XBT=100)
    keep(portfolio, "2026-01-02T10:00:00Z", XBT=130)
    portfolio.desk.clock.set("2026-01-03T10:00:00Z")
    told = benchmark(
        portfolio, "XBT", portfolio.history(prices={"XBT": "150"}).points, {"XBT": "150"}
    )
    assert (told.first.price, told.last.price) == (100, 150)
    # half of the money was in coins: 1,000 became 1,250
    assert (told.return_pct.value, told.own_pct.value, told.excess_pct.value) == (50, 25, -25)
    assert [(each.nav, each.value) for each in told.points] == [(100, 100), (115, 130), (125, 150)]


def test_an_asset_that_is_not_held_counts_by_its_recorded_prices():
    portfolio = followed()
    portfolio.price("ETH", "2026-01-01T09:00:00Z", "10")
    portfolio.price("ETH", "2026-01-02T09:00:00Z", "12.5")
    keep(portfolio, "2026-01-01T10:00:00Z", XBT=100)
    keep(portfolio, "2026-01-02T10:00:00Z", XBT=100)
    told = benchmark(portfolio, "ETH", portfolio.history(prices={"XBT": "100"}).points)
    assert told.return_pct.value == 25
    assert told.last.source.startswith("price ")


def test_a_price_of_over_a_day_ago_is_none():
    portfolio = followed()
    portfolio.price("ETH", "2026-01-01T09:00:00Z", "10")
    keep(portfolio, "2026-01-01T10:00:00Z", XBT=100)
    keep(portfolio, "2026-01-03T10:00:00Z", XBT=100)
    told = benchmark(portfolio, "ETH", portfolio.history(prices={"XBT": "100"}).points)
    assert told.return_pct.value is None
    assert "ETH" in told.return_pct.reason
    assert told.excess_pct == told.own_pct == told.return_pct


def test_of_an_asset_that_nobody_ever_priced_nothing_is_known():
    portfolio = followed()
    keep(portfolio, "2026-01-01T10:00:00Z", XBT=100)
    told = benchmark(portfolio, "DOGE", portfolio.history().points)
    assert (told.prices, told.first, told.points) == (0, None, ())
    assert told.return_pct.value is None


def test_across_equity_below_zero_there_is_no_return_though_nothing_was_priced_then():
    portfolio = followed("2026-01-03T09:00:00Z fee 2000 EUR #k:3")
    for day, price in (("01", "10"), ("05", "12")):
        portfolio.price("ETH", f"2026-01-{day}T09:00:00Z", price)
    keep(portfolio, "2026-01-01T10:00:00Z", XBT=100)
    keep(portfolio, "2026-01-03T10:00:00Z", XBT=100)  # 1,000 less than nothing; ETH has no price
    keep(portfolio, "2026-01-04T10:00:00Z", XBT=500)
    keep(portfolio, "2026-01-05T10:00:00Z", XBT=500)
    told = benchmark(portfolio, "ETH", portfolio.history(prices={"XBT": "500"}).points)
    assert told.return_pct.value == 20
    assert told.own_pct.reason.startswith("equity was not above zero")
    assert told.excess_pct.value is None
