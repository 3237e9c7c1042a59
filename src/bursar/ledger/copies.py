"""Copies of something that grows with the facts, kept on the way: each with how many it stands for.

What changes in the past is worked out from the nearest copy before it instead of from the start.
Copies are given out as they are kept, so whoever goes on from one makes a copy of it first.

Errors: none of its own.
"""

from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

SPACING: Final = 1_000  # facts from one copy to the next

_T = TypeVar("_T")


class Copies(Generic[_T]):
    """What something was after so many facts, in order of their number."""

    def __init__(self, kept: Iterable[tuple[int, _T]] = ()) -> None:
        self.kept = list(kept)

    def latest(self, most: int) -> tuple[int, _T] | None:
        """Return the last copy that stands for at most so many facts, and their number."""
        fitting = [each for each in self.kept if each[0] <= most]
        return fitting[-1] if fitting else None

    def renew(
        self, until: int, fresh: list[tuple[int, _T]], total: int, copied: Callable[[], _T]
    ) -> None:
        """Drop what is later than a change, and take what was kept while it was worked out.

        There are `total` facts then; what they make is `copied` if the last copy is far behind.
        """
        self.kept = [each for each in self.kept if each[0] <= until] + fresh
        last = self.kept[-1][0] if self.kept else 0
        if total - last >= SPACING:
            self.kept.append((total, copied()))

    def trim(self, edge: int) -> None:
        """Let go of the first facts: count from there on."""
        self.kept = [(count - edge, each) for count, each in self.kept if count > edge]

    def copy(self) -> "Copies[_T]":
        """Return an independent list of the same copies."""
        return Copies(self.kept)
