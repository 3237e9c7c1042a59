"""What goes on while a book is served: snapshots, syncs with venues, prices as they come.

Runs in the keeper's thread. Whatever brings something new touches the publisher.

Errors: none leave here; what the world does is logged and tried again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.config import Settings
from bursar.errors import BursarError
from bursar.portfolio.summaries import SyncSummary
from bursar.serve.keeper import Opened, Task
from bursar.serve.logs import LOG
from bursar.serve.opening import Book
from bursar.serve.publishing import Publisher

if TYPE_CHECKING:
    from bursar.venue.kraken.stream import PriceStream
    from bursar.venue.polling import PricePolls

_MINUTE_S: Final = 60
_PAUSE_S: Final = 0.2


class Synced(msgspec.Struct, frozen=True):
    """How the last sync of an account went; `failure` is `None` if it did."""

    failure: str | None
    at: int
    has_drift: bool | None


class Follower:
    """Syncs every so often, and takes prices as they come. `synced` may be read by any thread."""

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self.synced: Mapping[str, Synced] = {}
        self._publisher = publisher
        self._every_s = settings.portfolio.sync_every_seconds
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Sync now: somebody says that there is news. For the keeper's thread alone."""
        self._woken.set()

    async def run(self, opened: Opened) -> None:
        """Sync; after the first that succeeds, take prices as they come."""
        if not isinstance(opened, Book) or opened.live is None:
            return
        live, service = opened.live, opened.service
        async with asyncio.TaskGroup() as group:
            is_streaming = False
            group.create_task(live.listen(self.wake))
            while True:
                try:
                    done = await service.sync()
                    self._note(done, service.portfolio.desk.clock.now())
                    if not is_streaming and done.is_whole:
                        is_streaming = True
                        await service.refresh_marks()
                        stream = live.stream()
                        group.create_task(stream.run(await live.priced_pairs()))
                        group.create_task(_prices(opened, self._publisher, stream))
                except BursarError as error:
                    LOG.warning("SYNC_FAILED", code=error.code, why=error.message)
                self._publisher.touch()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every_s):
                        await self._woken.wait()
                self._woken.clear()

    def _note(self, done: SyncSummary, now: int) -> None:
        self.synced = {
            each.account: Synced(each.failure, now, each.drift_detected) for each in done.accounts
        }


def snapshots_of(settings: Settings) -> Task:
    """Return the task that keeps a snapshot every so often."""
    return _every(settings.portfolio.snapshot_every_minutes * _MINUTE_S, _snapshot)


def _every(
    seconds: int, work: Callable[[Opened], None]
) -> Callable[[Opened], Coroutine[object, object, None]]:
    async def run(opened: Opened) -> None:
        while True:
            try:
                work(opened)
            except BursarError as error:
                LOG.warning("TASK_FAILED", task=work.__name__, code=error.code, why=error.message)
            await asyncio.sleep(seconds)

    return run


def _snapshot(opened: Opened) -> None:
    opened.service.create_snapshot()
    opened.service.prune_snapshots()


async def _prices(opened: Opened, publisher: Publisher, stream: "PriceStream | PricePolls") -> None:
    portfolio = opened.service.portfolio
    while True:
        for mark in await stream.changed():
            portfolio.live().see(mark)
        publisher.touch()
        await asyncio.sleep(_PAUSE_S)
