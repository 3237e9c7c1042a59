"""Turns: since which instant more is other than before than what stands at the end.

Whoever follows facts notes the `last` turn that there was, and asks later what has changed `since`.
So many are remembered that nobody who asks now and then has to begin anew.

Errors: none.
"""

from collections import deque
from typing import Final

BEGINNING: Final = -(2**63)  # no instant is before it
REMEMBERED: Final = 1_000


class Turn:
    """One change of what stood before; two of them are never the same."""

    __slots__ = ("at",)

    def __init__(self, at: int) -> None:
        self.at = at


class Turns:
    """The latest turns of a timeline, the last one behind."""

    def __init__(self, told: deque[Turn] | None = None) -> None:
        self._told = deque([Turn(BEGINNING)], REMEMBERED) if told is None else told

    @property
    def last(self) -> Turn:
        """The last turn there was; the first is that there is a timeline."""
        return self._told[-1]

    def turn(self, at: int = BEGINNING) -> None:
        """Say that facts from an instant on are others now."""
        self._told.append(Turn(at))

    def since(self, known: Turn | None) -> int | None:
        """Return from which instant on facts have changed since a turn: `None` if none of them has,
        `BEGINNING` if nobody remembers it. O(turns since).
        """
        first = None
        for turn in reversed(self._told):
            if turn is known:
                return first
            first = turn.at if first is None else min(first, turn.at)
        return BEGINNING

    def copy(self) -> "Turns":
        """Return an independent list of the same turns."""
        return Turns(self._told.copy())
