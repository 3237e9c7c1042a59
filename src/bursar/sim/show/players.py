"""The players: three strategies with different temperaments, and what each of them orders.

`trend` buys what rises and holds it until it falls; `carry` trades small and often, and earns a
little; `grid` does the same with more at stake and earns more, until its market dies. All sizes
come from the capital that a player was given, so one that loses its allocation trades less.

Errors: none.
"""

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from bursar.sim.chance import Streams
from bursar.sim.show.market import QUOTE, Market

NAMES: Final = ("carry", "grid", "trend")
FEE_RATE: Final = 0.0004
_LOOKBACK: Final = 8
_TREND_COINS: Final = ("BTC", "ETH", "SOL")
_QUICK_COINS: Final[dict[str, tuple[str, ...]]] = {"carry": ("ETH", "BTC"), "grid": ("SOL",)}
_EDGE: Final = {"carry": 0.0035, "grid": 0.011}
_DEATH: Final = -0.052
_NOISE: Final = 0.009


class Order(msgspec.Struct, frozen=True):
    """An execution as its venue tells it. `hour` is that of the day, for days that are past."""

    strategy: str
    side: str
    coin: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    hour: int = 12


class Players:
    """Who trades, what each holds, and with how much it may."""

    def __init__(self, seed: int, *, dies_on: int) -> None:
        self.capital = dict.fromkeys(NAMES, Decimal(0))
        self._chance = Streams(seed).named("players")
        self._dies_on = dies_on
        self._held: dict[str, Decimal] = {}
        self._seen: dict[str, deque[Decimal]] = {
            coin: deque(maxlen=_LOOKBACK) for coin in _TREND_COINS
        }

    def day(self, market: Market) -> Iterator[Order]:
        """Return what is traded on a day."""
        yield from self.trend(market)
        for name in ("carry", "grid"):
            if self._chance.random() < 0.8:  # noqa: PLR2004 (four days of five)
                yield from self.quick(name, market)

    def trend(self, market: Market) -> Iterator[Order]:
        """Buy what is above its mean, sell what is below it."""
        for coin in _TREND_COINS:
            price, seen = market.price(coin), self._seen[coin]
            seen.append(price)
            if len(seen) < _LOOKBACK:
                continue
            above = price * len(seen) - sum(seen)
            held = self._held.get(coin, Decimal(0))
            if not held and above > 0:
                quantity = market.units(coin, float(self.capital["trend"]) * 0.3)
                if quantity:
                    self._held[coin] = quantity
                    yield _order("trend", "buy", coin, quantity, price, hour=10)
            elif held and above < 0:
                del self._held[coin]
                yield _order("trend", "sell", coin, held, price, hour=10)

    def quick(self, name: str, market: Market, *, part: float = 1) -> Iterator[Order]:
        """Buy and sell within hours; what that makes depends on the player and on chance.

        `part` is how much of such a day's gain or loss the two trades have to themselves.
        """
        coin = self._chance.choice(_QUICK_COINS[name])
        quantity = market.units(coin, float(self.capital[name]) / 3)
        if not quantity:
            return
        edge = _DEATH if name == "grid" and market.days > self._dies_on else _EDGE[name]
        price = market.price(coin)
        places = -int(price.as_tuple().exponent)
        made = 1 + part * (edge + self._chance.gauss(0, _NOISE))
        later = Decimal(f"{float(price) * made:.{places}f}")
        yield _order(name, "buy", coin, quantity, price, hour=9)
        yield _order(name, "sell", coin, quantity, later, market=market, hour=15)


def _order(  # noqa: PLR0913 (what an execution has)
    strategy: str,
    side: str,
    coin: str,
    quantity: Decimal,
    price: Decimal,
    *,
    market: Market | None = None,
    hour: int,
) -> Order:
    """Price the fee: in dollars, or, where the market is told, in the exchange's own coin."""
    fee, asset = float(quantity * price) * FEE_RATE, QUOTE
    if market is not None and strategy == "carry":
        fee, asset = fee / float(market.price("BNB")), "BNB"
    exact = Decimal(f"{fee:.{2 if asset == QUOTE else 5}f}")
    return Order(strategy, side, coin, quantity, price, exact, asset, hour)
