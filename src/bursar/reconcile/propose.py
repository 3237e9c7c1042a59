"""Proposals: for each break the one entry that would close it, for a person to accept.

A proposal says no more than its break: what is unknown becomes an adjustment, never a guess. An
entry too many is taken back, whole; everything else is added. Its id follows from the break and
from how often the same was told before, so accepting it twice is one fact; it lies in the time of
the break. Once it is folded the comparison is clean, and taking it back brings the break back.

Errors: none.
"""

from collections.abc import Collection
from typing import Final

import msgspec

from bursar.exact import ZERO, money, trimmed
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Conversion,
    Fill,
    FlowKind,
    Leg,
    Reversal,
    Side,
    Transfer,
)
from bursar.ledger.facts import MAIN, TRANSIT
from bursar.reconcile.breaks import Break, Kind, Shift, Where

_BOTH: Final = 2
_FLOWS: Final = {Kind.FEE: FlowKind.FEE, Kind.REWARD: FlowKind.REWARD}


class Proposal(msgspec.Struct, frozen=True):
    """One entry that would close a break, and what it does in a sentence."""

    break_id: str
    entry: AnyEntry
    says: str


@money
def propose(each: Break, account: str, cash: frozenset[str], known: Collection[str]) -> Proposal:
    """Return the entry that would close a break. `known` holds the ids that were told before.

    `cash` names base currency and pegs.
    """
    entry = _entry(each, account, cash)
    made = msgspec.structs.replace(entry, id=_fresh(each.id, known))
    return Proposal(each.id, made, _said(made))


def _fresh(name: str, known: Collection[str]) -> str:
    count, fresh = 1, name
    while fresh in known:
        count += 1
        fresh = f"{name}-{count}"
    return fresh


def _entry(each: Break, account: str, cash: frozenset[str]) -> AnyEntry:
    note = f"{each.kind.value}: {each.reason}"
    at = _instant(each)
    if each.target is not None:
        return Reversal(
            id="", executed_at=at, account=account, note=note, target=each.target, void=True
        )
    common = _Common(account, at, note)
    if len(each.shifts) == 1:
        return _single(each, each.shifts[0], common)
    came = [shift for shift in each.shifts if shift.amount > 0]
    went = [shift for shift in each.shifts if shift.amount < 0]
    assert came, "a break of several assets goes both ways"
    assert went, "a break of several assets goes both ways"
    if {shift.asset for shift in came} == {shift.asset for shift in went}:
        return _transfer(went[0].pocket, came[0].pocket, came[0], common)
    if len(each.shifts) == _BOTH and each.kind is not Kind.WRONG_ASSET:
        return _fill(came[0], went[0], common, cash)
    return Conversion(
        id="",
        executed_at=at,
        account=account,
        note=note,
        given=tuple(Leg(shift.asset, -shift.amount) for shift in went),
        taken=tuple(Leg(shift.asset, shift.amount) for shift in came),
    )


class _Common(msgspec.Struct, frozen=True):
    account: str
    at: int
    note: str


def _single(each: Break, shift: Shift, common: _Common) -> CashFlow | Transfer:
    if each.kind is Kind.IN_FLIGHT and each.is_half:
        pocket = shift.pocket or MAIN
        ends = (TRANSIT, pocket) if shift.amount > 0 else (pocket, TRANSIT)
        return _transfer(*ends, shift, common)
    kind = _FLOWS.get(each.kind, FlowKind.ADJUSTMENT)
    if each.kind is Kind.MISSING_FLOW:
        kind = FlowKind.DEPOSIT if shift.amount > 0 else FlowKind.WITHDRAWAL
    return CashFlow(
        id="",
        executed_at=common.at,
        account=common.account,
        note=common.note,
        kind=kind,
        asset=shift.asset,
        amount=shift.amount,
        pocket=None if shift.pocket == MAIN else shift.pocket,
    )


def _transfer(pocket: str | None, to_pocket: str | None, shift: Shift, common: _Common) -> Transfer:
    return Transfer(
        id="",
        executed_at=common.at,
        account=common.account,
        note=common.note,
        asset=shift.asset,
        quantity=abs(shift.amount),
        to_account=common.account,
        pocket=pocket or MAIN,
        to_pocket=to_pocket or MAIN,
    )


def _fill(came: Shift, went: Shift, common: _Common, cash: frozenset[str]) -> Fill:
    """Write a trade as its base and what was paid for it, fees inside."""
    is_buy = came.asset not in cash or went.asset in cash
    base, quote = (came, went) if is_buy else (went, came)
    return Fill(
        id="",
        executed_at=common.at,
        account=common.account,
        note=common.note,
        base=base.asset,
        quote=quote.asset,
        side=Side.BUY if is_buy else Side.SELL,
        quantity=abs(base.amount),
        amount=abs(quote.amount),
    )


def _instant(each: Break) -> int:
    """Return a time inside the break's window at which the entry makes no balance negative.

    It is the last instant before the row after it. What corrects a row, or lies in one instant with
    it, goes beside that row: ahead of it if coins come, behind it if they go.
    """
    place = each.place
    if place.until is None or place.where in {Where.END, Where.FACT, Where.NOWHERE}:
        return place.until or 0
    is_wide = place.since is None or place.since < place.until - 1
    corrects = each.kind in {Kind.FEE, Kind.WRONG_AMOUNT, Kind.EXTRA}
    if len(each.shifts) > 1:
        return place.until - 1 if is_wide and not corrects else place.until
    if each.shifts[0].amount > 0 or (is_wide and not corrects):
        return place.until - 1
    return place.until + 1


def _said(entry: AnyEntry) -> str:
    match entry:
        case Reversal():
            return f"take back {entry.target}"
        case CashFlow():
            return f"{entry.kind.value} {trimmed(entry.amount)} {entry.asset}"
        case Transfer():
            way = f"from {entry.pocket} to {entry.to_pocket}"
            return f"move {trimmed(entry.quantity)} {entry.asset} {way}"
        case Fill():
            what = f"{trimmed(entry.quantity)} {entry.base}"
            return f"{entry.side.value} {what} for {trimmed(entry.amount or ZERO)} {entry.quote}"
        case _:
            assert isinstance(entry, Conversion), "nothing else is proposed"
            given = ", ".join(f"{trimmed(leg.quantity)} {leg.asset}" for leg in entry.given)
            taken = ", ".join(f"{trimmed(leg.quantity)} {leg.asset}" for leg in entry.taken)
            return f"exchange {given} for {taken}"
