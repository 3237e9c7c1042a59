"""Canonical order: when things happened, whatever the order in which we learned them.

Where neither time nor the venue's sequence says which of two came first, their turn does. An
instant begins with its corporate actions, and all else in it is of the units and names that they
leave. Of all else, what brings comes before what takes, since things that may have happened at once
prove no shortage: what comes in, purchases, exchanges, sales and the rest, what goes out.

Splits, renames and exchanges of one account follow each other by their names. Of each name it is:
what is renamed to it, its split, what is exchanged for it, what it is exchanged for, and the rename
that ends it. An exchange beside a split or a rename is one of the actions: it may be the cash for
the fraction that a split left. Where names lead in a circle, ids decide.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Final

from bursar.ledger.entries import CashFlow, Conversion, Fill, Rename, Side, Split, venue
from bursar.ledger.facts import Fact

Action = Split | Rename | Conversion
ACTIONS: Final = frozenset({Split, Rename, Conversion})
Key = tuple[int, str, int, int, str]

ACTS: Final = -1_000_000
COMES_IN: Final = 0
IS_BOUGHT: Final = 1
IS_EXCHANGED: Final = 2
"""The turn of the first of several; of both, those that follow have the turns behind it."""
ALL_ELSE: Final = 1_000_000
GOES_OUT: Final = 1_000_001


class _Use(IntEnum):
    """What an action does with a name, in the order in which that is done."""

    BEGUN = 0
    SPLIT = 1
    TAKEN = 2
    GIVEN = 3
    ENDED = 4


def order_key(fact: Fact) -> Key:
    """Return a fact's place: (executed_at, venue, venue sequence, turn, id)."""
    return fact.executed_at, venue(fact.account), fact.sequence, turn(fact), fact.id


def turn(fact: Fact) -> int:
    """Return when it is a fact's turn among those of its instant and sequence."""
    if isinstance(fact, Fill):  # as most are
        return IS_BOUGHT if fact.side is Side.BUY else ALL_ELSE
    if isinstance(fact, CashFlow):
        return COMES_IN if fact.amount > 0 else GOES_OUT
    if not isinstance(fact, Action):
        return ALL_ELSE
    if fact.turn is not None:
        return fact.turn
    return IS_EXCHANGED if isinstance(fact, Conversion) else ACTS


def turns(actions: Iterable[Action], cash: frozenset[str]) -> dict[str, int]:
    """Return the turns, by id, of actions of one account and instant that are not what `turn` says
    of each alone. Money (`cash`) leads from none to another. O(actions and their names), and for
    each the actions before it.
    """
    by_sequence: dict[int, list[Action]] = {}
    for each in actions:
        by_sequence.setdefault(each.sequence, []).append(each)
    found: dict[str, int] = {}
    for own in by_sequence.values():
        begin = IS_EXCHANGED if all(isinstance(each, Conversion) for each in own) else ACTS
        for each, before in zip(own, _before(own, cash), strict=True):
            if begin + before != turn(each):
                found[each.id] = begin + before
    return found


def _before(actions: Sequence[Action], cash: frozenset[str]) -> Iterator[int]:
    """Yield how many others come before each: those that lead to it, and that it does not lead to.

    Sets of actions are whole numbers here, with a bit for each.
    """
    uses = [[use for use in _uses(each) if use[0] not in cash] for each in actions]
    users: dict[tuple[str, _Use], int] = {}
    for number, own in enumerate(uses):
        for use in own:
            users[use] = users.get(use, 0) | 1 << number
    leading = [_leading(number, own, users) for number, own in enumerate(uses)]
    _complete(leading)
    for number, those in enumerate(leading):
        yield sum(not leading[each] >> number & 1 for each in _members(those & ~(1 << number)))


def _uses(action: Action) -> Iterator[tuple[str, _Use]]:
    match action:
        case Split():
            yield action.asset, _Use.SPLIT
        case Rename():
            yield action.asset, _Use.ENDED
            yield action.to_asset, _Use.BEGUN
        case _:
            yield from ((leg.asset, _Use.GIVEN) for leg in action.given)
            yield from ((leg.asset, _Use.TAKEN) for leg in action.taken)


def _leading(
    number: int, own: Iterable[tuple[str, _Use]], users: Mapping[tuple[str, _Use], int]
) -> int:
    """Return who does with a name what is done before that which this one does with it."""
    found = 0
    for name, use in own:
        for earlier in range(use):
            found |= users.get((name, _Use(earlier)), 0)
    return found & ~(1 << number)


def _complete(leading: list[int]) -> None:
    """Add to what leads to each what leads to that, however long the way."""
    is_growing = True
    while is_growing:
        is_growing = False
        for number, those in enumerate(leading):
            more = those
            for each in _members(those):
                more |= leading[each]
            if more != those:
                leading[number], is_growing = more, True


def _members(those: int) -> Iterator[int]:
    while those:
        lowest = those & -those
        yield lowest.bit_length() - 1
        those ^= lowest
