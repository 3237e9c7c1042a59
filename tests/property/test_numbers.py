"""Exact numbers: what must hold for all of them, and for the widest and smallest above all."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bursar import exact
from bursar.errors import OutOfBounds
from bursar.exact import ATOM, Rounding, money

WIDEST = Decimal("99999999999999999999.999999999999999999")
EXTREMES = st.sampled_from([ATOM, WIDEST, WIDEST - ATOM, Decimal(1), 3 * ATOM, Decimal(0)])


def decimals(low="0", high=str(WIDEST)):
    drawn = st.decimals(low, high, places=18, allow_nan=False)
    rough = st.integers(0, 10**6).map(lambda n: Decimal(n).scaleb(-3))
    return st.one_of(drawn, rough, EXTREMES)


AMOUNTS = decimals()
POSITIVE = decimals().filter(bool)
RULES = st.sampled_from(list(Rounding))


@st.composite
def texts(draw):
    whole = draw(st.text("0123456789", min_size=1, max_size=20))
    fraction = draw(st.text("0123456789", max_size=18))
    return draw(st.sampled_from(["", "-"])) + whole + (f".{fraction}" if fraction else "")


@given(texts())
def test_a_number_comes_back_as_it_was_written(text):
    value = exact.parse(text)
    written = exact.plain(value)
    assert exact.parse(written) == value == exact.number(value) == exact.parse_venue(text)
    assert exact.parse(exact.trimmed(value)) == value
    digits = text.lstrip("-").lstrip("0").rjust(1, "0")
    assert written.lstrip("-").lstrip("0").rjust(1, "0") == digits


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_float_enters_by_its_shortest_text_or_not_at_all(value):
    try:
        entered = exact.number(value)
    except OutOfBounds:
        assert value == 0 or abs(value) < 1
    else:
        assert float(entered) == value


@given(AMOUNTS, st.lists(AMOUNTS, min_size=1, max_size=12).filter(any), st.integers(0, 18))
def test_a_split_sums_exactly_and_is_fair_to_an_atom(total, weights, places):
    parts = exact.split(total, weights, places=places)
    assert sum(map(Fraction, parts)) == Fraction(total)
    whole, atom = sum(map(Fraction, weights)), Fraction(1, 10**places)
    for part, weight in zip(parts, weights, strict=True):
        assert part >= 0
        assert abs(Fraction(part) - Fraction(total) * Fraction(weight) / whole) < 2 * atom


@given(AMOUNTS, st.lists(POSITIVE, min_size=1, max_size=8))
def test_the_parts_of_a_lot_add_up_to_the_lot(cost, takes):
    left, units, given_out = cost, sum(map(Fraction, takes)), Fraction(0)
    for take in takes:
        held = _decimal(units)
        part = exact.share(left, take, held)
        assert 0 <= part <= left
        given_out += Fraction(part)
        left = _less(left, part)
        units -= Fraction(take)
    assert given_out == Fraction(cost)
    assert left == 0


@given(AMOUNTS, POSITIVE, POSITIVE)
def test_a_share_is_the_true_one_rounded_once(cost, one, other):
    taken, held = min(one, other), max(one, other)
    true = Fraction(cost) * Fraction(taken) / Fraction(held)
    rounded = round(true * 10**18) * Fraction(1, 10**18)
    whole = Fraction(cost)
    assert Fraction(exact.share(cost, taken, held)) == (
        whole if taken == held else min(rounded, whole)
    )
    assert Fraction(exact.ratio18(cost, taken, held)) == rounded


@given(AMOUNTS, AMOUNTS)
def test_a_product_is_the_true_one_rounded_once(left, right):
    true = Fraction(left) * Fraction(right)
    assert Fraction(exact.product18(left, right)) == round(true * 10**18) * Fraction(1, 10**18)


@given(AMOUNTS, POSITIVE, RULES)
def test_what_is_quantised_is_a_multiple_next_to_the_value(value, step, rule):
    found = Fraction(exact.quantise(value, step, rule))
    size = Fraction(step)
    assert (found / size).denominator == 1
    assert abs(found - Fraction(value)) < size
    if Fraction(value) % size == 0:
        assert found == Fraction(value)
    if rule in {Rounding.DOWN, Rounding.FLOOR}:
        assert found <= Fraction(value)
    if rule in {Rounding.UP, Rounding.CEILING}:
        assert found >= Fraction(value)


@given(AMOUNTS, POSITIVE, st.integers(0, 18), st.booleans())
def test_quotient_and_remainder_give_the_total_back(total, by, places, is_negative):
    total = total.copy_negate() if is_negative else total
    quotient, rest = exact.divide(total, by, places=places)
    assert Fraction(quotient) * Fraction(by) + Fraction(rest) == Fraction(total)
    assert abs(Fraction(rest)) < Fraction(by) / 10**places
    assert rest == 0 or (rest > 0) == (total > 0)


@given(decimals(), decimals(), st.integers(1, 10**6))
def test_the_widest_legal_products_and_their_sums_fit(cost, quantity, count):
    product = _product(cost, quantity, count)
    with localcontext(Context(prec=400)):
        assert product == cost * quantity * count * quantity


@given(AMOUNTS, st.lists(AMOUNTS, min_size=1, max_size=5).filter(any), st.integers(1, 40))
def test_a_callers_few_digits_change_no_result(total, weights, digits):
    usual = exact.split(total, weights, places=8), exact.share(total, ATOM, WIDEST)
    with localcontext(Context(prec=digits)) as own:
        assert (exact.split(total, weights, places=8), exact.share(total, ATOM, WIDEST)) == usual
        assert not any(own.flags.values())


@money
def _product(cost, quantity, count):
    return cost * quantity * Decimal(count) * quantity


@money
def _less(left, right):
    return left - right


def _decimal(value):
    with localcontext(Context(prec=100)):
        return Decimal(value.numerator) / Decimal(value.denominator)
