"""Following the venues of a portfolio: a sync every so often and at news, prices as they come.

One follower serves whoever shows the book, in a terminal or over HTTP, and tells it what has come.

Rules
- After a sync, the venue of each account that could be reached is asked for prices of what lies
  there (and the first one for what lies with none of them), and of what it has news. What comes to
  be held later is followed from the next sync on.
- News wake a sync: a second later, since more may follow, and five after the last one, since each
  sync fills the account's rate counter.

Errors: none but our own; what a sync raises is told.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from bursar.errors import BursarError, VenueError
from bursar.portfolio.log import LOG

if TYPE_CHECKING:  # venues take long to load, and not every book follows some
    from collections.abc import Coroutine

    from bursar.app.live import Account, Live, News, Stream
    from bursar.portfolio.summaries import SyncSummary
    from bursar.venue.stream import StreamState

SETTLE_S: Final = 1
LEAST_S: Final = 5
_PAUSE_S: Final = 0.2


class Audience(Protocol):
    """Whoever shows the book."""

    def synced(self, done: SyncSummary) -> bool:
        """Hear of a sync, and say whether to go on."""
        ...

    def priced(self) -> None:
        """Hear that prices have come."""
        ...

    def failed(self, error: BursarError) -> bool:
        """Hear of a sync that could not be done, and say whether to go on."""
        ...


class Follower:
    """Follows what is open. `run` it once; it belongs to that loop."""

    def __init__(self, live: Live, audience: Audience, *, every_s: float) -> None:
        self._live = live
        self._audience = audience
        self._every_s = every_s
        self._woken = asyncio.Event()
        self._coming: asyncio.TimerHandle | None = None
        self._synced_at = 0.0
        self._has_marks = False
        self._followed: dict[str, tuple[str, ...]] = {}
        self._streams: dict[str, Stream] = {}
        self._listening: dict[str, News] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def prices(self) -> dict[str, StreamState]:
        """How prices come, by account."""
        return {account: stream.state for account, stream in self._streams.items()}

    @property
    def listening(self) -> dict[str, StreamState]:
        """How news come, by account, where the venue tells any."""
        return {account: news.state for account, news in self._listening.items()}

    def wake(self) -> None:
        """Sync now."""
        self._woken.set()

    def news(self) -> None:
        """Sync soon: a venue has news."""
        if self._coming is None:
            loop = asyncio.get_running_loop()
            at = max(loop.time() + SETTLE_S, self._synced_at + LEAST_S)
            self._coming = loop.call_at(at, self._arrived)

    def _arrived(self) -> None:
        self._coming = None
        self._woken.set()

    async def run(self) -> None:
        """Follow until the audience has enough."""
        async with asyncio.TaskGroup() as group:
            try:
                while await self._sync(group):
                    await self._rest()
            finally:
                for task in self._tasks.values():
                    task.cancel()
                if self._coming is not None:
                    self._coming.cancel()

    async def _sync(self, group: asyncio.TaskGroup) -> bool:
        self._woken.clear()
        try:
            done = await self._live.service.sync()
            await self._attend(group, done)
        except BursarError as error:
            return self._audience.failed(error)
        finally:
            self._synced_at = asyncio.get_running_loop().time()
        return self._audience.synced(done)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._every_s):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _attend(self, group: asyncio.TaskGroup, done: SyncSummary) -> None:
        """Have every venue that could be reached tell prices of what is held now, and news."""
        reached = {each.account for each in done.accounts if each.failure is None}
        if reached and not self._has_marks:
            await self._live.service.refresh_marks()
            self._has_marks = True
        for account in self._live.accounts:
            if account.account in reached:
                try:
                    await self._listen(group, account)
                except VenueError as error:  # with the next sync again
                    LOG.warning("PRICES_FAILED", account=account.account, why=error.message)

    async def _listen(self, group: asyncio.TaskGroup, account: Account) -> None:
        name, pairs = account.account, tuple(await self._live.priced_pairs(account))
        if pairs and self._followed.get(name) != pairs:
            self._followed[name], stream = pairs, self._live.stream(account)
            self._streams[name] = stream
            self._begin(group, f"prices {name}", self._prices(name, stream))
        news = None if name in self._listening else self._live.news(account)
        if news is not None:
            self._listening[name] = news
            self._begin(group, f"news {name}", news.run(self.news))

    def _begin(
        self, group: asyncio.TaskGroup, name: str, work: Coroutine[object, object, None]
    ) -> None:
        earlier = self._tasks.get(name)
        if earlier is not None:
            earlier.cancel()
        self._tasks[name] = group.create_task(work)

    async def _prices(self, account: str, stream: Stream) -> None:
        """Take prices as they come; after an error, with the next sync again."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(stream.run(self._followed[account]))
                while True:
                    for mark in await stream.changed():
                        self._live.service.portfolio.live().see(mark)
                    self._audience.priced()
                    await asyncio.sleep(_PAUSE_S)
        except* BursarError as failed:
            LOG.warning("PRICES_FAILED", account=account, why=str(failed.exceptions[0]))
            del self._followed[account]
