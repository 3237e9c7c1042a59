"""Reading trade records once, and then those that a commit has added or changed.

While facts are only added at the end, so are trade records: a commit costs what it has added. Where
the past itself has changed, whoever follows goes back to what was kept before that, and reads again
from there: about as many records as stand behind the change. What was kept lies the closer
together the less is behind it; before the first of it, all records are read.

Invariant: what was read, in its order, is what reading all from nothing would give.

Errors: those of the store. What fails halfway is read again.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import msgspec

from bursar.ledger import instant
from bursar.ledger.records import RealizedPnLRecord, is_shift
from bursar.ledger.turns import BEGINNING, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.portfolio.portfolio import Portfolio
    from bursar.ports import Head

SPACING: Final = 256  # records from one copy to the next
NOBODY: Final[frozenset[str]] = frozenset()

K = TypeVar("K")
Records = list[RealizedPnLRecord]
_Place = tuple[datetime, str, str]


class Follower(Protocol[K]):
    """Whom records are read to, oldest first; `assets` tells the asset of each of their pairs."""

    def begin(self, shorts: frozenset[str]) -> None:
        """Forget everything; `shorts` may sell what they lack."""
        ...

    def follow(self, records: Records, assets: Mapping[str, str]) -> None:
        """Take in records: of each instant all, or what came of it beside what was told before."""
        ...

    def kept(self) -> K:
        """Return what going `back` to here takes."""
        ...

    def back(self, kept: K, end: int) -> None:
        """Be as it was then: with the records from before an instant."""
        ...


class Copy(msgspec.Struct, Generic[K], frozen=True):
    """What was kept after so many times `SPACING` records; `last` are those of its last instant."""

    number: int
    last: list[_Place]
    pairs: dict[str, str | None]
    kept: K

    @property
    def end(self) -> int:
        """The first instant of which nothing was read."""
        return _end(self.last)


class Bookmark(msgspec.Struct, Generic[K], frozen=True):
    """A copy, and who could sell what they lacked."""

    copy: Copy[K]
    shorts: frozenset[str]


class Reading(Generic[K]):
    """How far the trade records of one portfolio were read to a follower.

    `read` counts them, `pairs` are theirs. `order` puts those of one instant in order; they come
    with the oldest first.
    """

    def __init__(self, follower: Follower[K], order: Callable[[Records], Records]) -> None:
        self.read = 0
        self.pairs: dict[str, str | None] = {}
        self._follower = follower
        self._order = order
        self._head: Head | None = None
        self._turn: Turn | None = None
        self._shorts = NOBODY
        self._last: list[_Place] = []
        self._copies: list[Copy[K]] = []
        self._ahead = 0
        self._resumed: int | None = None

    def reach(self, portfolio: Portfolio, assets: Mapping[str, str]) -> int | None:
        """Read on to the book as it stands. `assets` tells the asset of each pair.

        Return from which instant on what followed before may have become other; `None`: nothing.
        """
        desk = portfolio.desk
        head, turn = desk.head, desk.timeline.turns.last
        if self._head is head:
            return None
        since = self._changed_since(portfolio, assets)
        self._head = self._turn = None  # what fails halfway is not kept
        gone, self._resumed = self._resumed, None  # others have told what came behind a bookmark
        if since is not None and not (self._last and _end(self._last) <= since):
            gone = self._back(since)
        new = self._added(portfolio)
        while new is None:  # what came stands among what was read
            gone = self._back(instant.from_datetime(self._last[-1][0]))
            new = self._added(portfolio)
        self._follow(new, assets)
        if desk.head is head:  # or else what others wrote was taken up meanwhile
            self._head, self._turn = head, turn
        return gone

    @property
    def bookmark(self) -> Bookmark[K] | None:
        """The latest copy, for somebody to `resume` from, if there is one."""
        if not self._copies:
            return None
        return Bookmark(self._copies[-1], self._shorts)

    def resume(self, bookmark: Bookmark[K], portfolio: Portfolio) -> None:
        """Go on from a bookmark of the book as it stands."""
        self._copies, self._shorts = [bookmark.copy], bookmark.shorts
        self._follower.begin(self._shorts)
        self._be(bookmark.copy)
        self._head, self._turn = None, portfolio.desk.timeline.turns.last
        self._resumed = bookmark.copy.end

    def forget(self) -> None:
        """Begin anew with the next question."""
        self._head = self._turn = None

    def _changed_since(self, portfolio: Portfolio, assets: Mapping[str, str]) -> int | None:
        shorts = frozenset(portfolio.book().shorts)
        if shorts != self._shorts:
            self._shorts = shorts
            return BEGINNING
        since = portfolio.desk.timeline.turns.since(self._turn)
        if _is_of(self.pairs, assets):
            return since
        while self._copies and not _is_of(self._copies[-1].pairs, assets):
            self._copies.pop()
        known = self._copies[-1].end if self._copies else BEGINNING
        return known if since is None else min(known, since)

    def _back(self, since: int) -> int:
        """Go back to before an instant; return the first one of which nothing is known then."""
        while self._copies and self._copies[-1].end > since:
            self._copies.pop()
        if self._copies:
            self._be(self._copies[-1])
            return self._copies[-1].end
        self._follower.begin(self._shorts)
        self.pairs, self._last, self._ahead = {}, [], 0
        return BEGINNING

    def _be(self, copy: Copy[K]) -> None:
        self._follower.back(copy.kept, copy.end)
        self.pairs, self._last, self._ahead = copy.pairs.copy(), copy.last, 0

    def _added(self, portfolio: Portfolio) -> Records | None:
        """Return the records that came at the end; `None` if one stands before the last read."""
        since = self._last[-1][0] if self._last else None
        found = self._order(portfolio.desk.store.get_shifted(since)[::-1])
        count = len(self._last)
        if [_place(each) for each in found[:count]] != self._last:
            return None
        new = found[count:]
        is_torn = new and self._last and _place(new[0])[:2] == self._last[-1][:2]
        return None if is_torn else new

    def _follow(self, records: Records, assets: Mapping[str, str]) -> None:
        start = 0
        while start < len(records):
            end = min(start + SPACING, len(records))
            while end < len(records) and records[end].time == records[end - 1].time:
                end += 1
            self._take(records[start:end], assets)
            start = end

    def _take(self, records: Records, assets: Mapping[str, str]) -> None:
        # Only behind a whole instant: what comes of one is told apart from what came by its time.
        if self._ahead >= SPACING and records[0].time > self._last[-1][0]:
            self._copy()
        self._follower.follow(records, assets)
        self.read += len(records)
        self.pairs |= {each.pair: assets.get(each.pair) for each in records if not is_shift(each)}
        # Those of the last instant: they are what the next question finds again.
        known = [*self._last, *map(_place, records)]
        self._last = [each for each in known if each[0] == known[-1][0]]
        self._ahead += len(records)

    def _copy(self) -> None:
        """Keep a copy, and of the older ones the fewer the more is behind them: O(log records)."""
        number = self._copies[-1].number + 1 if self._copies else 1
        made = Copy(number, self._last, self.pairs.copy(), self._follower.kept())
        self._copies.append(made)
        self._copies = [each for each in self._copies if number - each.number <= 2 * _low(each)]
        self._ahead = 0


def _low(copy: Copy[K]) -> int:
    """Return the largest power of two that divides a copy's number."""
    return copy.number & -copy.number


def _is_of(pairs: Mapping[str, str | None], assets: Mapping[str, str]) -> bool:
    """Tell whether every pair that was read is of the asset it was."""
    return all(assets.get(pair) == asset for pair, asset in pairs.items())


def _end(last: list[_Place]) -> int:
    """Return the first instant after records of one."""
    return instant.from_datetime(last[-1][0]) + instant.MICROSECOND


def _place(record: RealizedPnLRecord) -> _Place:
    return record.time, record.trade_id, record.kind
