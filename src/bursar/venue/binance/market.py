"""Prices at Binance: what coins are worth now, and were worth then.

The latest price is the exact middle of best bid and best ask. A ticker tells no time, so a price is
as old as its answer. All tickers come in one answer. An asset is priced against the quote, or
against what leads there; what has no open market, or a side empty, has no price.

A past price is that of the first public trade from the instant on, within an hour. Where no market
is direct, the two steps of a way round are told, each as a price of its own; the other way round of
a market (of dollars in euros there is EURUSDT alone) is its inverse, rounded once to 18 places.

Errors: as the client's. What has no price is left out, never made up.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ONE, money, quotient18
from bursar.ledger import instant
from bursar.ledger.entries import Price
from bursar.ledger.homonyms import meant
from bursar.ledger.names import canonical
from bursar.ports import PriceWanted
from bursar.value.marks import Mark
from bursar.venue.binance.client import BinanceRESTClient, Question
from bursar.venue.binance.markets import Market, Markets
from bursar.venue.binance.trade_rows import ACCOUNT
from bursar.venue.prices import middle, past_price

SOURCE: Final = "binance mid"
REACH: Final = instant.HOUR
STEPS: Final = ("USDT", "USDC", "FDUSD", "XBT", "EUR", "BNB", "ETH")
"""What an asset is priced against where no market is direct, the first that there is; by the names
of a book.
"""

DOLLARS: Final = frozenset({"USDT", "USDC", "FDUSD"})
_TICKERS: Final = Question(path="/api/v3/ticker/bookTicker", weight=4, is_signed=False)
_TRADES: Final = Question(path="/api/v3/aggTrades", weight=4, is_signed=False)


class Ticker(msgspec.Struct, frozen=True, rename="camel"):
    """Best bid and best ask of a market, zero where that side is empty."""

    symbol: str
    bid_price: Decimal
    ask_price: Decimal


class PublicTrade(msgspec.Struct, frozen=True):
    """A public trade: its price."""

    p: Decimal


class Prices:
    """Asks Binance for prices."""

    def __init__(self, client: BinanceRESTClient, markets: Markets) -> None:
        self._client = client
        self._markets = markets

    async def marks(self, assets: Collection[str], quote: str) -> list[Mark]:
        """Return the marks that lead from assets to a quote, all from one answer."""
        wanted: dict[str, Market] = {}
        for asset in sorted({*assets} - {quote}):
            for market in await self._way(asset, quote):
                wanted[market.symbol] = market
        if not wanted:
            return []
        told = await self._client.rows(_TICKERS, {}, Ticker)
        at = self._client.outside.clock.now()
        found = []
        for each in told:
            price = middle(each.bid_price, each.ask_price) if each.symbol in wanted else None
            if price is not None:
                of = wanted[each.symbol]
                pair = _name(of.base_asset, at), _name(of.quote_asset, at)
                found.append(Mark(*pair, price, SOURCE, at))
        return found

    async def prices(self, wanted: Sequence[PriceWanted]) -> list[Price]:
        """Return the past prices that public trades tell."""
        told: dict[tuple[str, int], Decimal | None] = {}
        found: dict[str, Price] = {}
        for each in wanted:
            way = await self._way(each.asset, each.quote, at=each.at)
            for market in way:
                asked = market.symbol, each.at
                if asked not in told:
                    told[asked] = await self._first(*asked)
                if not told[asked]:
                    break
            found |= {price.id: price for price in _steps(each, way, told)}
        return list(found.values())

    async def _first(self, symbol: str, at: int) -> Decimal | None:
        end = at + REACH
        span = {"startTime": at // instant.MS, "endTime": end // instant.MS - 1, "limit": 1}
        told = await self._client.rows(_TRADES, {"symbol": symbol, **span}, PublicTrade)
        return told[0].p if told else None

    async def _way(self, asset: str, quote: str, *, at: int | None = None) -> Sequence[Market]:
        """Return the markets between an asset and a quote, now or then: one, two, or none.

        Dollars that coins stand for end a way to dollars.
        """
        known: dict[tuple[str, str], Market] = {}
        when = self._client.outside.clock.now() if at is None else at
        for each in (await self._markets.every()).values():
            if each.is_open or at is not None:
                known[_name(each.base_asset, when), _name(each.quote_asset, when)] = each
        start, end = canonical(asset), canonical(quote)
        ends = DOLLARS if end == "USD" else frozenset({end})
        if start in ends:
            return ()

        def either(one: str, other: str) -> Market | None:
            return known.get((one, other)) or known.get((other, one))

        direct = (either(start, each) for each in (end, *STEPS) if each in {end, *ends})
        found = next((each for each in direct if each is not None), None)
        if found is not None:
            return (found,)
        for step in STEPS:
            first = either(start, step) if step != start else None
            seconds = (either(step, each) for each in sorted(ends, reverse=True))
            second = next((each for each in seconds if each is not None), None)
            if first is not None and second is not None:
                return first, second
        return ()


@money
def _steps(
    wanted: PriceWanted,
    way: Sequence[Market],
    told: Mapping[tuple[str, int], Decimal | None],
) -> list[Price]:
    """Return one price, or the two of a way round; none where a step has no trade."""
    here, steps = wanted.asset, list[Price]()
    for market in way:
        value = told.get((market.symbol, wanted.at))
        if not value:
            return []
        base, quote = (_name(each, wanted.at) for each in (market.base_asset, market.quote_asset))
        is_inverse = base != canonical(here)
        there, worth = (base, quotient18(ONE, value)) if is_inverse else (quote, value)
        steps.append(past_price(here, there, worth, at=wanted.at, venue="binance"))
        here = there
    return steps


def _name(asset: str, at: int) -> str:
    """Return the name in a book of what Binance calls so: its LUNA is not everybody's."""
    return canonical(meant(asset, ACCOUNT, at))
