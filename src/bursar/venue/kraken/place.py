"""The mark of a history: where its reading stands, small enough to be stored after every chunk.

Kraken has three lists: ledger rows, executions, closed orders. Of each a `ListPlace` says which
window of time is read, how far, and which of its last rows are known, so that the next sweep can
overlap them. The balances that the ledger left are where its chain goes on.

Errors: those of `venue.mark`.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final

import msgspec

from bursar.ledger import instant
from bursar.venue.mark import placed, written

VERSION: Final = 1
OVERLAP: Final = instant.HOUR
RECENT_MAX: Final = 500

Known = tuple[int, str]
"""When a row happened, and its id."""


class ListPlace(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one list is read.

    The window is everything after `start` (unix seconds; `None`: from the beginning). Of its
    `count` rows the oldest `done` are handed on; `recent` are the last of those, in order, and
    complete for every time after `dropped`.
    """

    start: int | None = None
    done: int = 0
    count: int = 0
    dropped: int | None = None
    recent: tuple[Known, ...] = ()

    @property
    def knows_all(self) -> bool:
        """Whether every row that was handed on is still known by its id."""
        return len(self.recent) == self.done


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far an account is read. `end` is the pinned end of a sweep that is under way.

    `owed` are trades in the ledger that the list of executions did not tell yet. While all is read
    again, `again_at` says since when (unix seconds).
    """

    version: int = VERSION
    account: str
    end: int | None = None
    ledgers: ListPlace = ListPlace()
    trades: ListPlace = ListPlace()
    orders: ListPlace = ListPlace()
    balances: dict[str, Decimal] = {}
    owed: tuple[Known, ...] = ()
    again_at: int | None = None


_DECODER: Final = msgspec.json.Decoder(Place)


def write(place: Place) -> str:
    """Write a mark."""
    return written(place)


def read(mark: str | None, account: str) -> Place:
    """Read a mark; `None` is the beginning."""
    return Place(account=account) if mark is None else placed(mark, _DECODER, account, VERSION)


def took(place: ListPlace, rows: Sequence[Known]) -> ListPlace:
    """Return the place after rows were handed on; it forgets what is over an hour, or 500, old."""
    recent = sorted((*place.recent, *rows))
    latest = recent[-1][0] if recent else 0
    old = sum(at <= latest - OVERLAP for at, _ in recent)
    cut = max(old, len(recent) - RECENT_MAX)
    dropped = max(recent[cut - 1][0], place.dropped or 0) if cut else place.dropped
    return msgspec.structs.replace(
        place, done=place.done + len(rows), dropped=dropped, recent=tuple(recent[cut:])
    )


def rest(place: ListPlace) -> ListPlace:
    """Return the place from which the next sweep reads, once this one is complete.

    Its window starts where all later rows are known. Since a start is in whole seconds, it is laid
    into a gap between rows where there is one.
    """
    if place.dropped is None:
        start = place.start
    else:
        start = _gap([place.dropped, *(at for at, _ in place.recent)])
    recent = tuple(
        each for each in place.recent if start is None or each[0] > start * instant.SECOND
    )
    return msgspec.structs.replace(
        place, start=start, done=len(recent), count=len(recent), recent=recent
    )


def _gap(times: Sequence[int]) -> int:
    """Return the first whole second after the first time in which nothing happened, if any."""
    seconds = [at // instant.SECOND for at in times]
    for earlier, later in pairwise(seconds):
        if later - earlier > 1:
            return earlier + 1
    return seconds[0] + 1
