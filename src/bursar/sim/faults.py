"""The faults of a world, and how hard each strikes: the swarm.

Each seed first picks which faults there are at all, and how often each strikes; some worlds have
none, some a single one that is frequent. `Weather` answers each place where a fault could strike,
counts what did, and lets none through once it has healed.
"""

from collections import Counter
from enum import Enum
from random import Random
from typing import Final

from bursar.sim.chance import hits


class Fault(Enum):
    """What can go wrong between a venue, a desk and its store."""

    DUPLICATE = "duplicate"  # a page tells some statements twice
    REORDER = "reorder"  # a page is in no order
    LATE = "late"  # a venue reports long after the fact
    REPEAT = "repeat"  # a page comes once more
    SHORT = "short"  # a page ends early
    DOWN = "down"  # a venue does not answer
    BUSY = "busy"  # another writer holds the store
    FULL = "full"  # the store has no room, for some seconds
    FAILED = "failed"  # a commit breaks off before it is written
    LOST_REQUEST = "lost_request"  # a commit never reaches the store, and nobody knows
    LOST_REPLY = "lost_reply"  # a commit is written, and nobody knows
    CRASH = "crash"  # a desk dies at an await, or at a step of a commit
    STALE = "stale"  # a reader is kept on an older version, for some seconds
    OVERTAKEN = "overtaken"  # another writer commits between two looks
    GARBLED = "garbled"  # a row is read other than it was written
    CLOCK = "clock"  # a clock jumps, forwards or backwards


MOST: Final = 0.3
LEAST: Final = 0.01
_CALM, _SINGLE = 0.1, 0.25


class Weather:
    """Which faults a world has, how often each strikes, and how often it has."""

    def __init__(self, chance: Random) -> None:
        self.rates = _swarm(chance)
        self.fired: Counter[Fault] = Counter()
        self.has_healed = False

    def strikes(self, fault: Fault, chance: Random) -> bool:
        """Tell whether a fault strikes here and now."""
        struck = hits(chance, self.rates[fault]) and not self.has_healed
        if struck:
            self.fired[fault] += 1
        return struck

    def has(self, fault: Fault) -> bool:
        """Tell whether the world knows a fault at all, now."""
        return self.rates[fault] > 0 and not self.has_healed

    def heal(self) -> None:
        """Let nothing go wrong from here on."""
        self.has_healed = True


def _swarm(chance: Random) -> dict[Fault, float]:
    kind, single = chance.random(), chance.choice(list(Fault))
    rates = {}
    for fault in Fault:
        is_there, hardness = hits(chance, 0.5), LEAST * (MOST / LEAST) ** chance.random()
        rates[fault] = hardness if is_there else 0.0
    if kind < _CALM:
        return dict.fromkeys(Fault, 0.0)
    if kind < _SINGLE:
        return {fault: MOST if fault is single else 0.0 for fault in Fault}
    return rates
