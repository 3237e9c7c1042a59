"""The market of the fake venue: what every coin is worth at any instant, and what was traded at it.

A coin's worth is a line between knots a quarter of an hour apart, and a knot is a sum of waves made
of hashes of the seed. So any instant can be asked for at once, in any order, and the answer depends
on nothing but the seed. A pair's price is the ratio of two worths, rounded to the pair's decimals;
public trades happen on that line at a steady pace, and candles and tickers say what they say.

All numbers are ints: prices in the pair's last decimal, worths in pico-dollars, times in ns.
"""

from hashlib import blake2b
from typing import Final, NamedTuple

from bursar.sim.kraken.listing import FIAT, PICO, STABLE, Coin, Pair, ten, text

SECOND: Final = 10**9
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND
INTERVALS: Final = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
"""The lengths of candles, in minutes."""

_KNOT: Final = 900 * SECOND
_WAVES: Final = ((4096, 600), (512, 250), (64, 100), (8, 40), (1, 10))  # knots long, per mille
_PPM: Final = 1_000_000
_SWING, _FIAT_SWING, _STABLE_SWING = 550_000, 30_000, 900
_CYCLE: Final = 997


class PublicTrade(NamedTuple):
    """One trade of anybody's. `time` is also its id."""

    number: int
    time: int
    price: int
    volume: int
    is_buy: bool


class Candle(NamedTuple):
    """What was traded in a stretch of time that begins at `time`, in how many trades."""

    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    trades: int


class Market:
    """Prices of one seed; a shift (ns) moves all of them to later."""

    def __init__(self, seed: int, shift: int = 0) -> None:
        self._seed = seed
        self._shift = shift
        self._knots: dict[tuple[str, int], int] = {}
        self._hashes: dict[tuple[str, int, int], int] = {}

    def worth(self, coin: Coin, at: int) -> int:
        """Return what one whole coin is worth at an instant; 0 where nobody trades it."""
        if coin.code == "ZUSD" or not coin.worth:
            return coin.worth or (PICO if coin.code == "ZUSD" else 0)
        knot, past = divmod(at - self._shift, _KNOT)
        before, after = self._knot(coin, knot), self._knot(coin, knot + 1)
        return before + (after - before) * past // _KNOT

    def price(self, pair: Pair, at: int) -> int:
        """Return a pair's price at an instant, at least 1."""
        base = self.worth(pair.base, at) or PICO
        quote = self.worth(pair.quote, at) or PICO
        return max(1, (2 * base * ten(pair.price_decimals) + quote) // (2 * quote))

    def trade(self, pair: Pair, number: int) -> PublicTrade:
        """Return a pair's public trade by its number."""
        time = self._time(pair, number)
        is_buy = bool(self._hash(pair.key, -2, number) & 1)
        return PublicTrade(number, time, self.price(pair, time), _volume(pair, number), is_buy)

    def first_after(self, pair: Pair, time: int) -> int:
        """Return the number of the first public trade later than an instant."""
        number = time // (pair.seconds * SECOND)
        return number if self._time(pair, number) > time else number + 1

    def candle(self, pair: Pair, start: int, end: int) -> Candle | None:
        """Return what was traded from `start` until before `end`, if anything was."""
        first, beyond = self.first_after(pair, start - 1), self.first_after(pair, end - 1)
        if first == beyond:
            return None
        opened, closed = self._time(pair, first), self._time(pair, beyond - 1)
        inner = range(opened // _KNOT + 1, -(-closed // _KNOT))
        prices = [self.price(pair, at) for at in (opened, *(k * _KNOT for k in inner), closed)]
        return Candle(
            time=start,
            open=prices[0],
            high=max(prices),
            low=min(prices),
            close=prices[-1],
            volume=_volumes(pair, beyond) - _volumes(pair, first),
            trades=beyond - first,
        )

    def _time(self, pair: Pair, number: int) -> int:
        pace = pair.seconds * SECOND
        return number * pace + self._hash(pair.key, -1, number) % pace

    def _knot(self, coin: Coin, knot: int) -> int:
        found = self._knots.get((coin.code, knot))
        if found is None:
            swing = (
                _FIAT_SWING
                if coin.code in FIAT
                else _STABLE_SWING
                if coin.code in STABLE
                else _SWING
            )
            found = coin.worth * (_PPM + self._wave(coin.code, knot) * swing // _PPM) // _PPM
            self._knots[coin.code, knot] = found
        return found

    def _wave(self, code: str, knot: int) -> int:
        """Return a sum of waves between -1,000,000 and 1,000,000."""
        total = 0
        for length, share in _WAVES:
            place, past = divmod(knot, length)
            before, after = self._height(code, length, place), self._height(code, length, place + 1)
            total += (before + (after - before) * past // length) * share // 1000
        return total

    def _height(self, code: str, length: int, place: int) -> int:
        found = self._hashes.get((code, length, place))
        if found is None:
            found = self._hash(code, length, place) % (2 * _PPM) - _PPM
            self._hashes[code, length, place] = found
        return found

    def _hash(self, name: str, kind: int, number: int) -> int:
        said = f"{self._seed}/{name}/{kind}/{number}".encode()
        return int.from_bytes(blake2b(said, digest_size=8).digest(), "big")


def volume_text(pair: Pair, volume: int) -> str:
    """Write a volume with the pair's decimals."""
    return text(volume, pair.lot_decimals)


def _volume(pair: Pair, number: int) -> int:
    return _unit(pair) * (1 + number * 7919 % _CYCLE)


def _volumes(pair: Pair, beyond: int) -> int:
    """Return the volume of all trades with a smaller number; it repeats, so nothing is counted."""
    rounds, rest = divmod(beyond, _CYCLE)
    whole = rounds * _CYCLE * (_CYCLE + 1) // 2
    return _unit(pair) * (whole + rest + sum(n * 7919 % _CYCLE for n in range(rest)))


def _unit(pair: Pair) -> int:
    """Return a small volume: about three dollars' worth, in the last decimal."""
    worth = pair.base.worth or PICO
    return max(1, 3 * PICO * ten(pair.lot_decimals) // worth)
