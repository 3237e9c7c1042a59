"""What a database says when it fails, as bursar's own errors.

A failure before COMMIT leaves nothing behind. A failure of COMMIT itself leaves nothing behind only
where the database is known to say so (busy, full); any other one is an answer that was lost.

A driver's words may quote a row (Postgres calls that detail); only the sentence before it is kept.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import assert_never

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bursar.errors import (
    BursarError,
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
    CORRUPT = "corrupt"
    TAKEN = "taken"
    SLOW = "slow"
    LOST = "lost"
    OTHER = "other"


Reader = Callable[[BaseException | None], Fault]


@contextmanager
def translated(fault_of: Reader, *, committing: bool = False) -> Iterator[None]:
    """Raise bursar's error for a database's; `fault_of` reads the driver's exception."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreBusy("all connections are in use; retry in a moment") from error
    except DBAPIError as error:
        raise _error(fault_of(error.orig), _said(error.orig), committing=committing) from error


def _error(fault: Fault, said: str, *, committing: bool) -> BursarError:  # noqa: PLR0911
    match fault:
        case Fault.BUSY:
            return StoreBusy("another writer holds the database; retry in a moment", said=said)
        case Fault.FULL:
            return StoreFull("no room left; nothing was written", said=said)
        case _ if committing:
            return OutcomeUnknown(
                "the commit's answer was lost; ask by id whether it happened", said=said
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
    return (sentence or str(error)).strip()
