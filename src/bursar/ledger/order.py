"""Canonical order: when things happened, whatever the order in which we learned them.

Where neither time nor the venue's sequence says which of two came first, what brings comes before
what takes: things that may have happened at once prove no shortage. Corporate actions of one
account say by their names how they follow each other: a split of a name comes before the rename
that ends it, and after the one that leads to it; an exchange comes behind both, since what it takes
is what they left. So the cash for the fraction that a split left is paid behind the split.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from bursar.ledger.entries import CashFlow, Conversion, Fill, Rename, Side, Split, venue
from bursar.ledger.facts import Fact

Action = Split | Rename | Conversion
ACTIONS: Final = frozenset({Split, Rename, Conversion})
Key = tuple[int, str, int, int, str]


def order_key(fact: Fact) -> Key:
    """Return a fact's place: (executed_at, venue, venue sequence, turn, id)."""
    return fact.executed_at, venue(fact.account), fact.sequence, turn(fact), fact.id


def after_actions(fact: Action, beside: Iterable[Fact]) -> Action:
    """Return a corporate action in its place among others: those of its account and instant, of
    which the venue's sequence does not say when they were.
    """
    here = fact.account, fact.executed_at, fact.sequence
    others = [e for e in beside if (e.account, e.executed_at, e.sequence) == here]
    others = [each for each in others if each.id != fact.id]
    if isinstance(fact, Split):
        place = 2 * any(isinstance(e, Rename) and e.to_asset == fact.asset for e in others)
    elif isinstance(fact, Rename):
        place = int(any(isinstance(e, Split) and e.asset == fact.asset for e in others))
    else:
        place = 3 * any(isinstance(e, Split | Rename) for e in others)
    return msgspec.structs.replace(fact, sequence=fact.sequence + place) if place else fact


def turn(fact: Fact) -> int:
    """Return 0 for what comes in, then purchases, then sales and all else, 3 for what goes out."""
    if isinstance(fact, Fill):
        return 1 if fact.side is Side.BUY else 2
    if isinstance(fact, CashFlow):
        return 0 if fact.amount > 0 else 3
    return 2
