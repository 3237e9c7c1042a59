"""What trade records come to: round trips, and what was realised lately. Read once, then followed.

While facts are only added at the end (`Timeline.trunk`), so are trade records: a commit costs what
it has added. Where the past itself has changed, or a record stands before one that was read, all
are read again.

Invariant: what is said is what reading all records from nothing would say.

Errors: those of the store.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.instant import day_start, month_start, week_start
from bursar.ledger.records import is_shift
from bursar.measure.trips import TripBook, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.ledger.records import RealizedPnLRecord
    from bursar.portfolio.portfolio import Portfolio
    from bursar.ports import Head

Made = dict[str | None, tuple[Decimal, Decimal, Decimal]]
"""What trades realised of each asset: today, this week, this month."""

_Place = tuple[datetime, str, str]
_NOTHING: Final = ZERO, ZERO, ZERO


class Closings:
    """The trade records of one portfolio, as of the last question. `read` counts them."""

    def __init__(self) -> None:
        self.read = 0
        self._head: Head | None = None
        self._trunk: object = None
        self._shorts: frozenset[str] = frozenset()
        self._pairs: dict[str, str | None] = {}
        self._last: list[_Place] = []
        self._recent = _Recent(0)
        self.book = TripBook({})

    def reach(self, portfolio: Portfolio, assets: Mapping[str, str]) -> None:
        """Read on to the book as it stands. `assets` tells the asset of each pair.

        O(records that are new), and a glance at each pair.
        """
        desk = portfolio.desk
        if self._head is desk.head:
            return
        trunk, shorts = desk.timeline.trunk, frozenset(portfolio.book().shorts)
        is_on = trunk is self._trunk and shorts == self._shorts and self._knows(assets)
        new = self._added(portfolio) if is_on else None
        self._head = self._trunk = None  # what fails halfway is not kept
        if new is None:
            self._begin(assets, desk.timeline.terms.cash, shorts, now=desk.clock.now())
            new = in_order(desk.store.get_shifted()[::-1])
        self._follow(new, assets)
        self._head, self._trunk = desk.head, trunk

    def made(self, portfolio: Portfolio, now: int) -> Made:
        """Return what trades realised of each asset today, this week and this month.

        O(1) for each record that is new, and once a day O(records since the month or the week
        began).
        """
        if _since(now) < self._recent.floor:
            self._recent = _Recent(_since(now))
            since = instant.to_datetime(self._recent.floor)
            for each in portfolio.desk.store.get_trades(None, None, since)[::-1]:
                self._recent.add(each, self._pairs.get(each.pair))
        return self._recent.made(now)

    def _begin(
        self, assets: Mapping[str, str], cash: frozenset[str], shorts: frozenset[str], *, now: int
    ) -> None:
        self._shorts, self._pairs, self._last = shorts, {}, []
        self._recent = _Recent(_since(now))
        self.book = TripBook(assets, cash=cash, shorts=shorts)

    def _knows(self, assets: Mapping[str, str]) -> bool:
        """Tell whether every pair that was read is of the asset it was."""
        return all(assets.get(pair) == asset for pair, asset in self._pairs.items())

    def _added(self, portfolio: Portfolio) -> list[RealizedPnLRecord] | None:
        """Return the records that came at the end; `None` if one stands before the last read."""
        since = self._last[-1][0] if self._last else None
        found = in_order(portfolio.desk.store.get_shifted(since)[::-1])
        count = len(self._last)
        if [_place(each) for each in found[:count]] != self._last:
            return None
        new = found[count:]
        is_torn = new and self._last and _place(new[0])[:2] == self._last[-1][:2]
        return None if is_torn else new

    def _follow(self, records: list[RealizedPnLRecord], assets: Mapping[str, str]) -> None:
        self.read += len(records)
        self.book.assets = assets
        self.book.follow(records)
        for each in records:
            if not is_shift(each):
                asset = self._pairs[each.pair] = assets.get(each.pair)
                self._recent.add(each, asset)
        if records:
            # Those of the last instant: they are what the next question finds again.
            known = [*self._last, *map(_place, records)]
            self._last = [each for each in known if each[0] == known[-1][0]]


class _Recent:
    """What was realised since an instant (`floor`), by asset. Records come in order of time."""

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self._told: list[tuple[int, str | None, Decimal]] = []
        self._next = 0
        self._now = 0
        self._made: Made = {}

    def add(self, record: RealizedPnLRecord, asset: str | None) -> None:
        """Take in a record."""
        at = instant.from_datetime(record.time)
        if at >= self.floor:
            self._told.append((at, asset, record.pnl_base))

    @money
    def made(self, now: int) -> Made:
        """Return what each asset made today, this week, this month; not before the floor's time.

        A record of a time to come counts from then on.
        """
        if now < self._now or day_start(now) != day_start(self._now):
            self.floor = _since(now)
            self._told = [each for each in self._told if each[0] >= self.floor]
            self._next, self._made = 0, {}
        self._now = now
        starts = day_start(now), week_start(now), month_start(now)
        while self._next < len(self._told) and self._told[self._next][0] <= now:
            at, asset, pnl = self._told[self._next]
            known = self._made.get(asset, _NOTHING)
            today, week, month = (
                total + pnl if at >= start else total
                for total, start in zip(known, starts, strict=True)
            )
            self._made[asset] = today, week, month
            self._next += 1
        return self._made


def _place(record: RealizedPnLRecord) -> _Place:
    return record.time, record.trade_id, record.kind


def _since(now: int) -> int:
    """Return when the month or the week began, whichever was first."""
    return min(month_start(now), week_start(now))
