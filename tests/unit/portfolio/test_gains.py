"""Realised gains by year and how long lots were held: worked by hand, and as identities."""

import random
from decimal import Decimal

import pytest

from bursar.errors import BadChoice
from bursar.exact import money
from bursar.ledger.terms import Method, Terms
from bursar.measure.measured import summed
from bursar.portfolio import gains as realised
from bursar.portfolio.gains import GainsAsked, Term, YearStart, year_start
from bursar.portfolio.periods import window
from tests.auditor import histories
from tests.unit.measure.samples import loose
from tests.unit.portfolio.places import NOON, opened

D = Decimal
gains = loose(realised.gains)
FIFO = Terms(base="EUR", method=Method.FIFO)
STORY = (
    "2024-01-01T00:00:00Z deposit 10000 EUR #k:1",
    "2024-01-01T10:00:00Z buy 2 XBT @ 100 EUR fee 1 EUR #k:2",
    "2025-03-01T10:00:00Z buy 1 XBT @ 400 EUR #k:3",
    "2025-04-05T23:59:59Z sell 1 XBT @ 500 EUR fee 2 EUR #k:4  strategy=trend",
    "2025-04-06T00:00:00Z sell 2 XBT @ 600 EUR #k:5",
)


def by_year(years):
    return {each.year: each for each in years}


def test_a_sale_is_told_apart_by_the_lots_that_left_and_how_long_they_were_held():
    told = gains(opened(*STORY, terms=FIFO), GainsAsked())
    one, two, three = told.disposals
    # 500 − 2 of the sale; half of the first lot, which was bought over a year before
    assert (one.proceeds, one.cost, one.gain, one.term) == (D(498), D(100), D(398), Term.LONG)
    assert (two.quantity, two.gain, two.term) == (D(1), D(500), Term.LONG)
    # the lot of March, held for a month
    assert (three.quantity, three.gain, three.term) == (D(1), D(200), Term.SHORT)
    assert (one.strategy, two.strategy) == ("trend", "manual")


def test_a_disposal_says_what_is_not_known_of_what_was_sold_or_bought():
    told = gains(
        opened(
            "2024-01-01T10:00:00Z buy 2 XBT @ 100 EUR #k:1",
            "2024-01-02T10:00:00Z deposit 1 SGB #k:2",
            "2024-01-03T10:00:00Z sell 1 XBT @ 300 EUR #k:3",
            "2024-01-04T10:00:00Z sell 1 SGB @ 5 EUR #k:4",
            "2025-01-05T10:00:00Z sell 1 XBT @ 7 WOW #k:5",
            terms=FIFO,
        ),
        GainsAsked(),
    )
    known, bought, sold = told.disposals
    assert (known.gain, known.flags) == (D(200), ())
    assert (bought.cost, bought.flags) == (D(0), ("unpriced",))
    assert (sold.proceeds, sold.flags) == (D(0), ("unpriced",))
    assert [(year.disposals, year.flagged) for year in told.by_calendar_year] == [(2, 1), (1, 1)]


def test_what_leaves_as_capital_is_no_disposal_and_a_fee_in_a_coin_is_one():
    told = gains(
        opened(
            "2024-01-01T10:00:00Z buy 2 BNB @ 100 EUR #k:1",
            "2024-01-02T10:00:00Z withdrawal 1 BNB fee 0.1 BNB worth 20 #k:2",
            "2024-01-03T10:00:00Z buy 1 XBT @ 500 EUR fee 0.2 BNB worth 50 #k:3",
            terms=FIFO,
        ),
        GainsAsked(),
    )
    # of the withdrawal the fee alone, 20 − 10; the trade is charged 50, and the BNB gains 50 − 20
    assert [(each.entry, each.asset, each.quantity) for each in told.disposals] == [
        ("k:2", "BNB", D("0.1")),
        ("k:3", "BNB", D("0.2")),
    ]
    assert [(each.proceeds, each.cost, each.gain) for each in told.disposals] == [
        (20, 10, 10),
        (50, 20, 30),
    ]
    (year,) = told.by_calendar_year
    assert (year.disposals, year.proceeds, year.cost) == (2, 70, 30)
    assert (year.short, year.undated, year.realized) == (40, -50, -10)


def test_years_add_up_and_the_fee_of_a_purchase_has_no_day():
    told = gains(opened(*STORY, terms=FIFO), GainsAsked())
    years = by_year(told.by_calendar_year)
    assert (years["2024"].realized, years["2024"].undated, years["2024"].disposals) == (-1, -1, 0)
    whole = years["2025"]
    assert (whole.short, whole.long, whole.undated, whole.realized) == (200, 898, 0, 1098)
    assert (whole.disposals, whole.proceeds, whole.cost) == (3, 1698, 600)
    assert told.realized == 1097


def test_a_tax_year_begins_on_any_day_of_the_year():
    told = gains(opened(*STORY, terms=FIFO), GainsAsked(tax_year=year_start("04-06")))
    years = by_year(told.by_tax_year)
    assert {name: each.realized for name, each in years.items()} == {
        "2023/24": -1,  # 1 January 2024 is before 6 April
        "2024/25": 398,  # its last second
        "2025/26": 700,
    }
    assert year_start("01-01").year_of("1999-12-31") == "1999"
    assert YearStart(7, 1).year_of("1999-07-01") == "1999/00"


@pytest.mark.parametrize("text", ["", "04", "13-01", "02-29", "04-31", "4 April", "04-06-01"])
def test_a_day_that_not_every_year_has_begins_none(text):
    with pytest.raises(BadChoice, match="such as 04-06"):
        year_start(text)


def test_what_counts_as_long_is_more_than_so_many_days():
    portfolio = opened(*STORY, terms=FIFO)
    days = (D(2025) - 2024) * 366 + 31 + 28 + 31 + 5  # 2024-01-01 10:00 to 2025-04-06 00:00, cut
    for long_after, term in ((int(days) - 1, Term.LONG), (int(days), Term.SHORT)):
        told = gains(portfolio, GainsAsked(long_after=long_after))
        assert told.disposals[1].term is term, long_after


def test_a_pool_keeps_no_days_and_says_so():
    told = gains(opened(*STORY, terms=FIFO), GainsAsked(rule=Method.WAC))
    assert {each.term for each in told.disposals} == {Term.UNDATED}
    assert all(each.acquired_at is None for each in told.disposals)
    (year,) = (each for each in told.by_calendar_year if each.year == "2025")
    assert (year.short, year.long, year.undated) == (0, 0, year.realized)


def test_a_range_and_a_strategy_have_their_own_disposals_alone():
    portfolio = opened(*STORY, terms=FIFO)
    spring = window(("2025-04-06", None), NOON)
    assert [each.entry for each in gains(portfolio, GainsAsked(window=spring)).disposals] == [
        "k:5",
        "k:5",
    ]
    trend = gains(portfolio, GainsAsked(strategy="trend"))
    assert (trend.realized, len(trend.disposals)) == (398, 1)


@money
def test_every_random_history_adds_up_to_what_its_records_realised():
    for seed in range(12):
        rng = random.Random(seed)
        terms = histories.terms(rng)
        portfolio = opened(terms=terms)
        portfolio.writer.submit(histories.history(rng, 25, terms))
        for rule in (terms.method, Method.HIFO):
            told = gains(portfolio, GainsAsked(rule=rule, tax_year=YearStart(4, 6)))
            records = summed(each.pnl_base for each in portfolio.records_of(rule))
            cells = summed(each.realized for each in portfolio.book(rule).cells.values())
            assert told.realized == records == cells, (seed, rule)
            for years in (told.by_calendar_year, told.by_tax_year):
                assert summed(each.realized for each in years) == records
                for each in years:
                    assert each.short + each.long + each.undated == each.realized
