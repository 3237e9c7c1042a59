"""Which regime stood when: what was told of the market, whatever order it was told in.

A telling has an instant and a teller. Its place among others is by instant, then by teller and by
name, so the order of arrival changes nothing about which one stands now. Tellings of one regime
after another are a spell, of which the first and the last are kept; one that comes late into the
middle of a spell parts it. A telling of a time to come stands from then on.

Invariant: spells lie one after the other, and the last telling of all is the last one's.

Errors: `BadChoice` for a regime without a name.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec

from bursar.errors import BadChoice

NORMAL: Final = "NORMAL"
"""What stands before anything was told."""

KEPT_MAX: Final = 200


class Telling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A regime, from when on (ns), who told it, and why."""

    name: str
    at: int
    by: str
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse a regime without a name."""
        if not self.name.strip():
            raise BadChoice("a regime has a name, such as BULL")


class Spell(msgspec.Struct, frozen=True):
    """A time of one regime: the first and the last telling of it."""

    first: Telling
    last: Telling


Spells = tuple[Spell, ...]


def told(spells: Spells, telling: Telling) -> Spells:
    """Return the spells with one telling more; told again, it changes nothing. O(spells)."""
    at = bisect_right(spells, _place(telling), key=lambda spell: _place(spell.first))
    before, after = spells[:at], spells[at:]
    new: Spells = (Spell(telling, telling),)
    if before:
        first, last = before[-1].first, before[-1].last
        if first.name == telling.name:
            before, new = before[:-1], (Spell(first, max(last, telling, key=_place)),)
        elif _place(telling) < _place(last):
            before, new = before[:-1], (Spell(first, first), *new, Spell(last, last))
    return (*before, *new, *after)[-KEPT_MAX:]


def standing(spells: Sequence[Spell], at: int) -> Telling | None:
    """Return the telling that began what stands at an instant; `None` before the first."""
    place = bisect_right(spells, at, key=lambda spell: spell.first.at)
    return spells[place - 1].first if place else None


def named(spells: Sequence[Spell], at: int) -> str:
    """Return the name of what stands at an instant."""
    found = standing(spells, at)
    return NORMAL if found is None else found.name


def _place(telling: Telling) -> tuple[int, str, str]:
    return telling.at, telling.by, telling.name
