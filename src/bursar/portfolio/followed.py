"""The moments that were kept, walked once and then followed: the fall from the peak, and the day.

The views want to know of the past only where the peak was, how deep equity fell, and what stood at
00:00 UTC. So the moments are read once and let go; `look` reads alone what was kept since. Where
the past itself has changed (snapshots went, or one came late), all are read again.

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
from bursar.measure.curve import Moment
from bursar.measure.drawdown import Basis, Drawdown, RunningDrawdown, day_of, stands
from bursar.measure.measured import Measured, known, unknown
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

    def look(self, portfolio: Portfolio) -> None:
        """Take up what this process or another has kept since. O(what is new)."""
        store = portfolio.desk.store
        trail, before = snapshots.trail(store), self._trail
        if trail is None or before is None or trail.epoch != before.epoch:
            self._begin()
            self._waiting.extend(_ordered(snapshots.moments(store)))
        elif trail.last > before.last:
            since = instant.to_datetime(before.last)
            new = snapshots.moments(store, since)
            self._waiting.extend(_ordered(each for each in new if each.at > before.last))
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

    def _begin(self) -> None:
        self._running = RunningDrawdown()
        self._reached = -1
        self._late: list[Moment] = []
        self._waiting: deque[Moment] = deque()

    def _reach(self, portfolio: Portfolio, now: int) -> None:
        """Walk on to the last moment before now; from the first one if that went by."""
        if self._reached >= now or not self._is_read:
            self._trail = None
            self.look(portfolio)
        while self._waiting and self._waiting[0].at < now:
            self._see(self._waiting.popleft())

    def _see(self, moment: Moment) -> None:
        if moment.is_complete:
            self._running.see(moment.at, moment.equity)
            self._running.falls.clear()  # nobody asks for them here
        self._late.append(moment)
        self._reached = moment.at
        if self._late[0].at < moment.at - 2 * _LATE:
            del self._late[: bisect_left(self._late, moment.at - _LATE, key=_at)]


def _ordered(moments: Iterable[Moment]) -> list[Moment]:
    """Put moments in order of time, one an instant: the later record replaces the earlier."""
    one = {moment.at: moment for moment in moments}
    return [one[at] for at in sorted(one)]


def _first(portfolio: Portfolio, start: int) -> Moment | None:
    """Return nothing for a day before which there was nothing."""
    timeline = portfolio.desk.timeline
    is_new = timeline.is_whole and (not timeline.order or timeline.order[0][0] >= start)
    return Moment(start, ZERO, ZERO) if is_new else None


def _at(moment: Moment) -> int:
    return moment.at
