"""Recorded prices: what a unit of an asset was worth, by asset and time, for one base currency.

A price counts under every name of its asset. Of several for one instant the one whose id sorts
first counts; a voided one never does, whether it or its void came first. A price serves its own
instant and a day after it, but no instant from a split of its asset on: it is of the old units.
What money is worth in a coin (1.08 USD for a EUR, in a book of euros) tells the worth of the coin:
its inverse, rounded once to 18 places.

Errors: none.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, MutableMapping
from decimal import Decimal
from typing import Final

from bursar.exact import ONE, product18, quotient18
from bursar.ledger import instant
from bursar.ledger.entries import Price, Rate, Split
from bursar.ledger.layer import Layer
from bursar.ledger.names import canonical

PRICE_AGE_MAX: Final = instant.DAY
_DEPTH_MAX: Final = 3
PRICE_REACH: Final = _DEPTH_MAX * PRICE_AGE_MAX
_Place = tuple[str, int]


class Prices:
    """All recorded prices. Look-up is O(log n)."""

    def __init__(self, base: str, cash: frozenset[str]) -> None:
        self.base = base
        self.cash = cash
        self._times: MutableMapping[str, list[int]] = {}
        self._told: MutableMapping[_Place, tuple[Price, ...]] = {}
        self._quoted: MutableMapping[str, frozenset[str]] = {}
        self._by_id: MutableMapping[str, Price] = {}
        self._voided: MutableMapping[str, bool] = {}
        self._splits: dict[str, list[int]] = {}

    def fork(self) -> "Prices":
        """Return prices that read through to these and keep their own additions."""
        child = Prices(self.base, self.cash)
        child._times = Layer(self._times)
        child._told = Layer(self._told)
        child._quoted = Layer(self._quoted)
        child._by_id = Layer(self._by_id)
        child._voided = Layer(self._voided)
        child._splits = self._splits
        return child

    def add(self, price: Price) -> None:
        """Take in a price; the same one again changes nothing."""
        asset, quote = self.of(price), canonical(price.quote)
        if asset == quote:
            quote = canonical(price.asset)
        place = (asset, price.executed_at)
        known = self._told.get(place, ())
        if price in known:
            return
        if not known:
            insort(self._own_times(asset), price.executed_at)
        self._told[place] = tuple(sorted((*known, price), key=lambda each: (each.id, -each.source)))
        self._quoted[quote] = self._quoted.get(quote, frozenset()) | {asset}
        self._by_id[price.id] = price

    def of(self, price: Price) -> str:
        """Return the asset whose worth a price tells: of money in a coin, the coin."""
        is_round = price.asset in self.cash and price.quote not in self.cash
        return canonical(price.quote if is_round else price.asset)

    def part(self, splits: Iterable[Split]) -> None:
        """Learn of all splits that stand: a price from before one is not of the units after it."""
        found: dict[str, list[int]] = {}
        for split in splits:
            insort(found.setdefault(canonical(split.asset), []), split.executed_at)
        self._splits = found

    def void(self, name: str, *, is_void: bool = True) -> None:
        """Let the price of that id count as never having been told, or let it count again."""
        self._voided[name] = is_void

    def until(self, when: int) -> "Prices":
        """Return the prices that stand and are of `when` or earlier."""
        known = Prices(self.base, self.cash)
        for told in self._told.values():
            for price in told:
                if price.executed_at <= when and not self._is_void(price):
                    known.add(price)
        for asset, times in self._splits.items():
            known._splits[asset] = times[: bisect_right(times, when)]
        return known

    def find(self, name: str) -> Price | None:
        """Return the price of that id, voided or not."""
        return self._by_id.get(name)

    def told(self, asset: str, when: int) -> list[Price]:
        """Return the prices of that very instant that stand, the one that counts first."""
        told = self._told.get((canonical(asset), when), ())
        return [price for price in told if not self._is_void(price)]

    def decided_by(self, asset: str) -> frozenset[str]:
        """Return the assets whose worth may rest on a price of `asset`: itself, what it quotes."""
        reached, waiting = {canonical(asset)}, [canonical(asset)]
        while waiting:
            fresh = self._quoted.get(waiting.pop(), frozenset()) - reached
            reached |= fresh
            waiting += fresh
        return frozenset(reached)

    def latest(self) -> list[Price]:
        """Return the newest price of each asset."""
        newest = (next(self._back(asset, times[-1]), None) for asset, times in self._listed())
        return [price for price in newest if price is not None]

    def every(self) -> list[Price]:
        """Return every price, voided or not."""
        return [price for place in sorted(self._told) for price in self._told[place]]

    def at(self, asset: str, when: int, *, depth: int = 0) -> Rate | None:
        """Return what a unit of `asset` was worth in base currency at `when`, if recorded."""
        if asset in self.cash:
            return Rate(asset, self.base, ONE, "face", when)
        price = next(self._back(canonical(asset), when), None)
        if price is None or depth == _DEPTH_MAX or when - price.executed_at > PRICE_AGE_MAX:
            return None
        if self._splits and self._is_parted(price, when):
            return None
        value = self._worth(price, when, depth)
        if value is None:
            return None
        return Rate(asset, self.base, value, f"price {price.id}", price.executed_at)

    def _worth(self, price: Price, when: int, depth: int) -> Decimal | None:
        """Return the worth in base currency that a price tells; of money it is 1 ÷ that price."""
        if price.asset in self.cash:
            return quotient18(ONE, price.value) if price.value else None
        quote = self.at(price.quote, when, depth=depth + 1)
        return None if quote is None else product18(price.value, quote.value)

    def counting(self) -> list[Price]:
        """Return all prices that count, the oldest first."""
        told = [price for asset, times in self._listed() for price in self._back(asset, times[-1])]
        return sorted(told, key=lambda price: (price.executed_at, price.id))

    def _back(self, asset: str, when: int) -> Iterator[Price]:
        """Yield the prices that count, from `when` back in time."""
        times = self._times.get(asset, [])
        for place in range(bisect_right(times, when) - 1, -1, -1):
            yield from self.told(asset, times[place])

    def _is_parted(self, price: Price, when: int) -> bool:
        """Tell whether a split lies between a price and an instant; its own instant is after it."""
        times = self._splits.get(self.of(price), [])
        return bisect_right(times, price.executed_at) < bisect_right(times, when)

    def _is_void(self, price: Price) -> bool:
        return self._voided.get(price.id, False)

    def _listed(self) -> list[tuple[str, list[int]]]:
        return sorted(self._times.items())

    def _own_times(self, asset: str) -> list[int]:
        """Return the list of times to write to: a fork copies its parent's first."""
        own = self._times.own if isinstance(self._times, Layer) else self._times
        if asset not in own:
            own[asset] = list(self._times.get(asset, ()))
        return own[asset]
