"""Whether what was told of a wallet comes to what lies in it: sums as a mark keeps them, and the
rest.

Errors: none.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from bursar.exact import ZERO, money, parse, trimmed

SHOWN_MAX: Final = 8
Sums = Mapping[str, str]


@money
def summed(sums: Sums, moved: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    """Return sums with what was moved; what is nothing is left out."""
    found = read(sums)
    for name, amount in moved:
        found[name] = found.get(name, ZERO) + amount
    return written(found)


@money
def rest(held: Mapping[str, Decimal], sums: Sums) -> dict[str, Decimal]:
    """Return what is held that the sums do not explain; below zero where they say more."""
    told = read(sums)
    names = held.keys() | told.keys()
    left = {name: held.get(name, ZERO) - told.get(name, ZERO) for name in names}
    return {name: each for name, each in left.items() if each}


@money
def added(*amounts: Decimal) -> Decimal:
    """Return a sum."""
    return sum(amounts, ZERO)


def changed(left: Mapping[str, Decimal], before: Sums) -> frozenset[str]:
    """Return of what more, or less, is left than before."""
    known = read(before)
    return frozenset(n for n in left.keys() | known.keys() if left.get(n) != known.get(n))


def read(sums: Sums) -> dict[str, Decimal]:
    """Read sums as a mark keeps them."""
    return {name: parse(each) for name, each in sums.items()}


def written(sums: Mapping[str, Decimal]) -> dict[str, str]:
    """Write sums as a mark keeps them."""
    return {name: trimmed(each) for name, each in sums.items() if each}


def named(left: Mapping[str, Decimal]) -> str:
    """Name what is left, the first few of it."""
    each = [f"{trimmed(amount)} {name}" for name, amount in sorted(left.items())]
    more = f" and {len(each) - SHOWN_MAX} more" if len(each) > SHOWN_MAX else ""
    return f"{', '.join(each[:SHOWN_MAX])}{more}"
