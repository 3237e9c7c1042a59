"""The story of a world: every line of what happened, one hash for all of it, and what went wrong.

Errors: `Wrong` is the verdict of a judge; it ends the world.
"""

from collections import Counter
from collections.abc import Callable
from hashlib import sha256


class Wrong(Exception):
    """A judge has found what must not be."""


class Story:
    """Lines with virtual time and speaker. `errors` counts what desks were refused with."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.lines: list[str] = []
        self.errors: Counter[str] = Counter()
        self._now = now

    def tell(self, who: str, what: str) -> None:
        """Add a line."""
        self.lines.append(f"{self._now():9.3f}  {who:<10} {what}")

    @property
    def digest(self) -> str:
        """The hash of all lines: equal stories, equal hashes."""
        return sha256("\n".join(self.lines).encode()).hexdigest()
