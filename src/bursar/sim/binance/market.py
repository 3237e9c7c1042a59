"""What is traded at the fake Binance, and at which price: a price for every instant, from the seed.

Prices and amounts are whole numbers; `UNIT` of them are one.
"""

from typing import Final

SECOND: Final = 1_000_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR
UNIT: Final = 10**8
STEP: Final = 10**4
"""The finest part of a coin that is traded, in units."""

MARKETS: Final = {
    "BTCUSDT": ("BTC", "USDT", 60_000),
    "BNBUSDT": ("BNB", "USDT", 600),
    "ETHUSDT": ("ETH", "USDT", 3_000),
    "SOLUSDT": ("SOL", "USDT", 150),
    "MATICUSDT": ("MATIC", "USDT", 2),
    "ADAUSDT": ("ADA", "USDT", 1),
    "LTCUSDT": ("LTC", "USDT", 90),
    "LTCBTC": ("LTC", "BTC", 1),
    "SOLBNB": ("SOL", "BNB", 1),
    "1INCHUSDT": ("1INCH", "USDT", 1),
    "BTCEUR": ("BTC", "EUR", 55_000),
}
CLOSED: Final = frozenset({"MATICUSDT"})
_SCALE: Final = 10_000
_STEP: Final = 7_919
_SWING: Final = 400


def price(seed: int, symbol: str, at: int) -> int:
    """Return the price of a market at an instant, with four decimals, in units."""
    usual = MARKETS[symbol][2] * _SCALE
    hours = at // HOUR + seed * 31 + sum(map(ord, symbol))
    off = (hours * _STEP) % (2 * _SWING) - _SWING
    return (usual + usual * off // _SCALE) * (UNIT // _SCALE)


def times(quantity: int, value: int) -> int:
    """Return a quantity times a price; both have as many decimals as make that exact."""
    total, rest = divmod(quantity * value, UNIT)
    assert not rest, "four decimals by four"
    return total


def text(units: int) -> str:
    """Write units as the venue does, with eight decimals."""
    sign, (whole, part) = "-" if units < 0 else "", divmod(abs(units), UNIT)
    return f"{sign}{whole}.{part:08d}"
