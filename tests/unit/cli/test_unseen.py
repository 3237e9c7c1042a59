"""Files that begin while a leveraged position is open: its closing opens nothing and says so."""

from decimal import Decimal

import pytest

LEDGERS = """txid,refid,time,type,subtype,aclass,asset,amount,fee,balance
L1,D1,2024-01-01 00:00:00,deposit,,currency,ZUSD,1000,0,1000
L2,T1,2024-01-02 00:00:00,margin,,currency,ZUSD,500,4,1496
"""
TRADES = """txid,ordertxid,pair,time,type,ordertype,price,cost,fee,vol,margin,misc,ledgers
T1,O1,XXBTZUSD,2024-01-02 00:00:00,sell,market,40000,40000,4,1,0,closing,L2
"""
UNTOLD = """2024-01-02T00:00:00Z  margin  sell  1  XBT  @ 40000  USD  fee 4 USD\
  #kraken:main:T1/margin  source=trades  group=kraken:main:T1  pair=XBT/USD  order_id=O1
"""
UNSEEN = {"account": "kraken:main", "asset": "XBT/USD", "quantity": "1"}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "ledgers.csv").write_text(LEDGERS)
    (tmp_path / "trades.csv").write_text(TRADES)
    (tmp_path / "untold.journal").write_text(UNTOLD)


@pytest.mark.usefixtures("files")
def test_a_closing_of_what_was_open_before_the_files_opens_nothing(ask, bursar):
    ask("import", "ledgers.csv", "trades.csv", "--base", "USD")
    status = ask("status")
    assert (status["equity"], status["unrealized"], status["margins"]) == ("1496", "0", [])
    assert status["coverage"]["unseen"] == [UNSEEN]
    assert status["coverage"]["gaps"] == []
    assert not status["is_complete"]
    said = "1 XBT/USD in kraken:main was closed, its opening lies before what is known"
    assert said in bursar("status").out
    assert status["realized"] == "496"


@pytest.mark.usefixtures("files")
def test_without_the_ledger_what_it_made_is_not_known_and_said(ask, bursar):
    ask("import", "trades.csv", "--base", "USD")
    assert ask("status")["coverage"]["unseen"] == [UNSEEN]
    (trade,) = ask("trades")["trades"]
    assert (trade["pnl_quote"], trade["flags"]) == (None, ["provisional", "unsettled"])
    assert "unsettled" in bursar("pnl").out
    parts = [line for line in bursar("why", "realized").out.splitlines() if "unknown" in line]
    assert len(parts) == 1
    assert ask("performance")["trades"]["unpriced"] == 1
    ask("import", "ledgers.csv")
    assert ask("status")["coverage"]["gaps"] == []
    assert ask("status")["equity"] == "1496"


@pytest.mark.usefixtures("files")
def test_an_import_that_did_not_say_so_is_put_right_by_the_next(ask):
    ask("import", "ledgers.csv", "untold.journal", "--base", "USD")
    (open_,) = ask("status", "--price", "XBT=50000")["margins"]
    assert Decimal(open_["quantity"]) == -1
    assert ask("import", "trades.csv")["recorded"] == 1
    assert ask("status")["margins"] == []
    assert ask("status")["coverage"]["unseen"] == [UNSEEN]
    assert ask("verify")["digest"]
