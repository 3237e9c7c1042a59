"""A process that hears events from Redis into a book until it is killed: BOOK URL PREFIX.

After each batch that is durable, and before the bus is told so, it says how many events that were;
when there is nothing to take, it says 0.
"""

import asyncio
import os
import sys

from bursar.app import SystemClock, portfolio_of
from bursar.bus import consume
from bursar.bus.streams import StreamBus
from bursar.portfolio.events import Intake
from bursar.ports import Consumer
from bursar.store import open_store
from tests.unit.portfolio.events.told import pairs

RECLAIM_MS = 300


class Saying(Intake):
    async def handle(self, events):
        await super().handle(events)
        os.write(1, f"{len(events)}\n".encode())


class Waiting(StreamBus):
    async def take(self, consumer, **options):
        taken = await super().take(consumer, **options)
        if not taken:
            os.write(1, b"0\n")
        return taken


async def hear(book, url, prefix):
    portfolio = portfolio_of(open_store(book), SystemClock())
    bus = Waiting(url, prefix=prefix, reclaim_ms=RECLAIM_MS)

    async def pause(milliseconds):
        await asyncio.sleep(milliseconds / 1_000)

    await consume(bus, Consumer("in", "desk", str(os.getpid())), Saying(portfolio, pairs), pause)


if __name__ == "__main__":
    asyncio.run(hear(*sys.argv[1:]))
