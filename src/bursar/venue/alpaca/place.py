"""The mark of a history: how far each of its two lists is read, small enough to store each time.

Executions come in the order of their time. Everything else states a day, is told a day or more
after it, and may change for weeks; so the two are read apart, and the second is looked back upon
for longer. `recent` is what of that time is known, so that what is told once more is not news.

Errors: those of `venue.mark`.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from bursar.venue import recent
from bursar.venue.alpaca.rows import Row
from bursar.venue.alpaca.statements import PENDING
from bursar.venue.mark import placed, written
from bursar.venue.recent import Known

VERSION: Final = 1


class ListPlace(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one list is read.

    The window is everything after `after` (`None`: from the beginning). `token` is the id of the
    last row that was handed on, while a sweep is under way. `latest` is the latest time of a row,
    `pending` the earliest of one that may yet change.
    """

    after: int | None = None
    token: str = ""
    latest: int | None = None
    pending: int | None = None
    recent: tuple[Known, ...] = ()


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far an account is read."""

    version: int = VERSION
    account: str
    trades: ListPlace = ListPlace()
    others: ListPlace = ListPlace()


_DECODER: Final = msgspec.json.Decoder(Place)


def write(place: Place) -> str:
    """Write a mark."""
    return written(place)


def read(mark: str | None, account: str) -> Place:
    """Read a mark; `None` is the beginning."""
    return Place(account=account) if mark is None else placed(mark, _DECODER, account, VERSION)


def known(row: Row) -> Known:
    """Return what tells a row from every other, and from itself once it says something else."""
    return recent.known(row.at, row)


def took(place: ListPlace, rows: Sequence[Row], reach: int) -> ListPlace:
    """Return the place after rows were handed on; what is out of reach is forgotten."""
    if not rows:
        return place
    latest = max(row.at for row in rows)
    latest = latest if place.latest is None else max(latest, place.latest)
    open_ = [row.at for row in rows if row.status == PENDING]
    pending = min(open_ if place.pending is None else [*open_, place.pending], default=None)
    start = _start(latest, pending, reach)
    kept = recent.kept((*place.recent, *map(known, rows)), start)
    return ListPlace(place.after, rows[-1].id, latest, pending, kept)


def rest(place: ListPlace, reach: int) -> ListPlace:
    """Return the place from which the next sweep reads, once this one is complete."""
    if place.latest is None:
        return ListPlace()
    after = _start(place.latest, place.pending, reach)
    return ListPlace(after, "", place.latest, None, place.recent)


def _start(latest: int, pending: int | None, reach: int) -> int:
    return (latest if pending is None else min(latest, pending)) - reach
