"""Binance's exports through the front door."""

from importlib.resources import files
from pathlib import Path

import pytest

STORY = Path(str(files("bursar.samples") / "binance-story-a"))
NAMES = ("transaction-history", "spot-trade-history.new", "futures-transaction-history", "prices")
HEADER = "UTC_Time,Account,Operation,Coin,Change\n"


@pytest.fixture
def story(bursar):
    bursar("import", *(STORY / f"{name}.csv" for name in NAMES), "--quiet")


def test_the_whole_story_in_one_import(ask):
    done = ask("import", *(STORY / f"{name}.csv" for name in NAMES))
    assert [each["format"] for each in done["files"]] == [
        "binance transactions",
        "binance trades",
        "binance futures",
        "prices",
    ]
    assert [each["rows"] for each in done["files"]] == [31, 5, 6, 6]
    # The futures history repeats what the transactions say, and names the market of three rows.
    assert (done["recorded"], done["duplicates"], done["conflicts"]) == (31 + 5 + 3 + 6, 6, [])
    assert done["flags"] == {}
    assert ask("verify")["is_sound"]


def test_what_is_made_is_told_by_market(story, ask):
    lines = ask("pnl", "--by", "pair")["methods"][0]["lines"]
    # 0.5 settled less fees of 0.0744 and 0.0246.
    assert lines["BTC/USDT:USDT"]["realized"] == "0.401"
    assert set(lines) >= {"BTC/USDT", "BNB/USDT", "BTC/USDT:USDT"}


def test_status_tells_where_the_money_lies(story, ask):
    usdt = next(row for row in ask("status")["holdings"] if row["asset"] == "USDT")
    assert usdt["quantity"] == "928.41771"


def test_operations_that_nobody_knows_are_named(bursar, ask, tmp_path):
    odd = tmp_path / "odd.csv"
    rows = [f"2025-03-0{day} 10:00:00,Spot,Something New,USDT,5\n" for day in (1, 2)]
    odd.write_text(HEADER + "".join(rows))
    said = bursar("import", odd).out
    assert "! unclassified  odd.csv: Something New 2×; counted, nobody knows as what" in said
    assert ask("import", odd)["files"][0]["unknown"] == ["Something New 2×"]
    found = ask("flows")["flows"]
    assert [row["type"] for row in found] == ["unclassified"] * 2
    assert ask("status")["equity"] == "10"


def test_a_known_file_names_nothing(bursar):
    assert "unclassified" not in bursar("import", STORY / "transaction-history.csv").out


KRAKEN = "txid,refid,time,type,subtype,aclass,asset,amount,fee,balance\n"


def test_what_left_one_venue_and_came_to_another_is_pointed_out(bursar, ask, tmp_path):
    ledgers, history = tmp_path / "ledgers.csv", tmp_path / "history.csv"
    ledgers.write_text(
        KRAKEN
        + "L1,R1,2026-01-02 10:00:00,deposit,,currency,XXBT,2,0,2\n"
        + "L2,R2,2026-01-04 10:00:00,withdrawal,,currency,XXBT,-0.5,0.0005,1.4995\n"
    )
    history.write_text(HEADER + "2026-01-04 10:30:00,Spot,Deposit,BTC,0.5\n")
    bursar("import", ledgers, history, "--quiet")
    (ends,) = ask("flows")["links"]
    said = bursar("flows").out
    assert (
        "? 0.5 XBT left kraken:main on 2026-01-04 10:00, and 0.5 BTC came to binance:main" in said
    )
    line = f"bursar link '{ends['withdrawal']}' '{ends['deposit']}'"
    assert line in said
    bursar("link", ends["withdrawal"], ends["deposit"], "--yes")
    assert ask("flows")["links"] == []
    assert ask("verify")["is_sound"]


def test_a_withdrawal_that_came_back_is_no_end_of_another_transfer(bursar, ask, tmp_path):
    ledgers, history = tmp_path / "ledgers.csv", tmp_path / "history.csv"
    ledgers.write_text(
        KRAKEN
        + "L1,R1,2026-01-02 10:00:00,deposit,,currency,XXBT,2,0,2\n"
        + "L2,R2,2026-01-04 10:00:00,withdrawal,,currency,XXBT,-0.5,0.0005,1.4995\n"
        + "L3,R2,2026-01-04 12:00:00,withdrawal,,currency,XXBT,0.5,-0.0005,2\n"
    )
    history.write_text(
        HEADER
        + "2026-01-03 10:00:00,Spot,Deposit,BTC,1\n"
        + "2026-01-04 10:30:00,Spot,Withdraw,BTC,-0.5\n"
    )
    bursar("import", ledgers, history, "--quiet")
    assert ask("flows")["links"] == []
