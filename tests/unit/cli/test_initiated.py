"""Kraken's exports say of trades of coins, too, that they were initiated: no leverage in that."""

import pytest

LEDGERS = """txid,refid,time,type,subtype,aclass,asset,amount,fee,balance
L1,D1,2024-01-01 00:00:00,deposit,,currency,ZEUR,1000,0,1000
L2,T1,2024-01-02 00:00:00,trade,,currency,ZEUR,-50,0.13,949.87
L3,T1,2024-01-02 00:00:00,trade,,currency,XXBT,0.002,0,0.002
"""
TRADES = """txid,ordertxid,pair,time,type,ordertype,price,cost,fee,vol,margin,misc,ledgers
T1,O1,XXBTZEUR,2024-01-02 00:00:00.4856,buy,limit,25000,50,0.13,0.002,0.00000,initiated,"L2,L3"
"""


@pytest.mark.parametrize("order", [("ledgers", "trades"), ("trades", "ledgers"), ("trades",)])
def test_a_purchase_that_was_initiated_is_booked_once(ask, tmp_path, order):
    (tmp_path / "ledgers.csv").write_text(LEDGERS)
    (tmp_path / "trades.csv").write_text(TRADES)
    for name in order:
        ask("import", f"{name}.csv", "--base", "EUR")
    status = ask("status", "--price", "XBT=25000")
    assert status["margins"] == []
    (held,) = ask("positions")["positions"]
    assert (held["base_size"], held["fees_paid_base"]) == ("0.002", "0.13")
    if "ledgers" in order:
        assert status["equity"] == "999.87"
