"""The bus inside one process: topics in memory, with the promises of the one over Redis.

A topic keeps its newest events, so many and of so many characters together: the states of a
portfolio come several times a second, and nobody may be there to take them off.

It belongs to one event loop. Nothing outlives the process, so a note of how far a topic reaches
would be none: `reached` says `None`, and whoever publishes goes by a mark of his own.

Errors: none; a process reaches itself.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from bursar.events import Envelope, to_fields
from bursar.ledger import instant
from bursar.ports import Clock, Consumer, Delivery, Parked

KEPT: Final = 100_000
KEPT_CHARS: Final = 16 * 1024 * 1024
RECLAIM_MS: Final = 30_000


@dataclass
class _Group:
    """How far a group has come, what it was handed and has not done, what it has put aside."""

    reached: int = 0
    pending: dict[int, tuple[int, Delivery]] = field(default_factory=dict)
    parked: list[Parked] = field(default_factory=list)


class _Topic:
    """The newest events of a topic; `first` is the place of the oldest that is kept."""

    def __init__(self, kept: int, chars: int) -> None:
        self.first = 1
        self.lines: deque[Delivery] = deque()
        self._kept, self._most, self._chars = kept, chars, 0
        self.groups: dict[str, _Group] = {}
        self.more = asyncio.Event()

    def append(self, fields: dict[str, str], at: int) -> None:
        """Append an event, and let go of the oldest where that is too much."""
        self.lines.append(Delivery(str(self.first + len(self.lines)), at, fields))
        self._chars += _size(fields)
        while len(self.lines) > self._kept or (self._chars > self._most and len(self.lines) > 1):
            self._chars -= _size(self.lines.popleft().fields)
            self.first += 1

    def behind(self, place: int, count: int) -> list[Delivery]:
        start = max(place + 1 - self.first, 0)
        end = min(start + count, len(self.lines))
        return [self.lines[n] for n in range(start, end)]


class LocalBus:
    """A `Bus` in memory."""

    def __init__(
        self,
        clock: Clock,
        *,
        kept: int = KEPT,
        chars: int = KEPT_CHARS,
        reclaim_ms: int = RECLAIM_MS,
    ) -> None:
        self._clock = clock
        self._kept = kept
        self._most = chars
        self._reclaim = reclaim_ms * instant.MS
        self._topics: dict[str, _Topic] = {}

    def __repr__(self) -> str:
        return f"LocalBus({len(self._topics)} topics)"

    async def publish(
        self,
        topic: str,
        events: Sequence[Envelope],
        *,
        upto: int | None = None,  # noqa: ARG002 (there is no note to keep)
    ) -> None:
        """Append events to a topic."""
        here, now = self._topic(topic), self._clock.now()
        for event in events:
            here.append(to_fields(event), now)
        here.more.set()

    async def reached(self, topic: str) -> int | None:  # noqa: ARG002 (whatever the topic)
        """Return that nothing outlives the process."""
        return None

    async def take(
        self, consumer: Consumer, *, count: int = 100, wait_ms: int = 0
    ) -> list[Delivery]:
        """Return what was left undone for too long, else what is new, else nothing."""
        topic = self._topic(consumer.topic)
        group = topic.groups.setdefault(consumer.group, _Group())
        found = self._left(topic, group, count) or self._new(topic, group, count)
        if not found and wait_ms:
            topic.more.clear()
            try:
                async with asyncio.timeout(wait_ms / 1_000):
                    await topic.more.wait()
            except TimeoutError:
                return self._left(topic, group, count)
            found = self._new(topic, group, count)
        return found

    async def done(self, consumer: Consumer, places: Sequence[str]) -> None:
        """Take deliveries off the list of what a group was handed."""
        pending = self._group(consumer.topic, consumer.group).pending
        for place in places:
            pending.pop(int(place), None)

    async def park(self, consumer: Consumer, delivery: Delivery, reason: str) -> None:
        """Put a delivery aside, with the reason."""
        group = self._group(consumer.topic, consumer.group)
        told = delivery.place, delivery.at, delivery.fields, delivery.tries
        group.parked.append(Parked(*told, reason))
        group.pending.pop(int(delivery.place), None)

    async def parked(self, topic: str, group: str) -> list[Parked]:
        """Return what was put aside, oldest first."""
        return list(self._group(topic, group).parked)

    async def replay(self, topic: str, *, after: str = "", count: int = 100) -> list[Delivery]:
        """Return what a topic still keeps behind a place, in order."""
        return self._topic(topic).behind(int(after or 0), count)

    async def check(self) -> None:
        """Return."""

    async def close(self) -> None:
        """Forget everything."""
        self._topics.clear()

    def _topic(self, name: str) -> _Topic:
        return self._topics.setdefault(name, _Topic(self._kept, self._most))

    def _group(self, topic: str, name: str) -> _Group:
        return self._topic(topic).groups.setdefault(name, _Group())

    def _new(self, topic: _Topic, group: _Group, count: int) -> list[Delivery]:
        found, now = topic.behind(group.reached, count), self._clock.now()
        for delivery in found:
            group.reached = int(delivery.place)
            group.pending[group.reached] = now, delivery
        return found

    def _left(self, topic: _Topic, group: _Group, count: int) -> list[Delivery]:
        """Hand out again what was handed out too long ago, oldest first."""
        now = self._clock.now()
        found: list[Delivery] = []
        for place, (at, delivery) in list(group.pending.items()):
            if now - at < self._reclaim or len(found) == count:
                continue
            if place < topic.first:  # no longer kept
                del group.pending[place]
                continue
            again = msgspec.structs.replace(delivery, tries=delivery.tries + 1)
            group.pending[place] = now, again
            found.append(again)
        return found


def _size(fields: Mapping[str, str]) -> int:
    return sum(map(len, fields.values()))
