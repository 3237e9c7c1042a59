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

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Final

from bursar.exact import ONE, ratio18
from bursar.ledger import instant
from bursar.ledger.entries import Price, Source
from bursar.ports import PriceWanted
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.market import MarketDataAPI
from bursar.venue.kraken.metadata import Market
from bursar.venue.kraken.wire import Object

REACH: Final = 3600 * instant.SECOND
ACCOUNT: Final = "prices:kraken"
PAGE_MAX: Final = 1000
FEW: Final = 10
"""How many trades answer for one instant, as a rule."""

APART: Final = 250
"""So many trades are sooner read than asked for anew."""

_TRADE: Final = ("price", "volume", "time", "side", "ordertype", "misc", "trade_id")


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
            worth = ratio18(ONE, ONE, value) if is_inverse else value
            steps.append(_price(here, there, worth, wanted.at))
            here = there
        return steps

    async def _read(self, key: str, instants: Sequence[int]) -> None:
        """Read what trades of a market tell of instants, which come in order."""
        place = 0
        while place < len(instants):
            count = self._count(key, instants[place:])
            times, trades = await self._page(key, instants[place], count)
            reached = len(instants) if len(times) < count else bisect_left(instants, times[-1] + 1)
            for at in instants[place:reached]:
                first = bisect_left(times, at)
                if first < len(times) and times[first] <= at + REACH:
                    self._told[key, at] = trades[first].unsigned("price")
            place = max(reached, place + 1)

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

    async def _page(self, key: str, at: int, count: int) -> tuple[list[int], list[Object]]:
        """Ask for the first trades at or after an instant, oldest first."""
        outer = Object("Trades", await self._client.trades(key, at - 1, count))
        rows = (_trade(outer, row) for row in outer.list_beside("last"))
        trades = sorted(((said.time("time"), said) for said in rows), key=itemgetter(0))
        times = [time for time, _ in trades]
        if len(times) > 1:
            self._pace[key] = max((times[-1] - times[0]) // len(times), 1)
        return times, [said for _, said in trades]


def _trade(outer: Object, row: object) -> Object:
    if not isinstance(row, list) or len(row) < len(_TRADE) - 1:
        raise outer.fault("trade", "a list of values")
    return Object("trade", dict(zip(_TRADE, row, strict=False)))


def _price(asset: str, quote: str, value: Decimal, at: int) -> Price:
    return Price(
        # It sorts behind what a prices file says of that instant, so the file counts.
        id=f"price:{asset}:{quote}:{instant.show(at)}:kraken",
        executed_at=at,
        account=ACCOUNT,
        source=Source.CLAIM,
        asset=asset,
        quote=quote,
        value=value,
    )
