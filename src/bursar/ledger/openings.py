"""Openings: what an account must have held before its recorded history begins.

An export may start in the middle. The opening of an asset is the smallest quantity that keeps every prefix
of the account's history at or above zero, or what the first recorded balance says was there before, if that
is larger. It is derived from the facts, never stated, so it is recomputed whenever they change, and it does
not depend on the order in which they came.

Base currency and pegs may be negative; they get an opening only from a stated balance.

Errors: none.
"""

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from decimal import Decimal

from bursar.exact import ZERO, money
from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fill,
    Flag,
    FlowKind,
    MarginFill,
    Movement,
    Reversal,
    Side,
    Transfer,
)
from bursar.ledger.facts import Fact

Place = tuple[str, str]


class Firsts:
    """The first ledger row of each asset code, by account: what its balance was before."""

    def __init__(self) -> None:
        self._rows: MutableMapping[tuple[str, str, str], Movement] = {}

    def fork(self) -> "Firsts":
        """Return firsts that read through to these and keep their own."""
        child = Firsts()
        child._rows = ChainMap({}, self._rows)
        return child

    def see(self, row: Movement) -> None:
        """Look at a row; only the earliest of its code is kept."""
        key = (row.account, row.asset, row.code or row.asset)
        known = self._rows.get(key)
        if row.balance is not None and (known is None or _when(row) < _when(known)):
            self._rows[key] = row

    def before(self) -> dict[Place, Decimal]:
        """Return what was there before the first row, by account and asset, where that is positive."""
        sums: dict[Place, Decimal] = {}
        for row in self._rows.values():
            prior = (row.balance or ZERO) - row.amount + row.fee
            if prior > 0:
                place = (row.account, row.asset)
                sums[place] = sums.get(place, ZERO) + prior
        return sums


@money
def needed(facts: Iterable[Fact], cash: frozenset[str], stated: Mapping[Place, Decimal]) -> dict[Place, Decimal]:
    """Return the opening quantity by account and asset, > 0, for facts in canonical order. O(facts)."""
    running: dict[Place, Decimal] = {}
    lowest: dict[Place, Decimal] = dict.fromkeys(stated, ZERO)
    amounts: dict[str, list[tuple[Place, Decimal]]] = {}
    for fact in facts:
        for place, change in _net(deltas(fact, amounts)):
            total = running.get(place, ZERO) + change
            running[place] = total
            if total < lowest.get(place, ZERO) and place[1] not in cash:
                lowest[place] = total
    openings = {place: max(-low, stated.get(place, ZERO)) for place, low in lowest.items()}
    return {place: quantity for place, quantity in openings.items() if quantity > 0}


def opening(place: Place, quantity: Decimal, first_at: int) -> CashFlow:
    """Make the derived fact: just before the account's first entry, with an assumed basis."""
    account, asset = place
    return CashFlow(
        id=f"opening:{account}:{asset}",
        executed_at=first_at - 1,
        account=account,
        kind=FlowKind.OPENING,
        asset=asset,
        amount=quantity,
        flags=(Flag.ASSUMED_BASIS,),
    )


def deltas(
    fact: Fact, reversible: dict[str, list[tuple[Place, Decimal]]]
) -> list[tuple[Place, Decimal]]:
    """Return how a fact changes balances. Flows are remembered in `reversible`, by id."""
    account = fact.account
    match fact:
        case Fill():
            sign = 1 if fact.side is Side.BUY else -1
            moved = [
                ((account, fact.base), sign * fact.quantity),
                ((account, fact.quote), -sign * (fact.amount or ZERO)),
            ]
        case CashFlow():
            moved = [((account, fact.asset), fact.amount)]
        case MarginFill():
            moved = [((account, fact.quote), fact.settled or ZERO)]
        case Conversion():
            moved = [((account, leg.asset), -leg.quantity) for leg in fact.given]
            moved += [((account, leg.asset), leg.quantity) for leg in fact.taken]
        case Transfer():
            moved = [
                ((account, fact.asset), -fact.quantity),
                ((fact.to_account, fact.asset), fact.quantity),
            ]
        case Reversal():
            return [(place, -change) for place, change in reversible.get(fact.target, [])]
        case _:
            return []
    moved += [((account, fee.asset), -fee.amount) for fee in fact.fees]
    if isinstance(fact, CashFlow) and fact.reversed_by is not None:
        reversible[fact.id] = moved
    return moved


def _net(moved: list[tuple[Place, Decimal]]) -> Iterable[tuple[Place, Decimal]]:
    sums: dict[Place, Decimal] = {}
    for place, change in moved:
        sums[place] = sums.get(place, ZERO) + change
    return sums.items()


def _when(row: Movement) -> tuple[int, int, str]:
    return row.executed_at, row.sequence, row.id


