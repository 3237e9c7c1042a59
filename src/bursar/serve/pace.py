"""Coalescing: at most one publication an interval, and never a lost last value.

Whoever changes something touches; the first touch after a quiet interval is due at once, those that
follow it fall together into one at the interval's end. Where a publication takes long the interval
grows with it, so that publishing takes no more than a tenth of the time; to half a minute at most,
since what seemed to take hours was a clock that was set, or a machine that slept.

Errors: none.
"""

from typing import Final

from bursar.ledger import instant

SHARE: Final = 10
LONGEST: Final = 30 * instant.SECOND


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
        self.interval = max(self._least, min(SHARE * time, LONGEST))
