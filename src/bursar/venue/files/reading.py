"""What reading one file gives, and how a caller wants it read."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from bursar.ledger.entries import AnyEntry
from bursar.ledger.timeline import Expected

STREAM_FROM: Final = 8 * 1024 * 1024
PLACE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}:[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""How an account is written: `venue:name`."""

AN_ACCOUNT: Final = "an account like bitstamp:main"


class FileReading(msgspec.Struct, frozen=True, kw_only=True):
    """The statements of one file, one a row (or one and what it is about), in the file's order.

    `rows` counts data rows. `pending` of them announce a movement that another row books, and
    `repeated` ones say a row again; neither makes a statement. `breaks` tells where the running
    balance does not follow, if the caller lets such a file in. `unknown` names the operations that
    the reader does not know, and how often they come: their coins count, unclassified.

    The statements of a big file are no tuple: they are `Streamed`, oldest first, and `expected`
    tells what has to be known of them beforehand. They name the `assets`.
    """

    format: str
    statements: "tuple[AnyEntry, ...] | Streamed"
    rows: int
    pending: int = 0
    repeated: int = 0
    breaks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    expected: Expected | None = None
    assets: frozenset[str] = frozenset()


class Streamed:
    """The statements of a file that is too big to be held: read anew each time they are walked."""

    def __init__(self, count: int, told: Callable[[], Iterator[AnyEntry]]) -> None:
        self._count = count
        self._told = told

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __iter__(self) -> Iterator[AnyEntry]:
        """Yield them, oldest first."""
        return self._told()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to read.

    `quote` is the currency of a prices file that names none. `allow_breaks` lets in a file whose
    running balance does not follow. `money` is base currency and pegs, `shorts` the accounts that
    may sell short, if that is known. `golden` reads the lines of a journal in the golden language.
    A file of `stream_from` bytes or more is streamed where its format allows.
    """

    quote: str | None = None
    allow_breaks: bool = False
    money: frozenset[str] = frozenset()
    shorts: frozenset[str] | None = None
    golden: Callable[[Iterable[str]], Iterable[AnyEntry]] | None = None
    stream_from: int = STREAM_FROM
