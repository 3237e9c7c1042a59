"""Pages of a history: newest first, fifty at a time, after `start` and up to `end`, with it.

Both bounds are a unix time, with or without a fraction, or an id. Rows are found by bisection, so a
page of an account of 200,000 rows costs no more than one of a hundred; a filtered list is made
once.

Errors: `Refused` for a bound that is neither a time nor an id of the history.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from bursar.sim.kraken.keys import Refused
from bursar.sim.kraken.market import SECOND

PAGE: Final = 50
_TIME: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]{0,9})[0-9]*)?", re.ASCII)


class _Dated(Protocol):
    @property
    def id(self) -> str: ...


_T = TypeVar("_T", bound=_Dated)


class Window(NamedTuple):
    """What may be seen: later than `after`, and not later than `until`."""

    after: int
    until: int


class Page(NamedTuple, Generic[_T]):
    """A page of rows and how many there are in all."""

    rows: Sequence[_T]
    total: int


class _List(NamedTuple, Generic[_T]):
    """Some rows, their times, and their places in the whole history."""

    rows: Sequence[_T]
    times: list[int]
    places: Sequence[int]


class History(Generic[_T]):
    """Rows in the order in which they happened, and their filtered lists."""

    def __init__(self, rows: Sequence[_T], time: Callable[[_T], int]) -> None:
        self._time = time
        self._lists: dict[str, _List[_T]] = {}
        self._places: dict[str, int] | None = None
        self._keep("", rows, range(len(rows)))

    def get(self, name: str, window: Window) -> _T | None:
        """Return a row by its id, if it may be seen."""
        place = self._place_of(name)
        rows, times, _ = self._lists[""]
        if place is None or not window.after < times[place] <= window.until:
            return None
        return rows[place]

    def visible(self, window: Window) -> Sequence[_T]:
        """Return what may be seen, oldest first."""
        rows, times, _ = self._lists[""]
        return rows[bisect_right(times, window.after) : bisect_right(times, window.until)]

    def page(
        self,
        asked: dict[str, str],
        window: Window,
        filtered: tuple[str, Callable[[_T], bool] | None] = ("", None),
    ) -> Page[_T]:
        """Return the page that a request asks for, newest first."""
        name, wanted = filtered
        if name not in self._lists and wanted is not None:
            rows = self._lists[""].rows
            places = [place for place, row in enumerate(rows) if wanted(row)]
            self._keep(name, [rows[place] for place in places], places)
        rows, times, _ = chosen = self._lists[name]
        low = max(bisect_right(times, window.after), self._bound(asked, "start", chosen))
        high = min(bisect_right(times, window.until), self._bound(asked, "end", chosen))
        high = max(low, high)
        offset = _offset(asked)
        last = max(high - offset, low)
        return Page(rows[max(last - PAGE, low) : last][::-1], high - low)

    def _keep(self, name: str, rows: Sequence[_T], places: Sequence[int]) -> None:
        self._lists[name] = _List(rows, [self._time(row) for row in rows], places)

    def _bound(self, asked: dict[str, str], name: str, of: _List[_T]) -> int:
        """Return the place after a bound; both bounds lie after the row that they name."""
        said = asked.get(name, "")
        if not said or said == "0":
            return 0 if name == "start" else len(of.times)
        time = nanoseconds(said)
        if time is not None:
            return bisect_right(of.times, time)
        place = self._place_of(said)
        if place is None:
            raise Refused(f"EGeneral:Invalid arguments:{name}")
        return bisect_right(of.places, place)

    def _place_of(self, name: str) -> int | None:
        if self._places is None:
            self._places = {row.id: place for place, row in enumerate(self._lists[""].rows)}
        return self._places.get(name)


def nanoseconds(said: str) -> int | None:
    """Read a unix time with all its decimals."""
    match = _TIME.fullmatch(said)
    if match is None:
        return None
    return int(match[1]) * SECOND + int((match[2] or "").ljust(9, "0"))


def _offset(asked: dict[str, str]) -> int:
    said = asked.get("ofs", "") or "0"
    if not (said.isascii() and said.isdigit()):
        raise Refused("EGeneral:Invalid arguments:ofs")
    return int(said)
