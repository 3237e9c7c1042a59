"""Tables as frames of other libraries, exact; and what a notebook shows."""

import sys
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import bursar
from bursar.errors import BadChoice, NotInstalled, OutOfBounds
from bursar.ledger.golden import read
from bursar.portfolio.exports import TABLES, Column, Frame, Kind, csv_lines, table

STORY = (
    "2026-01-05T10:00:00Z deposit 100000 USD #m:1",
    "2026-01-05T11:00:00Z buy 2 XBT @ 40000 USD fee 8 USD #m:2  strategy=trend",
    "2026-02-01T09:30:00Z sell 0.5 XBT @ 50000 USD fee 5 USD #m:3  strategy=trend",
    "2026-02-02T09:30:00Z buy 3.123456789012345678 ETH @ 2000 USD #m:4",
    "2026-02-03T09:30:00Z reward 7 <b>X</b> #m:5",
)


@pytest.fixture(scope="module")
def portfolio():
    with bursar.open(":memory:") as made:
        made.record(*read(STORY[:4]))
        yield made


@pytest.mark.parametrize("name", TABLES)
def test_every_table_comes_into_every_library_with_every_digit(portfolio, name):
    frame = portfolio.table(name)
    assert len(frame) == len(list(csv_lines(table(portfolio, name)))) - 1
    found = {
        "polars": frame.to_polars().rows(),
        "a stream": pl.DataFrame(frame).rows(),
        "pyarrow": zip(*(column.to_pylist() for column in pa.table(frame).columns), strict=True),
    }
    for rows in found.values():
        for row, want in zip(rows, frame.rows, strict=True):
            for column, cell, wanted in zip(frame.columns, row, want, strict=True):
                if column.kind is Kind.NUMBER:
                    assert cell == wanted
                    assert cell is None or isinstance(cell, Decimal)
    numbers = {column.name for column in frame.columns if column.kind is Kind.NUMBER}
    schema = pa.table(frame).schema
    assert all(schema.field(each).type == pa.decimal128(38, 18) for each in numbers)
    pandas = frame.to_pandas()
    assert list(pandas.columns) == [column.name for column in frame.columns]
    for each in numbers:
        assert pandas[each].dtype == pd.ArrowDtype(pa.decimal128(38, 18))
    assert len(pandas) == len(frame)


def test_lots_are_of_the_rule_that_is_asked_for(portfolio):
    fifo = portfolio.table("lots", rule=bursar.Method.FIFO)
    assert {row[5] for row in fifo.rows} == {"m:2", "m:4"}  # each lot is its own purchase
    quantity = portfolio.table("lots").to_polars().filter(pl.col("asset") == "ETH")["quantity"]
    assert quantity.to_list() == [Decimal("3.123456789012345678")]


def test_a_number_that_does_not_fit_is_refused_by_the_name_of_its_column():
    frame = Frame("made", (Column("quantity", Kind.NUMBER),), ((Decimal(10) ** 20,),))
    for take in (frame.to_polars, frame.to_pandas, frame.__arrow_c_stream__):
        with pytest.raises(OutOfBounds, match="quantity of row 1"):
            take()


@pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
def test_a_library_that_is_not_here_is_named(portfolio, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(NotInstalled, match=rf"{library}: pip install"):
        portfolio.table("lots").to_pandas()


def test_a_table_that_is_not_there_is_refused(portfolio):
    with pytest.raises(BadChoice, match="positions"):
        portfolio.table("orders")


def test_a_notebook_shows_a_portfolio_with_what_it_does_not_know(portfolio):
    told = portfolio._repr_html_()
    assert "main: equity" in told
    assert ">3.123456789012345678<" in told
    assert "<p>stale: " in told


def test_a_notebook_shows_unknown_as_unknown_and_no_markup_of_others():
    with bursar.open(":memory:") as made:
        made.record(*read(STORY[:1]))
        made.add("reward", "7", "XDG", time="2026-02-03", note="<script>")
        assert ">unknown<" in made._repr_html_()
        assert "not valued: XDG" in made._repr_html_()
        told = made.table("flows")._repr_html_()
        assert "&lt;script&gt;" in told
        assert "<script>" not in told


def test_a_long_table_says_how_much_of_it_is_not_shown():
    frame = Frame("made", (Column("n", Kind.COUNT),), tuple((n,) for n in range(50)))
    assert "made, 50 rows; 30 more below" in frame._repr_html_()
    assert frame._repr_html_().count("<tr>") == 21
    assert repr(frame) == "Frame(made: 50 rows of n)"
