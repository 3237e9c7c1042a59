"""The generic CSV row by row: what each type states, and what is asked of its cells."""

from decimal import Decimal

import pytest

from bursar.errors import Malformed
from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fee,
    Fill,
    FlowKind,
    Leg,
    Rename,
    Side,
    Source,
    Split,
    Transfer,
    decode,
    encode,
)
from bursar.ledger.instant import parse
from bursar.venue.files import Options, read
from bursar.venue.files.generic import COLUMNS
from bursar.venue.generic.rows import Type

D = Decimal
BASE = {"time": "2025-01-05 14:30:00", "asset": "BTC", "quantity": "2"}
BUY = BASE | {"type": "buy", "quote": "USD", "amount": "6000"}
OPTIONS = Options(quote="USD", money=frozenset({"USD", "USDT"}))


@pytest.fixture
def given(tmp_path):
    def write(*rows):
        columns = sorted({"time", "type", "asset", "quantity"}.union(*rows))
        path = tmp_path / "mine.csv"
        lines = [",".join(f'"{row.get(column, "")}"' for column in columns) for row in rows]
        path.write_text("\n".join([",".join(columns), *lines]) + "\n", encoding="utf-8")
        return path

    return write


def stated(path, account=None, **options):
    return read(path, account, **options).statements


def only(path, account=None):
    (said,) = stated(path, account, options=OPTIONS)
    assert decode(encode(said)) == said
    return said


def refused(path, column, line=2):
    with pytest.raises(Malformed) as caught:
        read(path, options=OPTIONS)
    assert caught.value.message.startswith(f"mine.csv, line {line}, column {column}: ")
    return caught.value.message


def test_a_purchase(given):
    row = BUY | {"fee": "6.50", "fee_asset": "USD", "id": "T-1", "order_id": "O 1".replace(" ", "")}
    said = only(given(row | {"strategy": "mean reversion", "regime": "calm", "note": "a\tb"}))
    assert said == Fill(
        id="csv:main:T-1",
        account="csv:main",
        source=Source.CLAIM,
        executed_at=parse("2025-01-05T14:30:00Z"),
        sequence=3,
        note="a b",
        pair="BTC/USD",
        base="BTC",
        quote="USD",
        side=Side.BUY,
        quantity=D(2),
        amount=D(6000),
        fees=(Fee("USD", D("6.50")),),
        order_id="O1",
        strategy="mean reversion",
        regime="calm",
    )


def test_a_sale_by_its_price_of_a_coin_for_a_coin(given):
    row = BASE | {"type": "Sell", "quote": "ETH", "price": "0.05", "value": "90"}
    said = only(given(row | {"value_asset": "USD", "account": "bitstamp:main"}))
    assert (said.side, said.amount, said.price, said.value) == (Side.SELL, None, D("0.05"), 90)
    assert said.account == "bitstamp:main"
    assert said.id.startswith("bitstamp:main:")


@pytest.mark.parametrize(
    "type_,quantity,amount",
    [
        ("deposit", "2", 2),
        ("withdrawal", "2", -2),
        ("fee", "2", -2),
        ("reward", "2", 2),
        ("interest", "-2", -2),
        ("funding", "-2", -2),
        ("dividend", "2", 2),
        ("rebate", "2", 2),
        ("airdrop", "2", 2),
        ("adjustment", "-2", -2),
        ("unclassified", "2", 2),
    ],
)
def test_a_flow(given, type_, quantity, amount):
    row = BASE | {"type": type_, "quantity": quantity, "value": "50", "value_asset": "USD"}
    said = only(given(row | {"strategy": "s"}))
    assert isinstance(said, CashFlow)
    assert (said.kind, said.amount, said.strategy) == (FlowKind(type_), amount, "s")
    assert said.value == D(50).copy_sign(amount)


def test_a_deposit_with_its_cost_and_a_fee(given):
    row = BASE | {"type": "deposit", "basis": "100", "value_asset": "USD"}
    said = only(given(row | {"fee": "-0.1", "fee_asset": "BTC"}))
    assert (said.basis, said.value, said.fees) == (100, None, (Fee("BTC", D("-0.1")),))


def test_moves(given):
    said = only(given(BASE | {"type": "transfer", "to_account": "ledger:cold"}), "x:y")
    assert isinstance(said, Transfer)
    assert (said.account, said.to_account, said.quantity) == ("x:y", "ledger:cold", D(2))
    said = only(given(BASE | {"type": "conversion", "quote": "ETH", "amount": "30"}))
    assert isinstance(said, Conversion)
    assert (said.given, said.taken) == ((Leg("BTC", D(2)),), (Leg("ETH", D(30)),))
    worth = {"value": "9", "value_asset": "USD"}
    said = only(given(BASE | {"type": "conversion", "quote": "ETH", "amount": "30"} | worth))
    assert [leg.value for leg in (*said.given, *said.taken)] == [9, 9]
    said = only(given(BASE | {"type": "split", "quantity": "3", "amount": "2"}))
    assert isinstance(said, Split)
    assert (said.numerator, said.denominator) == (D(3), D(2))
    said = only(given(BASE | {"type": "rename", "quantity": "", "quote": "XBT"}))
    assert isinstance(said, Rename)
    assert (said.asset, said.to_asset) == ("BTC", "XBT")


def test_what_comes_in_counts_before_what_goes_out(given):
    def rank(type_, **more):
        needs = {"transfer": {"to_account": "a:b"}, "split": {"amount": "1"}}
        sides = {"quote": "USD", "amount": "1"}
        needs |= dict.fromkeys(("buy", "sell", "conversion"), sides)
        needs["rename"] = {"quote": "XBT", "quantity": ""}
        return only(given(BASE | {"type": type_} | needs.get(type_, {}) | more)).sequence

    order = ["split", "rename", "deposit", "buy", "conversion", "sell", "transfer", "withdrawal"]
    # The first two follow each other by their names, whatever their kind.
    assert [rank(type_) for type_ in order] == [0, 0, *range(2, 8)]
    assert rank("reward") == rank("adjustment") == rank("deposit")
    assert rank("interest", quantity="-1") == rank("fee") == rank("withdrawal")
    assert rank("sell", sequence="0") == 0


@pytest.mark.parametrize(
    "column,value,expected",
    [
        ("type", "", "one of adjustment, airdrop, buy, "),
        ("type", "bought", "one of "),
        ("time", "5/1/2025", "a UTC time"),
        ("time", "", "a UTC time"),
        ("asset", "", "a name like BTC"),
        ("asset", "btc", "a name like BTC"),
        ("asset", "BTC USD", "a name like BTC"),
        ("quantity", "", "a value: a buy needs one"),
        ("quantity", "0", "a number above zero; the type says which way it went"),
        ("quantity", "-2", "a number above zero; the type says which way it went"),
        ("quantity", "1,5", "a plain decimal number"),
        ("quantity", "1E999999", "a plain decimal number"),
        ("quote", "", "a value: a buy needs one"),
        ("quote", "BTC", "another asset"),
        ("quote", "usd", "a name like BTC"),
        ("amount", "", "what was paid or got, or else a price"),
        ("amount", "-6000", "a number not below zero"),
        ("price", "-1", "a number not below zero"),
        ("price", "n/a", "a plain decimal number"),
        ("fee", "1", "both a fee and its fee_asset"),
        ("fee_asset", "BNB", "both a fee and its fee_asset"),
        ("fee", "free", "a plain decimal number"),
        ("value", "5", "USD, and only beside them"),
        ("value_asset", "USD", "USD, and only beside them"),
        ("to_account", "a:b", "nothing: a buy has none"),
        ("basis", "5", "nothing: a buy has none"),
        ("account", "bitstamp", "an account like bitstamp:main"),
        ("account", "Bitstamp:Main", "an account like bitstamp:main"),
        ("id", "a b", "at most 128 characters without blanks"),
        ("order_id", "x" * 129, "at most 128 characters without blanks"),
        ("strategy", "x" * 65, "at most 64 characters"),
        ("regime", "a\x1bb", "at most 64 characters"),
        ("sequence", "-1", "a whole number"),
        ("sequence", "1.5", "a whole number"),
        ("sequence", "12345678901", "a whole number"),
    ],
)
def test_a_bad_cell_is_named(given, column, value, expected):
    named = {"fee": "fee_asset", "value": "value_asset"}
    at_fault = named.get(column, column) if value in {"1", "5"} and column != "basis" else column
    at_fault = "fee" if column == "fee_asset" else at_fault
    assert expected in refused(given(BUY | {column: value}), at_fault)


@pytest.mark.parametrize(
    "row,column,expected",
    [
        ({"type": "fee", "fee": "1", "fee_asset": "USD"}, "fee", "nothing: a fee has none"),
        ({"type": "deposit", "regime": "calm"}, "regime", "nothing: a deposit has none"),
        ({"type": "withdrawal", "basis": "5"}, "basis", "nothing: a withdrawal has none"),
        ({"type": "reward", "quantity": "0"}, "quantity", "a number but zero"),
        ({"type": "transfer", "to_account": ""}, "to_account", "a value: a transfer needs one"),
        ({"type": "transfer", "to_account": "csv:main"}, "to_account", "another account"),
        ({"type": "conversion", "quote": "X", "amount": "0"}, "amount", "a number above zero"),
        ({"type": "split", "amount": "0"}, "amount", "a number above zero"),
        ({"type": "split", "amount": "1", "quantity": "0"}, "quantity", "a number above zero"),
        ({"type": "rename", "quote": "X"}, "quantity", "nothing: a rename has none"),
        ({"type": "rename", "quote": "BTC", "quantity": ""}, "quote", "another asset"),
        ({"type": "rename", "quote": "USDT", "quantity": ""}, "quote", "it keeps its name"),
        ({"type": "rename", "asset": "USD", "quote": "X", "quantity": ""}, "asset", "no money"),
        ({"type": "split", "asset": "USDT", "amount": "1"}, "asset", "no money"),
        ({"type": "reward", "value": "5", "value_asset": "EUR"}, "value_asset", "'EUR', expected"),
        ({"type": "reward", "value": "5", "value_asset": "BTC"}, "value_asset", "'BTC', expected"),
    ],
)
def test_each_type_asks_for_its_own_cells(given, row, column, expected):
    assert expected in refused(given(BASE | row), column)


def test_money_has_no_other_worth_than_its_face(given):
    row = {"type": "deposit", "asset": "USD", "value_asset": "USD"}
    assert "worth its face" in refused(given(BASE | row | {"value": "2"}), "value")
    assert "worth its face" in refused(given(BASE | row | {"basis": "2"}), "basis")
    assert "worth its face" in refused(given(BUY | {"value": "2", "value_asset": "USD"}), "value")


def test_without_a_book_any_currency_of_worth_will_do(given):
    path = given(BASE | {"type": "reward", "value": "5", "value_asset": "EUR"})
    assert stated(path)[0].value == 5
    with pytest.raises(Malformed, match="the currency of value and basis, and only beside them"):
        read(given(BASE | {"type": "reward", "value": "5"}))


def test_a_column_that_is_not_known_is_named(given):
    message = refused(given(BUY | {"fees": "5"}), "fees", line=1)
    assert "expected one of the columns account, amount, asset, basis, " in message


def test_a_column_without_a_name_may_hold_nothing(given):
    assert len(stated(given(BUY | {"": ""}))) == 1
    assert "expected a column with a name" in refused(given(BUY | {"": "mine"}), "")


def test_a_column_that_a_type_needs_is_asked_for(given):
    with pytest.raises(Malformed, match="line 1: no column 'quote', expected one"):
        read(given(BASE | {"type": "buy", "amount": "1"}))


def test_rows_that_a_spreadsheet_left_empty_are_passed_over(given):
    reading = read(given({}, BUY, {}, {}))
    assert (reading.rows, len(reading.statements)) == (1, 1)


def test_a_row_without_an_id_is_known_by_what_it_tells(given):
    def name(**more):
        return only(given(BUY | more)).id

    assert name() == name(quantity="2.000", amount="6000.0", time="2025-01-05T14:30:00.000Z")
    assert name() == name(strategy="s", regime="r", note="n", sequence="5", order_id="o")
    assert name() == name(price="3000", fee="0")
    others = [
        name(),
        name(type="sell"),
        name(time="2025-01-05 14:30:01"),
        name(asset="ETH"),
        name(quantity="3"),
        name(quote="EUR"),
        name(amount="6001"),
        name(amount="", price="6000"),
        name(fee="1", fee_asset="USD"),
        name(fee="1", fee_asset="EUR"),
        name(account="a:b"),
    ]
    assert len(set(others)) == len(others)


def test_two_equal_rows_are_two_events_and_a_longer_list_adds_the_rest(given):
    twice = {said.id for said in read(given(BUY, BUY)).statements}
    assert len(twice) == 2
    more = {said.id for said in read(given(BASE | {"type": "reward"}, BUY, BUY, BUY)).statements}
    assert twice < more


@pytest.mark.parametrize(
    "second,column",
    [
        ({"type": "sell", "asset": "XBT", "quote": "USD", "amount": "9"}, "asset"),
        ({"type": "buy", "asset": "ETH", "quote": "XBT", "amount": "9"}, "quote"),
        ({"type": "reward", "asset": "ETH", "fee": "1", "fee_asset": "XBT"}, "fee_asset"),
        ({"type": "transfer", "asset": "XBT", "account": "a:b", "to_account": "csv:main"}, "asset"),
    ],
)
def test_an_account_has_one_name_of_a_coin(given, second, column):
    said = refused(given(BUY, BASE | second), column, line=3)
    assert "expected BTC, as csv:main calls that coin in line 2" in said


def test_two_accounts_may_call_a_coin_differently_and_one_may_rename_it(given):
    there = BASE | {"type": "deposit", "asset": "XBT", "account": "a:b"}
    assert len(stated(given(BUY, there), options=OPTIONS)) == 2
    renamed = BASE | {"type": "rename", "quantity": "", "quote": "XBT"}
    later = BASE | {"type": "deposit", "asset": "XBT", "time": "2025-01-06"}
    assert len(stated(given(later, renamed, BUY), options=OPTIONS)) == 3


def test_an_id_of_the_venue_again_is_read_once_or_refused(given):
    row = BUY | {"id": "T-1"}
    reading = read(given(row, row))
    assert (reading.rows, reading.repeated, len(reading.statements)) == (2, 1, 1)
    assert "line 2 has it with other values" in refused(given(row, row | {"amount": "1"}), "id", 3)
    assert len(read(given(row, row | {"account": "a:b"})).statements) == 2


def test_every_type_and_column_is_on_its_page():
    from tests.unit.test_files_page import PAGE

    text = PAGE.read_text(encoding="utf-8").partition("## Generic CSV")[2]
    for word in (*COLUMNS, *(type_.value for type_ in Type)):
        assert f"`{word}`" in text, word
