"""Coalescing: at most one publication an interval, and never a lost last value.

Whoever changes something touches; the first touch after a quiet interval is due at once, those that
follow it fall together into one at the interval's end. Where a publication takes long the interval
grows with it, so that publishing never takes more than a tenth of the time.

Errors: none.
"""

from typing import Final

SHARE: Final = 10


class Pace:
    """When to publish next, on anybody's clock. Times and the interval are nanoseconds."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.is_touched = False
        self._least = interval
        self._last: int | None = None

    def touch(self) -> None:
        """Say that something has changed."""
        self.is_touched = True

    def due_in(self, now: int) -> int | None:
        """Return how long to wait until the next publication; `None` where nothing has changed."""
        if not self.is_touched:
            return None
        if self._last is None or now < self._last:  # of a clock that was set back nothing is known
            return 0
        return max(0, self._last + self.interval - now)

    def published(self, now: int) -> None:
        """Say that all changes so far are out. A touch from now on is another one."""
        self.is_touched = False
        self._last = now

    def took(self, time: int) -> None:
        """Say how long the publication took."""
        self.interval = max(self._least, SHARE * time)
