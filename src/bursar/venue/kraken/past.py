"""Past prices: what Kraken's public trades say that something was worth at an instant.

The price is that of the first trade at or after the instant, within an hour. Public trades do not
change, so the same question again is answered by the same statement. Where no market is direct, the
two steps of a way round are told, each as a price of its own; the other way round of a market is
its inverse, rounded once to 18 places. What had no trade in that hour is not told.

One page of a market's trades answers for every instant that it reaches over. How many trades lie
between two instants is guessed from the page before: where the next one is near, a page is asked
for that reaches it; where it is far, a short one will do.

Errors: as the client's.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from decimal import Decimal
from operator import gt, itemgetter
from typing import Final, NamedTuple

from bursar.exact import ONE, money, quotient18
from bursar.ledger import instant
from bursar.ledger.entries import Price
from bursar.ports import PriceWanted
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.market import MarketDataAPI
from bursar.venue.kraken.metadata import Market
from bursar.venue.kraken.wire import Object
from bursar.venue.prices import past_price

REACH: Final = instant.HOUR
PAGE_MAX: Final = 1000
FEW: Final = 10
"""How many trades answer for one instant, as a rule."""

APART: Final = 250
"""So many trades are sooner read than asked for anew."""

_TRADE: Final = ("price", "volume", "time", "side", "ordertype", "misc", "trade_id")
_AT: Final = _TRADE.index("time")
_LEAST: Final = len(_TRADE) - 1
_TIMES: Final = frozenset({Decimal, int})


class _Page(NamedTuple):
    """Public trades, oldest first: when, in unix seconds, and all that is said of each."""

    seconds: list[Decimal | int]
    said: list[list[object]]


class PastPrices:
    """Asks for past prices, each market and instant once."""

    def __init__(self, client: KrakenRESTClient, data: MarketDataAPI) -> None:
        self._client = client
        self._data = data
        self._told: dict[tuple[str, int], Decimal] = {}
        self._pace: dict[str, int] = {}

    async def prices(self, wanted: Sequence[PriceWanted]) -> list[Price]:
        """Return the prices of those that trades tell, in the order asked."""
        ways = [(each, await self._data.way(each.asset, each.quote)) for each in wanted]
        instants: dict[str, set[int]] = {}
        for each, way in ways:
            for market in way:
                instants.setdefault(market.key, set()).add(each.at)
        for key, asked in instants.items():
            await self._read(key, sorted(at for at in asked if (key, at) not in self._told))
        found = (price for each, way in ways for price in self._priced(each, way))
        return list({price.id: price for price in found}.values())

    def _priced(self, wanted: PriceWanted, way: Sequence[Market]) -> list[Price]:
        """Return one price, or the two of a way round; none where a step has no trade."""
        here, steps = coin(wanted.asset).asset, list[Price]()
        for market in way:
            value = self._told.get((market.key, wanted.at))
            if not value:
                return []
            is_inverse = market.pair.base != here
            there = market.pair.base if is_inverse else market.pair.quote
            worth = quotient18(ONE, value) if is_inverse else value
            steps.append(past_price(here, there, worth, at=wanted.at, venue="kraken"))
            here = there
        return steps

    async def _read(self, key: str, instants: Sequence[int]) -> None:
        """Read what trades of a market tell of instants, which come in order."""
        left = list(instants)
        while left:
            count = self._count(key, left)
            trades = await self._page(key, left[0], count)
            is_full = len(trades.seconds) == count
            reached = _reached(trades, left) if is_full else len(left)
            for at in left[:reached]:
                self._tell(key, at, trades)
            left = left[max(reached, 1) :]

    def _tell(self, key: str, at: int, trades: _Page) -> None:
        """Remember the price of the first trade at or after an instant, if it is within reach."""
        first = bisect_left(trades.seconds, _seconds(at))
        if first < len(trades.seconds) and trades.seconds[first] <= _seconds(at + REACH):
            said = Object("trade", dict(zip(_TRADE, trades.said[first], strict=False)))
            self._told[key, at] = said.unsigned("price")

    def _count(self, key: str, instants: Sequence[int]) -> int:
        """Say how many trades to ask for: as far as instants lie near each other."""
        count, pace = FEW, self._pace.get(key)
        if pace is None:
            return count
        for at in instants[1:]:
            ahead = (at - instants[0]) // pace + FEW
            if ahead > PAGE_MAX or ahead - count > APART:
                break
            count = ahead
        return count

    async def _page(self, key: str, at: int, count: int) -> _Page:
        """Ask for the first trades at or after an instant, oldest first."""
        outer = Object("Trades", await self._client.trades(key, at - 1, count))
        page = _page(outer, outer.list_beside("last"))
        if len(page.seconds) > 1:
            self._pace[key] = max(_length(page.seconds) // len(page.seconds), 1)
        return page


def _page(outer: Object, told: Sequence[object]) -> _Page:
    """Take trades as they are told; only the few that count are read whole."""
    rows = [row for row in told if isinstance(row, list) and len(row) >= _LEAST]
    if len(rows) < len(told):
        raise outer.fault("trade", "a list of values")
    seconds = [row[_AT] for row in rows]
    if not _TIMES.issuperset(map(type, seconds)):
        raise outer.fault("trade", "a time in unix seconds")
    if any(map(gt, seconds, seconds[1:])):
        rows.sort(key=itemgetter(_AT))
        seconds.sort()
    return _Page(seconds, rows)


def _reached(trades: _Page, instants: Sequence[int]) -> int:
    """Return how many instants lie no later than the last trade."""
    return bisect_right(instants, trades.seconds[-1], key=_seconds)


@money
def _length(seconds: Sequence[Decimal | int]) -> int:
    """Return how many nanoseconds lie between the first and the last."""
    return int((seconds[-1] - seconds[0]) * instant.SECOND)


@money
def _seconds(at: int) -> Decimal:
    return Decimal(at).scaleb(-9)
