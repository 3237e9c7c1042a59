"""Canonical order: when things happened, whatever the order in which we learned them.

Where neither time nor the venue's sequence says which of two came first, what brings comes before
what takes: things that may have happened at once prove no shortage.
"""

from bursar.ledger.entries import CashFlow, Fill, Side, venue
from bursar.ledger.facts import Fact

Key = tuple[int, str, int, int, str]


def order_key(fact: Fact) -> Key:
    """Return a fact's place: (executed_at, venue, venue sequence, turn, id)."""
    return fact.executed_at, venue(fact.account), fact.sequence, turn(fact), fact.id


def turn(fact: Fact) -> int:
    """Return 0 for what comes in, then purchases, then sales and all else, 3 for what goes out."""
    if isinstance(fact, Fill):
        return 1 if fact.side is Side.BUY else 2
    if isinstance(fact, CashFlow):
        return 0 if fact.amount > 0 else 3
    return 2
