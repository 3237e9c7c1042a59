"""The alarm: when a drift is flagged, and when somebody is told.

A drift is flagged at once. Somebody is told when it is still there one reconciliation later, and
again when what it is worth has changed by a tenth since, or an hour has passed. It clears when the
comparison is back within tolerance. A statement that could not be had neither sets nor clears it.

The state is a small record that is kept as JSON between two cycles; time is an argument.

Errors: none.
"""

from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.exact import money
from bursar.ledger import instant
from bursar.reconcile.compare import Comparison, Verdict

CYCLES: Final = 2
CHANGE: Final = Decimal("0.1")
AGAIN_AFTER: Final = instant.HOUR


class Signal(Enum):
    """What a cycle gives cause for."""

    NONE = "none"
    FLAGGED = "flagged"
    NOTIFY = "notify"
    CLEARED = "cleared"


class Alarm(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the alarm stands: since when it is flagged, over how many cycles, what was told last.

    `told` is what the drift was worth when somebody was last told.
    """

    since: int | None = None
    cycles: int = 0
    told_at: int | None = None
    told: Decimal | None = None
    told_unpriced: tuple[str, ...] = ()

    @property
    def is_flagged(self) -> bool:
        """Tell whether the books are known not to agree."""
        return self.since is not None


QUIET: Final = Alarm()


@money
def heard(alarm: Alarm, found: Comparison, *, now: int) -> tuple[Alarm, Signal]:
    """Take in a reconciliation: (the alarm as it stands now, what it gives cause for)."""
    if found.verdict is Verdict.UNKNOWN:
        return alarm, Signal.NONE
    if not found.drift:
        return QUIET, Signal.CLEARED if alarm.is_flagged else Signal.NONE
    cycles = alarm.cycles + 1
    since = now if alarm.since is None else alarm.since
    counted = msgspec.structs.replace(alarm, since=since, cycles=cycles)
    if cycles < CYCLES:
        return counted, Signal.FLAGGED
    if alarm.told_at is not None and not _is_news(alarm, found, now):
        return counted, Signal.NONE
    told = msgspec.structs.replace(
        counted, told_at=now, told=size(found), told_unpriced=found.unpriced
    )
    return told, Signal.NOTIFY


def size(found: Comparison) -> Decimal:
    """Return the sum of what all differences are worth, each without its sign, where known."""
    worths = [line.worth for line in found.assets if line.is_shown]
    worths += [line.worth for line in found.positions if line.is_shown]
    return sum((abs(worth) for worth in worths if worth is not None), Decimal(0))


def _is_news(alarm: Alarm, found: Comparison, now: int) -> bool:
    assert alarm.told_at is not None, "asked only of what was told"
    if alarm.told_unpriced != found.unpriced:
        return True
    return is_news(size(found), alarm.told or Decimal(0), told_at=alarm.told_at, now=now)


@money
def is_news(worth: Decimal, told: Decimal, *, told_at: int, now: int) -> bool:
    """Tell whether what was told is to be told again: a tenth more or less, or an hour later."""
    return is_long_ago(told_at, now) or abs(worth - told) > CHANGE * abs(told)


def is_long_ago(told_at: int, now: int) -> bool:
    """Tell whether what was told has to be told again. An hour ahead counts as an hour ago: the
    clock was set back since, and when it was told nobody knows.
    """
    return abs(now - told_at) >= AGAIN_AFTER


def encode(alarm: Alarm) -> str:
    """Write the state as JSON, every digit kept."""
    return msgspec.json.encode(alarm, order="deterministic").decode()


def decode(text: str | bytes) -> Alarm:
    """Read a state back."""
    return msgspec.json.decode(text, type=Alarm)
