"""A store's own thread for a while: it writes one part while the next is worked out.

What the thread is given it does in that order, one thing after another, and at most one is under
way that nobody has waited for. So whoever asks sees all that was handed over before, and what goes
wrong is raised before anything more is handed over.

Errors: those of what it is given.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

_T = TypeVar("_T")


class Carrier:
    """Does in its one thread what it is given."""

    def __init__(self, thread: Executor) -> None:
        self._thread = thread
        self._under_way: Future[object] | None = None

    def hand(self, deed: Callable[[], object]) -> None:
        """Have it done while the caller goes on. What was handed over before is done by then."""
        self.settle()
        self._under_way = self._thread.submit(deed)

    def ask(self, deed: Callable[[], _T]) -> _T:
        """Have it done, after what was handed over, and return what comes of it."""
        self.settle()
        return self._thread.submit(deed).result()

    def settle(self) -> None:
        """Wait for what is under way, and raise what it raises."""
        deed, self._under_way = self._under_way, None
        if deed is not None:
            deed.result()

    @contextmanager
    def within(self, block: AbstractContextManager[object]) -> Iterator[None]:
        """Enter and leave a block there, and do in it what is given meanwhile."""
        self.ask(block.__enter__)
        try:
            yield
            self.settle()
        except BaseException as error:
            told = type(error), error, error.__traceback__
            if not self._thread.submit(block.__exit__, *told).result():
                raise
        else:
            self.ask(lambda: block.__exit__(None, None, None))


@contextmanager
def carrier() -> Iterator[Carrier]:
    """Start a thread, and end it with the block."""
    with ThreadPoolExecutor(1, thread_name_prefix="bursar-carrier") as thread:
        yield Carrier(thread)
