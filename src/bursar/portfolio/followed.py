"""The moments that were kept, walked once and then followed: the fall from the peak, and the day.

The views want to know of the past only where the peak was, how deep equity fell, and what stood at
00:00 UTC, and now and then a stretch of the curve. So the moments are walked once, one after the
other (`portfolio.walk`), from where an earlier process wrote down that it stood; `look` reads alone
what was kept since. Where the past itself has changed (snapshots went, one came late, or a split is
known now that some missed), all are read again.

Invariant: what is said is what a walk over all moments before now would say that were kept as of
the last look.

Errors: those of the store.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from itertools import chain, takewhile
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.errors import StoreError
from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.turns import BEGINNING
from bursar.measure.curve import Link, Moment, linked
from bursar.measure.drawdown import Basis, Drawdown, stands
from bursar.measure.measured import Measured, known, unknown
from bursar.measure.packed import BLOCK, Course, PackedCurve
from bursar.measure.returns import DayCloses
from bursar.portfolio import snapshots, walk
from bursar.portfolio.joining import Before, First, Joining
from bursar.portfolio.units import Doubts
from bursar.value.peaks import Peaks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.portfolio.portfolio import Portfolio
    from bursar.ports import Head, PortfolioStore

_NO_PRICE: Final = "something held has no price, or capital came or went at an unknown worth"


class Today(msgspec.Struct, frozen=True):
    """Now, and what stood at 00:00 UTC.

    `opening` is the last moment of the day before that, or nothing where nothing was there yet;
    `None` if it was not kept.
    """

    now: Moment
    opening: Moment | None

    @property
    @money
    def day_pnl(self) -> Measured:
        """What today made: equity now less equity at 00:00 less the capital between."""
        now, then = self.now, self.opening
        if not now.is_complete or now.capital is None:
            return unknown(_NO_PRICE)
        if then is None or not then.is_complete or then.capital is None:
            return unknown("equity at 00:00 UTC was not kept, or not complete")
        return known(now.equity - then.equity - (now.capital - then.capital))


class Followed:
    """The kept moments of one portfolio, as far as they lie before now, packed by `block`."""

    def __init__(self, *, block: int = BLOCK) -> None:
        self._block = block
        self.joining = Joining()
        self._first: First | None = None
        self._trail: snapshots.Trail | None = None
        self._doubted: Doubts = ()
        self._asked: tuple[snapshots.Trail, Head] | None = None
        self._is_read = False
        self._written: tuple[int, int] | None = None
        self._begin(walk.Walk(block=block))

    @money
    def look(self, portfolio: Portfolio, now: int) -> None:
        """Take up what this process or another has kept before now. O(what is new); the first time
        O(blocks that were written down, and what is new since).
        """
        store = portfolio.desk.store
        trail, before = snapshots.trail(store), self._trail
        if self._is_doubted_anew(portfolio, trail):
            before = None
        if trail is None:
            self._begin(walk.Walk(block=self._block))
            self._take(snapshots.moments(store, doubted=self._doubted), now)
        elif before is None or trail.epoch != before.epoch:
            self._begin_anew(store, trail, before, now)
        elif trail.last > before.last:
            self._take(self._since(store, before.last), now)
        self._trail, self._is_read = trail, True

    def _is_doubted_anew(self, portfolio: Portfolio, trail: snapshots.Trail | None) -> bool:
        """Ask which moments missed a split, where a snapshot or the book is another than before."""
        head, before = portfolio.desk.head, self._doubted
        if trail is None or self._asked != (trail, head):
            splits = portfolio.desk.timeline.splits.values()
            self._doubted = snapshots.doubts(portfolio.desk.store, splits)
            self._asked = None if trail is None else (trail, head)
        return self._doubted != before

    def write(self, portfolio: Portfolio) -> None:
        """Write down where the walk stands, for the next start, if it came to the end of a block.

        O(1), and O(blocks that are new).
        """
        trail, stand = self._trail, self._walked.stand
        if trail is None or stand is None or self._written == (trail.epoch, stand.blocks):
            return
        known = self._written[1] if self._written else 0
        with suppress(StoreError):  # a shortcut: the snapshots are no worse without it
            walk.write(
                portfolio.desk.store,
                trail.epoch,
                self._walked,
                known=known,
                doubted=self._doubted,
            )
            self._written = (trail.epoch, stand.blocks)

    def drawdown(self, portfolio: Portfolio, now: Moment) -> Drawdown:
        """Return how far equity is below its peak, without windows and falls. O(new moments)."""
        self._reach(portfolio, now.at)
        seen = self._walked.running
        if now.is_complete:
            seen = seen.twin()
            seen.see(now.at, now.equity)
        return stands(seen, basis=Basis.EQUITY, now=now.at)

    def peaks(self, portfolio: Portfolio, now: int) -> Peaks:
        """Return the highest worth of all that was owned, as of the last moment. O(new moments)."""
        self._reach(portfolio, now)
        seen = self._walked.running
        if seen.at is None:
            return Peaks()
        return Peaks(seen.at, seen.value, seen.peak, seen.week_high, seen.day_high)

    def today(self, portfolio: Portfolio, now: Moment) -> Today:
        """Return now and what the day began with. O(new moments)."""
        self._reach(portfolio, now.at)
        start = instant.day_start(now.at)
        early = self._walked.stood(start)
        if early is None or early.at < start - instant.DAY:
            early = beginning(portfolio, start)
        return Today(now, early)

    def course(
        self, portfolio: Portfolio, now: Moment, start: int | None = None, end: int | None = None
    ) -> Course:
        """Return what the moments make with now and with what is before them, of a stretch of time;
        `window` says what of it.

        O(new moments), and what `before` takes; walking it is O(moments of the stretch).
        """
        before = self.before(portfolio, now, start)
        prelude = None if before is None else before.prelude
        return self._walked.packed.course(now, start, end, prelude)

    def closes(self, portfolio: Portfolio, now: Moment) -> DayCloses:
        """Return the closes of all days, today's as of now. O(days, new moments)."""
        before = self.before(portfolio, now)
        walked, points = self._walked, [self._walked.packed.then(now)]
        if before is None:
            closes = walked.closes.twin()
        else:
            closes, points = before.prelude.closes(walked.closes), before.prelude.then(points)
        for point in points:
            closes.see(point)
        return closes

    def linked(self, portfolio: Portfolio, now: Moment) -> Moment | None:
        """Return the kept moment that now is linked to. O(new moments)."""
        self._reach(portfolio, now.at)
        link = self._walked.packed.last
        return None if link is None else link[0]

    def before(self, portfolio: Portfolio, now: Moment, start: int | None = None) -> Before | None:
        """Return what comes before the kept moments, for the curve from `start` on (`joining`)."""
        self._reach(portfolio, now.at)
        if self._walked.last is not None and (self._first is None or self._first.joint is None):
            self._first = _first(self._walked.packed)
        return self.joining.before(portfolio, self._first, now, start)

    def _begin(self, walked: walk.Walk) -> None:
        self._walked = walked
        self._first = None
        self._waiting: deque[Moment] = deque()
        self._newest = -1 if walked.last is None else walked.last.at

    def _begin_anew(
        self,
        store: PortfolioStore,
        trail: snapshots.Trail,
        before: snapshots.Trail | None,
        now: int,
    ) -> None:
        """Walk the moments of another past, or go on from where that was written down."""
        known = walk.read(store, trail.epoch, self._block, doubted=self._doubted)
        if known.last is not None and known.last.at < now:
            moments = self._since(store, known.last.at)
        else:
            known, moments = walk.Walk(block=self._block), self._spliced(store, trail, before)
        self._written = (trail.epoch, 0 if known.stand is None else known.stand.blocks)
        self._begin(known)
        self._take(moments, now)

    def _spliced(
        self, store: PortfolioStore, trail: snapshots.Trail, before: snapshots.Trail | None
    ) -> Iterable[Moment]:
        """Return all kept moments. Where only a part of them became others, the rest are those that
        were walked before, which takes a third of the time.
        """
        changed, whole = trail.changed, snapshots.moments(store, doubted=self._doubted)
        if before is None or changed is None or trail.epoch != before.epoch + 1:
            return whole
        return chain(
            takewhile(lambda each: each.at <= changed, whole),
            self._walked.packed.moments(changed + 1),
            [each for each in self._waiting if each.at > changed],
            self._since(store, max(before.last, changed)),
        )

    def _since(self, store: PortfolioStore, at: int) -> Iterable[Moment]:
        """Return the kept moments from an instant on."""
        return snapshots.moments(store, instant.to_datetime(at), self._doubted)

    @money
    def _reach(self, portfolio: Portfolio, now: int) -> None:
        """Walk on to the last moment before now; from the first one if that went by."""
        last = self._walked.last
        if not self._is_read or (last is not None and last.at >= now):
            self._trail = None
            self.look(portfolio, now)
        self._go_on(now)

    def _take(self, moments: Iterable[Moment], now: int) -> None:
        """See moments that are new, as far as they lie before now; the others wait."""
        for moment in moments:
            if moment.at > self._newest:
                self._newest = moment.at
                self._waiting.append(moment)
                self._go_on(now)
        self._go_on(now)

    def _go_on(self, now: int) -> None:
        while self._waiting and self._waiting[0].at < now:
            self._walked.see(self._waiting.popleft())


def _first(packed: PackedCurve) -> First | None:
    """Return how kept moments begin. O(moments until the first that has a unit price)."""
    at: int | None = None
    known: Moment | None = None
    last: Link | None = None
    for moment in packed.moments(BEGINNING):
        at = moment.at if at is None else at
        point, last = linked(moment, last)
        if known is None and not (moment.is_complete and not moment.equity and not moment.capital):
            known = moment
        if known is not None and point.nav is not None:
            return First(at, known, moment, point.nav)
    return None if at is None else First(at, known, None, None)


def beginning(portfolio: Portfolio, start: int) -> Moment | None:
    """Return nothing for a time before which there was nothing."""
    timeline = portfolio.desk.timeline
    is_new = timeline.is_whole and (not timeline.order or timeline.order[0][0] >= start)
    return Moment(start, ZERO, ZERO) if is_new else None
