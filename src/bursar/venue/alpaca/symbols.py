"""Alpaca's symbols: a stock, a pair of coins, or an option contract.

Orders and fills write a pair with a slash (`BTC/USD`), positions, fees and old fills without one
(`BTCUSD`): one instrument. A symbol without a slash is a pair if it is made of a coin and a quote
from the lists below; anything else is a stock by that name. Only a coin fee, which is never about
a stock, may be about a coin that the list lacks: no quote is the tail of another, so its pair can
be read in one way only.

An option contract is named by its root, day, right and strike; it stands for a hundred shares, and
its price is that of one share. A root with a digit is an adjusted contract, which may stand for
something else.
"""

import re
from decimal import Decimal
from typing import Final

import msgspec

SHARES: Final = Decimal(100)
"""What one option contract stands for."""

_QUOTES: Final = ("USD", "USDC", "USDT", "BTC")
_LISTED: Final = (
    "AAVE ADA ALGO ARB AVAX BAT BCH BONK BTC CRV DAI DOGE DOT ETH FIL GRT HYPE LDO LINK LTC MATIC "
    "MKR NEAR ONDO PAXG PEPE POL RENDER SHIB SKY SOL SUSHI TRUMP TRX UNI USDC USDG USDT WBTC WIF "
    "XLM XRP XTZ YFI"
)
_COINS: Final = frozenset(_LISTED.split())
_OPTION: Final = re.compile(r"([A-Z]{1,5})([0-9]?)[0-9]{6}[CP][0-9]{8}")
_STOCK: Final = re.compile(r"[A-Z]{1,6}(?:\.[A-Z]{1,4})?")


class Instrument(msgspec.Struct, frozen=True):
    """What is held; `quote` is `None` for a stock or an option, which any currency may buy."""

    asset: str
    quote: str | None = None


_PAIRS: Final = {f"{coin}{quote}": Instrument(coin, quote) for coin in _COINS for quote in _QUOTES}


def instrument(symbol: str) -> Instrument:
    """Read a symbol: `AAPL`, `BTC/USD`, `BTCUSD`, `AAPL250117C00150000`."""
    base, slash, quote = symbol.partition("/")
    if slash:
        return Instrument(base, quote)
    return _PAIRS.get(symbol, Instrument(symbol))


def coin(symbol: str) -> Instrument:
    """Read a symbol that is a coin's, or a pair's, whether the coin is listed or not."""
    known = instrument(symbol)
    if known.quote is not None or symbol in _COINS:
        return known
    for quote in _QUOTES:
        base = symbol.removesuffix(quote)
        if base and base != symbol:
            return Instrument(base, quote)
    return known


def is_option(symbol: str) -> bool:
    """Tell whether a symbol names an option contract, adjusted ones included."""
    return _OPTION.fullmatch(symbol) is not None


def is_adjusted(symbol: str) -> bool:
    """Tell whether it is unclear what an option contract stands for."""
    match = _OPTION.fullmatch(symbol)
    return match is not None and bool(match.group(2))


def is_stock(symbol: str) -> bool:
    """Tell whether a symbol may name a stock, such as `AAPL` or `BRK.B`."""
    return _STOCK.fullmatch(symbol) is not None
