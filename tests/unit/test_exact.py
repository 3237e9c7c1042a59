"""The precision layer: what it lets in, how it rounds, and what it never does."""

import threading
import time
from decimal import (
    ROUND_UP,
    Context,
    Decimal,
    FloatOperation,
    Inexact,
    InvalidOperation,
    getcontext,
    localcontext,
)

import pytest

from bursar import exact
from bursar.errors import NotExact, OutOfBounds
from bursar.exact import Precision, Rounding

WIDEST = Decimal("99999999999999999999.999999999999999999")


@pytest.mark.parametrize(
    "text",
    ["0", "-12.50", "1.2300", "00012", "0.000000000000000001", "99999999999999999999", str(WIDEST)],
)
def test_a_plain_number_keeps_every_digit_as_written(text):
    assert str(exact.parse(text)) == str(Decimal(text))


@pytest.mark.parametrize("text", ["1e3", " 1", "1_0", "", "NaN", "٢"])
def test_a_long_number_of_our_own_is_plain_too(text):
    assert exact.parse_long("0." + "1" * 60) == Decimal("0." + "1" * 60)
    with pytest.raises(NotExact, match="is not a plain decimal number"):
        exact.parse_long(text)


@pytest.mark.parametrize("text", ["", "1.0", "1e3", " 1", "+1", "1_0", "0x1", "٢", "9" * 19])
def test_a_whole_number_is_digits_alone(text):
    assert exact.parse_whole("-007") == -7
    with pytest.raises(NotExact, match="is not a whole number such as 10"):
        exact.parse_whole(text)


@pytest.mark.parametrize("text", ["-0", "-0.00"])
def test_minus_zero_becomes_zero(text):
    assert not exact.parse(text).is_signed()


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "1.", ".5", "1,000", "1_000", "1e5", "NaN", "inf", "١٢", "1\n", "--1"],
)
def test_what_is_not_plain_ascii_is_refused(text):
    with pytest.raises(NotExact, match="not a plain decimal") as caught:
        exact.parse(text, field="price")
    assert caught.value.context == {"field": "price", "value": text}


@pytest.mark.parametrize(
    "text", ["123456789012345678901", "0.1234567890123456789", "1" * 41, "-" + "9" * 40]
)
def test_too_many_digits_are_refused(text):
    with pytest.raises(OutOfBounds):
        exact.parse(text)


@pytest.mark.parametrize("door", [exact.parse, exact.parse_venue, exact.number])
def test_a_megabyte_of_digits_is_refused_within_a_millisecond(door):
    text, best = "9" * 1_000_000, 1.0
    for _ in range(5):
        began = time.perf_counter()
        with pytest.raises(OutOfBounds):
            door(text)
        best = min(best, time.perf_counter() - began)
    assert best < 0.001


def test_a_huge_integer_is_refused_before_it_is_written_out():
    with pytest.raises(OutOfBounds, match="20 digits"):
        exact.number(1 << 4_000_000)


@pytest.mark.parametrize(
    "text, written",
    [
        ("3.605E-05", "0.00003605"),
        ("1e5", "100000"),
        ("1.5e+2", "150"),
        ("-2E-18", "-0.000000000000000002"),
        ("0e-5", "0.00000"),
        ("12.5", "12.5"),
    ],
)
def test_a_venue_may_write_an_exponent_and_it_is_expanded(text, written):
    assert exact.plain(exact.parse_venue(text)) == written


@pytest.mark.parametrize("text", ["1e20", "1e-19", "1e999", "1e-999", "1.5e-18"])
def test_an_expanded_number_is_bounded_too(text):
    with pytest.raises(OutOfBounds):
        exact.parse_venue(text)


@pytest.mark.parametrize("text", ["1e", "e5", "1e5x", "0x10", "1e1000", "+7"])
def test_what_no_venue_writes_is_refused(text):
    with pytest.raises(NotExact):
        exact.parse_venue(text)


@pytest.mark.parametrize(
    "value, written",
    [
        (Decimal("1.20"), "1.20"),
        (Decimal("1E+3"), "1000"),
        (7, "7"),
        ("0.5", "0.5"),
        (0.02, "0.02"),
        (1e16, "10000000000000000"),
        (10**20 - 1, "9" * 20),
        (-(10**20 - 1), "-" + "9" * 20),
    ],
)
def test_the_door_takes_decimal_int_text_and_a_float_by_its_shortest_text(value, written):
    assert exact.plain(exact.number(value)) == written


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        True,
        None,
        b"1",
        [1],
        Decimal("1E+60"),
        Decimal("1E-60"),
    ],
)
def test_the_door_refuses_what_is_no_finite_number(value):
    with pytest.raises(NotExact):
        exact.number(value)


@pytest.mark.parametrize("value", [10**20, -(10**20), 1e30, Decimal("1E+20")])
def test_the_door_refuses_what_is_too_wide(value):
    with pytest.raises(OutOfBounds):
        exact.number(value)


def test_strict_numbers_refuse_every_float():
    with pytest.raises(NotExact, match="float"):
        exact.number(0.5, strict_numbers=True)
    assert exact.number("0.5", strict_numbers=True) == Decimal("0.5")


def test_a_statistic_that_no_figure_could_hold_is_refused():
    assert exact.statistic(-1e139) == Decimal("-1e139")
    for value in (1e140, -1e140, 1e300):
        with pytest.raises(NotExact, match="too large"):
            exact.statistic(value)


def test_a_statistic_enters_at_nine_places_half_even():
    assert exact.statistic(0.1234567885) == Decimal("0.123456788")
    assert exact.statistic(-2.0) == Decimal(-2)
    for wild in (float("nan"), float("inf")):
        with pytest.raises(NotExact):
            exact.statistic(wild)


# ------------------------------------------------------------------------------------- rounding


@pytest.mark.parametrize(
    "value, rounded",
    [
        ("1.0000000000000000005", "1.000000000000000000"),
        ("1.0000000000000000015", "1.000000000000000002"),
        ("-0.0000000000000000005000001", "-0.000000000000000001"),
        ("12.5", "12.5"),
        ("-12", "-12"),
        ("1E+3", "1000"),
        ("1.50E-7", "0.000000150"),
        ("0E-19", "0.000000000000000000"),
    ],
)
def test_18_places_half_even(value, rounded):
    assert exact.plain(exact.round18(Decimal(value))) == rounded


def test_a_product_and_a_ratio_are_rounded_once():
    third = exact.ratio18(Decimal(1), Decimal(1), Decimal(3))
    assert str(third) == "0.333333333333333333"
    assert exact.quotient18(Decimal(2), Decimal(3)) == Decimal("0.666666666666666667")
    assert exact.ratio18(Decimal(2), Decimal(1), Decimal(3)) == Decimal("0.666666666666666667")
    half = exact.product18(Decimal("0.000000001"), Decimal("0.0000000025"))
    assert half == Decimal("0.000000000000000002")


def test_a_share_is_never_more_than_the_whole():
    atom = Decimal("0.000000000000000001")
    assert exact.share(atom, Decimal(2), Decimal(3)) == atom
    assert exact.share(atom, Decimal(1), Decimal(2)) == 0
    assert exact.share(Decimal("1.005"), Decimal(4), Decimal("4.0")) == Decimal("1.005")
    assert exact.share(Decimal(80000), Decimal("0.5"), Decimal(2)) == Decimal(20000)
    almost = Decimal(10**38 - 1)
    assert exact.share(Decimal(1), almost, almost + 1) == Decimal(1)


def test_a_division_leaves_its_remainder():
    assert exact.divide(Decimal(10), Decimal(3), places=2) == (Decimal("3.33"), Decimal("0.01"))
    assert exact.divide(Decimal(-10), Decimal(3), places=0) == (Decimal(-3), Decimal(-1))


@pytest.mark.parametrize(
    "rule, expected",
    [
        (Rounding.HALF_EVEN, "0.2"),
        (Rounding.HALF_UP, "0.3"),
        (Rounding.DOWN, "0.2"),
        (Rounding.UP, "0.3"),
        (Rounding.FLOOR, "0.2"),
        (Rounding.CEILING, "0.3"),
    ],
)
def test_a_rule_is_what_its_name_says(rule, expected):
    assert exact.quantise(Decimal("0.25"), Decimal("0.1"), rule) == Decimal(expected)


def test_a_step_need_not_be_a_power_of_ten():
    assert exact.quantise(Decimal("0.7"), Decimal("0.25"), Rounding.DOWN) == Decimal("0.5")
    assert exact.quantise(Decimal("-0.7"), Decimal("0.25"), Rounding.FLOOR) == Decimal("-0.75")
    third = Decimal("0.000000000000000003")
    assert exact.quantise(third * 10**30, third, Rounding.FLOOR) == third * 10**30


@pytest.mark.parametrize("step", ["0", "-1"])
def test_a_step_is_positive(step):
    with pytest.raises(OutOfBounds):
        exact.quantise(Decimal(1), Decimal(step), Rounding.DOWN)


def test_a_split_gives_the_odd_atoms_to_the_largest_remainders():
    thirds = [Decimal(1)] * 3
    assert exact.split(Decimal(100), thirds, places=2) == tuple(
        map(Decimal, ("33.34", "33.33", "33.33"))
    )
    weights = [Decimal(1), Decimal(3), Decimal(3)]
    assert exact.split(Decimal("0.05"), weights, places=2) == tuple(
        map(Decimal, ("0.01", "0.02", "0.02"))
    )
    assert exact.split(Decimal(0), thirds, places=2) == (Decimal(0),) * 3
    assert exact.split(Decimal(5), [Decimal(0), Decimal(2)], places=0) == (Decimal(0), Decimal(5))


def test_what_is_finer_than_the_places_is_not_lost():
    parts = exact.split(Decimal("1.005"), [Decimal(1), Decimal(1)], places=2)
    assert sum(parts) == Decimal("1.005")
    assert all(part >= Decimal("0.5") for part in parts)


@pytest.mark.parametrize("weights", [[], ["0", "0"], ["1", "-1", "1"]])
def test_weights_must_weigh_something(weights):
    with pytest.raises(OutOfBounds, match="weights"):
        exact.split(Decimal(1), [Decimal(weight) for weight in weights], places=2)


# ------------------------------------------------------------------------------------- showing


def test_numbers_are_shown_without_exponents():
    assert exact.plain(Decimal("1E+3")) == "1000"
    assert exact.plain(Decimal("1E-18")) == "0.000000000000000001"
    assert exact.show(Decimal("1234567.895"), places=2) == "1,234,567.90"
    assert exact.show(Decimal("1234.5"), grouped=False) == "1234.5"
    assert exact.show(Decimal("-0.001"), places=2) == "0.00"


@pytest.mark.parametrize(
    "value, text",
    [
        ("1.2300", "1.23"),
        ("100", "100"),
        ("100.00", "100"),
        ("-0.000", "0"),
        ("0", "0"),
        ("1E+2", "100"),
        ("-0.5", "-0.5"),
    ],
)
def test_one_value_has_one_trimmed_text(value, text):
    assert exact.trimmed(Decimal(value)) == text


def test_an_instrument_states_its_precision():
    tick = Precision(price_decimals=1, volume_decimals=8, cost_decimals=5)
    assert tick.price(Decimal("30000.25")) == Decimal("30000.2")
    assert tick.cost(Decimal("1.000005")) == Decimal("1.00000")
    assert tick.volume(Decimal("0.123456789")) == Decimal("0.12345678")
    lots = Precision(price_decimals=1, volume_decimals=8, cost_decimals=5, lot_step=Decimal("0.3"))
    assert lots.volume(Decimal(1)) == Decimal("0.9")


# ------------------------------------------------------------------------------------- context


@exact.money
def _product(left, right):
    return left * right


def test_inside_money_nothing_rounds_silently():
    @exact.money
    def third():
        return Decimal(1) / 3

    @exact.money
    def mixed():
        return Decimal(1) < 0.5

    with pytest.raises(Inexact):
        third()
    with pytest.raises(FloatOperation):
        mixed()


def test_the_widest_legal_product_fits():
    cost = WIDEST * 1  # a total of a thousand of the widest amounts is wider than one
    with localcontext(Context(prec=200)):
        expected = cost * WIDEST * 1000
    assert _product(_product(cost, WIDEST), Decimal(1000)) == expected


def test_a_new_thread_computes_exactly_and_keeps_its_own_digits():
    seen: dict = {}

    def work():
        seen["before"] = getcontext().prec
        seen["product"] = _product(WIDEST, WIDEST)
        seen["share"] = exact.share(WIDEST, Decimal(1), Decimal(3))
        seen["parts"] = exact.split(WIDEST, [WIDEST, WIDEST, Decimal(1)], places=18)
        seen["after"] = getcontext().prec
        seen["flags"] = [flag for flag, up in getcontext().flags.items() if up]

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (seen["before"], seen["after"], seen["flags"]) == (28, 28, [])
    with localcontext(Context(prec=200)):
        assert seen["product"] == WIDEST * WIDEST
        assert seen["share"] == Decimal("33333333333333333333.333333333333333333")
        assert sum(seen["parts"]) == WIDEST


def test_a_callers_context_comes_back_unchanged_also_after_an_error():
    @exact.money
    def fails():
        raise KeyError("on purpose")

    with localcontext(Context(prec=5, rounding=ROUND_UP, traps=[InvalidOperation])) as own:
        before = own.copy()
        _product(Decimal("1.23456789"), Decimal("9.87654321"))
        exact.split(Decimal("1.23456789"), [Decimal("1.23456789"), Decimal(7)], places=4)
        with pytest.raises(KeyError):
            fails()
        now = getcontext()
        assert now is own
        assert (now.prec, now.rounding, now.traps) == (5, ROUND_UP, before.traps)
        assert now.flags == before.flags


def test_a_nested_call_stays_in_the_money_context():
    @exact.money
    def outer():
        inner = getcontext()
        return inner, _product(WIDEST, WIDEST), getcontext()

    before, _, after = outer()
    assert before is after
    assert before.prec == exact.MONEY_DIGITS


def test_what_suspends_may_not_carry_the_money_context():
    def generator():
        yield Decimal(1)

    async def coroutine():
        return Decimal(1)

    async def stream():
        yield Decimal(1)

    for suspending in (generator, coroutine, stream):
        with pytest.raises(TypeError, match="yield"):
            exact.money(suspending)


@pytest.mark.parametrize("count", range(7))
def test_many_numbers_are_read_as_each_is(count):
    texts = ["1", "-0.00", "12.50", "-3", "9" * 20, "0." + "1" * 18][:count]
    read = exact.parse_all(texts)
    assert read is not None
    assert list(map(str, read)) == [str(exact.parse(text)) for text in texts]


_ODD = ["", "1.", ".5", "1e5", "+1", "9" * 21, "0." + "1" * 19, " 1", "1_0", "\u0663", "nan", "--1"]


@pytest.mark.parametrize("text", [*_ODD, "1\n2", "1\n", "\n1", "1\r", "1,5", "-"])
def test_many_numbers_of_which_one_is_not_plain_are_left_to_the_one_reader(text):
    for texts in ([text], ["1", text], [text, "1"], ["1", text, "2"]):
        assert exact.parse_all(texts) is None
