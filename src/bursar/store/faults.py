"""What a database says when it fails, as bursar's own errors.

A failure before COMMIT leaves nothing behind. A failure of COMMIT itself leaves nothing behind only
where the database is known to say so (busy, full); any other one is an answer that was lost.

A driver's words may quote a row (Postgres calls that detail); only the sentence before it is kept.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import assert_never

import msgspec
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bursar.errors import (
    BursarError,
    InputError,
    KeyReused,
    OutcomeUnknown,
    StoreBusy,
    StoreCorrupt,
    StoreDown,
    StoreError,
    StoreFull,
)


class Fault(Enum):
    """The kinds of failure that a caller can do something about."""

    BUSY = "busy"
    FULL = "full"
    DISK = "disk"
    CORRUPT = "corrupt"
    TAKEN = "taken"
    SLOW = "slow"
    LOST = "lost"
    OTHER = "other"


class CommitFailed(DBAPIError):
    """What failed may have been COMMIT, sent along with what came before it."""


Reader = Callable[[BaseException | None], Fault]

_ILLEGIBLE = (
    InputError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    msgspec.MsgspecError,
)


@contextmanager
def translated(fault_of: Reader, *, committing: bool = False) -> Iterator[None]:
    """Raise bursar's error for a database's; `fault_of` reads the driver's exception."""
    try:
        yield
    except UnicodeDecodeError as error:  # a complaint that quotes damage: not even that is text
        raise StoreCorrupt("the database is damaged: its tables have no names any more") from error
    except PoolTimeout as error:
        raise StoreBusy("all connections are in use; retry in a moment") from error
    except PendingRollbackError as error:  # it went on without a connection that died before
        raise StoreDown("the database connection was lost; nothing was written") from error
    except DBAPIError as error:
        ended = committing or isinstance(error, CommitFailed)
        raise _error(fault_of(error.orig), _said(error.orig), committing=ended) from error
    except sqlite3.Error as error:  # from the driver itself, where SQLAlchemy was not asked
        raise _error(fault_of(error), _said(error), committing=committing) from error


@contextmanager
def legible(what: str) -> Iterator[None]:
    """Raise `StoreCorrupt` for stored values that are no longer what was written."""
    try:
        yield
    except StoreCorrupt as error:
        raise StoreCorrupt(f"{what}: {error.message}", **error.context) from None
    except _ILLEGIBLE as error:  # what it says may repeat a value
        raise StoreCorrupt(f"{what}: a value that nobody wrote ({type(error).__name__})") from None


def _error(  # noqa: PLR0911 (one answer a fault)
    fault: Fault, said: str, *, committing: bool
) -> BursarError:
    match fault:
        case Fault.BUSY:
            return StoreBusy("another writer holds the database; retry in a moment", said=said)
        case Fault.FULL:
            return StoreFull("no room left; nothing was written", said=said)
        case _ if committing:
            return OutcomeUnknown(
                "the commit's answer was lost; ask by id whether it happened", said=said
            )
        case Fault.DISK:
            return StoreError(
                f"the disk refuses ({said}): is it full, over a quota, read-only or failing?",
                said=said,
            )
        case Fault.CORRUPT:
            return StoreCorrupt(f"the database is damaged or is none: {said}", said=said)
        case Fault.TAKEN:
            return KeyReused("an id stands in the portfolio already", said=said)
        case Fault.SLOW:
            return StoreBusy("the database took too long; nothing was written", said=said)
        case Fault.LOST:
            return StoreDown(
                f"the database server is away, or lets nobody in; nothing was written: {said}",
                said=said,
            )
        case Fault.OTHER:
            return StoreError(f"the database refuses: {said}", said=said)
    assert_never(fault)


def _said(error: BaseException | None) -> str:
    sentence = getattr(getattr(error, "diag", None), "message_primary", None)
    said = sentence or str(error).partition(" with text ")[0]  # what follows is a stored value
    return " ".join(said.split())
