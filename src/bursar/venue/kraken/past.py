"""Past prices: what Kraken's public trades say that something was worth at an instant.

The price is that of the first trade at or after the instant, within an hour. Public trades do not
change, so the same question again is answered by the same statement. Where no market is direct, the
two steps of a way round are told, each as a price of its own; the other way round of a market is
its inverse, rounded once to 18 places. What had no trade in that hour is not told.

Errors: as the client's.
"""

from collections.abc import Sequence
from decimal import Decimal
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
_ASKED: Final = 10
_TRADE: Final = ("price", "volume", "time", "side", "ordertype", "misc", "trade_id")


class PastPrices:
    """Asks for past prices, each market and instant once."""

    def __init__(self, client: KrakenRESTClient, data: MarketDataAPI) -> None:
        self._client = client
        self._data = data
        self._told: dict[tuple[str, int], Decimal] = {}

    async def prices(self, wanted: Sequence[PriceWanted]) -> list[Price]:
        """Return the prices of those that trades tell, in the order asked."""
        found: dict[str, Price] = {}
        for each in wanted:
            for price in await self._way(each):
                found[price.id] = price
        return list(found.values())

    async def _way(self, wanted: PriceWanted) -> list[Price]:
        """Return one price, or the two of a way round; none where a step has no trade."""
        here, steps = coin(wanted.asset).asset, list[Price]()
        for market in await self._data.way(wanted.asset, wanted.quote):
            value = await self._first(market, wanted.at)
            if not value:
                return []
            is_inverse = market.pair.base != here
            there = market.pair.base if is_inverse else market.pair.quote
            worth = ratio18(ONE, ONE, value) if is_inverse else value
            steps.append(_price(here, there, worth, wanted.at))
            here = there
        return steps

    async def _first(self, market: Market, at: int) -> Decimal | None:
        """Return the price of the first trade at or after an instant, if it is within reach."""
        key = market.key, at
        if key in self._told:
            return self._told[key]
        found = await self._asked(market, at)
        if found is not None:  # a trade of that hour may still come
            self._told[key] = found
        return found

    async def _asked(self, market: Market, at: int) -> Decimal | None:
        outer = Object("Trades", await self._client.trades(market.key, at - 1, _ASKED))
        for row in outer.list_beside("last"):
            if not isinstance(row, list) or len(row) < len(_TRADE) - 1:
                raise outer.fault("trade", "a list of values")
            said = Object("trade", dict(zip(_TRADE, row, strict=False)))
            if at <= said.time("time") <= at + REACH:
                return said.unsigned("price")
        return None


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
