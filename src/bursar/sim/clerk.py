"""A clerk: one process that keeps one portfolio at a desk, reading feeds and doing orders.

It is what bursar's own loops are to be. It reads each venue page by page, commits each page, and
moves on only when that was acknowledged; told that its view is stale it reads anew; told nothing it
submits the same again, under the same id. When it dies it forgets everything but the orders, which
are the user's.

An order is acknowledged, refused, or unknown. Only `again` with the same id may follow an unknown,
so that the ledger can tell that it was there.

Errors: `Wrong` for what must not happen; it ends the world.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec

from bursar.desk import Desk
from bursar.errors import (
    BursarError,
    ConflictError,
    LedgerError,
    OutcomeUnknown,
    StoreCorrupt,
    StoreError,
)
from bursar.ledger import audit
from bursar.ledger.entries import AnyEntry
from bursar.ledger.instant import SECOND
from bursar.sim.chance import hits
from bursar.sim.faults import Fault, Weather
from bursar.sim.happening import START
from bursar.sim.orders import Order, State
from bursar.sim.practice import Practice
from bursar.sim.shelf import Crash, Line
from bursar.sim.story import Story, Wrong
from bursar.sim.venue import Down, Feed

_CRASH_AT_AWAIT: Final = 0.1
_JUMP_MAX: Final = 86_400 * SECOND


class JumpingClock:
    """A clock that runs with the loop, and jumps."""

    def __init__(self, seconds: Callable[[], float], weather: Weather, chance: Random) -> None:
        self._seconds = seconds
        self._weather = weather
        self._chance = chance
        self._offset = 0

    def now(self) -> int:
        """Return the instant that this machine believes in."""
        if self._weather.strikes(Fault.CLOCK, self._chance):
            self._offset = self._chance.randint(-_JUMP_MAX, _JUMP_MAX)
        return START + int(self._seconds() * SECOND) + self._offset


class Life(msgspec.Struct, frozen=True):
    """What a clerk lives by: its world's weather, story and practice, its own chance and clock."""

    weather: Weather
    story: Story
    practice: Practice
    chance: Random
    clock: JumpingClock
    span: float


class Clerk:
    """One process at one portfolio's desk."""

    def __init__(
        self, name: str, line: Line, feeds: Sequence[Feed], orders: Sequence[Order], life: Life
    ) -> None:
        self.name = name
        self.orders = orders
        self.desk: Desk | None = None
        self._line = line
        self._feeds = feeds
        self._places = [0] * len(feeds)
        self._next = 0
        self._life = life
        self._chance = life.chance

    @property
    def unsettled(self) -> str:
        """What keeps this clerk from being done; empty when nothing does."""
        if self.desk is None:
            return "is not up"
        for feed, place in zip(self._feeds, self._places, strict=True):
            if place < len(feed):
                return f"has read {place} of {len(feed)} statements of {feed.name}"
        for order in self.orders:
            if not order.is_done:
                return f"has order {order.entry.id} {order.state.value}"
        newest = self._line.shelf.heads[-1].version
        if self.desk.head.version != newest:
            return f"is at version {self.desk.head.version} of {newest}"
        return ""

    async def live(self) -> None:
        """Work, die, rise again, until the world ends."""
        while True:
            try:
                await self._work()
            except Crash:
                self._tell("died")
            except StoreCorrupt as error:
                self._life.story.errors[type(error).__name__] += 1
                if not self._line.has_garbled:
                    raise Wrong(f"{self.name}: a sound journal is refused: {error}") from error
                self._tell(f"stops: {error}")
            self.desk = None
            self._places = [0] * len(self._feeds)
            await asyncio.sleep(self._chance.uniform(0.5, 5))

    async def _work(self) -> None:
        while self.desk is None:
            await self._wait(self._chance.uniform(0, 0.5))
            self._line.has_garbled = False
            self.desk = Desk(self._life.practice.store(self._line), self._life.clock)
            self._tell(f"opens at version {self.desk.head.version}")
        while True:
            await self._wait(self._chance.uniform(0.1, 1 if self._life.weather.has_healed else 4))
            self._line.has_garbled = False
            now = asyncio.get_running_loop().time()
            order = next((o for o in self.orders if not o.is_done and o.due <= now), None)
            if order is not None:
                await self._do(order)
            elif self._feeds:
                await self._read(self._next % len(self._feeds))
                self._next += 1
            if self._line.head().version != self.desk.head.version:
                self.desk.reload()

    async def _read(self, number: int) -> None:
        """Read one page of a feed and commit it; the place moves only when that is acknowledged."""
        feed, after = self._feeds[number], self._places[number]
        await self._wait(self._chance.uniform(0.01, 0.3))
        progress = asyncio.get_running_loop().time() / self._life.span
        try:
            page = feed.page(after, progress, self._chance)
        except Down:
            self._tell(f"{feed.name} does not answer")
            return
        entries = self._life.practice.take(page.entries)
        if await self._post(f"{feed.name} {after}–{page.after}", entries) is State.ACKNOWLEDGED:
            self._places[number] = page.after

    async def _do(self, order: Order) -> None:
        was_unknown = order.state is State.UNKNOWN
        entry = order.entry
        if was_unknown:
            entry = self._life.practice.again(entry, order.tries)
        order.tries += 1
        order.state = State.UNKNOWN  # if the clerk dies now, nobody knows
        became = await self._post(f"order {entry.id}", [entry])
        if became is State.WAITING and was_unknown:
            became = State.UNKNOWN
        elif became is State.WAITING and order.tries >= order.tries_max:
            became = State.REFUSED
        order.state = became

    async def _post(self, what: str, entries: list[AnyEntry]) -> State:
        """Stage, think, commit. WAITING: nothing was written, and it may be tried again."""
        assert self.desk is not None
        if not entries:
            return State.ACKNOWLEDGED
        try:
            staged = self.desk.stage(entries)
            if hits(self._chance, 0.5):
                await self._wait(self._chance.uniform(0, 2))
            receipt = self.desk.commit(staged)
        except (LedgerError, ConflictError, StoreError) as error:
            return self._failed(what, error)
        broken = audit.breaches(self.desk.timeline.book)
        if broken:
            raise Wrong(f"{self.name}: the books do not close: {broken[0]}")
        told = receipt.review
        self._tell(
            f"{what}: version {receipt.version}, {told.recorded} recorded,"
            f" {told.duplicates} duplicates, {len(told.conflicts)} conflicts"
        )
        return State.ACKNOWLEDGED

    def _failed(self, what: str, error: BursarError) -> State:
        assert self.desk is not None
        self._life.story.errors[type(error).__name__] += 1
        self._tell(f"{what}: {type(error).__name__}")
        if isinstance(error, StoreCorrupt):
            raise error
        if isinstance(error, LedgerError):
            return State.REFUSED
        if isinstance(error, OutcomeUnknown) and self._line.could_tell:
            raise Wrong(f"{self.name}: the desk calls unknown what is in the journal")
        if isinstance(error, ConflictError | OutcomeUnknown):
            self.desk.reload()
        return State.UNKNOWN if isinstance(error, OutcomeUnknown) else State.WAITING

    async def _wait(self, seconds: float) -> None:
        """Wait, and now and then die of it."""
        await asyncio.sleep(seconds)
        if hits(self._chance, _CRASH_AT_AWAIT) and self._life.weather.strikes(
            Fault.CRASH, self._chance
        ):
            raise Crash

    def _tell(self, what: str) -> None:
        self._life.story.tell(self.name, what)
