"""A sum that lets go of numbers reads like one that never had them."""

from decimal import localcontext

from hypothesis import given
from hypothesis import strategies as st

from bursar.exact import MONEY_DIGITS, ZERO
from bursar.value.sums import Sum
from tests.unit.value.books import D

NUMBERS = st.decimals(-(10**20), 10**20, allow_nan=False, places=18) | st.sampled_from(
    [D("1"), D("1.0"), D("1.00"), D("0"), D("0.000"), D("2E+3"), D("-7.5")]
)


@given(st.lists(st.tuples(NUMBERS, st.booleans())))
def test_a_kept_sum_is_written_as_a_fresh_one(told):
    with localcontext() as context:
        context.prec = MONEY_DIGITS
        kept: Sum = Sum()
        left: list = []
        for number, goes in told:
            old = left.pop(0) if goes and left else None
            kept.swap(old, number)
            left.append(number)
            assert repr(kept.value) == repr(sum(left, ZERO))
        for number in left:
            kept.swap(number, None)
        assert repr(kept.value) == repr(ZERO)
