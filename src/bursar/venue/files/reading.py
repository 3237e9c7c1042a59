"""What reading one file gives, and how a caller wants it read."""

from collections.abc import Callable, Iterable

import msgspec

from bursar.ledger.entries import AnyEntry


class FileReading(msgspec.Struct, frozen=True, kw_only=True):
    """The statements of one file, one a row (or one and what it is about), in the file's order.

    `rows` counts data rows. `pending` of them announce a movement that another row books, and
    `repeated` ones say a row again; neither makes a statement. `breaks` tells where the running
    balance does not follow, if the caller lets such a file in. `unknown` names the operations that
    the reader does not know, and how often they come: their coins count, unclassified.
    """

    format: str
    statements: tuple[AnyEntry, ...]
    rows: int
    pending: int = 0
    repeated: int = 0
    breaks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to read.

    `quote` is the currency of a prices file that names none. `allow_breaks` lets in a file whose
    running balance does not follow. `money` is base currency and pegs, `shorts` the accounts that
    may sell short, if that is known. `golden` reads the lines of a journal in the golden language.
    """

    quote: str | None = None
    allow_breaks: bool = False
    money: frozenset[str] = frozenset()
    shorts: frozenset[str] | None = None
    golden: Callable[[Iterable[str]], Iterable[AnyEntry]] | None = None
