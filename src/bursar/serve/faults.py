"""What went wrong, as an answer: one table from an error to its status, and one shape for all.

    {"error": {"code": "oversold", "message": "…", "context": {…}}}

A kind that is not in the table has the status of the kind above it. What nobody foresaw is a 500
that tells its request id and nothing else: the log has the rest.

Errors: none.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from bursar import errors
from bursar.errors import BrokenInvariant, BursarError
from bursar.serve.logs import LOG
from bursar.serve.spelling import encode

STATUS: Final[Mapping[type[Exception], int]] = {
    errors.InputError: 400,
    errors.TransactionOver: 409,
    errors.TooLarge: 413,
    errors.NotFound: 404,
    errors.WrongMethod: 405,
    errors.LedgerError: 422,
    errors.ConflictError: 409,
    errors.ValueUnknown: 422,
    errors.AccessError: 403,
    errors.TokenNeeded: 401,
    errors.HostDenied: 421,
    errors.ServiceBusy: 503,
    errors.PortfolioError: 422,
    errors.BusError: 503,
    errors.VenueError: 502,
    errors.VenueDown: 503,
    errors.VenueBusy: 503,
    errors.StoreError: 500,
    errors.StoreBusy: 503,
    errors.StoreDown: 503,
    errors.StoreFull: 507,
    errors.OutcomeUnknown: 504,
    errors.NotInstalled: 501,
    errors.BursarError: 500,
    errors.BrokenInvariant: 500,
}
RETRY_AFTER_S: Final = 1
_PLAIN: Final = (str, int, bool, type(None))


class Fault(msgspec.Struct, frozen=True):
    """What an error answers: its code, what to do about it, and where it lies."""

    code: str
    message: str
    context: dict[str, str | int | bool | list[str] | None] = {}


class FaultAnswer(msgspec.Struct, frozen=True):
    """Every answer with a status of 400 or more."""

    error: Fault


def status(error: BaseException) -> int:
    """Return the status of an error: its own, or that of the nearest kind above it."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def answer(error: BaseException) -> bytes:
    """Write an error as a body."""
    return encode(FaultAnswer(fault_of(error)))


def fault_of(error: BaseException) -> Fault:
    """Return what is said of an error. Only what is plain goes out of its context."""
    if not isinstance(error, BursarError | BrokenInvariant):
        return Fault("internal", "a mistake in bursar; its log says more")
    context = {name: _plain(value) for name, value in error.context.items()}
    return Fault(error.code, error.message, context)


def _plain(value: object) -> str | int | bool | list[str] | None:
    if isinstance(value, list | tuple):
        return [str(each) for each in value]
    return value if isinstance(value, _PLAIN) else str(value)


def log(error: BaseException) -> None:
    """Write an error to the log: what nobody foresaw with where it came from."""
    if isinstance(error, BursarError):
        LOG.info("REFUSED", code=error.code, why=error.message)
    elif isinstance(error, BrokenInvariant):
        LOG.critical("BROKEN_INVARIANT", why=error.message)
    else:
        LOG.error("UNFORESEEN", why=type(error).__name__, exc_info=error)


def is_worth_retrying(error: BaseException) -> bool:
    """Tell whether the same request may succeed in a moment."""
    kinds = (errors.ServiceBusy, errors.StoreBusy, errors.StoreDown, errors.VenueBusy)
    return isinstance(error, kinds)
