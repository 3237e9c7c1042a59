"""Limits: what a portfolio is not meant to pass, looked at and never enforced.

A limit that is passed is a breach; one whose figure is not known is `unknown`, which is no
all-clear. A limit that is just met is kept. Percentages are percent of equity; a loss is positive.

Errors: none.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.exact import money, trimmed
from bursar.measure.measured import Measured, unknown

_NOT_SAID: Final = unknown("it was not measured")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds; `None` is none. Money in base currency."""

    gross_exposure_pct_max: Decimal | None = None
    net_exposure_pct_max: Decimal | None = None
    symbol_exposure_pct_max: Decimal | None = None
    sector_exposure_pct_max: Decimal | None = None
    drawdown_pct_max: Decimal | None = None
    daily_drawdown_pct_max: Decimal | None = None
    weekly_drawdown_pct_max: Decimal | None = None
    daily_loss_max: Decimal | None = None
    daily_loss_pct_max: Decimal | None = None
    positions_max: Decimal | None = None


class Freshness(Enum):
    """What is known of the limits. Only what is `fresh` may be taken for an all-clear.

    `none`: nobody has set any. `missing`: there are some, and they were never read.
    """

    NONE = "none"
    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The limits, where they come from, when they were read, and why they are not fresh."""

    limits: Limits = Limits()
    freshness: Freshness = Freshness.NONE
    source: str = ""
    read_at: int | None = None
    trouble: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The figures that limits are held against. A negative exposure counts by its size."""

    gross_exposure_pct: Measured = _NOT_SAID
    net_exposure_pct: Measured = _NOT_SAID
    symbol_exposure_pct: Mapping[str, Measured] = msgspec.field(default_factory=dict)
    sector_exposure_pct: Mapping[str, Measured] = msgspec.field(default_factory=dict)
    drawdown_pct: Measured = _NOT_SAID
    daily_drawdown_pct: Measured = _NOT_SAID
    weekly_drawdown_pct: Measured = _NOT_SAID
    daily_loss: Measured = _NOT_SAID
    daily_loss_pct: Measured = _NOT_SAID
    positions: Measured = _NOT_SAID


class Verdict(Enum):
    """What came of a limit."""

    BREACHED = "breached"
    UNKNOWN = "unknown"


class Breach(msgspec.Struct, frozen=True):
    """A limit that is passed, or of which nobody knows: what it is of, the figure, the bound."""

    limit: str
    verdict: Verdict
    value: Decimal | None
    bound: Decimal
    subject: str = ""
    reason: str = ""

    def __str__(self) -> str:
        of = f" of {self.subject}" if self.subject else ""
        told = f"unknown: {self.reason}" if self.value is None else trimmed(self.value)
        return f"{self.limit}{of}: {told} (at most {trimmed(self.bound)})"


@money
def check(limits: Limits, standing: Standing) -> tuple[Breach, ...]:
    """Return what passes its limit, and what might, in the order of the limits."""
    found: list[Breach] = []
    for field in limits.__struct_fields__:
        bound: Decimal | None = getattr(limits, field)
        if bound is None:
            continue
        name = field.removesuffix("_max")
        figures: Measured | Mapping[str, Measured] = getattr(standing, name)
        if isinstance(figures, Measured):
            figures = {"": figures}
        found += _judged(name, bound, sorted(figures.items()))
    return tuple(found)


def _judged(limit: str, bound: Decimal, figures: Iterable[tuple[str, Measured]]) -> list[Breach]:
    found = []
    for subject, figure in figures:
        if figure.value is None:
            reason = figure.reason
            found.append(Breach(limit, Verdict.UNKNOWN, None, bound, subject, reason))
            continue
        size = abs(figure.value) if "exposure" in limit else figure.value
        if size > bound:
            found.append(Breach(limit, Verdict.BREACHED, figure.value, bound, subject))
    return found
