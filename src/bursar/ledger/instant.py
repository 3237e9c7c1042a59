"""Instants: UTC times as whole nanoseconds since 1970-01-01T00:00:00Z.

Venues state times with up to nine fractional digits and `datetime` keeps six, so a fact carries an
int and loses nothing; `to_datetime` serves readers. Text is RFC 3339 with `Z`. Every store keeps
that int in 64 bits, so times lie between `FIRST` and `LAST`.

Errors: `Malformed` for text that is not a UTC time, and for a time outside those years.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from bursar.errors import Malformed

MICROSECOND: Final = 1_000
MS: Final = 1_000 * MICROSECOND
SECOND: Final = 1_000 * MS
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
FIRST: Final = 1678
LAST: Final = 2261
"""The first and the last year of which every instant fits."""
LONGEST: Final = 2**63
"""No instant is as far from 1970."""

_SHOWN_MAX: Final = 80
_TO_SECONDS: Final = len("2026-01-05T10:00:00")
_COARSE: Final = 10**16
"""Fewer nanoseconds since 1970 than this are seconds, milli- or microseconds of our days."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY: Final = 4 * DAY
"""The first Monday since 1970-01-01, which was a Thursday."""
_TEXT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?Z?)?", re.ASCII
)


def parse(text: str, *, field: str = "time") -> int:
    """Read `2026-01-05T10:00:00.25Z`, `2026-01-05 10:00:00` or `2026-01-05`, all as UTC."""
    match = _TEXT.fullmatch(text)
    if match is None:
        shown = repr(text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…")
        raise Malformed(f"{field}: {shown} is no UTC time like 2026-01-05T10:00:00Z", field=field)
    year, month, day, hour, minute, second, fraction = match.groups(default="0")
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
    except ValueError as error:
        raise Malformed(f"{field}: {text!r} is not a time: {error}", field=field) from None
    if not FIRST <= moment.year <= LAST:
        raise Malformed(f"{field}: {text!r}: times from {FIRST} to {LAST} can be kept", field=field)
    return _counted(moment) + int(fraction.ljust(9, "0"))


def read(said: str | int | datetime, *, field: str = "time") -> int:
    """Read a time as a caller may state it: text, an aware datetime, or nanoseconds.

    Raises:
        Malformed: as `parse` and `from_datetime`; and for a number of another unit.
    """
    if isinstance(said, datetime):
        return from_datetime(said)
    if isinstance(said, str):
        return parse(said, field=field)
    if type(said) is not int or abs(said) >= LONGEST:
        shown = repr(said)[:_SHOWN_MAX]
        raise Malformed(f"{field}: {shown} is no text, datetime or nanoseconds", field=field)
    if 0 < said < _COARSE:
        raise Malformed(
            f"{field}: {said} nanoseconds would be {show(said)}; a number counts nanoseconds, so"
            " write seconds as text or as a datetime",
            field=field,
        )
    return said


def show(at: int) -> str:
    """Write an instant as RFC 3339 UTC, fractional digits only where there are some."""
    seconds, nanos = divmod(at, SECOND)
    text = (_EPOCH + timedelta(0, seconds)).isoformat()[:_TO_SECONDS]
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{text}{fraction}Z"


def from_datetime(moment: datetime) -> int:
    """Take an aware datetime; a naive one is refused, since nobody knows what it means."""
    if moment.tzinfo is None:
        raise Malformed("a time without a zone; pass an aware datetime")
    if not FIRST <= moment.year <= LAST:
        raise Malformed(f"{moment:%Y-%m-%d}: times from {FIRST} to {LAST} can be kept")
    return _counted(moment)


def of_clock(told: int) -> int:
    """Take what a clock says, in nanoseconds since 1970.

    Raises:
        Malformed: it is off by centuries, so nothing that happens now can be dated.
    """
    if _SPAN[0] <= told < _SPAN[1]:
        return told
    raise Malformed(
        f"the clock of this machine says {told // SECOND} seconds since 1970; times from {FIRST}"
        f" to {LAST} can be kept, so set the clock first",
        field="clock",
    )


def _counted(moment: datetime) -> int:
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * MICROSECOND


def to_datetime(at: int) -> datetime:
    """Return an aware UTC datetime, nanoseconds cut to microseconds."""
    seconds, nanos = divmod(at, SECOND)
    return _EPOCH + timedelta(0, seconds, nanos // MICROSECOND)


_SPAN: Final = (_counted(_EPOCH.replace(FIRST)), _counted(_EPOCH.replace(LAST + 1)))


def day(at: int) -> str:
    """Return the UTC day as `2026-01-05`."""
    return show(at)[:10]


def month(at: int) -> str:
    """Return the UTC month as `2026-01`."""
    return show(at)[:7]


def day_start(at: int) -> int:
    """Return 00:00 UTC of the day of an instant."""
    return at - at % DAY


def week_start(at: int) -> int:
    """Return 00:00 UTC of the Monday of the week of an instant."""
    return at - (at - _MONDAY) % WEEK


def month_start(at: int) -> int:
    """Return 00:00 UTC of the first day of the month of an instant."""
    return from_datetime(to_datetime(day_start(at)).replace(day=1))


def refine(coarse: int, fine: int) -> int:
    """Return `fine` where it tells the same time as `coarse` with more digits, else `coarse`.

    A whole second agrees with every instant inside that second.
    """
    unit = precision(coarse)
    return fine if precision(fine) < unit and fine - fine % unit == coarse else coarse


def precision(at: int) -> int:
    """Return the coarsest decimal unit (in ns, at most a second) that divides the instant."""
    unit = SECOND
    while at % unit:
        unit //= 10
    return unit
