"""A model venue: the feed of what it tells, and the pages in which it hands that out.

A feed is a log: what is told late stands late in it, whenever it happened. A page is a piece of the
log after a place; the reader's place moves by how much of the log it has been given, never by time.

Errors: `Down` where the venue does not answer.
"""

from bisect import bisect_right
from collections.abc import Sequence
from random import Random
from typing import Final

import msgspec

from bursar.ledger.entries import AnyEntry
from bursar.sim.faults import Fault, Weather

PAGE_MAX: Final = 40


class Down(Exception):
    """The venue did not answer."""


class Page(msgspec.Struct, frozen=True):
    """Some statements, and the place in the feed after them."""

    entries: tuple[AnyEntry, ...]
    after: int


class Feed:
    """What one venue tells of one portfolio, each statement from some moment on."""

    def __init__(
        self, name: str, entries: Sequence[AnyEntry], weather: Weather, chance: Random
    ) -> None:
        self.name = name
        self._weather = weather
        self._limit = chance.randint(5, PAGE_MAX)
        moments = sorted(chance.random() for _ in entries)
        told = [(self._moment(at, chance), place) for place, at in enumerate(moments)]
        self._moments = [at for at, _ in sorted(told)]
        self._entries = [entries[place] for _, place in sorted(told)]

    def __len__(self) -> int:
        return len(self._entries)

    def page(self, after: int, progress: float, chance: Random) -> Page:
        """Hand out what comes after a place, as far as it has been told by `progress` (0 to 1)."""
        if self._weather.strikes(Fault.DOWN, chance):
            raise Down(self.name)
        told = bisect_right(self._moments, progress)
        if after and self._weather.strikes(Fault.REPEAT, chance):
            return Page(tuple(self._entries[max(after - self._limit, 0) : after]), after)
        end = min(after + self._limit, told)
        if end > after and self._weather.strikes(Fault.SHORT, chance):
            end = chance.randint(after, end - 1)
        found = self._entries[after:end]
        if found and self._weather.strikes(Fault.DUPLICATE, chance):
            found += chance.choices(found, k=3)
        if found and self._weather.strikes(Fault.REORDER, chance):
            chance.shuffle(found)
        return Page(tuple(found), end)

    def _moment(self, at: float, chance: Random) -> float:
        late = self._weather.strikes(Fault.LATE, chance)
        return at + (1 - at) * chance.random() if late else at
