"""Ratios of daily returns, each with its convention.

With r the daily returns (0.01 is 1 %), n how many, y the periods in a year, f the risk-free rate of
one period, (1 + F)^(1/y) − 1 for the yearly F, and x = r − f:

    volatility  sd(r) × √y                      sd divides by n − 1
    sharpe      mean(x) ÷ sd(x) × √y
    sortino     mean(x) × y ÷ (√mean(min(x, 0)²) × √y)
    annual      Π(1 + r)^(y/n) − 1
    calmar      annual ÷ deepest fall of Π(1 + r)
    VaR         −quantile(r, 1 − level), linear between the two nearest     a loss is positive
    CVaR        −mean of the ⌊(n − 1)(1 − level)⌋ + 1 lowest r

Volatility, annual return, VaR and CVaR are percent. Sums are exact before they are rounded (fsum),
so figures do not depend on the order of additions or on the machine.

Errors: none; too few returns are a reason.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.measure.measured import Measured, measured, unknown

_EVEN: Final = 1e-12
"""What differs by less is the same, but for rounding."""


class Conventions(msgspec.Struct, frozen=True, kw_only=True):
    """How ratios are made. `risk_free_pct` is a year's; `least` is how many returns they need."""

    periods: int = 365
    risk_free_pct: Decimal = Decimal(0)
    level_pct: Decimal = Decimal(95)
    least: int = 30

    @property
    def risk_free(self) -> float:
        """The risk-free rate of one period."""
        return math.pow(1 + float(self.risk_free_pct) / 100, 1 / self.periods) - 1

    @property
    def tail(self) -> float:
        """The share of returns that lie beyond the value at risk."""
        return float(100 - self.level_pct) / 100


USUAL: Final = Conventions()
BROKEN: Final = "equity was not above zero, and a return across that is not defined"


class Ratios(msgspec.Struct, frozen=True, kw_only=True):
    """The ratios of a stretch of daily returns. `returns` is how many there were."""

    returns: int
    annual_pct: Measured
    volatility_pct: Measured
    sharpe: Measured
    sortino: Measured
    calmar: Measured
    var_pct: Measured
    cvar_pct: Measured
    best_pct: Measured
    worst_pct: Measured


def ratios(
    returns: Sequence[float], conventions: Conventions = USUAL, *, is_broken: bool = False
) -> Ratios:
    """Return all ratios of daily returns, which stand oldest first. Of a curve that `is_broken`
    none is known: the day that matters most has no return.
    """
    if is_broken:
        return unmeasured(len(returns), BROKEN)
    least = max(conventions.least, 2)
    if len(returns) < least:
        return unmeasured(len(returns), f"{len(returns)} daily returns; it takes {least}")
    risk = value_at_risk(returns, conventions.tail)
    return Ratios(
        returns=len(returns),
        annual_pct=_pct(annual(returns, conventions.periods)),
        volatility_pct=_pct(deviation(returns) * math.sqrt(conventions.periods)),
        sharpe=sharpe(returns, conventions),
        sortino=sortino(returns, conventions),
        calmar=calmar(returns, conventions),
        var_pct=_pct(-risk),
        cvar_pct=_pct(-shortfall(returns, conventions.tail)),
        best_pct=_pct(max(returns)),
        worst_pct=_pct(min(returns)),
    )


def unmeasured(returns: int, reason: str) -> Ratios:
    """Return that none of the ratios of so many returns is known, and why."""
    fields = [name for name in Ratios.__struct_fields__ if name != "returns"]
    return Ratios(returns=returns, **dict.fromkeys(fields, unknown(reason)))


def mean(values: Sequence[float]) -> float:
    """Return the mean of values (at least one)."""
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation (at least two values)."""
    middle = mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


def sharpe(returns: Sequence[float], conventions: Conventions = USUAL) -> Measured:
    """Return the mean excess return over its deviation, by the year."""
    excess = [value - conventions.risk_free for value in returns]
    spread = deviation(excess)
    if spread < _EVEN:
        return unknown("the returns do not differ")
    return measured(mean(excess) / spread * math.sqrt(conventions.periods))


def sortino(returns: Sequence[float], conventions: Conventions = USUAL) -> Measured:
    """Return the mean excess return over its deviation below the risk-free rate, by the year."""
    excess = [value - conventions.risk_free for value in returns]
    below = math.sqrt(mean([min(value, 0.0) ** 2 for value in excess]))
    if below < _EVEN:
        return unknown("no return is below the risk-free rate")
    return measured(mean(excess) / below * math.sqrt(conventions.periods))


def calmar(returns: Sequence[float], conventions: Conventions = USUAL) -> Measured:
    """Return the yearly return over the deepest fall."""
    fall = deepest_fall(returns)
    if fall < _EVEN:
        return unknown("it never fell")
    return measured(annual(returns, conventions.periods) / fall)


def annual(returns: Sequence[float], periods: int) -> float:
    """Return the compound return of a year; a loss of everything is −1."""
    grown = math.prod(1 + value for value in returns)
    try:
        return math.pow(grown, periods / len(returns)) - 1 if grown > 0 else -1.0
    except OverflowError:
        return math.inf


def deepest_fall(returns: Sequence[float]) -> float:
    """Return the deepest fall of what returns compound to, as a share of the peak."""
    grown = peak = 1.0
    fall = 0.0
    for value in returns:
        grown *= 1 + value
        peak = max(peak, grown)
        fall = max(fall, 1 - grown / peak)
    return fall


def value_at_risk(returns: Sequence[float], tail: float) -> float:
    """Return the quantile of returns at `tail`, linear between its two neighbours."""
    return quantile(sorted(returns), tail)


def shortfall(returns: Sequence[float], tail: float) -> float:
    """Return the mean of the returns at and beyond the tail."""
    lowest = sorted(returns)[: int((len(returns) - 1) * tail + _EVEN) + 1]
    return mean(lowest)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the ordered values lie (at least one value)."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _pct(value: float) -> Measured:
    return measured(100 * value)
