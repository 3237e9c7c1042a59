"""The mark of a history: how far each list and market is read, small enough to store each time.

`sums` is what all rows that were told have left in the spot wallet, of each asset. `unexplained` is
what was there besides when the account was last looked at: as long as it stays the same, no
trade is missing, and no market need be asked for any.

Errors: those of `venue.mark`.
"""

from typing import Final

import msgspec

from bursar.venue.mark import placed, written
from bursar.venue.recent import Known

VERSION: Final = 1


class ListPlace(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one list is read: everything before `upto`, of which `recent` may be told again.

    `pending` is the earliest time of a row that may yet change.
    """

    upto: int
    pending: int | None = None
    recent: tuple[Known, ...] = ()


class MarketPlace(msgspec.Struct, frozen=True):
    """How far the trades of a market are read: the first id of the last second told, the last."""

    first: int
    last: int


class FuturesPlace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the futures wallet is read: since when its own list tells what went in and out.

    `sums` is what was told of the wallet, `positions` of each position, `trades` the last one told
    of a market; what was there besides is `unexplained`. `is_open` once the wallet's beginning is
    booked: what it held when it was `opened`, so rows of before are in the sums. The list `is_cut`
    where the account is older than what it still tells.
    """

    since: int
    sums: dict[str, str] = {}
    positions: dict[str, str] = {}
    trades: dict[str, int] = {}
    unexplained: dict[str, str] = {}
    is_open: bool = False
    opened: int | None = None
    is_cut: bool = False


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far an account is read. Amounts are texts, so that the mark is one for one place.

    When what is `unexplained` came up is `puzzled`, until it was looked for for an hour. Without
    `futures` the futures wallet is out of sight. Where all is read again, it `was_open` if its
    beginning was booked before, and is not booked once more: what is found there now is none.
    """

    version: int = VERSION
    account: str
    lists: dict[str, ListPlace] = {}
    markets: dict[str, MarketPlace] = {}
    sums: dict[str, str] = {}
    unexplained: dict[str, str] = {}
    puzzled: int | None = None
    futures: FuturesPlace | None = None
    was_open: bool = False


_DECODER: Final = msgspec.json.Decoder(Place)


def write(place: Place) -> str:
    """Write a mark."""
    return written(place)


def read(mark: str | None, account: str) -> Place:
    """Read a mark; `None` is the beginning."""
    return Place(account=account) if mark is None else placed(mark, _DECODER, account, VERSION)


def anew(mark: str, account: str) -> str | None:
    """Return the mark at which to begin where all is to be read again."""
    place = read(mark, account)
    was_open = place.was_open or (place.futures is not None and place.futures.is_open)
    return write(Place(account=account, was_open=True)) if was_open else None
