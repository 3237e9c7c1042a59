"""Which reader reads a file."""

import pytest

from bursar.errors import BadChoice, InputError, UnknownFormat
from bursar.exact import ONE
from bursar.ledger.entries import Price
from bursar.venue.files import Options, read

PRICE = Price(id="p", executed_at=1, account="a", asset="DOT", quote="EUR", value=ONE)
GOLDEN = "2026-01-05T10:00:00Z  buy 2 XBT @ 40000 USD\n"


@pytest.mark.parametrize(
    "name,content",
    [
        ("book.journal", ""),
        ("book.journal", "anything, at all"),
        ("book.txt", GOLDEN),
        ("book.csv", "# a comment\n\n   # another\n" + GOLDEN),
        ("book", "\ufeff@ base USD\n"),
    ],
)
def test_a_golden_journal_goes_to_its_own_reader(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    asked = []

    def golden(lines):
        asked.extend(lines)
        return [PRICE]

    reading = read(path, options=Options(golden=golden))
    assert (reading.format, reading.statements, reading.rows) == ("golden journal", (PRICE,), 1)
    assert "".join(asked) == content.removeprefix("\ufeff")
    with pytest.raises(UnknownFormat, match="golden journal, and no reader"):
        read(path)


@pytest.mark.parametrize(
    "header,known",
    [
        ("txid,refid,time,type,asset,amount,fee", "kraken ledgers"),
        ("\ufeffTxid,REFID,Time,Type,Asset,Amount,Fee", "kraken ledgers"),
        ("txid,pair,time,type,cost,fee,vol,margin", "kraken trades"),
        ("quote,price,time,asset", "prices"),
        ("id,activity_type,date,net_amount", "alpaca activities"),
        ("time,type,asset,quantity", "generic events"),
        ("time,type,asset,quantity,price,quote", "generic events"),
    ],
)
def test_a_table_is_known_by_its_columns(tmp_path, header, known):
    path = tmp_path / "whatever.bin"
    path.write_text(header + "\n", encoding="utf-8")
    assert read(str(path)).format == known


@pytest.mark.parametrize("content", ["date,amount\n1,2\n", "hello", "a;b,c\n"])
def test_a_file_that_nobody_knows(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_text(content)
    with pytest.raises(UnknownFormat, match=r"x\.csv, line 1: no reader knows the columns"):
        read(path)


@pytest.mark.parametrize(
    "content", ["{}", '[{"symbol": "AAPL", "qty": "7.5"}]', '{"code": 40110000}']
)
def test_json_that_nobody_knows(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_text(content)
    with pytest.raises(UnknownFormat, match=r"x\.csv, line 1: JSON, but not Alpaca's account"):
        read(path)


@pytest.mark.parametrize(
    "start,says",
    [
        (b"PK\x03\x04", "a zip archive or a spreadsheet"),
        (b"\x1f\x8b\x08", "packed by gzip"),
        ("txid,refid".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_text_says_so(tmp_path, start, says):
    path = tmp_path / "x.csv"
    path.write_bytes(start + bytes(100))
    with pytest.raises(UnknownFormat, match=rf"^x\.csv: .*{says}"):
        read(path)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_cells_that_another_mark_parts_are_refused_by_it(tmp_path, mark):
    path = tmp_path / "x.csv"
    path.write_text(mark.join(("txid", "refid", "time")) + "\n")
    with pytest.raises(UnknownFormat, match=r"x\.csv, line 1: cells parted by .*, expected ','"):
        read(path)


def test_a_folder_is_named_even_where_it_has_no_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^\.: this is a folder; name the files in it"):
        read(".")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    "header,venue",
    [
        ("txid,refid,time,type,asset,amount,fee", "kraken"),
        ("txid,pair,time,type,cost,fee,vol,margin", "kraken"),
        ("User_ID,UTC_Time,Account,Operation,Coin,Change,Remark", "binance"),
        ("Date(UTC),Pair,Side,Price,Executed,Amount,Fee", "binance"),
        ("Date(UTC),type,Amount,Asset,Symbol,Transaction ID", "binance"),
        ("id,activity_type,date,net_amount", "alpaca"),
        ("[]", "alpaca"),
    ],
)
def test_a_file_is_of_an_account_of_its_own_venue(tmp_path, header, venue):
    path = tmp_path / "x.csv"
    path.write_text(header + "\n", encoding="utf-8")
    read(path, f"{venue}:second")
    with pytest.raises(BadChoice, match=rf"x\.csv is of {venue}, and bitstamp:main is no account"):
        read(path, "bitstamp:main")


@pytest.mark.parametrize("account", ["", "second", "kraken:", "Kraken:x", "kraken:a b", "a:b:c"])
def test_an_account_that_is_none(tmp_path, account):
    for header in ("txid,refid,time,type,asset,amount,fee", "time,type,asset,quantity"):
        path = tmp_path / "x.csv"
        path.write_text(header + "\n", encoding="utf-8")
        with pytest.raises(BadChoice, match="is no account, expected an account like"):
            read(path, account)


def test_events_and_prices_are_of_any_account(tmp_path):
    for header in ("time,type,asset,quantity", "quote,price,time,asset"):
        path = tmp_path / "x.csv"
        path.write_text(header + "\n", encoding="utf-8")
        read(path, "bitstamp:main")
