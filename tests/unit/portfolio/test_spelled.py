"""Tables as text: data only for a spreadsheet, every digit for a program, and read again alike."""

import csv
import io
import json
from decimal import Decimal

import polars as pl
import pytest

from bursar.app import open as open_portfolio
from bursar.errors import BadChoice
from bursar.ledger import golden
from bursar.ledger.terms import Method
from bursar.portfolio.exports import (
    TABLES,
    Asked,
    Column,
    Kind,
    Table,
    csv_lines,
    json_lines,
    ndjson_lines,
    table,
)
from bursar.portfolio.exports.spelled import csv_cell

RISKY = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "'1",
)
TEXT, NUMBER = Column("text", Kind.TEXT), Column("number", Kind.NUMBER)


def made(*rows, columns=(TEXT, NUMBER)):
    return Table("made", columns, iter(rows))


@pytest.fixture
def portfolio():
    lines = (
        "2026-01-05T10:00:00.123456789Z  buy  2  XBT @ 40000 USD  fee 8 USD  #k:1  strategy==x",
        "2026-01-06T10:00:00Z  sell  0.5  XBT @ 50000.000000000000000001 USD  #k:2",
        "2026-01-06T10:00:00Z  sell  0.5  XBT @ 60000 USD  #k:2",
        "2026-01-06T11:00:00Z  deposit  3  ADA  #k:3  note='@note'",
        "2026-01-06T12:00:00Z  withdrawal  100  USD  #k:4",
    )
    with open_portfolio(":memory:") as kept:
        kept.record(*golden.read(lines))
        yield kept


@pytest.mark.parametrize("text", RISKY)
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text):
    assert csv_cell(TEXT, text) == f"'{text}"
    assert csv_cell(Column("words", Kind.WORDS), (text, "b")) == f"'{text} b"


@pytest.mark.parametrize(
    "column,value,written",
    [
        (TEXT, "plain = text", "plain = text"),
        (TEXT, "", ""),
        (TEXT, None, ""),
        (NUMBER, Decimal("-1.50"), "-1.5"),
        (NUMBER, Decimal("1E-8"), "0.00000001"),
        (NUMBER, Decimal("1E+21"), "1" + "0" * 21),
        (NUMBER, None, ""),
        (Column("count", Kind.COUNT), 7, "7"),
        (Column("time", Kind.TIME), 1_767_607_200_000_000_001, "2026-01-05T10:00:00.000000001Z"),
        (Column("words", Kind.WORDS), ("a", "b"), "a b"),
        (Column("words", Kind.WORDS), (), ""),
    ],
)
def test_what_is_no_formula_stays_as_it_is(column, value, written):
    assert csv_cell(column, value) == written


def test_every_starter_in_every_place_comes_back_from_two_readers():
    """Undone by taking one apostrophe away from each text that has one."""
    texts = [start + rest for start in (*RISKY, "plain") for rest in ("", ',"x"\ny', " z'")]
    rows = [(text, Decimal(-5)) for text in texts]
    written = "".join(csv_lines(made(*rows)))
    own = list(csv.reader(io.StringIO(written, newline="")))
    assert own[0] == ["text", "number"]
    other = pl.read_csv(written.encode(), schema={"text": pl.String, "number": pl.Int64})
    for found in (own[1:], other.rows()):
        assert [text.removeprefix("'") for text, _ in found] == texts
        assert {int(number) for _, number in found} == {-5}


def test_a_table_without_rows_still_names_its_columns():
    assert "".join(csv_lines(made())) == "text,number\n"
    assert "".join(ndjson_lines(made())) == ""
    assert json.loads("".join(json_lines(made()))) == {"made": []}


def test_json_is_what_a_document_written_at_once_would_be():
    rows = [("ä\n'", Decimal("0.10")), (None, None), ("x", Decimal("-1E-18"))]
    told = [
        {"text": "ä\n'", "number": "0.1"},
        {"text": None, "number": None},
        {"text": "x", "number": "-0.000000000000000001"},
    ]
    for is_ascii in (False, True):
        text = "".join(json_lines(made(*rows), is_ascii=is_ascii))
        assert text == json.dumps({"made": told}, indent=2, ensure_ascii=is_ascii) + "\n"
    lines = "".join(ndjson_lines(made(*rows))).splitlines()
    assert [json.loads(line) for line in lines] == told
    assert "".join(json_lines(made(columns=()))) == '{\n  "made": []\n}\n'


def test_rows_are_written_as_they_come():
    taken = []

    def rows():
        for number in range(3):
            taken.append(number)
            yield (str(number), Decimal(number))

    for writer in (csv_lines, ndjson_lines, json_lines):
        taken.clear()
        lines = writer(Table("made", (TEXT, NUMBER), rows()))
        next(lines)
        assert len(taken) <= 1, writer


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_the_same_in_every_format(portfolio, name):
    asked = Asked(method=Method.FIFO)
    document = json.loads("".join(json_lines(table(portfolio, name, asked))))[name]
    lines = "".join(ndjson_lines(table(portfolio, name, asked))).splitlines()
    assert [json.loads(line) for line in lines] == document
    sheet = "".join(csv_lines(table(portfolio, name, asked)))
    rows = list(csv.DictReader(io.StringIO(sheet, newline="")))
    assert len(rows) == len(document) > 0
    assert list(rows[0]) == list(document[0])
    for row, told in zip(rows, document, strict=True):
        for key, value in told.items():
            shown = " ".join(value) if isinstance(value, list) else value
            assert row[key].removeprefix("'") == ("" if shown is None else str(shown))


def test_tables_hold_what_the_portfolio_answers(portfolio):
    journal = list(table(portfolio, "journal").rows)
    assert [(row[0], row[1], row[2]) for row in journal][1:3] == [
        (2, "recorded", "fill"),
        (3, "conflict", "fill"),
    ]
    assert journal[0][4] == 1_767_607_200_123_456_789
    trades = list(table(portfolio, "trades").rows)
    assert [row[0] for row in trades] == [each.trade_id for each in portfolio.trades()]
    flows = {row[0]: row for row in table(portfolio, "flows").rows}
    assert flows["k:4"][3] == -100
    lots = list(table(portfolio, "lots", Asked(method=Method.FIFO)).rows)
    assert [(row[1], row[2], row[3], row[5]) for row in lots] == [
        ("ADA", 3, None, "k:3"),
        ("XBT", Decimal("1.5"), 60000, "k:1"),
    ]
    assert [row[4] for row in table(portfolio, "lots").rows] == [None, None]
    held = {row[0]: row for row in table(portfolio, "holdings", Asked({"XBT": "70000"})).rows}
    assert held["XBT"][7] == 105_000
    assert held["ADA"][3] is None


def test_there_is_no_other_table(portfolio):
    with pytest.raises(BadChoice, match="journal, trades, flows, positions, holdings, lots"):
        table(portfolio, "profits")
