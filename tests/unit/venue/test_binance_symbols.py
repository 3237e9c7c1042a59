"""Names of markets and glued amounts: by table, by the pair, or not at all."""

import pytest

from bursar.errors import UnknownAsset
from bursar.venue.binance.assets import coin, is_futures, pocket
from bursar.venue.binance.symbols import Pair, glued, number_of, pair, unglued

TRAPS = str.split("""
BTCUSDT BTC/USDT    ETHBTC ETH/BTC      BNBUSDT BNB/USDT    BNBBTC BNB/BTC      EURUSDT EUR/USDT
1INCHUSDT 1INCH/USDT 2ZUSDC 2Z/USDC     0GUSDT 0G/USDT      1000SATSUSDT 1000SATS/USDT
LDOUSDT LDO/USDT    BTCBUSD BTC/BUSD    BTCTUSD BTC/TUSD    ETHAEUR ETH/AEUR    BTCTRY BTC/TRY
NEVERSEENUSDT NEVERSEEN/USDT            BTC/USDT BTC/USDT   NEVER/SEEN NEVER/SEEN
USDCUSDT USDC/USDT  FDUSDUSDT FDUSD/USDT SOLETH SOL/ETH     QQQTUSD QQQ/TUSD
""")


@pytest.mark.parametrize("name,said", list(zip(TRAPS[::2], TRAPS[1::2], strict=True)))
def test_a_name_is_looked_up_or_split_in_the_one_way_there_is(name, said):
    assert str(pair(name)) == said


@pytest.mark.parametrize(
    "name", ["XYZZY", "", "/", "A/", "/B", "A/B/C", "btcusdt", "USDT", "QQQAEUR", "BTC-USDT"]
)
def test_a_name_that_cannot_be_split_is_refused_by_name(name):
    with pytest.raises(UnknownAsset, match="not a pair") as caught:
        pair(name)
    assert caught.value.context["value"] == name


@pytest.mark.parametrize(
    "name,base,quote,numbers",
    [
        ("BTCUSDT", "0.0040000000BTC", "1,240.5USDT", ("BTC/USDT", "0.0040000000", "1,240.5")),
        ("1INCHUSDT", "12.500000001INCH", "5.0USDT", ("1INCH/USDT", "12.50000000", "5.0")),
        ("INCHUSDT", "12.500000001INCH", "5.0USDT", ("INCH/USDT", "12.500000001", "5.0")),
        ("1000SATSUSDT", "7.001000SATS", "5USDT", ("1000SATS/USDT", "7.00", "5")),
        ("4USDT", "0.000000044", "1USDT", ("4/USDT", "0.00000004", "1")),
        ("42USDT", "0.0000000042", "1USDT", ("42/USDT", "0.00000000", "1")),
        ("NEWNEWER", "1NEW", "2NEWER", ("NEW/NEWER", "1", "2")),
        ("BTC/USDT", "1 BTC", "2 USDT", ("BTC/USDT", "1", "2")),
        ("BTCUSD1", "1BTC", "2USD1", ("BTC/USD1", "1", "2")),
    ],
)
def test_the_pair_parts_amounts_from_their_coins(name, base, quote, numbers):
    found = unglued(name, base, quote)
    assert found is not None
    assert (str(found[0]), *found[1:]) == numbers


@pytest.mark.parametrize(
    "name,base,quote",
    [
        ("BTCUSDT", "0.004ETH", "1USDT"),
        ("BTCUSDT", "0.004BTC", "1USDC"),
        ("BTCUSDT", "BTC", "1USDT"),
        ("BTCUSDT", "0.004", "1"),
        ("BTCUSDT", "-1BTC", "1USDT"),
        ("B/TCUSDT", "1BTC", "1USDT"),
        ("", "", ""),
    ],
)
def test_amounts_of_other_coins_are_not_parted(name, base, quote):
    assert unglued(name, base, quote) is None


def test_a_fee_is_of_a_likely_coin_first():
    assert glued("0.000000011INCH", ("1INCH", "USDT")) == ("0.00000001", "1INCH")
    assert glued("0.000000011INCH") == ("0.000000011", "INCH")
    assert glued("0.0003BNB", ("BTC", "USDT")) == ("0.0003", "BNB")
    assert glued("0.0003 BNB") is None
    assert glued("BNB") is glued("0.1") is glued("") is None
    assert number_of("0.1BTC", "BTC") == "0.1"
    assert number_of("0.1BTC", "ETH") is None


@pytest.mark.parametrize(
    "code,asset,where",
    [
        ("LDUSDT", "USDT", "earn"),
        ("LDBTC", "BTC", "earn"),
        ("LDLDO", "LDO", "earn"),
        ("LDO", "LDO", None),
        ("LDNEVERSEEN", "LDNEVERSEEN", None),
        ("LD", "LD", None),
        ("BTC", "BTC", None),
        ("DOGE", "DOGE", None),
    ],
)
def test_a_receipt_is_the_coin_it_stands_for_and_ldo_is_a_coin(code, asset, where):
    assert (coin(code).asset, coin(code).pocket, coin(code).code) == (asset, where, code)


@pytest.mark.parametrize(
    "wallet,where",
    [
        ("Spot", None),
        ("SPOT", None),
        ("Earn", "earn"),
        ("Savings", "earn"),
        ("USDT-Futures", "usd-m futures"),
        ("USD-MFutures", "usd-m futures"),
        ("USD-M  Futures", "usd-m futures"),
        ("Coin-M Futures", "coin-m futures"),
        ("Funding", "funding"),
        ("Cross Margin", "cross margin"),
        ("Something New", "something new"),
    ],
)
def test_a_wallet_is_one_pocket_under_all_its_names(wallet, where):
    assert pocket(wallet) == where
    assert is_futures(where) == (where is not None and "futures" in where)


def test_a_pair_shows_itself():
    assert str(Pair("BTC", "USDT")) == "BTC/USDT"
