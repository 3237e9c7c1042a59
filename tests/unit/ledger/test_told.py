"""Plain values as records: one rule for numbers, and what is wrong is told with its place."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

import msgspec
import pytest

from bursar.errors import InputError, Malformed, NotExact, OutOfBounds
from bursar.exact import parse_venue
from bursar.ledger.told import once, record, values


class Way(Enum):
    UP = "up"
    DOWN = "down"


class Part(msgspec.Struct):
    way: Way | None = None
    size: Literal["big", "small"] = "big"
    count: int = 0
    price: Decimal | None = None
    name: str = ""
    when: str | int | float | None = None


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    price: Decimal


class Bounded(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=3)] | None = None
    price: Annotated[Decimal, msgspec.Meta(description="a price")] | None = None


class Whole(msgspec.Struct, rename="camel"):
    part: Part = msgspec.field(default_factory=Part)
    parts: tuple[Part, ...] = ()
    named: Mapping[str, Part] = {}
    pair: tuple[Part, Part] | None = None
    by_name: dict[str, list[Decimal]] = {}


def _line(place):
    return "w.yaml", len(place)


@pytest.mark.parametrize(
    "told, said",
    [
        ({"part": {"way": "left"}}, "part.way: 'left' is none of up, down"),
        ({"parts": [{"size": "no"}]}, "parts[0].size: 'no' is none of big, small"),
        ({"named": {"a.b": {"way": ""}}}, "named.way: '' is none of up, down"),
        ({"part": {"count": "x"}}, "part.count: Expected `int`, got `str`"),
        ({"part": {"price": True}}, "part.price: expected a number"),
        ({"part": {"price": [1]}}, "part.price: expected a number"),
        ({"byName": {"a": [None]}}, "byName.a[0]: expected a number"),
        ({"part": {"name": "\ud800"}}, "part.name: '\\ud800' is no text"),
        ({"pair": [{}, {"way": "x"}]}, "pair[1].way: 'x' is none of up, down"),
        ([], "Expected `object`, got `array`"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(told, said):
    with pytest.raises(Malformed) as caught:
        record(told, Whole)
    assert caught.value.message == said


@pytest.mark.parametrize(
    "told, said",
    [
        ({"prize": "1"}, "prize: there is no such field; did you mean price?"),
        ({"zzz": "1"}, "zzz: there is no such field"),
        ({}, "price: is missing"),
    ],
)
def test_a_name_that_is_none_and_one_that_lacks_are_told(told, said):
    with pytest.raises(Malformed) as caught:
        record(told, Closed)
    assert caught.value.message == said
    assert caught.value.context == {"field": said.partition(":")[0]}


def test_what_bounds_a_field_hides_nothing_of_its_kind():
    told = record(values('{"name": "abc", "price": 1.10}'), Bounded)
    assert (told.name, str(told.price)) == ("abc", "1.10")
    with pytest.raises(Malformed, match="name: Expected `str` of length <= 3"):
        record({"name": "abcd"}, Bounded)


def test_a_word_alone_needs_no_place():
    with pytest.raises(Malformed) as caught:
        record("x", Way)
    assert caught.value.message == "'x' is none of up, down"


@pytest.mark.parametrize("text", ["1_0", " 5", "5\n", "1e2", "+5", "٣", ".5", "5.", "", "NaN", "x"])
def test_text_is_a_plain_number_and_its_place_is_told(text):
    with pytest.raises(NotExact) as caught:
        record({"byName": {"BRK.B": [values("1"), text]}}, Whole, _line)
    field = "byName.BRK.B[1]"
    assert caught.value.message == (
        f"w.yaml, line 3: {field}: {text!r} is not a plain decimal number"
    )
    assert caught.value.context == {"file": "w.yaml", "line": 3, "field": field}


def test_text_where_text_belongs_is_left_alone():
    told = record({"part": {"name": "1_0", "when": "5"}, "alien": "1_0"}, Whole)
    assert (told.part.name, told.part.when) == ("1_0", "5")
    assert record({"part": {"name": "größer"}}, Whole).part.name == "größer"


@pytest.mark.parametrize(
    "text, price",
    [
        ("0.100000000000000001", "0.100000000000000001"),
        ("1e-3", "0.001"),
        ("1E+1", "10"),
        ("-0", "0"),
        ('"-0.0"', "0.0"),
        ('"007"', "7"),
    ],
)
def test_a_number_of_json_has_every_digit_and_an_exponent_is_written_out(text, price):
    assert str(record(values(f'{{"part": {{"price": {text}}}}}'), Whole).part.price) == price


@pytest.mark.parametrize(
    "text, error",
    [
        ("0.1000000000000000001", OutOfBounds),
        ("1e25", OutOfBounds),
        ("1e400", OutOfBounds),
        ("NaN", NotExact),
        ("-Infinity", NotExact),
        (f'"{10**20}"', OutOfBounds),
    ],
)
def test_a_number_that_money_cannot_have_is_refused(text, error):
    with pytest.raises(error, match=r"^part\.price: "):
        record(values(f'{{"part": {{"price": {text}}}}}'), Whole)


def test_a_reader_may_take_exponents_in_text_and_numbers_of_its_own():
    def price(told):
        return record({"part": {"price": told}}, Whole, text_number=parse_venue).part.price

    assert [str(price(each)) for each in ("1e-3", Decimal("1E+1"), 5)] == ["0.001", "10", "5"]
    with pytest.raises(InputError):
        price(Decimal("1E-19"))


@pytest.mark.parametrize(
    "text, when", [("5", 5), ("5.5", 5.5), ("1e3", 1000.0), ('"5"', "5"), ("9" * 50, int("9" * 50))]
)
def test_a_count_that_is_no_amount_is_what_json_says(text, when):
    assert record(values(f'{{"part": {{"when": {text}}}}}'), Whole).part.when == when


def test_a_whole_number_may_be_text_where_everything_is():
    assert record({"part": {"count": "7"}}, Whole, strict=False).part.count == 7
    assert record(values('{"part": {"count": -7}}'), Whole).part.count == -7
    for told in ("7.0", "1e1", "x"):
        with pytest.raises(NotExact, match=r"^part\.count: .* is not a whole number such as 10"):
            record({"part": {"count": told}}, Whole, strict=False)


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e400"])
def test_a_count_that_json_cannot_tell_is_refused(text):
    with pytest.raises(NotExact, match=rf"^part\.when: {text} is no number that JSON has"):
        record(values(f'{{"part": {{"when": {text}}}}}'), Whole)


def test_a_number_is_no_text():
    with pytest.raises(Malformed, match=r"^part\.name: Expected `str`, got `int`"):
        record(values('{"part": {"name": 5}}'), Whole)


def test_a_name_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="'a' comes twice"):
        once([("b", 1), ("a", 1), ("a", 2)])
