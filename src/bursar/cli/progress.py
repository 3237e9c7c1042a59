"""A progress bar: on stderr, only on a terminal, only for what takes over two seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

PATIENCE_S: Final = 2
_WORKING: Final = ("working", 0, 0)


class Bar:
    """Told what is being done; shows it from the third second on, between `start` and `stop`."""

    def __init__(self, console: Console, *, is_quiet: bool) -> None:
        self._console = console
        self._is_shown = console.is_terminal and not is_quiet
        self._lock = Lock()
        self._step = _WORKING
        self._shown: tuple[Progress, TaskID] | None = None
        self._timer: Timer | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be ready to show progress until the block is left."""
        self.start()
        try:
            yield
        finally:
            self.stop()

    def start(self) -> None:
        """Be ready to show progress, if it is not shown yet."""
        if not self._is_shown:
            return
        with self._lock:
            if self._timer is not None:
                return
            self._timer = timer = Timer(PATIENCE_S, self._show)
        timer.daemon = True
        timer.start()

    def stop(self) -> None:
        """Show nothing any more."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._shown is not None:
                self._shown[0].stop()
                self._shown = None

    def tell(self, what: str, done: int, total: int) -> None:
        """Note that `done` of `total` is done of something; of what follows nobody knows."""
        with self._lock:
            self._step = (what, done, total) if done < total else _WORKING
            self._update()

    def _show(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        progress = Progress(*columns, console=self._console, transient=True)
        with self._lock:
            if self._timer is None:  # it was over just now
                return
            self._shown = (progress, progress.add_task(""))
            self._update()
            progress.start()

    def _update(self) -> None:
        if self._shown is None:
            return
        progress, task = self._shown
        what, done, total = self._step
        progress.update(task, description=what, completed=done, total=total if done else None)
