"""The curve of a book of which no moment was kept."""

from fractions import Fraction

from tests.unit.portfolio.test_measures import begun


def test_a_rebuilt_curve_goes_on_with_the_days_while_the_book_stands():
    lines = (
        "2026-01-02T01:00:00Z buy 10 XBT @ 100 EUR #k:2",
        "2026-01-03T01:00:00Z price XBT 90 EUR #k:3",
    )
    stays = begun(*lines, at="2026-01-02T12:00:00Z")
    assert len(stays.history().points) == 3
    for at in ("2026-01-04T12:00:00Z", "2026-01-02T13:00:00Z"):  # also where a clock is set back
        stays.desk.clock.set(at)
        assert repr(stays.performance()) == repr(begun(*lines, at=at).performance())


def test_what_came_and_went_on_one_day_was_there_in_between():
    portfolio = begun(
        "2026-01-01T01:00:00Z buy 100 XBT @ 100 EUR #k:2",
        "2026-01-01T02:00:00Z sell 100 XBT @ 110 EUR #k:3",
        "2026-01-01T03:00:00Z withdrawal 10990 EUR #k:4",  # all but ten
        "2026-01-02T00:00:00Z deposit 1000 EUR #k:5",
        "2026-01-02T00:00:00Z withdrawal 1000 EUR #k:6",  # as a file says it that knows days alone
        "2026-01-02T00:00:00Z deposit 5 EUR #k:7",
        at="2026-01-03T12:00:00Z",
    )
    made = portfolio.performance()
    assert made.twr_pct.value == 100 * (Fraction(11000, 10000) - 1)
    assert [point.equity for point in made.curve.points] == [0, 11000, 10, 10, 1015, 15, 15]
    assert made.made.value == 1000


def test_a_price_of_a_day_counts_from_its_instant_on_where_capital_went():
    portfolio = begun(
        "2026-01-01T01:00:00Z buy 100 XBT @ 100 EUR #k:2",
        "2026-01-01T03:00:00Z deposit 1 EUR #k:3",
        "2026-01-01T03:30:00Z withdrawal 1 EUR #k:4",
        "2026-01-01T04:00:00Z price XBT 50 EUR #k:5",
        at="2026-01-02T12:00:00Z",
    )
    made = portfolio.performance()
    assert [point.equity for point in made.curve.points] == [0, 10000, 10001, 10000, 5000, 5000]
    assert made.twr_pct.value == -50


def test_what_was_lost_by_what_had_stayed_or_was_there_before_is_a_loss_of_that():
    portfolio = begun(
        "2026-01-01T01:00:00Z withdrawal 9000 EUR #k:2",
        "2026-01-01T02:00:00Z buy 10 XBT @ 100 EUR #k:3",
        "2026-01-01T03:00:00Z sell 10 XBT @ 50 EUR #k:4",  # half of what had stayed
        "2026-01-01T04:00:00Z deposit 9500 EUR #k:5",
        "2026-01-01T05:00:00Z buy 100 XBT @ 100 EUR #k:6",
        "2026-01-01T06:00:00Z sell 100 XBT @ 90 EUR #k:7",  # a tenth of all
        at="2026-01-02T12:00:00Z",
    )
    assert portfolio.performance().twr_pct.value == -55
