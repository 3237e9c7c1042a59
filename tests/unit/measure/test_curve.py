"""The curve: what flows do to the unit price, and what they do not."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bursar.measure import curve as module
from bursar.measure.curve import Curve, growth, window, windows
from tests.unit.measure.samples import DAY, POSITIVE, D, curve_of, day, loose, moment

curve = loose(module.curve)


def navs(made):
    return [point.nav for point in made.points]


def test_without_flows_the_price_follows_equity():
    made = curve_of(1000, 1100, 990)
    assert navs(made) == [100, 110, 99]
    assert growth(made.points).value == -1


def test_a_deposit_moves_equity_and_not_the_price():
    made = curve(
        [moment(day(1), 1000, 1000), moment(day(2), 1500, 1500), moment(day(3), 1650, 1500)]
    )
    assert navs(made) == [100, 100, 110]
    assert [point.flow for point in made.points] == [0, 500, 0]


def test_what_went_counts_as_there_to_the_end_of_its_link():
    made = curve([moment(day(1), 100, 100), moment(day(2), 60, 50)])  # 10 was made, and half left
    assert navs(made) == [100, 110]


def test_no_withdrawal_makes_a_gain_larger_than_it_was():
    for out in (0, 1, 500, 999, 1000, 1001, 1099, 1100):
        made = curve([moment(day(1), 1000, 1000), moment(day(2), 1100 - out, 1000 - out)])
        assert navs(made) == [100, 110], out


def test_what_went_beyond_all_that_was_there_leaves_no_return():
    told = [moment(day(1), 1000, 1000), moment(day(2), -50, 900), moment(day(3), 150, 1100)]
    for made in (curve(told[:2]), curve(told)):
        assert made.points[1].is_broken
        assert growth(made.points).value is None
    empty = curve([told[0], moment(day(2), 0, -100)])  # all of it, with what it made
    assert growth(empty.points).value == 10


def test_more_taken_out_than_was_there_counts_at_the_end():
    made = curve([moment(day(1), 100, 100), moment(day(2), 50, -50)])
    assert navs(made) == [100, 200]
    emptied = curve([moment(day(1), 100, 100), moment(day(2), 0, 0), moment(day(3), 0, 0)])
    assert navs(emptied) == [100, 100, 100]
    again = curve([moment(day(1), 100, 100), moment(day(2), 0, 0), moment(day(3), 55, 50)])
    assert navs(again) == [100, 100, 110]


def test_equity_below_zero_breaks_the_link_and_says_so():
    made = curve([moment(day(1), 100, 100), moment(day(2), -5, 100), moment(day(3), 50, 100)])
    assert [point.is_broken for point in made.points] == [False, True, True]
    assert navs(made) == [100, 100, 100]
    assert "not above zero" in growth(made.points).reason


def test_what_has_no_price_is_stepped_over():
    made = curve(
        [
            moment(day(1), 100, 100),
            moment(day(2), 40, 100, is_complete=False),
            moment(day(3), 220, None),
            moment(day(4), 220, 200),
        ]
    )
    assert navs(made) == [100, None, None, 110]
    assert [point.is_complete for point in made.points] == [True, False, True, True]
    assert [len(made.complete), len(made.priced)] == [3, 2]


def test_a_flow_priced_long_after_the_last_equity_is_stale():
    made = curve([moment(day(1), 100, 100), moment(day(3), 200, 200), moment(day(9), 300, 200)])
    assert [point.is_stale for point in made.points] == [False, True, False]


def test_order_does_not_matter_and_the_later_word_of_an_instant_counts():
    made = curve([moment(day(2), 110), moment(day(1), 50), moment(day(1), 100)])
    assert navs(made) == [100, 110]


def test_one_moment_is_no_return():
    assert growth(curve_of(100).points).value is None
    assert curve([]) == Curve(())


def test_a_window_opens_with_what_stood_before_it():
    made = curve([moment(day(n), 100 + n, None if n == 3 else 0) for n in range(1, 6)])
    assert [p.equity for p in window(made, day(4, 0)).points] == [102, 103, 104, 105]
    assert [p.equity for p in window(made, day(5, 0), day(5)).points] == [104]
    assert [p.equity for p in window(made, day(1, 0), day(2)).points] == [101]
    assert window(made) == made


@given(st.lists(st.tuples(POSITIVE, POSITIVE, st.booleans()), min_size=2, max_size=12))
def test_the_chain_is_the_product_of_its_links(told):
    capital, moments = D(0), []
    for number, (equity, flow, comes) in enumerate(told):
        capital += flow if comes else -flow
        moments.append(moment(number * DAY, equity, capital))
    exact = Fraction(100)
    for before, after in pairwise(moments):
        flow = Fraction(after.capital) - Fraction(before.capital)
        came, went = max(flow, Fraction(0)), max(-flow, Fraction(0))
        exact *= (Fraction(after.equity) + went) / (Fraction(before.equity) + came)
    assert (
        abs(Fraction(curve(moments).points[-1].nav) / exact - 1) < Fraction(1, 10**9) or exact < 1
    )


def test_of_a_curve_that_ends_before_a_window_its_opening_is_there():
    points = curve_of(1000, 1100, 990).points
    late = points[-1].at + DAY
    for parts in ([points[:1], points[1:]], [points]):
        assert [*windows(parts, late, None)] == [window(Curve(points), late).points]
    assert [*windows([], late, None)] == [()]
    assert [*windows([points[:1], points[1:]], None, None)] == [points[:1], points[1:]]
