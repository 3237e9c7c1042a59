"""Consuming: a topic's deliveries to a handler, each until it is done or put aside.

A handler is given a batch and does all of it or none. If it refuses, each event is tried alone, so
that one bad event holds up no other.

- What cannot be read as an event of its type is parked at once: it would be no better tomorrow.
- What the handler refuses is handed out again after a while, and parked after `TRIES` times.
- Where the world is at fault (the store is away, another writer was first) nothing counts as a
  try: the same batch is handled again until the world is back.

Errors: none of the world's; they are waited out. A `BrokenInvariant` ends it.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from bursar.errors import (
    BusError,
    InputError,
    OutcomeUnknown,
    StaleVersion,
    StoreBusy,
    StoreDown,
    StoreFull,
    StoreReadOnly,
    VenueBusy,
    VenueDown,
)
from bursar.events import Envelope, from_fields
from bursar.ports import Bus, Consumer, Delivery, Pause

TRIES: Final = 5
BATCH: Final = 200
WAIT_MS: Final = 1_000
_PAUSES_MS: Final = (50, 100, 250, 500, 1_000, 2_000)
_PASSING: Final = (
    StaleVersion,
    OutcomeUnknown,
    StoreBusy,
    StoreDown,
    StoreFull,
    StoreReadOnly,
    VenueBusy,
    VenueDown,
)


class Handler(Protocol):
    """Takes events in."""

    def check(self, event: Envelope) -> None:
        """Look at one event alone.

        Raises:
            InputError: no later day would make anything of it.
        """
        ...

    async def handle(self, events: Sequence[Envelope]) -> None:
        """Take in a batch, all of it or none. What was taken in before changes nothing."""
        ...


async def consume(bus: Bus, consumer: Consumer, handler: Handler, pause: Pause) -> None:
    """Hand everything that comes to a handler, until this is cancelled."""
    failures = 0
    while True:
        try:
            deliveries = await bus.take(consumer, count=BATCH, wait_ms=WAIT_MS)
            await settle(bus, consumer, deliveries, handler, pause)
            failures = 0
        except BusError:
            await pause(_pause(failures))
            failures += 1


async def settle(
    bus: Bus,
    consumer: Consumer,
    deliveries: Sequence[Delivery],
    handler: Handler,
    pause: Pause,
) -> None:
    """Hand one batch to a handler, and tell the bus what became of each."""
    read: list[tuple[Delivery, Envelope]] = []
    for delivery in deliveries:
        try:
            event = from_fields(delivery.fields, place=delivery.place, at=delivery.at)
            handler.check(event)
        except InputError as error:
            await bus.park(consumer, delivery, _reason(error))
        else:
            read.append((delivery, event))
    if len(read) > 1 and await _refusal(handler, [event for _, event in read], pause) is None:
        await bus.done(consumer, [delivery.place for delivery, _ in read])
        return
    for delivery, event in read:
        refusal = await _refusal(handler, [event], pause)
        if refusal is None:
            await bus.done(consumer, [delivery.place])
        elif delivery.tries >= TRIES:
            await bus.park(consumer, delivery, _reason(refusal))


async def _refusal(handler: Handler, events: Sequence[Envelope], pause: Pause) -> Exception | None:
    """Handle a batch, again and again where only the world is at fault; return what refuses it."""
    failures = 0
    while True:
        try:
            await handler.handle(events)
        except _PASSING:
            await pause(_pause(failures))
            failures += 1
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, it must not hold up others)
            return error
        else:
            return None


def _reason(error: Exception) -> str:
    return f"{getattr(error, 'code', type(error).__name__)}: {error}"


def _pause(failures: int) -> int:
    return _PAUSES_MS[min(failures, len(_PAUSES_MS) - 1)]
