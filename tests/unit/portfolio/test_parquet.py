"""Parquet: every digit comes back, and what does not fit is refused by name."""

import io
import sys
from decimal import Decimal

import polars as pl
import pytest

from bursar.errors import NotInstalled, OutOfBounds
from bursar.portfolio.exports import Column, Kind, Table, write_parquet

COLUMNS = tuple(Column(kind.value, kind) for kind in Kind)
NUMBERS = [
    Decimal(text)
    for text in (
        *("0", "0.00", "-0.1", "0.1", "1.2300", "0.000000000000000001", "-0.000000000000000001"),
        *("12345678901234567890.123456789012345678", "99999999999999999999.999999999999999999"),
        *("-99999999999999999999.999999999999999999", "1E+19", "1E-18", "0.3000000000000000000000"),
    )
]


def written(*rows):
    file = io.BytesIO()
    assert write_parquet(Table("made", COLUMNS, iter(rows)), file) == len(rows)
    file.seek(0)
    return pl.read_parquet(file)


def row(number, text="x"):
    return (text, number, 7, 1_767_607_200_123_456_789, ("a", "b"))


def test_numbers_come_back_with_every_digit():
    read = written(*(row(number) for number in NUMBERS))
    assert read["number"].to_list() == NUMBERS
    assert read["number"].dtype == pl.Decimal(38, 18)


def test_every_kind_of_column_comes_back():
    read = written(row(Decimal(1), "=ü"), (None, None, 0, None, ()))
    assert read.schema == {
        "text": pl.String,
        "number": pl.Decimal(38, 18),
        "count": pl.Int64,
        "time": pl.Datetime("ns", "UTC"),
        "words": pl.List(pl.String),
    }
    assert read["text"].to_list() == ["=ü", None]
    assert read["number"].to_list() == [Decimal(1), None]
    assert read["time"].cast(pl.Int64).to_list() == [1_767_607_200_123_456_789, None]
    assert read["words"].to_list() == [["a", "b"], []]


def test_columns_are_the_same_without_rows():
    assert written().schema == written(row(Decimal(1))).schema


@pytest.mark.parametrize(
    "text",
    ["100000000000000000000", "-1E+20", "0.0000000000000000001", "1.1234567890123456789"],
)
def test_a_number_that_does_not_fit_is_refused_by_name(text):
    file = io.BytesIO()
    rows = iter([row(Decimal(1)), row(Decimal(text))])
    with pytest.raises(OutOfBounds, match="number of row 2 is"):
        write_parquet(Table("made", COLUMNS, rows), file)
    assert file.getvalue() == b""


def test_without_polars_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(NotInstalled, match=r"bursar\[export\]"):
        write_parquet(Table("made", COLUMNS, iter(())), io.BytesIO())
