"""What goes on while a book is served: snapshots, syncs with venues, prices as they come.

Runs in the keeper's thread. Whatever brings something new touches the publisher.

Errors: none leave here; what the world does is logged and tried again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

from bursar.config import Settings
from bursar.errors import BursarError
from bursar.serve.keeper import Opened, Task
from bursar.serve.logs import LOG
from bursar.serve.opening import Book
from bursar.serve.publishing import Publisher

_MINUTE_S: Final = 60
_PAUSE_S: Final = 0.2


def tasks_of(settings: Settings, publisher: Publisher) -> tuple[Task, ...]:
    """Return what is to go on, as the settings say."""
    own = settings.portfolio
    return (
        _every(own.snapshot_every_minutes * _MINUTE_S, _snapshot),
        lambda opened: _follow(opened, publisher, own.sync_every_seconds),
    )


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


async def _follow(opened: Opened, publisher: Publisher, every_s: int) -> None:
    """Sync every so often; after the first sync that succeeds, take prices as they come."""
    if not isinstance(opened, Book) or opened.live is None:
        return
    live, service = opened.live, opened.service
    async with asyncio.TaskGroup() as group:
        running: asyncio.Task[None] | None = None
        while True:
            try:
                done = await service.sync()
                if running is None and done.is_whole:
                    await service.refresh_marks()
                    stream = live.stream()
                    running = group.create_task(stream.run(await live.priced_pairs()))
                    group.create_task(_prices(opened, publisher, stream.changed))
            except BursarError as error:
                LOG.warning("SYNC_FAILED", code=error.code, why=error.message)
            publisher.touch()
            await asyncio.sleep(every_s)


async def _prices(
    opened: Opened, publisher: Publisher, changed: Callable[[], Coroutine[object, object, object]]
) -> None:
    portfolio = opened.service.portfolio
    while True:
        portfolio.see(await changed())  # type: ignore[arg-type]  # marks, as the stream has them
        publisher.touch()
        await asyncio.sleep(_PAUSE_S)
