"""Weights as near to the wishes as bounds allow."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bursar.capital.simplex import Bounds, project
from bursar.exact import ATOM, ONE, ZERO

HALF = Decimal("0.5")
FREE = Bounds(ZERO, ONE)

parts = st.integers(0, 20).map(lambda count: Decimal(count) / 20)
ranges = st.tuples(parts, parts).map(lambda pair: Bounds(min(pair), max(pair)))
wishers = st.lists(st.tuples(parts, ranges), max_size=8)


def test_without_bounds_weights_are_in_the_proportion_of_the_wishes():
    assert project([Decimal(1), Decimal(3)], [FREE, FREE], ONE) == (
        Decimal("0.25"),
        Decimal("0.75"),
    )


def test_what_one_may_not_take_the_others_take():
    bounds = [Bounds(ZERO, Decimal("0.4")), FREE, FREE]
    assert project([Decimal(8), ONE, ONE], bounds, ONE) == (
        Decimal("0.4"),
        Decimal("0.3"),
        Decimal("0.3"),
    )


def test_what_nobody_may_take_is_left_over():
    assert project([ONE, ONE], [Bounds(ZERO, Decimal("0.3"))] * 2, ONE) == (Decimal("0.3"),) * 2


def test_without_a_wish_there_is_only_the_lower_bound():
    assert project([ZERO, ONE], [Bounds(Decimal("0.1"), ONE), FREE], HALF) == (
        Decimal("0.1"),
        Decimal("0.4"),
    )


def test_nobody_is_pushed_below_the_lower_bound():
    assert project([ONE, ONE], [Bounds(HALF, ONE), Bounds(HALF, ONE)], HALF) == (HALF, HALF)


def test_of_nobody_there_is_nothing():
    assert project([], [], ONE) == ()


@given(wishers, parts)
def test_bounds_hold_and_the_sum_is_the_total_as_far_as_it_can_be(asked, total):
    wishes, bounds = [wish for wish, _ in asked], [bound for _, bound in asked]
    weights = project(wishes, bounds, total)
    assert all(b.least <= w <= b.most for w, b in zip(weights, bounds, strict=True))
    least = sum((bound.least for bound in bounds), ZERO)
    most = sum((b.most if wish else b.least for wish, b in asked), ZERO)
    reached = sum(weights, ZERO)
    if least >= total:
        assert reached == least
    elif most <= total:
        assert reached == most
    else:
        assert total - len(weights) * ATOM <= reached <= total


@given(parts, parts, wishers, parts)
def test_of_two_with_equal_bounds_the_larger_wish_never_gets_less(one, other, rest, total):
    wishes = [one, other, *(wish for wish, _ in rest)]
    first, second, *_ = project(wishes, [FREE, FREE, *(bound for _, bound in rest)], total)
    assert (first >= second) if one >= other else (first <= second)
