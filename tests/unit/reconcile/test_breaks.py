"""Breaks: how a place and a pattern are told in words."""

from decimal import Decimal

import pytest

from bursar.ledger import instant
from bursar.reconcile import Place, Where
from bursar.reconcile.patterns import Unit, fits, reward_like, slip
from tests.unit.reconcile.venues import DAY, START, Venue

D = Decimal


@pytest.mark.parametrize(
    "place,said",
    [
        (Place(Where.START, after="b"), "before b"),
        (Place(Where.START), "before all rows"),
        (Place(Where.ROWS, "a", "b"), "between a and b"),
        (Place(Where.END, "a"), "after a"),
        (Place(Where.END), "no row of it at all"),
        (Place(Where.FACT, after="f"), "at f"),
        (Place(Where.NOWHERE), "not located: no running balances"),
    ],
)
def test_a_place_in_words(place, said):
    assert str(place) == said


def test_a_window_in_words():
    second = instant.SECOND
    assert Place(Where.END, since=0, until=second).window() == (
        "after 1970-01-01T00:00:00Z, by 1970-01-01T00:00:01Z"
    )
    assert Place(Where.START, until=second).window() == "by 1970-01-01T00:00:01Z"
    assert Place(Where.NOWHERE).window() == "at an unknown time"


@pytest.mark.parametrize(
    "told,true,said",
    [
        ("5", "-5", "the sign the wrong way round"),
        ("1.25", "0.125", "the decimal point in another place"),
        ("12500", "125", "the decimal point in another place"),
        ("50", "500", None),
        ("12", "21", None),
        ("1324", "1234", "the same digits in another order"),
        ("12.34", "43210", None),
        ("5", "6", None),
        ("5", "-6", None),
        ("0", "6", None),
        ("6", "6", None),
    ],
)
def test_slips_of_the_pen(told, true, said):
    assert slip(D(told), D(true)) == said


def test_prices_of_one_day_must_be_nearer_than_older_ones():
    near, far = Unit(D(1), 0), Unit(D(1), 2 * DAY)
    assert fits((D(100), near), (D(-119), near)) == D("1.19")
    assert fits((D(100), near), (D(-121), near)) is None
    assert fits((D(100), near), (D(-121), far)) == D("1.21")
    assert fits((D(100), Unit(D(0), 0)), (D(-1), near)) is None


def rewards(*days):
    venue = Venue()
    for day in days:
        venue.at = START + day * DAY
        venue.reward("DOT.S", "2.0000000000")
    return venue.rows


def days(first, last):
    return START + first * DAY, START + last * DAY


def test_a_reward_is_due_where_the_usual_time_has_passed():
    weekly = rewards(0, 7, 14, 28, 35)
    assert reward_like(D(2), days(14, 28), weekly) is weekly[2]
    assert reward_like(D(2), days(35, 42), weekly) is weekly[4]
    assert reward_like(D(2), days(35, 40), weekly) is None
    assert reward_like(D(2), days(7, 14), weekly) is None
    assert reward_like(D(5), days(14, 28), weekly) is None
    assert reward_like(D("0.5"), days(14, 28), weekly) is None
    assert reward_like(D(-2), days(14, 28), weekly) is None
    assert reward_like(D(2), days(14, 28), weekly[:2]) is None
    assert reward_like(D(2), days(-9, 0), weekly) is weekly[0]
