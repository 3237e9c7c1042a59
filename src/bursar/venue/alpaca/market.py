"""Prices at Alpaca: what stocks and coins are worth now, and were worth then.

A stock is worth its last trade, a coin the exact middle of best bid and best ask; both carry the
time that the venue states, since a last trade may be from last night. Which coins are traded, and
against what, the venue itself lists; the list is kept for an hour. Everything else is taken for a
stock, whose prices are in dollars; options have no price here. A stock that goes by a coin's name
is priced as the coin.

A past price is that of the last trade before the instant: of a coin within an hour, of a stock
within four days, since markets close over long weekends.

Errors: as the client's. What has no price is left out, never made up.
"""

from collections.abc import Collection, Sequence
from typing import Final

from bursar.errors import VenueBusy, VenueDenied, VenueDown, VenueError, VenueGarbled
from bursar.ledger import instant
from bursar.ledger.entries import Price
from bursar.ledger.names import canonical
from bursar.ports import PriceWanted
from bursar.value.marks import Mark
from bursar.venue.alpaca.client import AlpacaRESTClient
from bursar.venue.alpaca.symbols import is_option, is_stock
from bursar.venue.alpaca.wire import Trade
from bursar.venue.prices import middle, past_price

SOURCE_STOCK: Final = "alpaca last trade"
SOURCE_COIN: Final = "alpaca mid"
DOLLAR: Final = "USD"
KEPT_FOR: Final = instant.HOUR
COIN_REACH: Final = instant.HOUR
STOCK_REACH: Final = 4 * instant.DAY
BATCH: Final = 200
_PASSING: Final = (VenueDown, VenueBusy, VenueDenied, VenueGarbled)


class Market:
    """Asks Alpaca for prices."""

    def __init__(self, client: AlpacaRESTClient) -> None:
        self._client = client
        self._pairs: dict[str, dict[str, str]] = {}
        self._loaded_at: int | None = None

    async def marks(self, assets: Collection[str], quote: str) -> list[Mark]:
        """Return what assets are worth now: coins in the quote or dollars, stocks in dollars."""
        coins: dict[str, tuple[str, str]] = {}
        stocks: list[str] = []
        for asset in sorted({*assets} - {quote, DOLLAR}):
            pair = await self._pair(asset, quote)
            if pair is not None:
                coins[pair[0]] = (asset, pair[1])
            elif is_stock(asset):
                stocks.append(asset)
        found = [mark for each in _batches(stocks) for mark in await self._stocks(each)]
        for symbols in _batches(list(coins)):
            for symbol, said in (await self._client.latest_coin_quotes(symbols)).items():
                value = middle(said.bp, said.ap)
                if symbol in coins and value is not None:
                    asset, against = coins[symbol]
                    found.append(Mark(asset, against, value, SOURCE_COIN, said.at))
        return found

    async def prices(self, wanted: Sequence[PriceWanted]) -> list[Price]:
        """Return the past prices that trades tell."""
        found: list[Price] = []
        for each in wanted:
            pair = await self._pair(each.asset, each.quote)
            if pair is None and (each.asset == DOLLAR or is_option(each.asset)):
                continue
            symbol, against = pair or (each.asset, DOLLAR)
            reach = COIN_REACH if pair else STOCK_REACH
            trade = await self._last(symbol, each.at - reach, each.at)
            if trade is not None and trade.p > 0:
                found.append(past_price(each.asset, against, trade.p, at=each.at, venue="alpaca"))
        return found

    async def _last(self, symbol: str, start: int, end: int) -> Trade | None:
        try:
            return await self._client.last_trade(symbol, start, end)
        except VenueError as error:
            if isinstance(error, _PASSING):
                raise
            self._client.note("trades", f"{symbol}: {error.message}")
            return None

    async def _stocks(self, symbols: Sequence[str]) -> list[Mark]:
        """Return the marks of stocks; one that the venue refuses costs no other its price."""
        try:
            told = await self._client.latest_stock_trades(symbols)
        except VenueError as error:
            if isinstance(error, _PASSING):
                raise
            if len(symbols) == 1:
                self._client.note("trades/latest", f"{symbols[0]}: {error.message}")
                return []
            half = len(symbols) // 2
            return [*await self._stocks(symbols[:half]), *await self._stocks(symbols[half:])]
        return [
            Mark(symbol, DOLLAR, trade.p, SOURCE_STOCK, trade.at)
            for symbol, trade in told.items()
            if symbol in symbols and trade.p > 0
        ]

    async def _pair(self, asset: str, quote: str) -> tuple[str, str] | None:
        """Return the pair that prices a coin, and against what: the quote, or dollars."""
        now = self._client.outside.clock.now()
        if self._loaded_at is None or not 0 <= now - self._loaded_at < KEPT_FOR:
            self._pairs = {}
            for each in await self._client.assets("crypto"):
                base, slash, against = each.symbol.partition("/")
                if slash and each.tradable:
                    self._pairs.setdefault(canonical(base), {})[canonical(against)] = each.symbol
            self._loaded_at = now
        listed = self._pairs.get(canonical(asset), {})
        for against in (canonical(quote), DOLLAR):
            if against in listed:
                return listed[against], against
        return None


def _batches(symbols: Sequence[str]) -> list[Sequence[str]]:
    return [symbols[start : start + BATCH] for start in range(0, len(symbols), BATCH)]
