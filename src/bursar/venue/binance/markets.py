"""Binance's spot markets, and the trades that an account has made in one.

A market that is closed still tells its trades; one that the venue has taken off its list tells
nothing any more, and its trades are lost to the API.

Trades are told by a number that counts up in their market. They are handed on by whole seconds,
since exports know no finer time: a second that is still going on, or that a full page cuts, is
waited for.

Errors: as the client's.
"""

from collections.abc import AsyncIterator, Collection
from decimal import Decimal
from itertools import pairwise
from typing import Final

import msgspec

from bursar.errors import VenueError, VenueGarbled
from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.entries import Side
from bursar.venue.binance.client import BAD_SYMBOL, NAME, BinanceRESTClient, Question
from bursar.venue.binance.place import MarketPlace
from bursar.venue.binance.rows import TradeRow
from bursar.venue.binance.symbols import Pair

MARKETS: Final = Question(path="/api/v3/exchangeInfo", weight=20, is_signed=False)
TRADES: Final = Question(path="/api/v3/myTrades", weight=20)
PAGE: Final = 1_000
KEPT_FOR: Final = instant.HOUR
NEW_FOR: Final = 60 * instant.SECOND
"""For so long the list of markets is taken to lack none that has just opened."""

STATES: Final = ("TRADING", "HALT", "BREAK")
_REST_MS: Final = 1_000


class Market(msgspec.Struct, frozen=True, rename="camel"):
    """One market: what is traded there, against what, and whether it is open."""

    symbol: str
    base_asset: str
    quote_asset: str
    status: str = "TRADING"

    @property
    def is_open(self) -> bool:
        """Whether trading goes on."""
        return self.status == "TRADING"


class Trade(msgspec.Struct, frozen=True, rename="camel"):
    """One execution of the account's. `commission` is what was really taken, in which coin ever."""

    symbol: str
    id: int
    order_id: int
    price: Decimal
    qty: Decimal
    quote_qty: Decimal
    time: int
    is_buyer: bool
    commission: Decimal = ZERO
    commission_asset: str = ""

    @property
    def second(self) -> int:
        """When the second began that it was made in."""
        at = self.time * instant.MS
        return at - at % instant.SECOND

    def row(self, market: Market) -> TradeRow:
        """Return it as an export would have it, with its numbers besides."""
        return TradeRow(
            executed_at=self.time * instant.MS,
            pair=Pair(market.base_asset, market.quote_asset),
            side=Side.BUY if self.is_buyer else Side.SELL,
            price=self.price,
            quantity=self.qty,
            amount=self.quote_qty,
            fee=self.commission,
            fee_asset=self.commission_asset if self.commission else "",
            order_id=str(self.order_id),
            number=self.id,
        )


class Markets:
    """All markets, kept for an hour, or for a minute where one may be new."""

    def __init__(self, client: BinanceRESTClient) -> None:
        self._client = client
        self._known: dict[str, Market] = {}
        self._loaded_at: int | None = None

    async def every(self, kept_for: int = KEPT_FOR) -> dict[str, Market]:
        """Return every market, closed ones included, by its symbol."""
        now = self._client.outside.clock.now()
        if self._loaded_at is None or not 0 <= now - self._loaded_at < kept_for:
            known: dict[str, Market] = {}
            for state in STATES:  # all at once are more than an answer may hold
                asked = {"symbolStatus": state, "showPermissionSets": "false"}
                told = await self._client.one(MARKETS, asked, _Info)
                known |= {each.symbol: each for each in told.symbols}
            self._known, self._loaded_at = known, now
        return self._known

    async def fitting(
        self, changed: Collection[str], traded: Collection[str], *, is_wide: bool
    ) -> list[Market]:
        """Return the markets that may explain changes: of both sides, or of one where the account
        has traded; all with either side, new ones too, where `is_wide`.
        """
        found: list[Market] = []
        if not changed:
            return found
        known = await self.every(NEW_FOR if is_wide else KEPT_FOR)
        for each in known.values():
            sides = (each.base_asset in changed) + (each.quote_asset in changed)
            if sides == 2 or (sides and (is_wide or each.symbol in traded)):  # noqa: PLR2004
                found.append(each)
        return sorted(found, key=lambda each: each.symbol)


async def trades(
    client: BinanceRESTClient, market: Market, place: MarketPlace
) -> AsyncIterator[list[Trade]]:
    """Yield the trades from a place on, whole seconds at a time; the last second told comes again.

    Raises:
        VenueGarbled: they are not of this market, or not in the order of their numbers.
    """
    held: list[Trade] = []
    first = place.first
    while True:
        page = await _page(client, market.symbol, first)
        if page:
            _require_order(market.symbol, [*held[-1:], *page], first)
            held += page
            first = page[-1].id + 1
        is_full = len(page) >= PAGE
        edge = held[-1].second if is_full else client.second
        whole = [each for each in held if each.second < edge]
        held = held[len(whole) :]
        if whole:
            yield whole
        if not is_full:
            if not held:
                return
            await client.outside.pause(_REST_MS)


async def _page(client: BinanceRESTClient, symbol: str, first: int) -> list[Trade]:
    try:
        return await client.rows(TRADES, {"symbol": symbol, "fromId": first, "limit": PAGE}, Trade)
    except VenueError as error:
        if error.context.get("code") != BAD_SYMBOL:
            raise
        client.note("myTrades", f"{symbol} is not told any more; its trades are lost to the API")
        return []


def _require_order(symbol: str, rows: list[Trade], first: int) -> None:
    numbers = [each.id for each in rows]
    is_rising = all(one < other for one, other in pairwise(numbers))
    if not is_rising or any(each.symbol != symbol for each in rows):
        raise VenueGarbled(f"{NAME}'s trades of {symbol} are in no order", answer="myTrades")
    if numbers[-1] < first:
        raise VenueGarbled(f"{NAME} told trades of {symbol} again", answer="myTrades")


class _Info(msgspec.Struct, frozen=True):
    symbols: list[Market]
