"""Journeys: a withdrawal and a deposit of two accounts that look like two ends of one transfer.

No venue says that they are, so they are only pointed out; a `link` makes a transfer of them. Both
are of one coin, under whichever of its names; at most three days lie between, and at most a tenth
did not arrive. One that could be paired in two ways is paired in none.

Errors: none.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

import msgspec

from bursar.exact import money
from bursar.ledger.entries import FlowKind
from bursar.ledger.names import canonical
from bursar.ledger.records import CashFlowRecord

_BEFORE: Final = timedelta(hours=1)
"""Clocks differ: a deposit may be dated earlier than what it came from."""

_AFTER: Final = timedelta(days=3)
_PARTS: Final = 10
_ENDS: Final = {kind.value for kind in (FlowKind.WITHDRAWAL, FlowKind.DEPOSIT, FlowKind.TRANSFER)}


class Journey(msgspec.Struct, frozen=True):
    """What left one account, and what came to another."""

    withdrawal: CashFlowRecord
    deposit: CashFlowRecord


@money
def journeys(flows: Iterable[CashFlowRecord]) -> list[Journey]:
    """Return the pairs that look like one transfer each, oldest first. O(n log n) and the pairs."""
    ends = sorted((each for each in flows if each.type in _ENDS), key=lambda each: each.time)
    came: dict[str, list[CashFlowRecord]] = {}
    for each in ends:
        if each.amount > 0:
            came.setdefault(canonical(each.asset), []).append(each)
    found = [pair for each in ends if each.amount < 0 for pair in _pairs(each, came)]
    times = Counter(name for pair in found for name in (pair.withdrawal.id, pair.deposit.id))
    return [pair for pair in found if times[pair.withdrawal.id] == times[pair.deposit.id] == 1]


def _pairs(gone: CashFlowRecord, came: dict[str, list[CashFlowRecord]]) -> Iterator[Journey]:
    there = came.get(canonical(gone.asset), [])
    first = bisect_left(there, gone.time - _BEFORE, key=lambda each: each.time)
    last = bisect_right(there, gone.time + _AFTER, key=lambda each: each.time)
    for each in there[first:last]:
        lost = -gone.amount - each.amount
        if each.account != gone.account and 0 <= lost * _PARTS <= -gone.amount:
            yield Journey(gone, each)
