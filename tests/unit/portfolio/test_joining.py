"""The curve of before the first snapshot: rebuilt, and joined to what is kept."""

from fractions import Fraction

import pytest

from bursar.desk import Desk
from bursar.ledger import instant
from bursar.measure.curve import Moment
from bursar.measure.joined import prelude
from bursar.portfolio import Portfolio, measures, snapshots
from bursar.portfolio.performance import remarks
from tests.unit.measure.samples import D
from tests.unit.portfolio.places import Clock, opened
from tests.unit.portfolio.test_measures import begun, keep, tell

DAY = instant.DAY
IMPORTED = (
    "2026-01-02T01:00:00Z buy 10 XBT @ 100 EUR #k:2",
    "2026-01-03T01:00:00Z sell 1 XBT @ 110 EUR #k:3",
    "2026-01-05T01:00:00Z deposit 500 EUR #k:4",
)


def imported(at="2026-01-06T12:00:00Z"):
    return begun(*IMPORTED, at=at)


def opened_again(portfolio):
    """As another process would open it."""

    def unread(_path, _account, _progress):
        raise AssertionError("no file is imported here")

    return Portfolio(Desk(portfolio.desk.store, portfolio.desk.clock), unread)


def equities(portfolio, *asked):
    return [point.equity for point in portfolio.history(*asked).points]


def test_what_was_imported_stays_in_the_curve_once_a_snapshot_is_kept():
    portfolio = imported()
    assert equities(portfolio) == [0, 10000, 10000, 10100, 10600, 10600]
    keep(portfolio, "2026-01-06T13:00:00Z", XBT=120)
    portfolio.desk.clock.set("2026-01-06T14:00:00Z")
    assert equities(portfolio) == [0, 10000, 10000, 10100, 10600, 10690, 10600]
    made = portfolio.performance()
    assert (made.made.value, made.flows.value) == (100, 10500)
    assert (made.is_rebuilt, made.heard_later) == (True, 0)
    assert instant.show(made.first_kept_at) == "2026-01-06T13:00:00Z"
    (said,) = remarks(made)
    assert said == (
        "until 2026-01-06T13:00:00Z the curve is rebuilt from trades, at last known prices: no"
        " snapshot was kept before"
    )


def test_the_unit_price_runs_on_and_what_was_kept_keeps_its_own():
    portfolio = imported()
    whole = portfolio.performance().twr_pct.value
    alone = [point.nav for point in portfolio.history().points]
    keep(portfolio, "2026-01-06T13:00:00Z", XBT=120)
    portfolio.desk.clock.set("2026-01-06T14:00:00Z")
    points = portfolio.history(prices={"XBT": "120"}).points
    assert [point.nav for point in points[5:]] == [100, 100]
    grown = Fraction(points[4].nav) / Fraction(points[0].nav)
    assert abs(grown - Fraction(alone[4]) / Fraction(alone[0])) < Fraction(1, 10**15)
    twr = portfolio.performance("all", {"XBT": "120"}).twr_pct.value
    product = (1 + Fraction(whole) / 100) * Fraction(10690, 10600)
    assert abs(1 + Fraction(twr) / 100 - product) < Fraction(1, 10**15)


def test_a_flow_between_the_last_day_and_the_first_snapshot_counts_once():
    portfolio = begun(*IMPORTED, "2026-01-06T01:00:00Z deposit 300 EUR #k:5")
    keep(portfolio, "2026-01-06T13:00:00Z", XBT=110)
    tell(portfolio, "2026-01-06T13:30:00Z deposit 200 EUR #k:6")
    portfolio.desk.clock.set("2026-01-06T14:00:00Z")
    made = portfolio.performance()
    assert [point.flow for point in made.curve.points] == [0, 10000, 0, 0, 500, 300, 200]
    assert (made.flows.value, made.made.value) == (11000, 100)
    assert made.twr_pct.value == pytest.approx(1, abs=D("1e-15"))


def test_history_that_is_told_after_the_first_snapshot_has_its_curve_too():
    clock = Clock(instant.parse("2026-01-06T00:00:00Z"))
    portfolio = opened("2026-01-04T00:00:00Z deposit 1000 EUR #k:1", clock=clock)
    snapshots.take(portfolio)
    clock.set("2026-01-06T18:00:00Z")
    tell(portfolio, "2026-01-01T00:00:00Z deposit 400 EUR #k:2")
    tell(portfolio, "2026-01-02T00:00:00Z buy 1 XBT @ 100 EUR #k:3")
    tell(portfolio, "2026-01-03T00:00:00Z sell 1 XBT @ 200 EUR #k:4")
    keep(portfolio, "2026-01-07T00:00:00Z")
    portfolio.desk.clock.set("2026-01-07T01:00:00Z")
    assert equities(portfolio) == [0, 400, 400, 500, 1500, 1000, 1500, 1500]
    made = portfolio.performance()
    assert (made.flows.value, made.made.value, made.heard_later) == (1400, 100, 400)
    assert any("did not know all that is known of then now (400 EUR" in e for e in remarks(made))
    then = portfolio.at(known_at="2026-01-06T12:00:00Z")
    assert equities(then) == [0, 1000, 1000, 1000], "as it was known then"
    assert then.performance().heard_later == 0


def test_snapshots_of_an_empty_book_are_no_news_of_what_is_told_of_their_time_later():
    portfolio = opened(clock=Clock(instant.parse("2026-01-06T00:00:00Z")))
    snapshots.take(portfolio)
    keep(portfolio, "2026-01-06T10:00:00Z")
    tell(portfolio, "2026-01-01T00:00:00Z deposit 1000 EUR #k:1", *IMPORTED)
    portfolio.desk.clock.set("2026-01-06T12:00:00Z")
    assert equities(portfolio) == [0, 1000, 1000, 1100, 1600, 1600]
    assert portfolio.performance().first_kept_at is None
    keep(portfolio, "2026-01-06T13:00:00Z")
    portfolio.desk.clock.set("2026-01-06T14:00:00Z")
    made = portfolio.performance()
    assert equities(portfolio) == [0, 1000, 1000, 1100, 1600, 1600, 1600]
    assert made.drawdown.max_pct.value == 0
    assert instant.show(made.first_kept_at) == "2026-01-06T13:00:00Z"


def test_what_began_on_the_day_of_the_first_snapshot_begins_with_it():
    portfolio = begun()
    keep(portfolio, "2026-01-01T10:00:00Z")
    portfolio.desk.clock.set("2026-01-03T00:00:00Z")
    made = portfolio.performance()
    assert (made.is_rebuilt, made.first_kept_at, made.flows.value) == (False, None, 0)


def test_a_range_after_the_first_snapshot_looks_at_nothing_before_it():
    portfolio = imported()
    for day in (6, 7, 8):
        keep(portfolio, f"2026-01-0{day}T13:00:00Z", XBT=100 + day)
    portfolio.desk.clock.set("2026-01-08T14:00:00Z")
    anew = opened_again(portfolio)
    made = anew.performance(("2026-01-07T00:00:00Z", None))
    assert (made.is_rebuilt, made.first_kept_at) == (False, None)
    assert anew.followed.joining.rebuilding.count == 0
    ended = anew.performance(("2026-01-02T00:00:00Z", "2026-01-04T00:00:00Z"))
    assert (ended.is_rebuilt, ended.moments, ended.made.value) == (True, 3, 100)


def test_every_question_is_of_the_one_curve():
    portfolio = imported()
    keep(portfolio, "2026-01-06T13:00:00Z", XBT=50)
    portfolio.desk.clock.set("2026-01-06T14:00:00Z")
    prices = {"XBT": "50"}
    made = portfolio.performance("all", prices)
    assert repr(portfolio.history("all", prices).points) == repr(made.curve.points)
    for basis, fall in (("equity", made.drawdown), ("nav", made.nav_drawdown)):
        assert repr(portfolio.drawdown(basis, prices)) == repr(fall)
    assert made.drawdown.peak == 10600
    assert measures.why(portfolio, "drawdown", prices).value == made.drawdown.current_pct.value
    # What limits hold against, and what others are told, begins with what was kept.
    assert portfolio.views(prices).drawdown.peak_equity == 10060


def test_risk_is_of_the_days_of_the_one_curve():
    lines = [
        f"2026-01-{day:02}T01:00:00Z buy 1 XBT @ {100 + day % 3} EUR #k:{day}"
        for day in range(2, 29)
    ]
    portfolio = begun(*lines, at="2026-01-28T12:00:00Z")
    for day in range(29, 32):
        keep(portfolio, f"2026-01-{day}T01:00:00Z", XBT=100 + day % 3)
    portfolio.desk.clock.set("2026-02-01T02:00:00Z")
    prices = {"XBT": "101"}
    risk, made = portfolio.risk(prices), portfolio.performance("all", prices)
    assert made.ratios.volatility_pct.value is not None
    assert risk.volatility_pct == made.ratios.volatility_pct
    assert (risk.var_pct, risk.cvar_pct) == (made.ratios.var_pct, made.ratios.cvar_pct)


def test_it_is_rebuilt_once_while_nothing_of_then_becomes_another():
    portfolio = imported()
    keep(portfolio, "2026-01-06T13:00:00Z")
    portfolio.desk.clock.set("2026-01-07T00:00:00Z")
    rebuilding = portfolio.followed.joining.rebuilding
    counted = []
    for number, line in enumerate(
        (
            "2026-01-06T14:00:00Z deposit 1 EUR",  # of later
            "2026-01-06T12:00:00Z deposit 2 EUR",  # the last of before
            "2026-01-04T12:00:00Z deposit 4 EUR",
            "2026-01-04T13:00:00Z price XBT 90 EUR",
            "2026-01-06T15:00:00Z price XBT 80 EUR",
            "2026-01-06T16:00:00Z void k:3",
        )
    ):
        portfolio.performance()
        tell(portfolio, f"{line} #t:{number}")
        portfolio.performance()
        counted.append(rebuilding.count)
        anew = opened_again(portfolio)
        assert repr(portfolio.performance()) == repr(anew.performance()), line
    assert counted == [1, 2, 3, 4, 4, 5]


def test_a_curve_that_lost_all_its_digits_is_broken_where_it_is_joined():
    made = prelude([Moment(0, D(10) ** 19, D(0))], 2, Moment(2, D("1e-18"), D(0)), D(100))
    assert made.joint is not None
    assert made.joint.nav == 100
    assert made.joint.is_broken
    assert [point.nav for point in made.points] == [100]
