"""Every kind of bus, opened alike; what is opened anew finds the same topics."""

from contextlib import asynccontextmanager, contextmanager

from bursar.bus.local import LocalBus
from bursar.bus.streams import StreamBus
from tests.servers import redis


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self, at=1_767_607_200_000_000_000):
        self.at = at

    def now(self):
        return self.at


class LocalPlace:
    """One process: opening it again gives the same bus, with other manners."""

    def __init__(self):
        self._bus = LocalBus(Hands())

    def open(self, *, reclaim_ms=60_000, kept=1_000):
        self._bus._reclaim, self._bus._kept = reclaim_ms, kept
        return self._bus


class RedisPlace:
    """A prefix of keys in a server."""

    def __init__(self, url):
        self.url, self._prefix = url, redis.prefix()

    def open(self, *, reclaim_ms=60_000, kept=1_000):
        return StreamBus(self.url, prefix=self._prefix, reclaim_ms=reclaim_ms, kept=kept)


KINDS = ("local", "redis", "valkey", *(("path",) if redis.binary("path") else ()))


@contextmanager
def place_of(kind, servers):
    """Give a place of that kind to one test."""
    yield LocalPlace() if kind == "local" else RedisPlace(servers(kind).url)


@asynccontextmanager
async def opened(place, **manners):
    """Give a bus to one block."""
    bus = place.open(**manners)
    try:
        yield bus
    finally:
        if not isinstance(place, LocalPlace):
            await bus.close()
