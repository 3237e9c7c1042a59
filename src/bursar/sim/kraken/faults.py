"""What may go wrong on the wire, and the script that says when.

    fake.script.add(Fault.STATUS, endpoint="Ledgers", at=2, value=502)
    fake.script.add(Fault.ERROR, value="EService:Busy", times=3)
    fake.script.add(Fault.ARRIVALS, endpoint="Ledgers", at=2, value=3)

`at` counts requests from now on: those to `endpoint`, or all. A fault that stands in front of the
venue (a status, a silence, a busy signal) keeps the request from it, so nonce and counter stay as
they were; the others spoil an answer that was made.
"""

from enum import Enum
from typing import Final

import msgspec


class Fault(Enum):
    """One kind of trouble. `value` is what stands behind the dash."""

    TOO_MANY = "too many"  # status 429 with Retry-After, in seconds
    STATUS = "status"  # that status, with a page of HTML
    TIMEOUT = "timeout"  # never an answer
    ERROR = "error"  # these words in the envelope
    THROTTLED = "throttled"  # EService:Throttled, with the unix time so many seconds from now
    RESET = "reset"  # the connection breaks in the middle of the body
    TRUNCATED = "truncated"  # the body ends in its middle, and says that this is its length
    WRONG_TYPE = "wrong type"  # a list where an object should be
    NULLS = "nulls"  # every number is null
    EMPTY_BODY = "empty body"
    NO_RESULT = "no result"
    WARNING = "warning"  # these words beside the result
    EMPTY_PAGE = "empty page"
    REPEATED_PAGE = "repeated page"  # the page before, once more
    SHORT_PAGE = "short page"  # so many rows fewer
    COUNT_MOVES = "count moves"  # a count that is off by so many
    ARRIVALS = "arrivals"  # before it answers, so many more deeds have happened
    LONG_NUMBERS = (
        "long numbers"  # amounts as JSON numbers of 18 decimals, with these digits behind
    )
    DRIP = "drip"  # a body that comes byte by byte
    HUGE = "huge"  # a body with so many bytes of blanks in it


BEFORE: Final = frozenset({Fault.TOO_MANY, Fault.STATUS, Fault.TIMEOUT})
"""Faults that stand in front of the venue."""

INSTEAD: Final = frozenset({Fault.ERROR, Fault.THROTTLED})
"""Faults that are the venue's own answer."""

ERRORS: Final = (
    "EAPI:Invalid key",
    "EAPI:Invalid signature",
    "EAPI:Invalid nonce",
    "EAPI:Rate limit exceeded",
    "EService:Throttled",
    "EService:Unavailable",
    "EService:Busy",
    "EGeneral:Internal error",
    "EGeneral:Temporary lockout",
    "EGeneral:Permission denied",
    "EGeneral:Invalid arguments",
    "EQuery:Unknown asset pair",
    "EOrder:Insufficient funds",
    "EOrder:Order minimum not met",
    "EOrder:Cost minimum not met",
    "EOrder:Tick size check failed",
    "EOrder:Rate limit exceeded",
    "EOrder:Unknown order",
    "EAccount:Invalid permissions",
)
"""Every error that the venue documents; the throttle's comes with a time behind it."""


class Trouble(msgspec.Struct, frozen=True):
    """A fault that strikes now, with its value."""

    fault: Fault
    value: str


class _Planned(msgspec.Struct):
    fault: Fault
    endpoint: str | None
    wait: int
    times: int
    value: str


class Script:
    """Which requests go wrong. `struck` tells, in order, which did."""

    def __init__(self) -> None:
        self.struck: list[tuple[str, Fault]] = []
        self._planned: list[_Planned] = []

    def add(
        self,
        fault: Fault,
        *,
        endpoint: str | None = None,
        at: int = 1,
        times: int = 1,
        value: str | int = "",
    ) -> None:
        """Let a fault strike the `at`-th request from now on, and `times` − 1 after it."""
        self._planned.append(_Planned(fault, endpoint, at - 1, times, str(value)))

    def clear(self) -> None:
        """Let nothing go wrong from here on."""
        self._planned.clear()

    def strikes(self, endpoint: str) -> Trouble | None:
        """Return what goes wrong with a request; asked once a request."""
        found = None
        for planned in self._planned:
            if planned.endpoint not in (None, endpoint):
                continue
            if planned.wait:
                planned.wait -= 1
            elif planned.times and found is None:
                planned.times -= 1
                found = Trouble(planned.fault, planned.value)
                self.struck.append((endpoint, planned.fault))
        return found
