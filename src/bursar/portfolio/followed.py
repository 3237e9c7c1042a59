"""The moments that were kept, walked once and then followed: the fall from the peak, and the day.

The views want to know of the past only where the peak was, how deep equity fell, and what stood at
00:00 UTC, and now and then a stretch of the curve. So the moments are read once, one after the
other, and packed; `look` reads alone what was kept since. Where the past itself has changed
(snapshots went, or one came late), all are read again.

Invariant: what is said is what a walk over all moments before now would say that were kept as of
the last look.

Errors: those of the store.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.measure.curve import Curve, Moment
from bursar.measure.drawdown import Basis, Drawdown, RunningDrawdown, day_of, stands
from bursar.measure.measured import Measured, known, unknown
from bursar.measure.packed import PackedCurve
from bursar.portfolio import snapshots

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.portfolio.portfolio import Portfolio

_LATE = 2 * instant.DAY
"""How far back from the last moment the beginning of a day may look for what stood then."""


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
            return unknown("something held has no price, or capital came at an unknown worth")
        if then is None or not then.is_complete or then.capital is None:
            return unknown("equity at 00:00 UTC was not kept, or not complete")
        return known(now.equity - then.equity - (now.capital - then.capital))


class Followed:
    """The kept moments of one portfolio, as far as they lie before now."""

    def __init__(self) -> None:
        self._trail: snapshots.Trail | None = None
        self._is_read = False
        self._begin()

    @money
    def look(self, portfolio: Portfolio, now: int) -> None:
        """Take up what this process or another has kept before now. O(what is new)."""
        store = portfolio.desk.store
        trail, before = snapshots.trail(store), self._trail
        if trail is None or before is None or trail.epoch != before.epoch:
            self._begin()
            self._take(snapshots.moments(store), now)
        elif trail.last > before.last:
            new = snapshots.moments(store, instant.to_datetime(before.last))
            self._take((each for each in new if each.at > before.last), now)
        self._trail, self._is_read = trail, True

    def drawdown(self, portfolio: Portfolio, now: Moment) -> Drawdown:
        """Return how far equity is below its peak, without windows and falls. O(new moments)."""
        self._reach(portfolio, now.at)
        seen = self._running
        if now.is_complete:
            seen = seen.then(now.at, now.equity)
        return stands(seen, basis=Basis.EQUITY, now=now.at)

    def today(self, portfolio: Portfolio, now: Moment) -> Today:
        """Return now and what the day began with. O(new moments)."""
        self._reach(portfolio, now.at)
        start = day_of(now.at)
        end = bisect_right(self._late, start, key=_at)
        early = self._late[end - 1] if end else None
        if early is None or early.at < start - instant.DAY:
            early = _first(portfolio, start)
        return Today(now, early)

    def curve(
        self, portfolio: Portfolio, now: Moment, start: int | None = None, end: int | None = None
    ) -> Curve:
        """Return what the moments make with now, of a stretch of time; `window` says what of it.

        O(moments of the stretch).
        """
        self._reach(portfolio, now.at)
        return self._packed.curve(now, start, end)

    def has_any(self, portfolio: Portfolio, now: Moment) -> bool:
        """Tell whether any moment before now was kept."""
        self._reach(portfolio, now.at)
        return bool(self._packed)

    def _begin(self) -> None:
        self._running = RunningDrawdown()
        self._packed = PackedCurve()
        self._reached = -1
        self._late: list[Moment] = []
        self._waiting: deque[Moment] = deque()

    @money
    def _reach(self, portfolio: Portfolio, now: int) -> None:
        """Walk on to the last moment before now; from the first one if that went by."""
        if self._reached >= now or not self._is_read:
            self._trail = None
            self.look(portfolio, now)
        self._walk(now)

    def _take(self, moments: Iterable[Moment], now: int) -> None:
        """See moments as far as they lie before now; the others wait."""
        for moment in moments:
            self._waiting.append(moment)
            self._walk(now)
        self._walk(now)

    def _walk(self, now: int) -> None:
        while self._waiting and self._waiting[0].at < now:
            self._see(self._waiting.popleft())

    def _see(self, moment: Moment) -> None:
        self._packed.add(moment)
        if moment.is_complete:
            self._running.see(moment.at, moment.equity)
            self._running.falls.clear()  # nobody asks for them here
        self._late.append(moment)
        self._reached = moment.at
        if self._late[0].at < moment.at - 2 * _LATE:
            del self._late[: bisect_left(self._late, moment.at - _LATE, key=_at)]


def _first(portfolio: Portfolio, start: int) -> Moment | None:
    """Return nothing for a day before which there was nothing."""
    timeline = portfolio.desk.timeline
    is_new = timeline.is_whole and (not timeline.order or timeline.order[0][0] >= start)
    return Moment(start, ZERO, ZERO) if is_new else None


def _at(moment: Moment) -> int:
    return moment.at
