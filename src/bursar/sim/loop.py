"""The virtual loop: asyncio's own event loop on a clock that moves only when everybody waits.

The selector never looks at a file and never sleeps: asked to wait, it moves the clock to the next
timer and returns. So a year passes at once, and what happens depends on nothing outside. The order
of ready callbacks is asyncio's own.

Errors: `Deadlock` where nothing can ever happen again, `Exhausted` where more happened than was
allowed. Threads are refused, since nobody could replay them.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from math import inf, nextafter
from typing import Any, Never, TypeVar

STEPS_MAX = 1_000_000

_T = TypeVar("_T")
_Ready = list[tuple[selectors.SelectorKey, int]]


class Deadlock(Exception):
    """Everybody waits, and for nothing that will happen."""


class Exhausted(Exception):
    """More rounds of the loop than were allowed."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, beginning at 0. `steps` counts its rounds."""

    def __init__(self, *, steps_max: int = STEPS_MAX) -> None:
        self._patience = _Patience(steps_max)
        self._spawned: list[asyncio.Task[Any]] = []
        super().__init__(self._patience)

    @property
    def steps(self) -> int:
        """How many rounds the loop has made."""
        return self._patience.steps

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._patience.now

    def spawn(self, work: Coroutine[object, object, object], name: str) -> asyncio.Task[object]:
        """Start a task that `play` ends with the loop, in the order in which they were started."""
        task = self.create_task(work, name=name)
        self._spawned.append(task)
        return task

    def run_in_executor(self, *_: object) -> Never:
        """Refuse a thread."""
        raise RuntimeError("no threads in virtual time")

    def play(self, main: Callable[[], Coroutine[object, object, _T]]) -> _T:
        """Run to the end of `main`, then end what was spawned, and close the loop."""
        try:
            first = self.create_task(main(), name="main")
            self._spawned.insert(0, first)
            return self.run_until_complete(first)
        finally:
            self.run_until_complete(self._end())
            self.close()

    async def _end(self) -> None:
        for task in self._spawned:
            task.cancel()
        await asyncio.gather(*self._spawned, return_exceptions=True)


class _Patience(selectors.SelectSelector):
    """A selector that moves the clock instead of waiting."""

    def __init__(self, steps_max: int) -> None:
        super().__init__()
        self.now = 0.0
        self.steps = 0
        self._steps_max = steps_max

    def select(self, timeout: float | None = None) -> _Ready:
        """Report that nothing is ready, `timeout` later."""
        if timeout is None:
            raise Deadlock(f"after {self.now:.3f} s everybody waits for nothing")
        self.steps += 1
        if self.steps == self._steps_max:
            raise Exhausted(f"{self.steps:,} rounds by {self.now:.3f} s")
        if timeout > 0:  # a hair past the timer, or it would never be due where floats are coarse
            self.now = nextafter(self.now + timeout, inf)
        return []
