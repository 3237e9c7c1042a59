"""Alpaca's symbols."""

import pytest

from bursar.venue.alpaca.symbols import Instrument, coin, instrument, is_adjusted, is_option


@pytest.mark.parametrize(
    "symbol,asset,quote",
    [
        ("AAPL", "AAPL", None),
        ("BRK.B", "BRK.B", None),
        ("BTC/USD", "BTC", "USD"),
        ("BTCUSD", "BTC", "USD"),
        ("ETH/BTC", "ETH", "BTC"),
        ("ETHBTC", "ETH", "BTC"),
        ("USDTUSD", "USDT", "USD"),
        ("USDCUSD", "USDC", "USD"),
        ("BTCUSDT", "BTC", "USDT"),
        ("WBTCUSD", "WBTC", "USD"),
        ("USD", "USD", None),
        ("BTC", "BTC", None),
        ("NEWCOINUSD", "NEWCOINUSD", None),
        ("NEWCOIN/USD", "NEWCOIN", "USD"),
        ("AAPL250117C00150000", "AAPL250117C00150000", None),
    ],
)
def test_what_a_symbol_is_about(symbol, asset, quote):
    assert instrument(symbol) == Instrument(asset, quote)


@pytest.mark.parametrize(
    "symbol,asset,quote",
    [
        ("BTCUSD", "BTC", "USD"),
        ("BTC/USD", "BTC", "USD"),
        ("NEWCOINUSD", "NEWCOIN", "USD"),
        ("NEWCOINUSDT", "NEWCOIN", "USDT"),
        ("NEWCOINBTC", "NEWCOIN", "BTC"),
        ("NEWCOIN", "NEWCOIN", None),
        ("USD", "USD", None),
    ],
)
def test_a_coin_fee_is_about_a_pair_also_of_a_coin_that_is_new(symbol, asset, quote):
    assert coin(symbol) == Instrument(asset, quote)


@pytest.mark.parametrize(
    "symbol,option,adjusted",
    [
        ("AAPL250117C00150000", True, False),
        ("F250117P00012500", True, False),
        ("AAPL1250117C00150000", True, True),
        ("AAPL", False, False),
        ("AAPL250117X00150000", False, False),
    ],
)
def test_options(symbol, option, adjusted):
    assert (is_option(symbol), is_adjusted(symbol)) == (option, adjusted)
