"""Codes become coins by tables: nothing is guessed from letters."""

import pytest

from bursar.venue.kraken.assets import coin, pocket


@pytest.mark.parametrize(
    "code,asset",
    [
        ("XXBT", "XBT"),
        ("XBT", "XBT"),
        ("BTC", "XBT"),
        ("XXDG", "XDG"),
        ("DOGE", "XDG"),
        ("XETC", "ETC"),
        ("XETH", "ETH"),
        ("XLTC", "LTC"),
        ("XMLN", "MLN"),
        ("XREP", "REP"),
        ("XXLM", "XLM"),
        ("XXMR", "XMR"),
        ("XXRP", "XRP"),
        ("XZEC", "ZEC"),
        ("XICN", "ICN"),
        ("KFEE", "KFEE"),
    ],
)
def test_codes_that_differ_from_the_short_name(code, asset):
    assert coin(code).asset == asset


@pytest.mark.parametrize(
    "currency",
    str.split("ARS AUD CAD CLP COP DKK EUR GBP GEL GHS JPY LKR MXN PLN SEK UGX USD VND XOF"),
)
def test_money_loses_its_z_and_keeps_its_name_without(currency):
    assert coin(f"Z{currency}").asset == coin(currency).asset == currency


@pytest.mark.parametrize(
    "code",
    str.split(
        "XTZ XCN XLM XMR XRP XRT XNY ZEC ZRX ZRO ZK ZEX ZETA ZEUS ZORA ZEREBRO DOG ETH2 LUNA LUNA2"
        " 1INCH AI16Z EURT EURC USDT MATIC POL TSLAx"
    ),
)
def test_a_name_that_looks_like_a_code_is_untouched(code):
    assert coin(code).asset == coin(code).code == code
    assert coin(code).pocket is None


@pytest.mark.parametrize(
    "code,asset,where",
    [
        ("DOT.S", "DOT", "staked"),
        ("XTZ.S", "XTZ", "staked"),
        ("DOT28.S", "DOT", "staked:28"),
        ("SOL03.S", "SOL", "staked:03"),
        ("GRT07.S", "GRT", "staked:07"),
        ("ETH2.S", "ETH2", "staked"),
        ("XBT.M", "XBT", "rewards"),
        ("USD.M", "USD", "rewards"),
        ("ADA.B", "ADA", "bonded"),
        ("XBT.F", "XBT", "auto-earn"),
        ("BTC.F", "XBT", "auto-earn"),
        ("KSM.P", "KSM", "parachain"),
        ("TSLAx.T", "TSLAx", "tokenised"),
        ("EUR.HOLD", "EUR", "hold"),
        ("ZEUR.HOLD", "EUR", "hold"),
    ],
)
def test_a_suffix_says_where_the_coins_lie(code, asset, where):
    assert (coin(code).asset, coin(code).pocket) == (asset, where)


def test_the_code_keeps_its_suffix_and_is_one_in_every_generation():
    assert coin("XXBT.F").code == coin("BTC.F").code == "XBT.F"
    assert coin("DOT28.S").code == "DOT28.S"
    assert coin("ZEUR").code == coin("EUR").code == "EUR"


@pytest.mark.parametrize("code", ["FOO.X", ".S", "28.S", "DOT.", "", "..", "A.B.C"])
def test_what_no_table_names_is_kept(code):
    assert coin(code).asset in {code, "28"}


@pytest.mark.parametrize(
    "code,wallet,where",
    [
        ("DOT", "", None),
        ("DOT", "spot / main", None),
        ("DOT", "earn / bonded", "bonded"),
        ("DOT", "earn / flexible", "auto-earn"),
        ("DOT", "earn / liquid", "liquid"),
        ("DOT", "earn / locked", "locked"),
        ("DOT", "vault / cold", "vault / cold"),
        ("DOT.S", "", "staked"),
        ("DOT.S", "earn / bonded", "staked"),
        ("DOT.S", "spot / main", "staked"),
    ],
)
def test_a_suffix_settles_the_pocket_else_the_wallet_does(code, wallet, where):
    assert pocket(coin(code), wallet) == where
