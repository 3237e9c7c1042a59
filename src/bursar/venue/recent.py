"""What of a list is known already, where rows are told late and lists are looked back upon.

A row is known by a digest of everything that was said of it, so one that says something else now is
news.

Errors: none.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

RECENT_MAX: Final = 5_000
_DIGEST: Final = 16
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")

Known = tuple[int, str]
"""When a row counts, and a digest of everything it says."""


def known(at: int, row: object) -> Known:
    """Return what tells a row from every other, and from itself once it says something else."""
    return at, hashlib.sha256(_ENCODER.encode(row)).hexdigest()[:_DIGEST]


def kept(recent: Iterable[Known], start: int) -> tuple[Known, ...]:
    """Return what may be told again by a look back to `start`; the rest is forgotten."""
    return tuple(sorted(each for each in {*recent} if each[0] >= start)[-RECENT_MAX:])
