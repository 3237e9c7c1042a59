"""The bus over Redis Streams: one stream per topic, one consumer group per group.

    PREFIX:TOPIC                 the stream, cut to about its newest events
    PREFIX:TOPIC:upto            how far whoever publishes has come; lost with the stream
    PREFIX:TOPIC:parked:GROUP    what a group has put aside, with its reason

Only commands of Redis 6.2 are used, so Valkey does as well. Redis carries and keeps nothing that
matters: killed or flushed, it costs deliveries, and the store fills them in again.

A group that is gone (a flush) is made again, from the oldest event kept. What nobody has finished
for `reclaim_ms` is handed to the next who asks; that must be longer than a batch may take, or sound
work is done twice (which changes nothing, but costs time). A consumer that comes back under its
name is handed at once what it had not finished.

Errors: `BusDown`. No address is shown, since it may hold a password.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bursar.errors import BadChoice, BusDown
from bursar.events import Envelope, to_fields
from bursar.ledger import instant
from bursar.ports import Consumer, Delivery, Parked

KEPT: Final = 100_000
RECLAIM_MS: Final = 30_000
PREFIX: Final = "bursar"
_PATIENCE_S: Final = 5
_PENDING_MAX: Final = 10_000
_AWAY: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.BusyLoadingError,
    OSError,
)
_REASON, _TRIES, _PLACE = "parked_reason", "parked_tries", "parked_place"


class StreamBus:
    """A `Bus` over Redis. It belongs to one event loop; `close` it there."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str = PREFIX,
        kept: int = KEPT,
        reclaim_ms: int = RECLAIM_MS,
    ) -> None:
        try:
            self._redis = Redis.from_url(
                url,
                decode_responses=True,
                retry=Retry(NoBackoff(), 0),  # who asks knows better whether to ask again
                socket_timeout=_PATIENCE_S,
                socket_connect_timeout=_PATIENCE_S,
            )
        except ValueError:
            raise BadChoice("the address of Redis is none: redis://HOST:PORT/DATABASE") from None
        self._prefix = prefix
        self._kept = kept
        self._reclaim_ms = reclaim_ms
        self._noted: dict[str, int] = {}
        self._read_to: dict[Consumer, str] = {}

    def __repr__(self) -> str:
        return f"StreamBus(prefix={self._prefix!r})"

    async def publish(
        self, topic: str, events: Sequence[Envelope], *, upto: int | None = None
    ) -> None:
        """Append events to a stream and note how far it reaches, in one transaction."""
        key = self._key(topic)
        async with _reached(), self._redis.pipeline(transaction=True) as pipe:
            if upto is not None:
                await self._require_note(pipe, topic)
                pipe.multi()  # type: ignore[no-untyped-call]
                pipe.set(f"{key}:upto", upto)
            for event in events:
                fields: dict[Any, Any] = to_fields(event)
                pipe.xadd(key, fields, maxlen=self._kept, approximate=True)
            await pipe.execute()
        if upto is not None:
            self._noted[topic] = upto

    async def reached(self, topic: str) -> int | None:
        """Return how far a topic reaches by its own note, 0 where that is gone."""
        async with _reached():
            self._noted[topic] = int(await self._redis.get(f"{self._key(topic)}:upto") or 0)
        return self._noted[topic]

    async def take(
        self, consumer: Consumer, *, count: int = 100, wait_ms: int = 0
    ) -> list[Delivery]:
        """Return what was left undone for too long, else what is new, else nothing."""
        async with _reached():
            try:
                return await self._take(consumer, count, wait_ms)
            except exceptions.ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                await self._make(consumer)
            return await self._take(consumer, count, wait_ms)

    async def done(self, consumer: Consumer, places: Sequence[str]) -> None:
        """Acknowledge deliveries."""
        async with _reached():
            if places:
                await self._redis.xack(self._key(consumer.topic), consumer.group, *places)

    async def park(self, consumer: Consumer, delivery: Delivery, reason: str) -> None:
        """Put a delivery into the stream of those put aside, and acknowledge it."""
        key = self._key(consumer.topic)
        told: dict[Any, Any] = {
            **delivery.fields,
            _REASON: reason,
            _TRIES: str(delivery.tries),
            _PLACE: delivery.place,
        }
        async with _reached(), self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._aside(key, consumer.group), told, maxlen=self._kept, approximate=True)
            pipe.xack(key, consumer.group, delivery.place)
            await pipe.execute()

    async def parked(self, topic: str, group: str) -> list[Parked]:
        """Return what was put aside, oldest first."""
        async with _reached():
            found = await self._redis.xrange(self._aside(self._key(topic), group))
        return [_parked(fields) for _, fields in _told(found)]

    async def replay(self, topic: str, *, after: str = "", count: int = 100) -> list[Delivery]:
        """Return what a stream still keeps behind a place, in order."""
        start = f"({after}" if after else "-"
        async with _reached():
            found = await self._redis.xrange(self._key(topic), min=start, count=count)
        return [_delivery(place, fields, 1) for place, fields in _told(found)]

    async def check(self) -> None:
        """Return if Redis answers."""
        async with _reached():
            await self._redis.ping()

    async def close(self) -> None:
        """Close every connection."""
        await self._redis.aclose()

    async def _require_note(self, pipe: Pipeline, topic: str) -> None:
        """Refuse to go on where the note was lost since it was read: events went with it."""
        note = f"{self._key(topic)}:upto"
        await pipe.watch(note)
        known = int(await pipe.get(note) or 0)
        if known != self._noted.get(topic, known):
            raise BusDown("Redis has lost what was published; it is to be filled again")

    async def _take(self, consumer: Consumer, count: int, wait_ms: int) -> list[Delivery]:
        key = self._key(consumer.topic)
        left = await self._own(consumer, count) or await self._left(consumer, count)
        if left:
            return left
        found = await self._redis.xreadgroup(
            consumer.group, consumer.name, {key: ">"}, count=count, block=None
        )
        if not found and wait_ms:
            # In slices that are shorter than the patience of a connection.
            block = min(wait_ms, _PATIENCE_S * 1_000 // 2)
            found = await self._redis.xreadgroup(
                consumer.group, consumer.name, {key: ">"}, count=count, block=block
            )
        return [_delivery(place, fields, 1) for place, fields in _lines(found)]

    async def _own(self, consumer: Consumer, count: int) -> list[Delivery]:
        """Return what this consumer was handed in an earlier life and has not done, each once."""
        after = self._read_to.get(consumer, "0")
        if not after:
            return []
        key = self._key(consumer.topic)
        told = await self._redis.xreadgroup(
            consumer.group, consumer.name, {key: after}, count=count
        )
        lines = _lines(told)
        self._read_to[consumer] = lines[-1][0] if lines else ""
        return await self._counted(consumer, [line for line in lines if line[1]])

    async def _left(self, consumer: Consumer, count: int) -> list[Delivery]:
        """Claim what was handed out too long ago, with how often each was."""
        key = self._key(consumer.topic)
        group, name = consumer.group, consumer.name
        told = await self._redis.xautoclaim(
            key, group, name, min_idle_time=self._reclaim_ms, start_id="0-0", count=count
        )
        return await self._counted(consumer, [line for line in _told(told[1]) if line[1]])

    async def _counted(
        self, consumer: Consumer, lines: Sequence[tuple[str, dict[str, str]]]
    ) -> list[Delivery]:
        """Say of entries how often each was handed out."""
        if not lines:
            return []
        pending = await self._redis.xpending_range(
            self._key(consumer.topic),
            consumer.group,
            min=lines[0][0],
            max=lines[-1][0],
            count=_PENDING_MAX,
            consumername=consumer.name,
        )
        tries = {each["message_id"]: int(each["times_delivered"]) for each in pending}
        return [_delivery(place, fields, tries.get(place, 1)) for place, fields in lines]

    async def _make(self, consumer: Consumer) -> None:
        """Make a group that begins with the oldest event kept."""
        try:
            await self._redis.xgroup_create(
                self._key(consumer.topic), consumer.group, id="0", mkstream=True
            )
        except exceptions.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):  # someone was first
                raise

    def _key(self, topic: str) -> str:
        return f"{self._prefix}:{topic}"

    def _aside(self, key: str, group: str) -> str:
        return f"{key}:parked:{group}"


@asynccontextmanager
async def _reached() -> AsyncIterator[None]:
    """Turn what the library raises when Redis is away into `BusDown`, and lose no cancellation.

    The library sends within `asyncio.wait_for`, which before Python 3.12 forgets that it was
    cancelled if what it waits for ends in that moment. Who hears and tells would never stop.
    """
    asked = _cancellations()
    try:
        yield
    except _AWAY as error:
        raise BusDown(f"Redis cannot be reached: {type(error).__name__}") from None
    except exceptions.RedisError as error:
        raise BusDown(f"Redis refuses: {error}") from None
    finally:
        if _cancellations() > asked:
            raise asyncio.CancelledError


def _cancellations() -> int:
    """Return how often this task was asked to stop."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _told(lines: Any) -> list[tuple[str, dict[str, str]]]:  # noqa: ANN401 (typed too widely)
    return list(lines or ())


def _lines(found: Any) -> list[tuple[str, dict[str, str]]]:  # noqa: ANN401 (as RESP 2 or 3 gives)
    """Return the entries of an answer about one stream."""
    if isinstance(found, dict):
        return [line for pages in found.values() for page in pages for line in page]
    return [line for _, lines in found or () for line in lines]


def _delivery(place: str, fields: Mapping[str, str], tries: int) -> Delivery:
    return Delivery(place, _at(place), fields, tries)


def _at(place: str) -> int:
    """Return when an entry was added: the first half of its id is in milliseconds."""
    return int(place.partition("-")[0]) * instant.MS


def _parked(fields: Mapping[str, str]) -> Parked:
    place = fields[_PLACE]
    rest = {name: text for name, text in fields.items() if name not in {_REASON, _TRIES, _PLACE}}
    return Parked(place, _at(place), rest, int(fields[_TRIES]), fields[_REASON])
