"""Correlation: how symbols, and sectors, moved together.

Pearson's coefficient of daily returns over the days that both have. A sector's return on a day is
the mean of its members' that day, weighted as told. Fewer common days than `least`, or a price that
never moved, give no coefficient.

Invariants: symmetric; 1 on the diagonal where there is anything; between −1 and 1.

Errors: none.
"""

import math
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations_with_replacement
from typing import Final

import msgspec

from bursar.measure.measured import Measured, measured, unknown

LEAST: Final = 20
_EVEN: Final = 1e-12
_DAY: Final = timedelta(days=1)

Prices = Mapping[str, Mapping[date, Decimal]]
"""The closing price of each symbol by UTC day."""

Returns = Mapping[str, Mapping[date, float]]
"""The return of each symbol by UTC day; 0.01 is 1 %."""


class Pair(msgspec.Struct, frozen=True, gc=False):
    """How two names moved together, and over how many common days."""

    one: str
    other: str
    coefficient: Measured
    days: int


class Correlations(msgspec.Struct, frozen=True):
    """Every pair of names once, itself included, in order of name."""

    names: tuple[str, ...]
    pairs: tuple[Pair, ...]

    def between(self, one: str, other: str) -> Pair | None:
        """Return the pair of two names, in any order."""
        wanted = tuple(sorted((one, other)))
        return next((pair for pair in self.pairs if (pair.one, pair.other) == wanted), None)


def returns_of(prices: Prices) -> dict[str, dict[date, float]]:
    """Return daily returns: of days that have a price, as has the day before."""
    return {
        name: {
            day: float(price) / float(closes[day - _DAY]) - 1
            for day, price in sorted(closes.items())
            if closes.get(day - _DAY)
        }
        for name, closes in prices.items()
    }


def grouped(
    returns: Returns, groups: Mapping[str, str], weights: Mapping[str, float]
) -> dict[str, dict[date, float]]:
    """Return the weighted mean return of each group by day, of the members that have that day.

    A symbol without a group or a weight above zero is left out.
    """
    sums: dict[str, dict[date, tuple[float, float]]] = {}
    for name in sorted(returns):
        weight = weights.get(name, 0.0)
        if name not in groups or weight <= 0:
            continue
        own = sums.setdefault(groups[name], {})
        for day, value in returns[name].items():
            told, whole = own.get(day, (0.0, 0.0))
            own[day] = told + weight * value, whole + weight
    return {
        group: {day: told / whole for day, (told, whole) in days.items()}
        for group, days in sums.items()
    }


def correlations(returns: Returns, *, least: int = LEAST) -> Correlations:
    """Return the correlation of every pair. O(names² × days)."""
    names = tuple(sorted(returns))
    pairs = combinations_with_replacement(names, 2)
    return Correlations(names, tuple(_pair(one, other, returns, least) for one, other in pairs))


def _pair(one: str, other: str, returns: Returns, least: int) -> Pair:
    days = sorted(returns[one].keys() & returns[other].keys())
    if len(days) < max(least, 2):
        reason = unknown(f"{len(days)} common days; it takes {max(least, 2)}")
        return Pair(one, other, reason, len(days))
    left, right = ([returns[name][day] for day in days] for name in (one, other))
    return Pair(one, other, _pearson(left, right), len(days))


def _pearson(left: list[float], right: list[float]) -> Measured:
    lefts, rights = _centred(left), _centred(right)
    spreads = [math.sqrt(math.fsum(x * x for x in side)) for side in (lefts, rights)]
    if min(spreads) < _EVEN:
        return unknown("a price did not move")
    product = math.fsum(x * y for x, y in zip(lefts, rights, strict=True))
    return measured(max(-1.0, min(1.0, product / (spreads[0] * spreads[1]))))


def _centred(values: list[float]) -> list[float]:
    middle = math.fsum(values) / len(values)
    return [value - middle for value in values]
