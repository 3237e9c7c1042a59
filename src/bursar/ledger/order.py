"""Canonical order: when things happened, whatever the order in which we learned them."""

from bursar.ledger.entries import venue
from bursar.ledger.facts import Fact

Key = tuple[int, str, int, str]


def order_key(fact: Fact) -> Key:
    """Return a fact's place: (executed_at, venue, venue sequence, id)."""
    return fact.executed_at, venue(fact.account), fact.sequence, fact.id
