"""Prices at Kraken: what is traded, what it is worth now, and its closed candles.

The latest price of a pair is the middle of best bid and best ask, exactly. A ticker tells no time,
so a price is as old as its answer. A market that is not open, or where one side is empty, has no
price; none is made up.

Errors: as the client's; `UnknownAsset` for a pair that Kraken does not list, `MissingMark` where a
market has no price, `BadChoice` for a timeframe that it does not offer.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import BadChoice, MissingMark, UnknownAsset, VenueError, VenueGarbled
from bursar.ledger import instant
from bursar.value.marks import Mark
from bursar.venue.kraken.assets import KFEE, coin
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.metadata import Market, Markets
from bursar.venue.kraken.wire import Object
from bursar.venue.prices import middle

SOURCE: Final = "kraken mid"
STEPS: Final = ("XBT", "USD", "EUR", "USDT", "USDC", "ETH")
"""What a price may go round by where no market is direct, the first that leads there."""

_TIMEFRAMES: Final = {
    "1m": 1,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "4h": 240,
    "1d": 1440,
    "1w": 10080,
    "15d": 21600,
}
_CANDLE_FIELDS: Final = 8
_CANDLES_MAX: Final = 720


class Candle(msgspec.Struct, frozen=True):
    """What happened in a stretch of time that begins at `at`."""

    at: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class DataHealth(Enum):
    """Whether prices can be trusted now."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class DataStatus(msgspec.Struct, frozen=True):
    """How prices stand: what the venue says of itself, when a price last came, what is wrong."""

    health: DataHealth
    venue: str
    priced_at: int | None
    reason: str | None = None


class MarketDataAPI:
    """Asks Kraken for markets, prices and candles."""

    def __init__(self, client: KrakenRESTClient, markets: Markets | None = None) -> None:
        self.markets = markets or Markets(client)
        self._client = client
        self._priced_at: int | None = None

    async def get_universe(self) -> tuple[str, ...]:
        """Return every open pair as `XBT/USD`, sorted."""
        return tuple(
            sorted({str(each.pair) for each in await self.markets.every() if each.is_open})
        )

    async def get_pair_metadata(self, pair: str) -> Market:
        """Return a market, found under any of its names: `XBTUSD`, `XBT/USD`, `XXBTZUSD`."""
        found = await self.markets.named(pair)
        if found is None:
            raise UnknownAsset(f"{pair!r} is not a pair that Kraken lists", value=pair)
        return found

    async def get_latest_price(self, pair: str) -> Decimal:
        """Return the middle of best bid and best ask."""
        market = await self.get_pair_metadata(pair)
        told = await self.mids([market])
        if not told:
            raise MissingMark(f"{market.pair} has no price at Kraken now", asset=market.pair.base)
        return told[0].price

    async def get_ohlc(self, pair: str, timeframe: str, lookback: int) -> tuple[Candle, ...]:
        """Return the last `lookback` closed candles (at most 719), oldest first."""
        minutes = _TIMEFRAMES.get(timeframe)
        if minutes is None or not 0 < lookback < _CANDLES_MAX:
            known = ", ".join(_TIMEFRAMES)
            raise BadChoice(f"{timeframe!r}, {lookback}: candles are of {known}; 1 to 719 of them")
        market = await self.get_pair_metadata(pair)
        outer = Object("OHLC", await self._client.ohlc(market.key, minutes))
        closed = outer.whole("last") * instant.SECOND
        candles = [_candle(outer, row) for row in outer.list_beside("last")]
        return tuple(each for each in candles if each.at <= closed)[-lookback:]

    async def get_data_status(self) -> DataStatus:
        """Return how prices stand. It never raises: a venue that cannot be asked is `down`."""
        try:
            venue = Object("SystemStatus", await self._client.system_status()).text("status")
        except VenueError as error:
            return DataStatus(DataHealth.DOWN, "unknown", self._priced_at, error.message)
        if venue == "online":
            return DataStatus(DataHealth.OK, venue, self._priced_at)
        return DataStatus(DataHealth.DEGRADED, venue, self._priced_at, f"Kraken is in {venue}")

    async def marks(self, assets: Collection[str], quote: str) -> Sequence[Mark]:
        """Return the marks that lead from assets to a quote, over one other asset if need be.

        All markets are asked in one request. An asset without a way is left out.
        """
        wanted: dict[str, Market] = {}
        for asset in sorted(set(assets)):
            for market in await self.way(asset, quote):
                wanted[market.key] = market
        return await self.mids(list(wanted.values())) if wanted else []

    async def way(self, asset: str, quote: str) -> tuple[Market, ...]:
        """Return the markets between an asset and a quote: one, two, or none."""
        start, end = coin(asset).asset, coin(quote).asset
        if start in {end, KFEE}:
            return ()
        direct = await self._either(start, end)
        if direct is not None:
            return (direct,)
        for step in STEPS:
            if step not in {start, end}:
                first, second = await self._either(start, step), await self._either(step, end)
                if first is not None and second is not None:
                    return first, second
        return ()

    async def mids(self, markets: Sequence[Market]) -> list[Mark]:
        """Return what the books of open markets say now, in one request."""
        open_ = {market.key: market for market in markets if market.is_open}
        if not open_:
            return []
        result = await self._client.ticker(open_)
        at = self._client.outside.clock.now()
        told = {key: _mid(said) for key, said in Object("Ticker", result).items()}
        if told.keys() - open_.keys():
            raise VenueGarbled("Kraken's Ticker tells of markets that were not asked for")
        self._priced_at = at
        return [
            Mark(open_[key].pair.base, open_[key].pair.quote, price, SOURCE, at)
            for key, price in told.items()
            if price is not None
        ]

    async def _either(self, one: str, other: str) -> Market | None:
        return await self.markets.between(one, other) or await self.markets.between(other, one)


def _mid(said: Object) -> Decimal | None:
    bid, ask = (said.first_number(side) for side in ("b", "a"))
    return middle(bid, ask)


def _candle(outer: Object, row: object) -> Candle:
    if not isinstance(row, list) or len(row) < _CANDLE_FIELDS:
        raise outer.fault("candle", "a list of eight values")
    names = ("time", "open", "high", "low", "close", "vwap", "volume", "count")
    said = Object("candle", dict(zip(names, row, strict=False)))
    open_, high, low, close, volume = (
        said.unsigned(name) for name in ("open", "high", "low", "close", "volume")
    )
    return Candle(said.time("time"), open_, high, low, close, volume)
