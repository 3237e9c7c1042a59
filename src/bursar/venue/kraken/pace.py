"""The account's rate counter, kept as Kraken keeps it, so that we wait before it makes us.

Each private request raises the counter by its cost, and time lowers it; above the tier's maximum
the venue refuses. Whoever else asks with the account raises it too, unseen: a refusal means that it
is full.

Errors: none.
"""

from enum import Enum
from typing import Final

import msgspec

from bursar.ports import Clock, Pause

_SCALE: Final = 100 * 1_000_000_000  # a hundredth a second is one a nanosecond
_MS: Final = 1_000_000
_HISTORY: Final = 2
_LISTS: Final = ("Ledgers", "QueryLedgers", "TradesHistory", "QueryTrades")
_COSTS: Final = dict.fromkeys(_LISTS, _HISTORY)


class Pace(msgspec.Struct, frozen=True):
    """How full the counter may get, and by how many hundredths it falls in a second."""

    counter_max: int
    decay: int


class Tier(Enum):
    """An account's verification level, which no answer tells."""

    STARTER = Pace(15, 33)
    INTERMEDIATE = Pace(20, 50)
    PRO = Pace(20, 100)


class Counter:
    """The counter as we believe it to be. A clock that steps back lowers nothing."""

    def __init__(self, pace: Pace, clock: Clock, pause: Pause) -> None:
        self._pace = pace
        self._clock = clock
        self._pause = pause
        self._level = 0
        self._at = clock.now()

    async def pay(self, endpoint: str) -> None:
        """Wait until a request fits, and count it."""
        cost = _COSTS.get(endpoint, 1) * _SCALE
        while (over := self._now() + cost - self._pace.counter_max * _SCALE) > 0:
            await self._pause(-(-over // (self._pace.decay * _MS)))
        self._level += cost

    def refused(self) -> None:
        """Take note that the venue found the counter full."""
        self._level = max(self._now(), self._pace.counter_max * _SCALE)

    def _now(self) -> int:
        now = self._clock.now()
        if now > self._at:
            self._level = max(self._level - (now - self._at) * self._pace.decay, 0)
        self._at = now
        return self._level
