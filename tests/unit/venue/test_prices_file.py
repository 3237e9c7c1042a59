"""Prices that a user brings."""

from decimal import Decimal

import pytest

from bursar.errors import Malformed
from bursar.ledger.entries import Price, Source
from bursar.ledger.instant import parse
from bursar.venue.files import Options, read


@pytest.fixture
def given(tmp_path):
    def write(*lines):
        path = tmp_path / "prices.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def statements(path, **options):
    return read(path, **options).statements


def test_a_price(given):
    reading = read(given("asset,time,price,quote", "XBT,2024-01-02 10:00:00,39850.00,EUR"))
    assert reading.format == "prices"
    assert reading.statements == (
        Price(
            id="price:XBT:EUR:2024-01-02T10:00:00Z",
            executed_at=parse("2024-01-02T10:00:00Z"),
            account="prices:file",
            source=Source.CLAIM,
            asset="XBT",
            quote="EUR",
            value=Decimal("39850.00"),
        ),
    )


def test_the_caller_may_name_the_quote(given):
    path = given("time,price,asset", "2024-01-02,2,DOT")
    (said,) = statements(path, options=Options(quote="USD"))
    assert said.quote == "USD"
    with pytest.raises(Malformed, match="line 1: no column 'quote'"):
        read(path)


def test_a_quote_in_the_file_goes_before_the_callers(given):
    path = given("asset,time,price,quote", "DOT,2024-01-02,2,EUR", "DOT,2024-01-03,2,")
    said = statements(path, options=Options(quote="USD"))
    assert [each.quote for each in said] == ["EUR", "USD"]


@pytest.mark.parametrize(
    "line,column",
    [
        (",2024-01-02,2,EUR", "asset"),
        ("DOT,2024-01-02,2,", "quote"),
        ("DOT,soon,2,EUR", "time"),
        ("DOT,2024-01-02,-2,EUR", "price"),
        ("DOT,2024-01-02,,EUR", "price"),
    ],
)
def test_a_bad_cell_is_named(given, line, column):
    with pytest.raises(Malformed, match=rf"prices\.csv, line 2, column {column}: .*, expected "):
        read(given("asset,time,price,quote", line))


def test_two_prices_for_one_time_are_refused_and_one_said_twice_is_not(given):
    lines = ["asset,time,price,quote", "DOT,2024-01-02,2,EUR", "DOT,2024-01-02 00:00:00,2.0,EUR"]
    reading = read(given(*lines))
    assert (reading.rows, reading.repeated, len(reading.statements)) == (2, 1, 1)
    with pytest.raises(Malformed, match="line 4, column price: '3'"):
        read(given(*lines, "DOT,2024-01-02,3,EUR"))
