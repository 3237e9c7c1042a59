"""The market: prices that wander, in a bull or a bear market, all from one seed.

A price is a float inside and leaves as a decimal of as many places as its venue would quote; what
has left is exact. The walk is geometric: what happens in a day is the same share at every price.

Errors: none.
"""

from decimal import Decimal
from typing import Final

import msgspec

from bursar.sim.chance import Streams

QUOTE: Final = "USD"
BULL, BEAR = "BULL", "BEAR"
CYCLE, BULL_DAYS = 60, 42
_UP, _DOWN = 0.0065, -0.004


class Coin(msgspec.Struct, frozen=True):
    """An asset: where its price begins, how wild a day is, to how many places price and size go."""

    name: str
    start: float
    wildness: float
    places: int
    step: int


COINS: Final = (
    Coin("BTC", 58_400, 0.019, 1, 4),
    Coin("ETH", 2_960, 0.024, 2, 3),
    Coin("SOL", 141, 0.033, 2, 2),
    Coin("BNB", 585, 0.018, 2, 3),
    Coin("LINK", 14.2, 0.029, 3, 1),
)


class Market:
    """Prices of this moment; `move` lets time pass."""

    def __init__(self, seed: int) -> None:
        self._chance = Streams(seed).named("market")
        self._prices = {coin.name: coin.start for coin in COINS}
        self.days = 0.0

    @property
    def regime(self) -> str:
        """Which market it is."""
        return BULL if self.days % CYCLE < BULL_DAYS else BEAR

    def move(self, days: float) -> None:
        """Let a part of a day pass."""
        self.days += days
        trend = _UP if self.regime == BULL else _DOWN
        common = self._chance.gauss(0, 1)
        for coin in COINS:
            own = 0.7 * common + 0.7 * self._chance.gauss(0, 1)
            self._prices[coin.name] *= 1 + trend * days + coin.wildness * own * days**0.5

    def price(self, name: str) -> Decimal:
        """Return what a coin costs, as it is quoted."""
        coin = next(each for each in COINS if each.name == name)
        return Decimal(f"{self._prices[name]:.{coin.places}f}")

    def units(self, name: str, worth: float) -> Decimal:
        """Return about how many of a coin that much money buys, in steps that can be traded."""
        coin = next(each for each in COINS if each.name == name)
        return Decimal(f"{max(worth, 0) / self._prices[name]:.{coin.step}f}")
