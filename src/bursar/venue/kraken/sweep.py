"""One of Kraken's lists, read from its oldest row on, though the venue tells the newest first.

Places are counted from the oldest row, where new rows do not move them: a page is asked for by how
many rows are newer than it, and `count`, which comes with each page, shows whether that is still
so. Rows are known by their ids. A sweep is complete when it has seen as many ids as the venue
counts.

Rows of one instant are handed on together, and rows of one reference that stand next to each other
too, so what comes of them does not depend on where pages are cut.

Errors: `VenueIncomplete` where ids and count do not come to agree; `Lost` where an old row has come
up that can no longer be put in its place, so that all must be read again.
"""

from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from bursar.errors import VenueIncomplete
from bursar.venue.kraken.place import ListPlace, took
from bursar.venue.kraken.wire import Page

PAGE: Final = 50
MOVES_MAX: Final = 8
SWEEPS_MAX: Final = 3
REREAD_MAX: Final = 10 * PAGE
_ORDER: Final = attrgetter("executed_at", "txid")


class _Row(Protocol):
    @property
    def txid(self) -> str: ...
    @property
    def executed_at(self) -> int: ...


_R = TypeVar("_R", bound=_Row)
Ask = Callable[[int | None, int | None, int], Awaitable[Page[_R]]]
"""Asks for a page: after `start`, up to `end`, from the `ofs`th newest row on."""


class Lost(Exception):
    """The place of the last sync does not fit what the venue tells."""


class Sweep(Generic[_R]):
    """A list being read. `place` says how far it was handed on."""

    def __init__(
        self,
        what: str,
        ask: Ask[_R],
        place: ListPlace,
        end: int,
        *,
        reference: Callable[[_R], str],
    ) -> None:
        self.what = what
        self.place = place
        self.is_finished = False
        self._ask = ask
        self._end = end
        self._reference = reference
        self._held: list[_R] = []
        self._knows_all = place.knows_all
        self._known = {txid for _, txid in place.recent}
        self._sweeps = 0
        self._ahead: tuple[int, frozenset[str]] = (0, frozenset())
        self._begin(place.done, self._known)

    @property
    def is_empty(self) -> bool:
        """Whether everything was handed on."""
        return self.is_finished and not self._held

    async def fetch(self) -> None:
        """Read the next page that brings the list on.

        Where rows keep arriving, it asks for a page that reaches further back by as many.
        """
        slack = 0
        for _ in range(MOVES_MAX):
            before = self.place.count
            ofs = max(before - self._read - PAGE, 0) + slack
            page = await self._ask(self.place.start, self._end, ofs)
            self.place = msgspec.structs.replace(self.place, count=page.count)
            first = page.count - ofs - len(page.rows)
            if first <= self._read <= page.count and self._is_news(page.rows, first):
                self._take_in(list(reversed(page.rows)), first)
                return
            if page.count < self._read:
                self.again()  # rows are gone
            elif first > self._read:
                self._ahead = first, frozenset(row.txid for row in page.rows)
            grown = page.count - before
            slack = grown if before and 0 < grown < PAGE else 0
        self.again()  # they move faster than they can be read

    def _is_news(self, rows: Sequence[_R], first: int) -> bool:
        """Tell whether a page is the one that was asked for.

        It is not if it should bring the list on, but all of its rows were seen; nor, the first
        time, if it tells rows that a moment ago stood behind it.
        """
        end = first + len(rows)
        if end <= self._read:
            return True
        place, ahead = self._ahead
        self._ahead = (0, frozenset())
        if sum(row.txid in ahead for row in rows) > max(end - place, 0):
            return False
        return any(row.txid not in self._counted and row.txid not in self._told for row in rows)

    def ready(self) -> list[_R]:
        """Return the rows that may be handed on: up to a place where nothing is cut apart."""
        rows = self._held
        if self.is_finished:
            return list(rows)
        for place in range(len(rows) - 1, 0, -1):
            one, other = rows[place - 1], rows[place]
            if one.executed_at != other.executed_at and self._reference(one) != self._reference(
                other
            ):
                return rows[:place]
        return []

    def hand_on(self, rows: list[_R]) -> list[_R]:
        """Take note that rows, the first of those that are held, are handed on."""
        self._held = self._held[len(rows) :]
        self.place = took(self.place, [(row.executed_at, row.txid) for row in rows])
        return rows

    async def until(self, at: int) -> list[_R]:
        """Read on and hand on what happened up to an instant."""
        while not self.is_finished and not any(row.executed_at > at for row in self.ready()):
            await self.fetch()
        return self.hand_on([row for row in self._held if row.executed_at <= at])

    def again(self) -> None:
        """Read the whole window once more, for what it does not know yet.

        Raises:
            VenueIncomplete: it was read three times.
            Lost: not all that was handed on is known by its id.
        """
        if self._sweeps == SWEEPS_MAX:
            raise VenueIncomplete(
                f"Kraken counts {self.place.count:,} {self.what}, and its pages told"
                f" {self._seen:,} of them",
                count=self.place.count,
                seen=self._seen,
            )
        if not self._knows_all:
            raise Lost(self.what)
        self._known -= {row.txid for row in self._held}
        self._begin(0, set())

    def reread(self) -> None:
        """Read once more what is not handed on; all of the window, where that is not much."""
        if self._knows_all and self.place.done <= REREAD_MAX:
            self.again()
            return
        self._known -= {row.txid for row in self._held}
        self._begin(self.place.done, self._known)

    @property
    def _seen(self) -> int:
        return self._skipped + len(self._counted)

    def _begin(self, at: int, told: set[str]) -> None:
        """Start to read at a place; the ids that were told before it are not counted again."""
        self._sweeps += 1
        self._held = []
        self._read = at
        self._told = frozenset(told)
        self._skipped = at
        self._counted: set[str] = set()
        self.is_finished = False

    def _take_in(self, rows: list[_R], first: int) -> None:
        """Hold the rows of a page, oldest first, that are not known; `first` is its place."""
        reached = max(self._read, first + len(rows))
        if not self._knows_all:
            rows = self._without_forgotten(rows, self._read - first)
        fresh = [row for row in rows if row.txid not in self._known]
        self._known |= {row.txid for row in fresh}
        self._counted |= {row.txid for row in rows} - self._told
        self._held = sorted([*self._held, *fresh], key=_ORDER)
        self._read = reached
        if self._read < self.place.count:
            return
        if self._seen == self.place.count:
            self.is_finished = True
        else:
            self.again()

    def _without_forgotten(self, rows: list[_R], passed: int) -> list[_R]:
        """Leave out rows whose ids are forgotten: the first `passed` were handed on long ago.

        Raises:
            Lost: one of them stands where no such row can be.
        """
        dropped = self.place.dropped
        places = [
            place
            for place, row in enumerate(rows)
            if dropped is not None and row.executed_at <= dropped and row.txid not in self._known
        ]
        if places and places[-1] >= passed:
            raise Lost(self.what)
        return [row for place, row in enumerate(rows) if place not in places]
