"""Alpaca's REST interface: what is asked of it, of the account and of the market.

Rules
- Only questions are asked; no order, no transfer, nothing that changes an account.
- Trading and data are two hosts under one key; a paper account's host and key are its own.
- The venue lets a key ask 200 times a minute. At most 50 questions come at once, then 2.5 a
  second: never over 200 in any minute, and room for a program that trades with the same key as
  long as little is new.
- An answer is read inside the attempt that brought it, so one that is cut or garbled is asked for
  again.

Errors: as `http`; `VenueDenied` says what to look at where the venue does not know the key.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from bursar.errors import VenueDenied, VenueError, VenueGarbled
from bursar.ledger import instant
from bursar.venue.alpaca import wire
from bursar.venue.alpaca.keys import Keys
from bursar.venue.alpaca.wire import Account, Asset, Clock, Order, Position, Quote, Trade
from bursar.venue.http import Answer, HTTPClient, Outside, read_json, refuse
from bursar.venue.notices import NOTICES_MAX, Notice
from bursar.venue.pace import Counter, Pace

NAME: Final = "Alpaca"
LIVE_URL: Final = "https://api.alpaca.markets"
PAPER_URL: Final = "https://paper-api.alpaca.markets"
DATA_URL: Final = "https://data.alpaca.markets"
PAGE: Final = 100
ORDERS_MAX: Final = 500
PACE: Final = Pace(50, 250)
_SHOWN_MAX: Final = 200
_T = TypeVar("_T")
Query = Mapping[str, str | int | None]
_NONE: Final[Query] = {}


class AlpacaRESTClient:
    """Asks Alpaca. It belongs to one event loop; `close` it there."""

    def __init__(
        self, outside: Outside, keys: Keys, *, url: str = LIVE_URL, data_url: str = DATA_URL
    ) -> None:
        self.outside = outside
        self.notices: deque[Notice] = deque(maxlen=NOTICES_MAX)
        self.requests = 0
        self._trading = HTTPClient(NAME, url, outside)
        self._data = HTTPClient(f"{NAME}'s data", data_url, outside)
        self._keys = keys
        self._counter = Counter(PACE, outside.clock, outside.pause)

    async def close(self) -> None:
        """Close the connections."""
        await self._trading.close()
        await self._data.close()

    def now(self) -> int:
        """Return the time at the venue, as its last answer about the account tells it."""
        return self._trading.now()

    async def account(self) -> Account:
        """Return cash, equity and what positions are worth."""
        return await self._trade("account", Account)

    async def positions(self) -> list[Position]:
        """Return everything that is held but cash."""
        return await self._trade("positions", list[Position])

    async def open_orders(self) -> list[Order]:
        """Return the open orders, the latest 500."""
        asked: Query = {"status": "open", "limit": ORDERS_MAX}
        return await self._trade("orders", list[Order], asked)

    async def assets(self, asset_class: str) -> list[Asset]:
        """Return what can be traded now of `us_equity` or `crypto`."""
        asked: Query = {"status": "active", "asset_class": asset_class}
        return await self._trade("assets", list[Asset], asked)

    async def asset(self, symbol: str) -> Asset:
        """Return what is known of one symbol: whether it is traded, and in fractions."""
        return await self._trade(f"assets/{quote(symbol, safe='')}", Asset)

    async def clock(self) -> Clock:
        """Return whether the stock market is open."""
        return await self._trade("clock", Clock)

    async def activities(
        self, category: str, after: int | None, token: str, read: Callable[[object], _T]
    ) -> _T:
        """Ask for a page of the account's activities, oldest first, and read it.

        `token` is the id of the last row that is known; `after` an instant, or the beginning.
        """
        asked: Query = {
            "category": category,
            "direction": "asc",
            "page_size": PAGE,
            "after": None if after is None else instant.show(after),
            "page_token": token or None,
        }
        return await self._ask(self._trading, "/v2/account/activities", asked, read)

    async def latest_stock_trades(self, symbols: Collection[str]) -> dict[str, Trade]:
        """Return the last trade of each stock that has one, in one request."""
        asked = {"symbols": ",".join(symbols)}
        told = await self._market("/v2/stocks/trades/latest", wire.LatestTrades, asked)
        return told.trades

    async def latest_coin_quotes(self, pairs: Collection[str]) -> dict[str, Quote]:
        """Return the last quote of each pair that has one, in one request."""
        asked = {"symbols": ",".join(pairs)}
        told = await self._market("/v1beta3/crypto/us/latest/quotes", wire.LatestQuotes, asked)
        return told.quotes

    async def last_trade(self, symbol: str, start: int, end: int) -> Trade | None:
        """Return the last trade between two instants, of a stock, or of a pair with its slash."""
        path = "/v1beta3/crypto/us/trades" if "/" in symbol else "/v2/stocks/trades"
        window = {"start": instant.show(start), "end": instant.show(end)}
        asked: Query = {"symbols": symbol, **window, "sort": "desc", "limit": 1}
        told = (await self._market(path, wire.Trades, asked)).trades or {}
        return next(iter(told.get(symbol, ())), None)

    def note(self, endpoint: str, text: str) -> None:
        """Keep a notice."""
        self.notices.append(Notice(self.outside.clock.now(), endpoint, text))

    async def _trade(self, path: str, kind: type[_T], asked: Query = _NONE) -> _T:
        name = path.partition("/")[0]
        return await self._ask(
            self._trading, f"/v2/{path}", asked, lambda said: wire.read(name, kind, said)
        )

    async def _market(self, path: str, kind: type[_T], asked: Query) -> _T:
        name = "prices"
        return await self._ask(self._data, path, asked, lambda said: wire.read(name, kind, said))

    async def _ask(
        self, host: HTTPClient, path: str, asked: Query, read: Callable[[object], _T]
    ) -> _T:
        stated = {name: value for name, value in asked.items() if value is not None}
        target = f"{path}?{urlencode(stated)}" if stated else path

        async def once() -> _T:
            await self._counter.pay()
            self.requests += 1
            answer = await host.send("GET", target, headers=self._keys.headers())
            return read(self._opened(path, answer))

        return await host.persist(once)

    def _opened(self, path: str, answer: Answer) -> object:
        """Return what an answer says, or raise what its status means, in the venue's words."""
        try:
            refuse(NAME, answer)
        except VenueDenied as error:
            raise VenueDenied(
                f"{error.message}{_said(answer)}: is the key right, and of this kind of account?"
                " A paper account has keys and an address of its own",
                **error.context,
            ) from None
        except VenueError as error:
            if error.context.get("status") == 429:  # noqa: PLR2004 (HTTP's own)
                self._counter.refused()
                self.note(path, error.message)
            raise type(error)(f"{error.message}{_said(answer)}", **error.context) from None
        return read_json(NAME, answer.body)


def _said(answer: Answer) -> str:
    """Return what the venue says of a refusal, as far as it can be shown."""
    try:
        told = read_json(NAME, answer.body)
    except VenueGarbled:
        return ""
    text = told.get("message") if isinstance(told, dict) else None
    if not isinstance(text, str):
        return ""
    return f" ({''.join(each for each in text[:_SHOWN_MAX] if each.isprintable())})"
