"""Reading trade records once, and then those that a commit has added.

While facts are only added at the end (`Timeline.trunk`), so are trade records: a commit costs what
it has added. Where the past itself has changed, or a record stands before one that was read, all
are read again.

Invariant: what was read since all were, in its order, is what reading all from nothing would give.

Errors: those of the store. What fails halfway is read again.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from bursar.ledger.records import RealizedPnLRecord, is_shift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from bursar.portfolio.portfolio import Portfolio
    from bursar.ports import Head

    _Place = tuple[datetime, str, str]


class New(msgspec.Struct, frozen=True):
    """Records with shifts, oldest first: what is new, or all. `shorts` may sell what they lack."""

    records: list[RealizedPnLRecord]
    is_anew: bool
    shorts: frozenset[str]


class Reading:
    """How far the trade records of one portfolio were read; `read` counts them, `pairs` are theirs.

    `order` puts those of one instant in order; they come with the oldest first.
    """

    def __init__(self, order: Callable[[list[RealizedPnLRecord]], list[RealizedPnLRecord]]) -> None:
        self.read = 0
        self.pairs: dict[str, str | None] = {}
        self._order = order
        self._head: Head | None = None
        self._trunk: object = None
        self._shorts: frozenset[str] = frozenset()
        self._last: list[_Place] = []

    @contextmanager
    def on(self, portfolio: Portfolio, assets: Mapping[str, str]) -> Iterator[New]:
        """Yield what is new up to the book as it stands. `assets` tells the asset of each pair."""
        desk = portfolio.desk
        head = desk.head
        if self._head is head:
            yield New([], is_anew=False, shorts=self._shorts)
            return
        trunk, shorts = desk.timeline.trunk, frozenset(portfolio.book().shorts)
        is_on = trunk is self._trunk and shorts == self._shorts and self._knows(assets)
        records = self._added(portfolio) if is_on else None
        self._head = self._trunk = None  # what fails halfway is not kept
        if records is None:
            self.pairs, self._last, self._shorts = {}, [], shorts
            new = New(self._order(desk.store.get_shifted()[::-1]), is_anew=True, shorts=shorts)
        else:
            new = New(records, is_anew=False, shorts=shorts)
        yield new
        self._keep(new.records, assets)
        if desk.head is head:  # or else what others wrote was taken up meanwhile
            self._head, self._trunk = head, trunk

    def _knows(self, assets: Mapping[str, str]) -> bool:
        """Tell whether every pair that was read is of the asset it was."""
        return all(assets.get(pair) == asset for pair, asset in self.pairs.items())

    def _added(self, portfolio: Portfolio) -> list[RealizedPnLRecord] | None:
        """Return the records that came at the end; `None` if one stands before the last read."""
        since = self._last[-1][0] if self._last else None
        found = self._order(portfolio.desk.store.get_shifted(since)[::-1])
        count = len(self._last)
        if [_place(each) for each in found[:count]] != self._last:
            return None
        new = found[count:]
        is_torn = new and self._last and _place(new[0])[:2] == self._last[-1][:2]
        return None if is_torn else new

    def _keep(self, records: list[RealizedPnLRecord], assets: Mapping[str, str]) -> None:
        self.read += len(records)
        self.pairs |= {each.pair: assets.get(each.pair) for each in records if not is_shift(each)}
        if records:
            # Those of the last instant: they are what the next question finds again.
            known = [*self._last, *map(_place, records)]
            self._last = [each for each in known if each[0] == known[-1][0]]


def _place(record: RealizedPnLRecord) -> _Place:
    return record.time, record.trade_id, record.kind
