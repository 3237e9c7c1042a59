"""An account's rate counter, kept as its venue keeps it, so that we wait before it makes us.

Each request raises the counter by its cost, and time lowers it; above its maximum the venue
refuses. Whoever else asks with the account raises it too, unseen: a refusal means that it is full.

Errors: none.
"""

from typing import Final

import msgspec

from bursar.ledger import instant
from bursar.ports import Clock, Pause

_SCALE: Final = 100 * instant.SECOND  # a hundredth a second is one a nanosecond


class Pace(msgspec.Struct, frozen=True):
    """How full the counter may get, and by how many hundredths it falls in a second."""

    counter_max: int
    decay: int


class Counter:
    """The counter as we believe it to be. A clock that steps back lowers nothing."""

    def __init__(self, pace: Pace, clock: Clock, pause: Pause) -> None:
        self._pace = pace
        self._clock = clock
        self._pause = pause
        self._level = 0
        self._at = clock.now()

    async def pay(self, cost: int = 1) -> None:
        """Wait until a request of that cost fits, and count it."""
        cost *= _SCALE
        while (over := self._now() + cost - self._pace.counter_max * _SCALE) > 0:
            await self._pause(-(-over // (self._pace.decay * instant.MS)))
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
