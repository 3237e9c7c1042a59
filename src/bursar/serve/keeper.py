"""The keeper: the one thread that owns the book.

Every verb of a portfolio is synchronous and works on one book, one store connection and one set of
caches, none of which is made for two threads. So none of them ever sees two. The keeper's thread
opens the portfolio, runs an event loop of its own, and does all of the following there, one after
the other: questions and writes that requests bring (`ask`), syncs with venues, live prices, events
from a bus, snapshots, and the building of what is published. What is awaited (a venue, a bus) lets
the others go on; a verb, once begun, is done to its end before anything else looks at the book.

The HTTP loop never touches the book. It answers from published bytes, which are never changed, or
asks the keeper and awaits the answer, which is bytes or a frozen record.

Invariants
- A job sees the book between two others, never in the middle of one.
- No more than `WAITING_MAX` jobs wait; one more is refused (`ServiceBusy`), not queued.
- A job whose asker leaves before it is begun is not done any more; one that was is done to its end.
- A task that ends by a mistake of ours is named in `ended`; the others, and questions, go on.
- Once a newer bursar has brought the book along, nothing is read or written here any more: the book
  is closed, and whoever asks is told why.
- Stopping waits for the job that runs, so a commit that was begun ends; a thread that does not end
  in time is left to die with the process, which costs nothing that was committed.

Errors: `ServiceBusy`, `SchemaNewer`; `start` raises what opening raises; `ask` raises what the job
does.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, Protocol, TypeVar

from bursar.errors import SchemaNewer, ServiceBusy
from bursar.portfolio.service import PortfolioService
from bursar.serve.logs import LOG

WAITING_MAX: Final = 64
_T = TypeVar("_T")


class Opened(Protocol):
    """What the keeper's thread opens, and closes at the end."""

    @property
    def service(self) -> PortfolioService:
        """The portfolio and its venues."""
        ...

    async def close(self) -> None:
        """Close the portfolio and what it is connected with."""
        ...


Task = Callable[[Opened], Coroutine[object, object, None]]
"""Something that goes on for as long as the book is open."""


class Keeper:
    """A thread with the book in it. `start` it, `ask` it, `stop` it."""

    def __init__(self, opening: Callable[[], Opened], tasks: tuple[Task, ...] = ()) -> None:
        self.waiting = 0
        self.failed: BaseException | None = None
        self.ended: Mapping[str, str] = {}
        self._opening = opening
        self._tasks = tasks
        self._ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: Opened | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._live, name="bursar-keeper", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the book is open and its thread runs."""
        return self._thread.is_alive() and self._opened is not None and self.failed is None

    async def start(self) -> None:
        """Open the book, and return once it is open."""
        self._thread.start()
        await asyncio.wrap_future(self._ready)

    async def ask(self, job: Callable[[Opened], _T]) -> _T:
        """Do a job on the book, in its turn, and return what comes of it.

        Raises:
            ServiceBusy: too many wait already, or the book is not open; nothing was done.
            SchemaNewer: a newer bursar has brought the book along.
        """
        if isinstance(self.failed, SchemaNewer):
            raise SchemaNewer(self.failed.message, **self.failed.context)
        if self._loop is None or self._opened is None or not self.is_alive:
            raise ServiceBusy("the book is not open; the service starts or stops")
        if self.waiting >= WAITING_MAX:
            raise ServiceBusy(f"{self.waiting} requests wait already; retry in a moment")
        self.waiting += 1
        done: Future[_T] = Future()
        try:
            self._loop.call_soon_threadsafe(_do, job, self._opened, done)
            return await asyncio.wrap_future(done)
        finally:
            self.waiting -= 1

    async def stop(self, *, within_s: int = 4) -> bool:
        """Let the running job end, close the book, and tell whether that came to pass in time."""
        if self._thread.is_alive():
            if self._loop is not None and self._stopping is not None:
                with suppress(RuntimeError):  # its loop may have ended just now
                    self._loop.call_soon_threadsafe(self._stopping.set)
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self._thread.join, within_s)
        return not self._thread.is_alive()

    def _live(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 (whatever it is, somebody waits for it)
            self.failed = _cause(error)
            if not self._ready.done():
                self._ready.set_exception(error)
            else:
                LOG.error("KEEPER_FAILED", why=f"{type(self.failed).__name__}: {self.failed}")

    async def _main(self) -> None:
        self._stopping = asyncio.Event()
        opened = self._opening()
        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(self._go_on(task, opened)) for task in self._tasks]
                self._loop, self._opened = asyncio.get_running_loop(), opened
                self._ready.set_result(None)
                await self._stopping.wait()
                for each in running:
                    each.cancel()
        finally:
            self._opened = None
            await opened.close()

    async def _go_on(self, task: Task, opened: Opened) -> None:
        """Run a task. One that ends by a mistake of ours closes no book; the health tells of it."""
        try:
            await task(opened)
        except SchemaNewer as error:
            self.failed = error  # whoever asks while the book is being closed hears why
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, the book stays open)
            name = getattr(task, "__qualname__", type(task).__name__)
            self.ended = {**self.ended, name: f"{type(error).__name__}: {error}"}
            LOG.critical("TASK_ENDED", task=name, exc_info=error)


def _cause(error: BaseException) -> BaseException:
    """Return what ended the tasks, where it is one thing."""
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return _cause(error.exceptions[0])
    return error


def _do(job: Callable[[Opened], _T], opened: Opened, done: Future[_T]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(job(opened))
    except BaseException as error:  # noqa: BLE001 (it is the asker's)
        done.set_exception(error)
