"""How much more capital was there at any time since a moment than at that moment.

A link of the curve (`measure.curve`) has to know what came within it and what went. Each flow tells
when it was, so the capital between two moments is known at every instant: what came in all is the
highest of it less what was there at first. What comes, goes and comes back counts once, and what
comes and goes within one instant not at all. A flow that is heard of late, from before the moment,
counts as if it had come just behind it: that is when it entered equity.

Errors: those of the store.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.records import CashFlowRecord
from bursar.ports import Head, PortfolioStore
from bursar.value.snapshot import is_capital


class Brought(msgspec.Struct, frozen=True):
    """The capital at an instant (nanoseconds), and what the increases up to it add up to."""

    at: int
    capital: Decimal
    came: Decimal


@money
def came_by(store: PortfolioStore, head: Head, before: Brought, capital: Decimal) -> Decimal | None:
    """Return what has come by now, when the capital of the book at this head is so much; `None` if
    the store has gone on since, or a flow has no worth. O(flows since).
    """
    flows = store.get_cash_flows(since=instant.to_datetime(before.at))
    if store.head() != head:
        return None
    most = _most(flows, before, capital)
    return None if most is None else before.came + most - before.capital


def _most(flows: Iterable[CashFlowRecord], before: Brought, capital: Decimal) -> Decimal | None:
    """Return the most capital that was there at any time since a moment, told newest flow first."""
    level = most = capital
    last: int | None = None
    for flow in flows:
        at = instant.from_datetime(flow.time)
        if at <= before.at:
            break
        if not is_capital(flow.type) or not flow.amount:
            continue
        if flow.value_base is None:
            return None
        if at != last:
            most = max(most, level)
        level, last = level - flow.value_base, at
    return max(most, level, before.capital)
