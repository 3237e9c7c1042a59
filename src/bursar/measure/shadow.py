"""Did adapting help? Weights as they were decided beside equal ones, on the same returns.

    difference of a day = Σ decided weight × return − Σ equal weight × return, over all strategies

What stays in reserve returns 0 in both. A day counts with the weights that stood when it began. The
interval is a circular block bootstrap of the mean (blocks of about the cube root of the number of
days, since days that follow each other resemble each other; Politis and Romano 1992): resamples are
drawn by a fixed rule from the number of days alone, so the same history gives the same interval.
Where the interval has 0 in it, the history does not say that adapting helped or harmed.

Errors: none; too few days are a reason.
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import statistic
from bursar.measure.measured import Measured, measured, unknown

DAYS_LEAST: Final = 30
RESAMPLES: Final = 2000
TAIL: Final = 0.025
_MASK: Final = 2**64 - 1


class ShadowDay(msgspec.Struct, frozen=True):
    """One day: the weights that stood as it began, and every strategy's return as a fraction."""

    day: int
    weights: Mapping[str, Decimal]
    returns: Mapping[str, float]


class Shadow(msgspec.Struct, frozen=True):
    """What adapting made over what equal weights would have made. Percent; a mean is of a day.

    `low` and `high` hold the true mean in 95 of 100 such histories.
    """

    days: int
    adaptive_pct: Measured
    equal_pct: Measured
    mean_pct: Measured
    low_pct: Measured
    high_pct: Measured
    verdict: str


def shadow(history: Sequence[ShadowDay]) -> Shadow:
    """Compare decided with equal weights. O(days × resamples)."""
    adaptive = [_return(day.weights, day.returns) for day in history]
    equal = [_return(_equal(day.weights), day.returns) for day in history]
    differences = [one - other for one, other in zip(adaptive, equal, strict=True)]
    if len(history) < DAYS_LEAST:
        why = unknown(f"{len(history)} days; it takes {DAYS_LEAST}")
        return Shadow(len(history), why, why, why, why, why, "too early to say")
    low, high = interval(differences)
    verdict = "nothing proven"
    if low > 0:
        verdict = "adapting helped"
    elif high < 0:
        verdict = "adapting harmed"
    return Shadow(
        len(history),
        _pct(math.prod(1 + value for value in adaptive) - 1),
        _pct(math.prod(1 + value for value in equal) - 1),
        _pct(math.fsum(differences) / len(differences)),
        _pct(low),
        _pct(high),
        verdict,
    )


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of values that follow each other."""
    count = len(values)
    block = max(round(count ** (1 / 3)), 1)
    blocks = -(-count // block)
    sums = [
        math.fsum(values[(start + step) % count] for step in range(block)) for start in range(count)
    ]
    means = []
    state = count
    for _ in range(RESAMPLES):
        total = 0.0
        for _ in range(blocks):
            state, drawn = _draw(state)
            total += sums[drawn % count]
        means.append(total / (blocks * block))
    means.sort()
    cut = int(TAIL * RESAMPLES)
    return means[cut], means[-cut - 1]


def _draw(state: int) -> tuple[int, int]:
    """Return the next state and a number of 64 bits (splitmix64, Steele et al. 2014)."""
    state = (state + 0x9E3779B97F4A7C15) & _MASK
    mixed = state
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
    return state, mixed ^ (mixed >> 31)


def _equal(weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return dict.fromkeys(weights, Decimal(1) / len(weights)) if weights else {}


def _return(weights: Mapping[str, Decimal], returns: Mapping[str, float]) -> float:
    return math.fsum(float(weight) * returns.get(name, 0.0) for name, weight in weights.items())


def _pct(value: float) -> Measured:
    return measured(100 * float(statistic(value)))
