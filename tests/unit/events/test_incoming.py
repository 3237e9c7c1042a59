"""Events as other programs write them, to the digit and to the nanosecond."""

from decimal import Decimal

import pytest

from bursar.errors import InputError, Malformed, NotExact
from bursar.events import Envelope
from bursar.events.catalog import read
from bursar.events.incoming import Direction, moment
from bursar.ledger import instant
from bursar.ledger.entries import Side

NOON = instant.parse("2025-12-04T12:00:00Z")


def tick(data):
    return read(Envelope(id="1", type="market.tick", source="s", time=0, data=data))


@pytest.mark.parametrize(
    "text, value",
    [
        ("0.100000000000000055", "0.100000000000000055"),
        ('"42741.1300"', "42741.1300"),
        ("4.2e4", "42000"),
        ("99999999999999999999", "99999999999999999999"),
    ],
)
def test_a_number_has_every_digit_it_was_written_with(text, value):
    assert str(tick(f'{{"symbol": "BTCUSDT", "price": {text}}}').price) == value


@pytest.mark.parametrize("text", ["1e40", '"1e40"', "0.1000000000000000000001"])
def test_a_number_beyond_the_bounds_is_refused(text):
    with pytest.raises(InputError):
        tick(f'{{"symbol": "BTCUSDT", "price": {text}}}')


@pytest.mark.parametrize("text", ["4_2", "٤٢", " 42", "+42", "42."])
def test_a_number_of_python_alone_is_refused(text):
    with pytest.raises(NotExact, match=r"market.tick: price: .* is not a plain decimal number"):
        tick(f'{{"symbol": "BTCUSDT", "price": "{text}"}}')


@pytest.mark.parametrize(
    "told",
    [
        "2025-12-04T12:00:00Z",
        "2025-12-04T12:00:00",
        "2025-12-04 12:00:00",
        "2025-12-04T13:00:00+01:00",
        NOON // 10**9,
        NOON // 10**6,
        NOON // 10**3,
        NOON,
        float(NOON // 10**9),
    ],
)
def test_a_time_is_understood_in_every_spelling(told):
    assert moment(told, 0) == NOON


def test_a_time_that_is_not_told_is_the_envelopes_and_fractions_count():
    assert moment(None, 7) == 7
    assert moment("2025-12-04T12:00:00.123456789Z", 0) == NOON + 123_456_789
    assert moment(NOON / 10**9 + 0.25, 0) == NOON + 250_000_000
    assert moment("2025-12-04T13:00:00.5+01:00", 0) == NOON + 500_000_000


@pytest.mark.parametrize("told", ["", "noon", "2025-13-01", -1, 10**19])
def test_what_is_no_time_is_refused(told):
    with pytest.raises(Malformed, match="timestamp"):
        moment(told, 0)


def test_a_time_that_is_no_number_is_refused():
    with pytest.raises(NotExact):
        moment(float("inf"), 0)


def test_both_spellings_of_a_direction_mean_the_same():
    sides = {each.value: each.side for each in Direction}
    assert sides == {
        "LONG": Side.BUY,
        "BUY": Side.BUY,
        "SHORT": Side.SELL,
        "SELL": Side.SELL,
    }


def test_decimals_are_decimals():
    assert isinstance(tick('{"symbol": "BTCUSDT", "price": 1}').price, Decimal)
