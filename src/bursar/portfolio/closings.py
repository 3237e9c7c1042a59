"""What trade records come to: round trips, and what was realised lately. Read once, then followed.

Invariant: what is said is what reading all records from nothing would say.

Errors: those of the store.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.instant import day_start, month_start, week_start
from bursar.ledger.records import is_shift
from bursar.measure.coins import NOTHING, KeptCoins, in_order
from bursar.measure.trips import TripBook
from bursar.portfolio.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.ledger.records import RealizedPnLRecord
    from bursar.portfolio.portfolio import Portfolio

Made = dict[str | None, tuple[Decimal, Decimal, Decimal]]
"""What trades realised of each asset: today, this week, this month."""

_NOTHING: Final = ZERO, ZERO, ZERO


class Closings:
    """The trade records of one portfolio, as of the last question. `read` counts them."""

    def __init__(self) -> None:
        self._reading = Reading(self, in_order)
        self._recent = _Recent(0)
        self._cash, self._now = NOTHING, 0
        self.book = TripBook({})

    @property
    def read(self) -> int:
        """How many records were read."""
        return self._reading.read

    def reach(self, portfolio: Portfolio, assets: Mapping[str, str]) -> None:
        """Read on to the book as it stands. `assets` tells the asset of each pair.

        O(records that are new or other), and a glance at each pair.
        """
        self._cash, self._now = portfolio.desk.timeline.terms.cash, portfolio.desk.clock.now()
        self._reading.reach(portfolio, assets)
        self.book.coins.assets = assets

    def begin(self, shorts: frozenset[str]) -> None:
        """Forget everything."""
        self._recent = _Recent(_since(self._now))
        self.book = TripBook({}, cash=self._cash, shorts=shorts)

    def follow(self, records: list[RealizedPnLRecord], assets: Mapping[str, str]) -> None:
        """Take in records."""
        self.book.coins.assets = assets
        self.book.follow(records)
        for each in records:
            if not is_shift(each):
                self._recent.add(each, assets.get(each.pair))

    def kept(self) -> KeptCoins:
        """Return what going back to here takes."""
        return self.book.coins.kept()

    def back(self, kept: KeptCoins, end: int) -> None:
        """Be as it was with the records from before an instant."""
        self.book.back(kept, end)
        self._recent.back(end)

    def made(self, portfolio: Portfolio, now: int) -> Made:
        """Return what trades realised of each asset today, this week and this month.

        O(1) for each record that is new, and once a day O(records since the month or the week
        began).
        """
        if _since(now) < self._recent.floor:
            self._recent = _Recent(_since(now))
            since = instant.to_datetime(self._recent.floor)
            for each in portfolio.desk.store.get_trades(None, None, since)[::-1]:
                self._recent.add(each, self._reading.pairs.get(each.pair))
        return self._recent.made(now)


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

    def back(self, end: int) -> None:
        """Forget what came at an instant or later."""
        self._told = [each for each in self._told if each[0] < end]
        self._next, self._made = 0, {}

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


def _since(now: int) -> int:
    """Return when the month or the week began, whichever was first."""
    return min(month_start(now), week_start(now))
