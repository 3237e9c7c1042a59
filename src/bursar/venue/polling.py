"""The latest price of each of some assets, asked for every ten seconds.

What goes wrong shows in `state`, and the next question comes all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from bursar.errors import VenueError
from bursar.value.marks import Mark
from bursar.venue.http import Outside
from bursar.venue.stream import StreamHealth, StreamState

POLL_MS: Final = 10_000
DOLLAR: Final = "USD"

Ask = Callable[[Collection[str], str], Awaitable[Sequence[Mark]]]
"""Asks for the marks that lead from assets to a quote."""


class PricePolls:
    """The latest prices, while `run` runs."""

    def __init__(
        self, ask: Ask, outside: Outside, *, quote: str = DOLLAR, poll_ms: int = POLL_MS
    ) -> None:
        self.state = StreamState(StreamHealth.STARTING, outside.clock.now())
        self._marks = ask
        self._quote = quote
        self._outside = outside
        self._poll_ms = poll_ms
        self._fresh: dict[str, Mark] = {}
        self._news = asyncio.Event()

    async def run(self, pairs: Sequence[str]) -> None:
        """Follow pairs such as `AAPL/USD` until cancelled."""
        assets = [base for base, _, _ in (pair.partition("/") for pair in pairs)]
        while True:
            await self._ask(assets)
            await self._outside.pause(self._poll_ms)

    async def changed(self) -> tuple[Mark, ...]:
        """Wait for prices, and return the latest of each asset that has one."""
        await self._news.wait()
        self._news.clear()
        fresh, self._fresh = self._fresh, {}
        return tuple(fresh[asset] for asset in sorted(fresh))

    async def _ask(self, assets: Sequence[str]) -> None:
        now = self._outside.clock.now()
        try:
            told = await self._marks(assets, self._quote)
        except VenueError as error:
            if self.state.health is not StreamHealth.STALE:
                self.state = StreamState(StreamHealth.STALE, now, error.message)
            return
        if self.state.health is not StreamHealth.POLLING:
            self.state = StreamState(StreamHealth.POLLING, now)
        self._fresh |= {mark.asset: mark for mark in told}
        if told:
            self._news.set()
