"""What is traded at the fake Alpaca, and at which price: a price for every instant, from the seed.

Prices and amounts are whole numbers; `UNIT` of them are one.
"""

from typing import Final

SECOND: Final = 1_000_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR
UNIT: Final = 10**13
NANO: Final = 10**4
"""The finest part of a share or a coin that is traded, in units."""

STOCKS: Final = {"AAPL": 200, "BRK.B": 450, "KO": 60, "MSFT": 400, "SPY": 550}
COINS: Final = {"BTC/USD": 60_000, "DOGE/USD": 2, "ETH/BTC": 1, "ETH/USD": 3_000}
WHOLE_ONLY: Final = frozenset({"BRK.B"})
"""What cannot be held in fractions."""

_SCALE: Final = 10_000
_STEP: Final = 7_919
_SWING: Final = 400


def price(seed: int, symbol: str, at: int) -> int:
    """Return the price of a symbol at an instant, with four decimals, in units."""
    usual = (STOCKS.get(symbol) or COINS[symbol]) * _SCALE
    if symbol == "ETH/BTC":
        usual = usual // 20
    hours = at // HOUR + seed * 31 + sum(map(ord, symbol))
    off = (hours * _STEP) % (2 * _SWING) - _SWING
    return (usual + usual * off // _SCALE) * (UNIT // _SCALE)


def times(quantity: int, value: int) -> int:
    """Return a quantity times a price; both have as many decimals as make that exact."""
    total, rest = divmod(quantity * value, UNIT)
    assert not rest, "nine decimals by four"
    return total


def text(units: int) -> str:
    """Write units as a decimal, no longer than it must be."""
    sign, (whole, part) = "-" if units < 0 else "", divmod(abs(units), UNIT)
    decimals = f"{part:013d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
