"""Weights as near to the wishes as bounds allow: a projection onto the capped simplex.

Every strategy has a wish (≥ 0, only their proportions count) and bounds least ≤ most. One factor κ
scales all wishes; a weight is its scaled wish held within its bounds, and κ is such that the
weights sum to the total. Being one κ for all, of two strategies with equal bounds the one with the
larger wish never gets less. What cannot be placed within the bounds is left over.

The sum of the weights rises with κ by straight pieces; the piece that reaches the total is found
by sorting where each weight leaves its lower bound and where it meets its upper one. O(n log n).
Weights are cut to 18 places, so they never sum to more than the total.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import FRACTION_DIGITS, ZERO, divide, money

# Two fractions with numerators and denominators of 18 decimals and under 20 digits before them
# differ by more than this many places, so quotients cut there are in the fractions' own order.
_PLACES: Final = 80


class Bounds(msgspec.Struct, frozen=True):
    """The least and the most a weight may be; 0 ≤ least ≤ most, of at most 18 decimals."""

    least: Decimal
    most: Decimal


@money
def project(
    wishes: Sequence[Decimal], bounds: Sequence[Bounds], total: Decimal
) -> tuple[Decimal, ...]:
    """Return the weights; they sum to `total`, or to as much of it as bounds and wishes allow.

    Where even the lower bounds sum to more than the total, each weight is its lower bound.
    """
    placed, slope = sum((bound.least for bound in bounds), ZERO), ZERO
    if placed >= total:
        return tuple(bound.least for bound in bounds)
    for at, index, starts in _turns(wishes, bounds):
        if slope and placed + slope * at >= total:
            return _scaled(wishes, bounds, total - placed, slope)
        slope += wishes[index] if starts else -wishes[index]
        placed += -bounds[index].least if starts else bounds[index].most
    pairs = zip(wishes, bounds, strict=True)
    return tuple(bound.most if wish else bound.least for wish, bound in pairs)


def _scaled(
    wishes: Sequence[Decimal], bounds: Sequence[Bounds], room: Decimal, slope: Decimal
) -> tuple[Decimal, ...]:
    """Scale every wish by room ÷ slope, cut to 18 places and held within its bounds."""
    scaled = (divide(room * wish, slope, places=FRACTION_DIGITS)[0] for wish in wishes)
    return tuple(
        min(max(weight, bound.least), bound.most)
        for weight, bound in zip(scaled, bounds, strict=True)
    )


def _turns(wishes: Sequence[Decimal], bounds: Sequence[Bounds]) -> list[tuple[Decimal, int, bool]]:
    """Every κ at which a weight leaves its lower bound (True) or meets its upper one, rising."""
    turns = []
    for index, (wish, bound) in enumerate(zip(wishes, bounds, strict=True)):
        if wish > 0:
            turns.append((divide(bound.least, wish, places=_PLACES)[0], index, True))
            turns.append((divide(bound.most, wish, places=_PLACES)[0], index, False))
    return sorted(turns, key=lambda turn: (turn[0], not turn[2], turn[1]))
