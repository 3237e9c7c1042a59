"""What was told of old units values the new ones, by every door that values."""

from datetime import date
from decimal import Decimal

from bursar.ledger import golden, instant
from bursar.portfolio import benchmark as benchmarks
from bursar.portfolio.exports.double import ledger_of
from bursar.portfolio.exports.tables import Asked
from bursar.portfolio.kept import closing_prices
from bursar.value.marks import Mark, Marks
from tests.unit.measure.samples import loose
from tests.unit.portfolio.places import Clock, opened
from tests.unit.portfolio.test_measures import keep

D = Decimal
BOUGHT = (
    "2026-01-01T09:00:00Z deposit 5000 EUR #k:1",
    "2026-01-02T09:00:00Z buy 10 ACME @ 100 EUR #k:2",
)
SPLIT = "2026-01-05T01:00:00Z split ACME 4 for 1 #k:3"


def bought(*lines, at="2026-01-08T12:00:00Z"):
    clock = Clock()
    clock.set(at)
    return opened(*BOUGHT, *lines, clock=clock)


def test_a_split_makes_nobody_richer():
    portfolio = bought(SPLIT)
    equity = portfolio.equity()
    assert equity.value == 5000
    assert equity.valuation.asset("ACME").mark.price == 25
    assert "100 before the split since" in str(portfolio.why("equity"))
    assert portfolio.at("2026-01-04").equity().valuation.asset("ACME").mark.price == 100


def test_nor_does_a_split_that_is_heard_of_late_or_taken_back():
    portfolio = bought()
    live = portfolio.live()
    assert live.commit().equity == 5000
    portfolio.record(*golden.read([SPLIT]))
    assert live.commit().equity == portfolio.equity().value == 5000
    portfolio.reverse("k:3")
    assert live.commit().equity == portfolio.equity().value == 5000
    assert portfolio.equity().valuation.asset("ACME").mark.price == 100


def test_a_tick_that_comes_late_is_of_its_time():
    portfolio = bought(SPLIT)
    live = portfolio.live()
    late = Mark("ACME", "EUR", D(120), "k", instant.parse("2026-01-04T23:59:00Z"))
    assert live.see(late).equity == portfolio.equity().value == 4000 + 40 * 30
    assert live.commit().equity == 5200
    assert live.mark("ACME", "31").equity == portfolio.equity().value == 4000 + 40 * 31


def test_recorded_and_venues_prices_and_those_given_with_their_time_are_of_their_time():
    portfolio = bought(SPLIT)
    portfolio.price("ACME", "2026-01-04T10:00:00Z", "108")
    assert portfolio.equity().value == 4000 + 40 * 27
    told = Mark("ACME", "EUR", D(112), "k", instant.parse("2026-01-04T15:00:00Z"))
    portfolio.keep_marks([told], "k")
    assert portfolio.equity().value == 4000 + 40 * 28
    assert portfolio.equity(Marks([told])).value == 4000 + 40 * 28
    assert portfolio.equity(portfolio.marks()).value == 4000 + 40 * 28
    assert portfolio.equity({"ACME": "30"}).value == 4000 + 40 * 30


def test_a_rebuilt_curve_has_no_step_where_a_split_was():
    made = bought(SPLIT).performance()
    assert made.is_rebuilt
    assert (made.made.value, made.twr_pct.value) == (0, 0)
    assert made.drawdown.peak == 5000


def test_a_benchmark_is_of_one_unit_all_along():
    portfolio = bought(at="2026-01-02T09:00:00Z")
    keep(portfolio, "2026-01-02T10:00:00Z", ACME=100)
    portfolio.record(*golden.read([SPLIT]))
    keep(portfolio, "2026-01-05T10:00:00Z", ACME=27)
    compared = loose(benchmarks.benchmark)(portfolio, "ACME", portfolio.history().points)
    assert (compared.first.price, compared.last.price) == (25, 27)
    assert compared.return_pct.value == 8


def test_daily_closes_are_of_one_unit_and_the_day_of_the_split_has_none():
    portfolio = bought(at="2026-01-02T09:00:00Z")
    for day, price in ((3, 100), (4, 104), (5, 26), (6, 27)):
        if day == 5:
            portfolio.record(*golden.read([SPLIT]))
        keep(portfolio, f"2026-01-{day:02}T20:00:00Z", ACME=price)
    assert closing_prices(portfolio)["ACME"] == {
        date(2026, 1, 3): 25,
        date(2026, 1, 4): 26,
        date(2026, 1, 6): 27,
    }


def test_an_export_dates_the_price_of_new_units_by_the_split():
    portfolio = bought(SPLIT)
    prices = ledger_of(portfolio, Asked()).prices
    assert [(instant.day(each.at), each.price) for each in prices] == [("2026-01-05", D(25))]


def test_a_transaction_is_judged_at_prices_of_what_is_held():
    portfolio = bought(SPLIT)
    told = Mark("ACME", "EUR", D(120), "k", instant.parse("2026-01-04T15:00:00Z"))
    with portfolio.transaction() as tx:
        tx.stage_cash_delta(0)
        review = tx.review(Marks([told]))
    assert review.total == 4000 + 40 * 30
