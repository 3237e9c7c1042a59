"""Flows: what a row of a venue's ledger is that is no part of a trade.

A row that cancels an earlier one of its kind (opposite amount and fee) reverses it. A deposit that
takes away is a withdrawal; what fits no kind is `unclassified`.

Errors: none. What cannot be read as anything else stays a flow with a flag.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO
from bursar.ledger import actions
from bursar.ledger.entries import (
    MAIN,
    TRANSIT,
    CashFlow,
    Fee,
    Flag,
    FlowKind,
    Movement,
    MovementKind,
    Reversal,
    Transfer,
)

_FLOWS: Final = {
    kind: FlowKind(kind.value)
    for kind in MovementKind
    if kind.value in {flow.value for flow in FlowKind}
}


def is_flow(row: Movement) -> bool:
    """Tell whether a row is one by its kind."""
    return row.kind in _FLOWS or row.kind is MovementKind.FINANCING


def flows(rows: Iterable[Movement], cash: frozenset[str]) -> list[CashFlow | Reversal]:
    """Return what rows, by time, are as flows, and what takes an earlier one of them back."""
    facts: list[CashFlow] = []
    reversals: list[Reversal] = []
    for row in rows:
        earlier = _cancelled(row, facts)
        if earlier is None:
            facts.append(_flow(row, cash))
            continue
        facts[earlier] = msgspec.structs.replace(facts[earlier], reversed_by=row.id)
        reversals.append(
            Reversal(
                id=row.id,
                executed_at=row.executed_at,
                account=row.account,
                source=row.source,
                sequence=row.sequence,
                rows=(row.id,),
                note=row.label,
                target=facts[earlier].id,
            )
        )
    return [*facts, *reversals]


def _cancelled(row: Movement, flows: list[CashFlow]) -> int | None:
    fee = (Fee(row.asset, -row.fee),) if row.fee else ()
    for place, flow in enumerate(flows):
        same = flow.asset == row.asset and flow.kind is _kind(row, -row.amount)
        opposite = row.amount and flow.amount == -row.amount and flow.fees == fee
        if same and opposite and flow.reversed_by is None:
            return place
    return None


def _flow(row: Movement, cash: frozenset[str]) -> CashFlow:
    kind = _kind(row, row.amount)
    return CashFlow(
        id=row.id,
        executed_at=row.executed_at,
        account=row.account,
        source=row.source,
        sequence=row.sequence,
        group=row.group,
        rows=(row.id,),
        note=row.label,
        flags=(Flag.UNCLASSIFIED,) if kind is FlowKind.UNCLASSIFIED else (),
        kind=kind,
        asset=row.asset,
        amount=row.amount,
        fees=fees([row]),
        pocket=row.pocket,
        rates=row.rates,
        value=worth_of([row], row.asset, cash),
    )


def worth_of(rows: Iterable[Movement], asset: str, cash: frozenset[str]) -> Decimal | None:
    """Return what the venue says an asset's only row was worth, if it says so in base currency."""
    own = [row for row in rows if row.asset == asset]
    if len(own) != 1 or asset in cash or own[0].worth_asset not in cash:
        return None
    worth, amount = own[0].worth, own[0].amount
    return None if worth is None else worth.copy_sign(amount)


def unpaired(row: Movement, cash: frozenset[str]) -> CashFlow:
    """Return a row without its other side: contributed at value, and marked."""
    flags = (*row.flags, Flag.UNPAIRED)
    return msgspec.structs.replace(_flow(row, cash), kind=FlowKind.UNPAIRED, flags=flags)


def _kind(row: Movement, amount: Decimal) -> FlowKind:
    """Name the flow. A deposit that takes away is a withdrawal; its opposite is unclear."""
    if row.kind is MovementKind.FINANCING:
        return FlowKind.FEE
    if row.kind is MovementKind.DEPOSIT and amount < 0:
        return FlowKind.WITHDRAWAL
    if row.kind is MovementKind.WITHDRAWAL and amount > 0:
        return FlowKind.UNCLASSIFIED
    return _FLOWS.get(row.kind, FlowKind.UNCLASSIFIED)


def internal(row: Movement) -> Transfer:
    """Return a row that only tells of coins on their way from one pocket to another."""
    pocket = row.pocket or MAIN
    leaves = row.amount < 0
    return Transfer(
        id=row.id,
        executed_at=row.executed_at,
        account=row.account,
        source=row.source,
        sequence=row.sequence,
        rows=(row.id,),
        note=row.label,
        asset=row.asset,
        quantity=abs(row.amount),
        to_account=row.account,
        pocket=pocket if leaves else TRANSIT,
        to_pocket=TRANSIT if leaves else pocket,
        fees=fees([row]),
        rates=row.rates,
        unseen=actions.unseen(row),
    )


def fees(rows: Iterable[Movement]) -> tuple[Fee, ...]:
    """Return what rows were charged, by asset."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.asset] = sums.get(row.asset, ZERO) + row.fee
    return tuple(Fee(asset, fee) for asset, fee in sums.items() if fee)
