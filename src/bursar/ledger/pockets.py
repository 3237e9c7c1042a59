"""Pockets of an account: what each fact moves in and out of them, and those whose list begins late.

A futures wallet is told of by a list of its own that reaches back a few months. A row of the kind
`opening` says what lay in such a pocket at its instant (`balance`), and moves nothing. What facts
of before explain of that came by them; the rest was there before all of them.

A pocket that only keeps coins cannot hold less than nothing. What came out of it beyond what had
gone in was there before, or was earned in it and told by nobody.

A pocket is followed as a place beside those of the whole account, under a name that no account has.

Errors: none.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from bursar.exact import ZERO
from bursar.ledger.entries import (
    MAIN,
    TRANSIT,
    CashFlow,
    MarginFill,
    Movement,
    MovementKind,
    Transfer,
)
from bursar.ledger.facts import Fact

Place = tuple[str, str]

_IN: Final = "\x1f"
_NOWHERE: Final = frozenset({None, MAIN, TRANSIT})
_SAVES: Final = frozenset({"earn", "funding"})


def place_of(row: Movement) -> Place:
    """Return the place of which a row states the balance: a pocket, or the account."""
    if row.kind is MovementKind.OPENING and row.pocket is not None:
        return f"{row.account}{_IN}{row.pocket}", row.asset
    return row.account, row.asset


def code_of(row: Movement) -> str:
    """Return the name under which the venue keeps the balance that a row states."""
    return place_of(row)[0] if is_beginning(row) else row.code or row.asset


def is_beginning(row: Movement) -> bool:
    """Tell whether a row says what lay in a pocket at one instant, and nothing of how it came."""
    return row.kind is MovementKind.OPENING and row.pocket is not None


def only_keeps(place: Place) -> bool:
    """Tell whether a place is a pocket that keeps coins and lends none, so that no more ever comes
    out of it than is in it, and of which venues state no balance row by row.
    """
    return parted(place)[1] in _SAVES


def parted(place: Place) -> tuple[str, str | None]:
    """Return the account of a place, and its pocket if it is one."""
    account, mark, pocket = place[0].partition(_IN)
    return account, pocket if mark else None


def shown(place: Place) -> str:
    """Name an account, and the pocket in it, as ids do."""
    return place[0].replace(_IN, ":")


def moved(fact: Fact) -> Iterator[tuple[Place, Decimal]]:
    """Yield what a fact moves in and out of pockets, as the book counts it."""
    match fact:
        case CashFlow():
            fees = sum((fee.amount for fee in fact.fees if fee.asset == fact.asset), ZERO)
            changes = [(fact.account, fact.asset, fact.pocket, fact.amount - fees)]
        case MarginFill():
            changes = [(fact.account, fact.quote, fact.pocket, fact.settled or ZERO)]
            changes += [(fact.account, fee.asset, fact.pocket, -fee.amount) for fee in fact.fees]
        case Transfer():
            changes = [
                (fact.account, fact.asset, fact.pocket, -fact.quantity),
                (fact.to_account, fact.to_asset or fact.asset, fact.to_pocket, fact.quantity),
            ]
        case _:
            changes = []
    for account, asset, pocket, change in changes:
        if pocket not in _NOWHERE:
            yield (f"{account}{_IN}{pocket}", asset), change
