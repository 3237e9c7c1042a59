"""Live prices: Kraken's WebSocket tells them, and questions do while it is away.

Its numbers are for prices and to wake whoever waits; facts are booked from REST alone. Of each pair
only the latest price is kept, so a slow reader misses old ones and nothing grows.

States: `live` while the WebSocket tells, `polling` while questions are answered instead, `stale`
where neither works, since the last price (or the beginning).

Errors: none but our own. What goes wrong shows in `state`.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Final

from bursar.errors import VenueError
from bursar.value.marks import Mark
from bursar.venue.http import Outside, checked_url
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.market import MarketDataAPI
from bursar.venue.kraken.metadata import Market
from bursar.venue.kraken.pairs import Pair
from bursar.venue.kraken.socket import LOST, SILENCE_S, lost, messages, wait_ms
from bursar.venue.kraken.wire import Object
from bursar.venue.prices import middle
from bursar.venue.stream import StreamHealth, StreamState

URL: Final = "wss://ws.kraken.com/v2"
SOURCE: Final = "kraken stream mid"
POLL_MS: Final = 10_000
_SYMBOLS_MAX: Final = 100
_NAMES: Final = {"XBT": "BTC", "XDG": "DOGE"}  # as the second version of the WebSocket has them


class PriceStream:
    """The latest price of each of some pairs, while `run` runs."""

    def __init__(
        self,
        data: MarketDataAPI,
        outside: Outside,
        *,
        url: str = URL,
        silence_s: int = SILENCE_S,
        poll_ms: int = POLL_MS,
    ) -> None:
        checked_url(url.replace("ws", "http", 1))
        self.state = StreamState(StreamHealth.STARTING, outside.clock.now())
        self._data = data
        self._outside = outside
        self._url = url
        self._silence_s = silence_s
        self._poll_ms = poll_ms
        self._markets: dict[Pair, Market] = {}
        self._fresh: dict[Pair, Mark] = {}
        self._news = asyncio.Event()
        self._failures = 0
        self._priced_at = outside.clock.now()

    async def run(self, pairs: Sequence[str]) -> None:
        """Follow pairs, found under any of their names, until cancelled."""
        for name in pairs:
            market = await self._data.get_pair_metadata(name)
            self._markets[market.pair] = market
        while True:
            try:
                await self._listen()
            except LOST as error:
                reason = lost(error)
            else:
                reason = "the stream was closed"
            self._failures += 1
            await self._poll(reason)

    async def changed(self) -> tuple[Mark, ...]:
        """Wait for new prices, and return the latest of each pair that has one."""
        await self._news.wait()
        self._news.clear()
        fresh, self._fresh = self._fresh, {}
        return tuple(fresh[pair] for pair in sorted(fresh, key=str))

    async def _listen(self) -> None:
        asked = [
            {"channel": "ticker", "symbol": symbols, "event_trigger": "bbo"}
            for symbols in _symbols(self._markets)
        ]
        async with aclosing(messages(self._url, asked, silence_s=self._silence_s)) as told:
            async for message in told:
                self._heard(message)

    def _heard(self, message: Object) -> None:
        if message.text_if_any("channel") != "ticker":
            return
        at = self._outside.clock.now()
        for said in message.objects("data"):
            base, _, quote = said.text("symbol").partition("/")
            pair = Pair(coin(base).asset, coin(quote).asset)
            bid, ask = said.number_if_any("bid"), said.number_if_any("ask")
            price = None if bid is None or ask is None else middle(bid, ask)
            if pair in self._markets and price is not None:
                self._tell(Mark(pair.base, pair.quote, price, SOURCE, at))
        self._failures = 0
        self._stand(StreamHealth.LIVE, at, None)

    async def _poll(self, reason: str) -> None:
        """Ask for prices until it is time to connect again."""
        left = wait_ms(self._outside, self._failures)
        while left >= 0:
            await self._ask(reason)
            step = min(left, self._poll_ms)
            await self._outside.pause(step)
            left -= max(step, 1)

    async def _ask(self, reason: str) -> None:
        try:
            told = await self._data.mids(list(self._markets.values()))
        except VenueError as error:
            self._stand(StreamHealth.STALE, self._priced_at, error.message)
            return
        for mark in told:
            self._tell(mark)
        self._stand(StreamHealth.POLLING, self._outside.clock.now(), reason)

    def _tell(self, mark: Mark) -> None:
        self._fresh[Pair(mark.asset, mark.quote)] = mark
        self._priced_at = mark.at
        self._news.set()

    def _stand(self, health: StreamHealth, at: int, reason: str | None) -> None:
        if self.state.health is not health or self.state.reason != reason:
            since = self.state.since if self.state.health is health else at
            self.state = StreamState(health, since, reason)


def _symbols(pairs: dict[Pair, Market]) -> Iterator[list[str]]:
    """Yield the stream's names of pairs, as many at a time as one message asks for."""
    symbols = sorted(
        f"{_NAMES.get(pair.base, pair.base)}/{_NAMES.get(pair.quote, pair.quote)}" for pair in pairs
    )
    for start in range(0, len(symbols), _SYMBOLS_MAX):
        yield symbols[start : start + _SYMBOLS_MAX]
