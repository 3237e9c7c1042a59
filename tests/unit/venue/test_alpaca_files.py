"""Alpaca's activities cell by cell: what is asked of each, and what is said of a bad one."""

import csv
import json

import pytest

from bursar.errors import Malformed
from bursar.ledger.entries import CashFlow, Fill, Movement, MovementKind, Source
from bursar.venue.files import Options, read

CASH = {"id": "1::a", "activity_type": "CSD", "date": "2025-01-03", "net_amount": "10000"}
FILL = {
    "id": "2::b",
    "activity_type": "FILL",
    "transaction_time": "2025-01-06T14:30:00.214535Z",
    "type": "fill",
    "price": "250.10",
    "qty": "3",
    "side": "buy",
    "symbol": "AAPL",
}


def as_json(path, rows):
    path.write_text(json.dumps(rows, indent=1))


def as_csv(path, rows):
    columns = sorted({column for row in rows for column in row})
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(params=[as_json, as_csv], ids=["json", "csv"])
def given(request, tmp_path):
    def write(*rows):
        path = tmp_path / "activities"
        request.param(path, [*rows])
        return path

    return write


def stated(path, account=None, **options):
    return read(path, account, **options).statements


def refused(path, column, **options):
    with pytest.raises(Malformed) as caught:
        read(path, **options)
    assert f" {column}: " in caught.value.message
    assert caught.value.message.startswith("activities, line ")
    assert caught.value.context["column"] == column
    return caught.value.message


def test_what_is_read(given):
    reading = read(given(CASH, FILL))
    assert (reading.format, reading.rows) == ("alpaca activities", 2)
    cash, fill = reading.statements
    assert isinstance(cash, Movement)
    assert isinstance(fill, Fill)
    assert (fill.id, str(fill.price)) == ("alpaca:main:2::b", "250.10")


def test_an_account_of_another_name(given):
    for said in read(given(CASH, FILL), "alpaca:paper").statements:
        assert said.account == "alpaca:paper"
        assert said.id.startswith("alpaca:paper:")


@pytest.mark.parametrize(
    "row,column,value,expected",
    [
        (CASH, "id", "", "a value"),
        (CASH, "id", "a b", "a name without blanks"),
        (CASH, "activity_type", "", "a value"),
        (CASH, "date", "", "a day like"),
        (CASH, "date", "01/03/2025", "a UTC time"),
        (CASH, "net_amount", "", "a number"),
        (CASH, "net_amount", "1,000", "a plain decimal"),
        (CASH, "net_amount", "NaN", "a plain decimal"),
        (CASH, "net_amount", "1E999999", "a plain decimal"),
        (CASH, "net_amount", "1E999", "at most 20 integer"),
        (CASH, "net_amount", "0.1234567890123456789", "at most 20 integer"),
        (CASH, "group_id", "a\tb", "a name without blanks"),
        (FILL, "order_id", "é", "a name without blanks"),
        (CASH, "currency", "dollars", "a currency like USD"),
        (CASH, "symbol", "A B", "a symbol like AAPL"),
        (FILL, "transaction_time", "", "a UTC time"),
        (FILL, "transaction_time", "2025-01-06T09:30:00-05:00", "a UTC time"),
        (FILL, "type", "trade_bust", "fill or partial_fill"),
        (FILL, "side", "long", "buy, sell or sell_short"),
        (FILL, "symbol", "", "a stock"),
        (FILL, "symbol", "AAPL1250117C00150000", "an option of a hundred shares"),
        (FILL, "qty", "0", "a number above zero"),
        (FILL, "qty", "-3", "a number above zero"),
        (FILL, "qty", "", "a number above zero"),
        (FILL, "price", "", "a number not below zero"),
        (FILL, "price", "-1", "a number not below zero"),
        (FILL, "cum_qty", "-1", "a number not below zero"),
    ],
)
def test_a_bad_cell_is_named(given, row, column, value, expected):
    message = refused(given(row | {column: value}), column)
    assert repr(value) in message
    assert expected in message


def test_an_adjusted_option_is_refused_in_other_rows_too(given):
    row = CASH | {"activity_type": "OPEXP", "symbol": "F1250117C00012500", "qty": "-1"}
    assert "hundred shares" in refused(given(row), "symbol")


def test_a_row_of_units_needs_no_money(given):
    row = {"id": "3::c", "activity_type": "ACATS", "date": "2025-01-03", "symbol": "T", "qty": "2"}
    assert stated(given(row))[0].amount == 2
    assert "a number" in refused(given(row | {"activity_type": "DIV"}), "net_amount")


def test_the_time_stands_in_where_no_day_is_told(given):
    row = {name: value for name, value in CASH.items() if name != "date"}
    (said,) = stated(given(row | {"transaction_time": "2025-01-03T10:00:00.5Z"}))
    assert said.executed_at % 10**9 == 5 * 10**8


def test_a_row_again_is_read_once_and_another_under_its_id_is_refused(given):
    reading = read(given(CASH, FILL, CASH))
    assert (reading.rows, reading.repeated, len(reading.statements)) == (3, 1, 2)
    message = refused(given(CASH, CASH | {"net_amount": "10001"}), "id")
    assert "has it with other values" in message


def test_a_row_and_its_cancellation(given):
    said = stated(given(CASH, CASH | {"status": "canceled"}))
    assert [each.source for each in said] == [Source.LEDGER, Source.CANCELLATION]
    assert said[1].id == said[0].id


@pytest.mark.parametrize(
    "status,source",
    [
        ("executed", Source.LEDGER),
        ("correct", Source.CORRECTION),
        ("canceled", Source.CANCELLATION),
        ("rejected", Source.CANCELLATION),
        ("who knows", Source.LEDGER),
    ],
)
def test_a_status_says_whether_it_moved(given, status, source):
    (said,) = read(given(CASH | {"status": status})).statements
    assert said.source is source
    assert isinstance(said, Movement)
    assert (said.kind is MovementKind.UNCLASSIFIED) is (status == "who knows")


def test_what_is_pending_is_counted_and_left_out(given):
    reading = read(given(CASH | {"status": "pending"}, FILL))
    assert (reading.rows, reading.pending, len(reading.statements)) == (2, 1, 1)


def test_two_accounts_in_one_file_are_refused(given):
    one = CASH | {"account_id": "A-1"}
    assert len(read(given(one, CASH | {"id": "4::d"})).statements) == 2
    message = refused(given(one, FILL | {"account_id": "A-2"}), "account_id")
    assert "'A-2', expected A-1, as before" in message


def test_a_short_sale_needs_an_account_that_may(given):
    path = given(FILL | {"side": "sell_short"})
    no, yes = Options(shorts=frozenset()), Options(shorts=frozenset({"alpaca:main"}))
    assert "alpaca:main may not sell short in this book" in refused(path, "side", options=no)
    assert len(read(path, options=yes).statements) == len(read(path).statements) == 1
    assert len(read(path, "alpaca:two", options=Options()).statements) == 1


def test_words_cannot_break_a_screen(given):
    row = CASH | {"activity_type": "JNLC", "description": " to\n\tmy \x1b[31mself\u202e "}
    (said,) = read(given(row)).statements
    assert isinstance(said, CashFlow)
    assert said.note == "to my [31mself"
