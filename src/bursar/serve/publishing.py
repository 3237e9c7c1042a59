"""Publishing: what has changed goes out, coalesced; what others commit is taken up.

Runs in the keeper's thread. Every second it looks whether another process has committed, and
whether tokens came or went. What is touched is published at once after a quiet interval, and at
most once an interval; every few seconds it is published anyway, since marks grow old and days end.

Where the views cannot be made, the last good ones stay on the shelf and the health says so.

Errors: `SchemaNewer` alone leaves here; what else went wrong is kept as `trouble`.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from bursar.desk.metrics import NONE as NO_COUNTS
from bursar.desk.metrics import Counts
from bursar.errors import (
    BursarError,
    OutcomeUnknown,
    SchemaNewer,
    StoreBusy,
    StoreDown,
    StoreError,
)
from bursar.ledger import instant
from bursar.portfolio.portfolio import Portfolio
from bursar.ports import Clock, Head
from bursar.serve import tokens
from bursar.serve.keeper import Opened
from bursar.serve.logs import LOG
from bursar.serve.pace import Pace
from bursar.serve.shelf import Coverage, Publication, View, published
from bursar.serve.tokens import Ring
from bursar.serve.views import Seen, Speller, at_one, glance, seen

LOOK_EVERY_S: Final = 1
ANYWAY_EVERY: Final = 5 * instant.SECOND
_BACK: Final = {StoreDown.code, OutcomeUnknown.code}
"""What is over once the store answers, if only a question."""


class Trouble(msgspec.Struct, frozen=True):
    """Why the last publication, or the last write, failed, and when that began."""

    code: str
    message: str
    since: int


class State(msgspec.Struct, frozen=True):
    """How publishing goes; replaced as a whole, so any thread may read it."""

    published_at: int = 0
    version: int = 0
    seq: int = 0
    took: int = 0
    count: int = 0
    halted: str | None = None
    coverage: Coverage | None = None
    trouble: Trouble | None = None
    unwritten: Trouble | None = None
    counts: Counts = NO_COUNTS


class Publisher:
    """Makes publications and hands them over. `post` and `admit` are called in the keeper's thread.

    `post` takes a publication, `admit` the tokens when they are others than before.
    """

    def __init__(
        self,
        post: Callable[[Publication], None],
        admit: Callable[[Ring], None],
        *,
        interval: int,
    ) -> None:
        self.state = State()
        self.pace = Pace(interval)
        self._post = post
        self._admit = admit
        self._woken = asyncio.Event()
        self._before: Mapping[str, View] | None = None
        self._speller = Speller()
        self._ring: Ring | None = None
        self.listener: Callable[[Portfolio, Seen], None] | None = None
        self._stood: object = None
        self._head: Head | None = None
        self._looked: Trouble | None = None
        self._counts = NO_COUNTS

    def touch(self) -> None:
        """Say that something has changed. For the keeper's thread alone."""
        self.pace.touch()
        self._woken.set()

    @contextmanager
    def writing(self, clock: Clock) -> Iterator[None]:
        """Note how a write goes: that the store takes none is trouble, until it takes one.

        That it is busy passes by itself, and reading shows nothing of a full or a missing disk.
        """
        try:
            yield
        except StoreBusy:
            raise
        except StoreError as error:
            known = self.state.unwritten or Trouble("", "", clock.now())
            trouble = Trouble(error.code, error.message, known.since)
            self.state = msgspec.structs.replace(self.state, unwritten=trouble)
            raise
        self.wrote()

    def wrote(self) -> None:
        """Note that the store took a write."""
        if self.state.unwritten is not None:
            self.state = msgspec.structs.replace(self.state, unwritten=None)

    async def run(self, opened: Opened) -> None:
        """Publish for as long as the book is open."""
        clock = opened.service.portfolio.desk.clock
        looked = 0
        while True:
            now = clock.now()
            if not 0 <= now - looked < LOOK_EVERY_S * instant.SECOND:  # or the clock was set back
                looked = now
                self.look(opened)
            due = self.pace.due_in(now)
            if due == 0:
                self.publish(opened)
                continue
            wait_s = min(LOOK_EVERY_S, LOOK_EVERY_S if due is None else due / instant.SECOND)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            self._woken.clear()

    def look(self, opened: Opened) -> None:
        """Take up what others have committed, and the tokens; touch where something is new.

        Raises:
            SchemaNewer: a newer bursar has brought the book along.
        """
        portfolio = opened.service.portfolio
        try:
            portfolio.writer.catch_up()
            glance(portfolio)
            ring = tokens.ring(portfolio.desk.store)
            self._counts = portfolio.transaction_counts()
        except SchemaNewer as error:
            self._fail(error, portfolio.desk.clock.now())
            raise
        except BursarError as error:
            self._looked = self._fail(error, portfolio.desk.clock.now())
            return
        self._looked = None
        if self.state.unwritten is not None and self.state.unwritten.code in _BACK:
            self.wrote()  # a server that answers is not away
        if ring != self._ring:
            self._ring = ring
            self._admit(ring)
        stood = portfolio.desk.head, portfolio.told_version
        old = portfolio.desk.clock.now() - self.state.published_at
        is_due = stood != self._stood or not 0 <= old < ANYWAY_EVERY
        if is_due or self.state.trouble is not None:
            self.touch()

    def publish(self, opened: Opened) -> None:
        """Make the views of this moment, and hand them over."""
        portfolio = opened.service.portfolio
        begun = portfolio.desk.clock.now()
        try:
            found = self._seen(portfolio)
        except Exception as error:  # noqa: BLE001 (the book stays open, and the health says so)
            self._fail(error, begun)
            return
        finally:
            self.pace.published(begun)
        self._stood = portfolio.desk.head, portfolio.told_version
        views = self._speller.spelled(found.found)
        seq, version = self._next(portfolio.desk.clock), portfolio.desk.head.version
        made = published(seq, version, views, self._before, coverage=found.coverage)
        self._before = views
        self.state = State(
            published_at=begun,
            version=version,
            seq=seq,
            took=portfolio.desk.clock.now() - begun,
            count=self.state.count + 1,
            halted=portfolio.desk.halted,
            coverage=found.coverage,
            trouble=self._looked,
            unwritten=self.state.unwritten,
            counts=self._counts,
        )
        self.pace.took(self.state.took)
        self._post(made)
        if self.listener is not None:
            self.listener(portfolio, found)

    def _seen(self, portfolio: Portfolio) -> Seen:
        """Return the views of this moment. A book that was published is at one with what is known
        of its records; of one that has moved on since, they are read.
        """
        if portfolio.desk.head is self._head:
            return seen(portfolio)
        found = at_one(portfolio, lambda: seen(portfolio))
        self._head = portfolio.desk.head
        return found

    def _next(self, clock: Clock) -> int:
        return self.state.seq + 1 if self.state.seq else clock.now() // instant.MS

    def _fail(self, error: Exception, now: int) -> Trouble:
        known = self.state.trouble
        since = now if known is None else known.since
        code, why = str(getattr(error, "code", "internal")), f"{type(error).__name__}: {error}"
        if known is None or known.code != code:
            LOG.warning("PUBLISH_FAILED", code=code, why=why)
        trouble = Trouble(code, why, since)
        self.state = msgspec.structs.replace(self.state, trouble=trouble)
        return trouble
