"""Kraken's exports cell by cell: what is asked of each, and what is said when it is not there."""

from decimal import Decimal

import pytest

from bursar.errors import BursarError, Malformed, UnknownAsset
from bursar.ledger.entries import Fill, MarginFill, MovementKind
from bursar.venue.files import Options, read

LEDGER = "txid,refid,time,type,subtype,aclass,asset,amount,fee,balance"
TRADE = "txid,ordertxid,pair,time,type,ordertype,price,cost,fee,vol,margin,misc,ledgers"


@pytest.fixture
def given(tmp_path):
    def write(header, *lines):
        path = tmp_path / "export.csv"
        path.write_text("\n".join([header, *lines]) + "\n")
        return path

    return write


def statements(path, account=None):
    return read(path, account).statements


def refused(path, **expected):
    with pytest.raises(BursarError) as caught:
        read(path)
    context = caught.value.context
    assert {key: context[key] for key in expected} == expected
    assert caught.value.message.startswith(
        "export.csv, line {line}, column {column}: {value}, expected ".format(**context)
    )
    return caught.value


GOOD = "L1,R1,2024-01-02 10:00:00,deposit,,currency,ZEUR,100.0,0,100.0"


@pytest.mark.parametrize(
    "cell,bad,column",
    [
        ("2024-01-02 10:00:00", "yesterday", "time"),
        ("2024-01-02 10:00:00", "2024-13-02 10:00:00", "time"),
        (",100.0,0,", ",much,0,", "amount"),
        (",100.0,0,", ",,0,", "amount"),
        (",100.0,0,", ",100.0,-,", "fee"),
        (",0,100.0", ",0,NaN", "balance"),
        (",0,100.0", ",0,", "balance"),
        ("L1", "", "txid"),
        ("ZEUR", "", "asset"),
        ("deposit", "", "type"),
    ],
)
def test_a_bad_ledger_cell_is_named(given, cell, bad, column):
    fault = refused(given(LEDGER, GOOD.replace(cell, bad)), line=2, column=column)
    assert isinstance(fault, Malformed)


def test_a_fee_in_another_currency_than_the_row_is_refused(given):
    header = LEDGER + ",feecurrency"
    assert read(given(header, "L1,R1,2024-01-02,trade,,currency,XXBT,1,0.1,0.9,BTC")).rows == 1
    assert read(given(header, "L1,R1,2024-01-02,trade,,currency,XXBT,1,0,1,EUR")).rows == 1
    bad = given(header, GOOD + ",", "L2,R2,2024-01-03,trade,,currency,XXBT,1,0.1,0.9,EUR")
    refused(bad, line=3, column="feecurrency", value="'EUR'")


def test_the_first_row_that_does_not_follow_is_named(given):
    path = given(
        LEDGER,
        GOOD,
        "L2,R2,2024-01-02 11:00:00,withdrawal,,currency,ZEUR,-30.0,0.5,69.5",
        "L3,R3,2024-01-02 12:00:00,withdrawal,,currency,ZEUR,-10.0,0.5,49.0",
        "L4,R4,2024-01-02 13:00:00,withdrawal,,currency,ZEUR,-10.0,0.5,1.0",
    )
    fault = refused(path, line=4, column="balance", value="'49.0'")
    assert str(fault.context["expected"]).startswith("59.0: the ZEUR row before left 69.5")
    reading = read(path, options=Options(allow_breaks=True))
    assert len(reading.statements) == 4
    assert [said.split(",")[1] for said in reading.breaks] == [" line 4", " line 5"]


def test_an_opening_balance_is_not_a_break(given):
    (said,) = statements(given(LEDGER, GOOD.replace(",0,100.0", ",0,250.0")))
    assert said.balance == Decimal(250)


def test_newest_first_gives_the_same_statements(given):
    lines = [
        GOOD,
        "L2,R2,2024-01-02 11:00:00,withdrawal,,currency,ZEUR,-30.0,0.5,69.5",
        "L3,R3,2024-01-02 11:00:00,withdrawal,,currency,ZEUR,-10.0,0.5,59.0",
    ]
    forward = statements(given(LEDGER, *lines))
    assert read(given(LEDGER, *reversed(lines))).statements == forward
    assert [said.sequence for said in forward] == [0, 0, 1]


def test_pending_rows_are_counted_and_left_out(given):
    pending = ",R1,2024-01-02 09:00:00,deposit,,currency,ZEUR,100.0,0,"
    reading = read(given(LEDGER, pending, pending, GOOD, pending))
    assert (reading.rows, reading.pending, len(reading.statements)) == (4, 3, 1)


def test_a_row_that_refers_to_nothing_announces_nothing(given):
    total = ",,,,,,Total,100.0,0,"
    refused(given(LEDGER, GOOD, total), line=3, column="time")


def test_a_row_said_twice_is_read_once(given):
    reading = read(given(LEDGER, GOOD, GOOD))
    assert (reading.rows, reading.repeated, len(reading.statements)) == (2, 1, 1)


def test_an_id_told_in_other_words_is_refused(given):
    fault = refused(given(LEDGER, GOOD, GOOD.replace("R1", "R2")), line=3, column="txid")
    assert "line 2 has it with other values" in fault.message


def test_columns_may_stand_anywhere_and_some_may_lack(given):
    header = "fee,amount,asset,type,time,refid,txid"
    (said,) = statements(given(header, "0.5,-3,XTZ,trade,2024-01-02,R1,L1"))
    assert (said.asset, said.amount, said.fee) == ("XTZ", Decimal(-3), Decimal("0.5"))
    assert (said.balance, said.label, said.kind) == (None, None, MovementKind.TRADE)


@pytest.mark.parametrize("column", ["time", "type", "asset", "amount", "fee"])
def test_a_column_that_is_needed(given, column):
    kept = ",".join(name for name in LEDGER.split(",") if name != column)
    with pytest.raises(Malformed, match=f"line 1: no column '{column}', expected one"):
        read(given(kept))


def test_a_header_without_rows_is_a_file_without_rows(given):
    assert read(given(LEDGER)).statements == ()
    assert read(given(TRADE)).statements == ()


BOUGHT = 'T1,O1,XXBTZEUR,2024-01-02 11:10:00.1234,buy,limit,40000.0,2000.0,5.2,0.05,0.0,"","L3,L4"'


@pytest.mark.parametrize(
    "cell,bad,column",
    [
        ("buy", "BUY", "type"),
        ("XXBTZEUR", "XYZZYEUR", "pair"),
        ("2024-01-02", "2024-02-30", "time"),
        (",2000.0,", ",-2000.0,", "cost"),
        (",0.05,", ",-0.05,", "vol"),
        (",0.05,", ",,", "vol"),
        (",5.2,", ",,", "fee"),
        ("40000.0", "4e4x", "price"),
        ("40000.0", "-40000.0", "price"),
        ("0.05,0.0", "0.05,x", "margin"),
        ("T1", "", "txid"),
    ],
)
def test_a_bad_trade_cell_is_named(given, cell, bad, column):
    fault = refused(given(TRADE, BOUGHT.replace(cell, bad)), line=2, column=column)
    assert isinstance(fault, UnknownAsset if column == "pair" else Malformed)


def test_a_trade_keeps_its_fraction_of_a_second_and_its_rows(given):
    (said,) = statements(given(TRADE, BOUGHT), "kraken:two")
    assert isinstance(said, Fill)
    assert said.executed_at % 1_000_000_000 == 123_400_000
    assert said.rows == ("kraken:two:L3", "kraken:two:L4")
    assert said.id == said.group == "kraken:two:T1"


def test_a_margin_cell_decides(given):
    (said,) = statements(given(TRADE, BOUGHT.replace("0.05,0.0", "0.05,500.0")))
    assert isinstance(said, MarginFill)
    assert said.leverage == 4
    (spot,) = statements(given(TRADE, BOUGHT.replace("0.05,0.0", "0.05,-")))
    assert isinstance(spot, Fill)


@pytest.mark.parametrize("cell", ["0.0", "500.0", "", "-"])
def test_a_closing_says_that_it_opened_nothing_whatever_its_margin(given, cell):
    (said,) = statements(given(TRADE, BOUGHT.replace('0.05,0.0,""', f"0.05,{cell},closing")))
    assert isinstance(said, MarginFill)
    assert said.closes


@pytest.mark.parametrize("names", ["posttxid,posstatuscode", "postxid,posstatus"])
def test_the_status_of_a_position_says_that_a_trade_opened_it(given, names):
    rows = BOUGHT.replace('0.05,0.0,""', "0.05,500.0,closing").splitlines()
    (said,) = statements(given(f"{TRADE},{names}", *(f"{row},T0,open" for row in rows)))
    assert isinstance(said, MarginFill)
    assert said.closes is None


def test_trades_without_the_margin_column_are_refused(given):
    header = "txid,pair,time,type,cost,fee,vol"
    with pytest.raises(Malformed, match="no column 'margin'"):
        read(given(header, "T1,XBTEUR,2024-01-02,buy,1,0,1"))


def test_trades_with_the_fewest_columns(given):
    header = "vol,fee,cost,margin,type,time,pair,txid"
    (said,) = statements(given(header, "1,0,2,0,sell,2024-01-02,DOGE/USD,T1"))
    assert (said.pair, said.price, said.order_id, said.rows) == ("XDG/USD", None, None, ())
