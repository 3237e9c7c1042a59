"""What goes on while a book is served: snapshots, syncs, prices, the regime, what profit becomes.

Runs in the keeper's thread. Whatever brings something new touches the publisher.

Errors: none leave here; what the world does is logged and tried again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Final

import msgspec

from bursar.app import following
from bursar.config import Settings
from bursar.errors import BursarError
from bursar.portfolio import profits
from bursar.portfolio.detecting import Detecting
from bursar.portfolio.summaries import SyncSummary
from bursar.ports import Clock
from bursar.serve.keeper import Opened, Task
from bursar.serve.logs import LOG
from bursar.serve.opening import Book
from bursar.serve.publishing import Publisher

_MINUTE_S: Final = 60
_DETECT_EVERY_S: Final = 1


class Synced(msgspec.Struct, frozen=True):
    """How the last sync of an account went; `failure` is `None` if it did."""

    failure: str | None
    at: int
    has_drift: bool | None


class Follower:
    """Has the venues followed, and publishes what comes. `synced_by` may be read by any thread."""

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self.synced_by: Mapping[str, Synced] = {}
        self._publisher = publisher
        self._every_s = settings.portfolio.sync_every_seconds
        self._clock: Clock | None = None
        self._accounts: tuple[str, ...] = ()
        self._following: following.Follower | None = None

    def wake(self) -> None:
        """Sync now: somebody says that there is news. For the keeper's thread alone."""
        if self._following is not None:
            self._following.wake()

    async def run(self, opened: Opened) -> None:
        """Follow the venues of a book, where it has any."""
        if not isinstance(opened, Book) or opened.live is None:
            return
        self._clock = opened.service.portfolio.desk.clock
        self._accounts = tuple(each.account for each in opened.live.accounts)
        self._following = following.Follower(opened.live, self, every_s=self._every_s)
        await self._following.run()

    def synced(self, done: SyncSummary) -> bool:
        """Note how a sync went, and go on."""
        assert self._clock is not None, "set before anything is followed"
        now = self._clock.now()
        self.synced_by = {
            each.account: Synced(each.failure, now, each.drift_detected) for each in done.accounts
        }
        if any(each.new_entries for each in done.accounts):
            self._publisher.wrote()
        self._publisher.touch()
        return True

    def priced(self) -> None:
        """Publish what prices make of the book."""
        self._publisher.touch()

    def failed(self, error: BursarError) -> bool:
        """Say so in the log and of every account, and go on."""
        assert self._clock is not None, "set before anything is followed"
        LOG.warning("SYNC_FAILED", code=error.code, why=error.message)
        failed = Synced(error.message, self._clock.now(), None)
        self.synced_by = dict.fromkeys(self._accounts, failed)
        self._publisher.touch()
        return True


def snapshots_of(settings: Settings, publisher: Publisher) -> Task:
    """Return the task that keeps a snapshot every so often."""

    def keep_snapshot(opened: Opened) -> None:
        with publisher.writing(opened.service.portfolio.desk.clock):
            opened.service.create_snapshot()
            opened.service.prune_snapshots()

    return _every(settings.portfolio.snapshot_every_minutes * _MINUTE_S, keep_snapshot)


def detection_of(settings: Settings) -> tuple[Task, ...]:
    """Return the task that follows the market's regime, where the settings ask for it."""
    wanted = settings.capital.detector
    if wanted is None:
        return ()

    async def detect_regime(opened: Opened) -> None:
        detecting = Detecting(opened.service.portfolio, wanted)

        def look(_opened: Opened) -> None:
            detecting.look()

        await _every(_DETECT_EVERY_S, look)(opened)

    return (detect_regime,)


def profits_of(settings: Settings) -> tuple[Task, ...]:
    """Return the task that looks after profit every so often, where the settings ask for it."""
    capital, minutes = settings.capital, settings.capital.profits_every_minutes
    if minutes is None:
        return ()

    def look(opened: Opened) -> None:
        portfolio = opened.service.portfolio
        profits.apply(portfolio, profits.look(portfolio, capital))

    return (_every(minutes * _MINUTE_S, look),)


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
