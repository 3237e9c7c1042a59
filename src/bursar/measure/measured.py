"""A figure that may not be known, with the reason why not.

Invariant: exactly one of the two is there: a value, or a reason.

Errors: none.
"""

import math
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from bursar.exact import LARGEST, ZERO, money, percent18, quotient18, statistic, trimmed
from bursar.ledger.why import Amount, Why


class Measured(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A figure, or `None` and the reason."""

    value: Decimal | None
    reason: str = ""

    def __str__(self) -> str:
        return self.reason if self.value is None else trimmed(self.value)


def known(value: Decimal) -> Measured:
    """Return a figure that is known."""
    return Measured(value)


def unknown(reason: str) -> Measured:
    """Return a figure that is not known, and why."""
    return Measured(None, reason)


def measured(value: float) -> Measured:
    """Take a statistic out of the floats: nine places, half-even."""
    if not math.isfinite(value):
        return unknown("it is not a finite number")
    if abs(value) >= LARGEST:
        return unknown("it is too large to be told")
    return Measured(statistic(value))


@money
def percent(part: Decimal, whole: Decimal) -> Measured:
    """Return `part` as percent of `whole`, rounded once; unknown unless the whole is above 0."""
    if whole <= 0:
        return unknown("there is nothing above zero to take it of")
    return Measured(percent18(part, whole) or ZERO)  # a zero without an exponent


@money
def quotient(part: Decimal, whole: Decimal, *, otherwise: str) -> Measured:
    """Return part ÷ whole, rounded once; without a whole, unknown for the reason given."""
    return Measured(quotient18(part, whole) or ZERO) if whole else unknown(otherwise)


@money
def summed(values: Iterable[Decimal]) -> Decimal:
    """Add up amounts exactly."""
    return sum(values, ZERO)


def because(figure: Measured, formula: str, *parts: Why | Amount) -> Why | Amount:
    """Explain a figure by its parts; one that is not known, by its reason."""
    if figure.value is None:
        return Amount(formula, None, figure.reason)
    return Why(figure.value, formula, parts)
