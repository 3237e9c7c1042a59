"""Founding: which openings a shortage calls for, and how much of each.

An **origin** is what an account may have held of a name before anybody told of it: when the account
began, or when a rename had emptied the name. It is carried along by splits and renames like all
that is held, so each balance knows the origins that are in it, and at which scale.

- A balance below zero is founded by an origin of the account's beginning that is in it: its own
  name's, if that is still there. Where none is left (a rename took the name's away, and nothing
  came in under it), nothing that was held before can be what was sold: that stays owed.
- A balance that a venue states was there, whatever is in it: so one of a name that had been emptied
  is founded behind the rename.
- An opening that is called for counts in every place that it was carried to.

Errors: none.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from bursar.exact import ATOM, ONE, ZERO, divide, ratio18
from bursar.ledger import pockets

Place = tuple[str, str]
Scale = tuple[Decimal, Decimal]
Root = tuple[Place, int]

EVEN: Final[Scale] = (ONE, ONE)
AT_FIRST: Final = 0
_MOST: Final = 10**30


class Origin(msgspec.Struct, frozen=True, gc=False):
    """What may have been there of a name at first, or since a rename had emptied it.

    The scale is a pair: so many units here for so many of then.
    """

    asset: str
    since: int = AT_FIRST
    scale: Scale = EVEN


Origins = tuple[Origin, ...]


class Lack(msgspec.Struct, frozen=True):
    """So many units (> 0) were not explained in a place, in which these origins were."""

    place: Place
    quantity: Decimal
    origins: Origins


def founded(short: Iterable[Lack], stated: Iterable[Lack]) -> dict[Root, Decimal]:
    """Return the openings that shortages and stated balances call for, by place and instant.

    Pockets come first, since what lies in them is held by the account. Of two others the one with
    more origins came later on the way of the same coins.
    """
    found: dict[Root, Decimal] = {}
    told = [(lack, lack.origins) for lack in stated]
    lacking = [(lack, at_first(lack.origins)) for lack in short]
    of_pockets = (each for each in (*told, *lacking) if _is_of_pocket(each[0].place))
    for lack, able in sorted(of_pockets, key=lambda way: _turn(way[0])):
        _cover(found, {}, lack, able)
    inside: dict[Root, Decimal] = {}
    for (place, since), quantity in found.items():
        whole = (pockets.parted(place)[0], place[1]), since
        inside[whole] = inside.get(whole, ZERO) + quantity
    ways: list[tuple[Lack, Mapping[Root, Decimal], Origins]]
    ways = [(lack, {}, able) for lack, able in told]
    ways += [(lack, inside, able) for lack, able in lacking]
    ways = [way for way in ways if not _is_of_pocket(way[0].place)]
    for lack, within, able in sorted(ways, key=lambda way: _turn(way[0])):
        _cover(found, within, lack, able)
    return found


def at_first(origins: Origins) -> Origins:
    """Return those that are of the account's beginning."""
    return tuple(each for each in origins if each.since == AT_FIRST)


def carried(origins: Origins, scale: Scale, at: int) -> Origins:
    """Return origins as a rename at that instant finds them: those of before it."""
    return tuple(
        msgspec.structs.replace(each, scale=scaled(each.scale, scale))
        for each in origins
        if each.since < at
    )


def scaled(scale: Scale, by: Scale) -> Scale:
    """Multiply two scales, in lowest terms; one of very many digits is rounded."""
    now, first = scale[0] * by[0], scale[1] * by[1]
    found = Fraction(now) / Fraction(first)
    if max(found.numerator, found.denominator) >= _MOST:
        return max(ratio18(ONE, now, first), ATOM), ONE
    return Decimal(found.numerator), Decimal(found.denominator)


def first_units(now: Decimal, scale: Scale) -> Decimal:
    """Return a shortfall in the units of a scale's beginning, rounded so that it suffices."""
    if scale == EVEN:
        return now
    quotient, remainder = divide(now * scale[1], scale[0], places=18)
    return quotient - ATOM if remainder < 0 else quotient


def _cover(
    found: dict[Root, Decimal], inside: Mapping[Root, Decimal], lack: Lack, able: Origins
) -> None:
    """Open for a lack what the openings that were carried there leave of it, by the best of those
    that are able to.
    """
    if not able:
        return
    missing, account = lack.quantity, lack.place[0]
    for origin in lack.origins:
        root = (account, origin.asset), origin.since
        there = found.get(root, ZERO) + inside.get(root, ZERO)
        missing -= _here(there, origin.scale)
    if missing > 0:
        best = min(able, key=lambda each: _preference(each, lack.place[1]))
        root = (account, best.asset), best.since
        found[root] = found.get(root, ZERO) - first_units(-missing, best.scale)


def _preference(origin: Origin, asset: str) -> tuple[bool, bool, int, str]:
    """Return what sorts first: the account's beginning, then the name itself, then the latest."""
    return origin.since != AT_FIRST, origin.asset != asset, -origin.since, origin.asset


def _here(opened: Decimal, scale: Scale) -> Decimal:
    """Return what has become of an opening, rounded as the balance was that it founds."""
    return opened if scale == EVEN else ratio18(opened, *scale)


def _turn(lack: Lack) -> tuple[int, Place, Decimal]:
    return len(lack.origins), lack.place, lack.quantity


def _is_of_pocket(place: Place) -> bool:
    return pockets.parted(place)[1] is not None
