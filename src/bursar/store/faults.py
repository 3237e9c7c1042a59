"""What a database says when it fails, as bursar's own errors.

A failure before COMMIT leaves nothing behind. A failure of COMMIT itself leaves nothing behind only
where the database is known to say so (busy, full); any other one is an answer that was lost.

A newer bursar may have changed the tables under a process that has them open. What the database
then refuses looks like damage, and is none: whoever knows the tables says so (`look`).

A driver's words may quote a row (Postgres calls that detail); only the sentence before it is kept.
"""

import sqlite3
from collections.abc import Callable
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
    StoreReadOnly,
)


class Fault(Enum):
    """The kinds of failure that a caller can do something about."""

    BUSY = "busy"
    FULL = "full"
    DISK = "disk"
    CLOSED = "closed"
    CORRUPT = "corrupt"
    TAKEN = "taken"
    SLOW = "slow"
    LOST = "lost"
    OTHER = "other"


class CommitFailed(DBAPIError):
    """What failed may have been COMMIT, sent along with what came before it."""


Reader = Callable[[BaseException | None], Fault]
Look = Callable[[], BursarError | None]
"""Looks whether a refusal has another cause than it says, which comes in its place."""
_PERHAPS_NEWER = frozenset({Fault.CORRUPT, Fault.OTHER})

_ILLEGIBLE = (
    InputError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    msgspec.MsgspecError,
)


class translated:  # noqa: N801 (a block, and quicker around a small statement than a generator)
    """Raise bursar's error for a database's; `fault_of` reads the driver's exception."""

    __slots__ = ("_committing", "_fault_of", "_look")

    def __init__(
        self, fault_of: Reader, *, committing: bool = False, look: Look | None = None
    ) -> None:
        self._fault_of = fault_of
        self._committing = committing
        self._look = look

    def __enter__(self) -> None:
        return

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        if isinstance(error, UnicodeDecodeError):  # it quotes damage: not even that is text
            said = "the database is damaged: its tables have no names any more"
            raise StoreCorrupt(said) from error
        if isinstance(error, PoolTimeout):
            raise StoreBusy("all connections are in use; retry in a moment") from error
        if isinstance(error, PendingRollbackError):  # it went on without one that died before
            raise StoreDown("the database connection was lost; nothing was written") from error
        if isinstance(error, DBAPIError):
            ended = self._committing or isinstance(error, CommitFailed)
            raise self._read(error.orig, is_committing=ended) from error
        if isinstance(error, sqlite3.Error):  # the driver's own, where SQLAlchemy was not asked
            raise self._read(error, is_committing=self._committing) from error

    def _read(self, told: BaseException | None, *, is_committing: bool) -> BursarError:
        fault = self._fault_of(told)
        if self._look is not None and fault in _PERHAPS_NEWER and not is_committing:
            found = self._look()
            if found is not None:
                return found
        return _error(fault, _said(told), committing=is_committing)


def placed(error: StoreError, place: str) -> StoreError:
    """Return a database's error with the place that it is of, which no driver names."""
    if "said" not in error.context:
        return error
    return type(error)(f"{place}: {error.message}", **error.context)


class legible:  # noqa: N801 (as above)
    """Raise `StoreCorrupt` for stored values that are no longer what was written."""

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        if isinstance(error, StoreCorrupt):
            raise StoreCorrupt(f"{self._what}: {error.message}", **error.context) from None
        if isinstance(error, _ILLEGIBLE):  # what it says may repeat a value
            said = f"a value that nobody wrote ({type(error).__name__})"
            raise StoreCorrupt(f"{self._what}: {said}") from None


def _error(  # noqa: C901, PLR0911 (one answer a fault)
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
        case Fault.CLOSED:
            return StoreReadOnly(f"the book can only be looked at ({said})", said=said)
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
