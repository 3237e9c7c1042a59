"""Proposals: for each break the one entry that would close it, for a person to accept.

A proposal says no more than its break: what is unknown becomes an adjustment, never a guess. An
entry too many is taken back, whole; everything else is added. Its id follows from the break and
from how often the same was told before, so accepting it twice is one fact; it lies in the time of
the break. Once it is folded the comparison is clean, and taking it back brings the break back.

Where a chain of the venue does not start from nothing, an entry beside it would leave the opening
that stands for what is missing. There the proposal is the row itself, as a claim, with the balance
that the venue's next row starts from.

Errors: none. Where the book assumes what the venue's balances deny, no entry helps, and there is no
proposal.
"""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger.entries import (
    MAIN,
    TRANSIT,
    AnyEntry,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    FlowKind,
    Leg,
    Movement,
    MovementKind,
    Rename,
    Reversal,
    Side,
    Source,
    Transfer,
)
from bursar.ledger.names import canonical
from bursar.reconcile.breaks import Break, Kind, Shift, Where
from bursar.reconcile.evidence import Evidence
from bursar.reconcile.locate import before
from bursar.reconcile.ours import Ours
from bursar.reconcile.said import said
from bursar.reconcile.trace import openings

_BOTH: Final = 2
_UNPAIRED: Final = FlowKind.UNPAIRED
_FLOWS: Final = {Kind.FEE: FlowKind.FEE, Kind.REWARD: FlowKind.REWARD}


class Proposal(msgspec.Struct, frozen=True):
    """What would close a break, to be accepted whole, and what it does in a sentence.

    It is one entry, unless a trade takes the place of a wrong one or of the one leg of it that is
    here, a rename that of its rows, a leveraged position is the other way round, or a move between
    pockets lies before the first row of one of them. Then the second is called after the first,
    `ID/2`, so that they are taken back together.
    """

    break_id: str
    entries: tuple[AnyEntry, ...]
    says: str


@money
def propose(each: Break, evidence: Evidence, known: Collection[str]) -> Proposal | None:
    """Return what would close a break. `known` holds the ids that were told before."""
    ours = evidence.ours
    if each.place.where is Where.START and each.started is None and _is_denied(each, ours):
        return None
    made = [
        msgspec.structs.replace(entry, sequence=_rank(each, ours))
        if entry.executed_at == each.place.until
        else entry
        for entry in _entries(each, evidence)
    ]
    return proposal(each, made, known)


def proposal(each: Break, made: Iterable[AnyEntry], known: Collection[str]) -> Proposal:
    """Return entries as the proposal for a break, under ids of their own."""
    first = _fresh(each.id, known)
    entries = tuple(
        msgspec.structs.replace(entry, id=f"{first}/{number}" if number > 1 else first)
        for number, entry in enumerate(made, 1)
    )
    return Proposal(each.id, entries, "; ".join(said(entry) for entry in entries))


def _is_denied(each: Break, ours: Ours) -> bool:
    """Tell whether an opening is more than the venue's first balance allows."""
    opened = {assumed.asset for assumed in openings(ours)}
    return any(shift.asset in opened and shift.amount < 0 for shift in each.shifts)


def _fresh(name: str, known: Collection[str]) -> str:
    count, fresh = 1, name
    while fresh in known:
        count += 1
        fresh = f"{name}-{count}"
    return fresh


def _entries(each: Break, evidence: Evidence) -> list[AnyEntry]:
    ours = evidence.ours
    if each.kind is Kind.RENAME:
        return _renamed(each, ours)
    common = _Common(ours.account, _instant(each, evidence), f"{each.kind.value}: {each.reason}")
    if each.kind in {Kind.WRONG_AMOUNT, Kind.WRONG_ASSET}:
        anew = _anew(each, common, ours)
        if anew:
            return anew
    if each.kind is Kind.MISSING_FILL and len(each.shifts) == 1:
        return _completed(each, common, ours)
    is_one_way = len({shift.amount > 0 for shift in each.shifts}) == 1
    if each.target is None and len(each.shifts) > 1 and is_one_way:
        return [_single(each, shift, common) for shift in each.shifts]
    if each.started is None or each.kind is Kind.MISSING_FILL:
        return [_entry(each, common, ours.book.cash)]
    row = each.started
    code = row.code or row.asset
    opened = before(row)
    is_move = each.is_half or each.kind is Kind.POCKET_MOVE
    claim = Movement(
        id="",
        executed_at=row.executed_at - 1,
        account=ours.account,
        note=common.note,
        kind=MovementKind.INTERNAL if is_move else MovementKind.DEPOSIT,
        asset=row.asset,
        amount=opened,
        balance=opened,
        code=code,
        pocket=row.pocket,
    )
    others = [shift for shift in each.shifts if shift.amount < 0]
    return [*(_transfer(shift.pocket, TRANSIT, shift, common) for shift in others), claim]


def _completed(each: Break, common: "_Common", ours: Ours) -> list[AnyEntry]:
    """Put a trade in the place of its one leg that is here."""
    flows = (fact for fact in ours.facts if isinstance(fact, CashFlow))
    leg = next(flow for flow in flows if flow.id in each.evidence and flow.kind is _UNPAIRED)
    here = Shift(leg.asset, leg.amount)
    came, went = sorted((here, each.shifts[0]), key=lambda shift: -shift.amount)
    there = msgspec.structs.replace(common, at=leg.executed_at)
    fees = tuple(Fee(fee.asset, fee.amount) for fee in leg.fees)
    trade = msgspec.structs.replace(_fill(came, went, there, ours.book.cash), fees=fees)
    return [_void(leg, common.note), trade]


def _renamed(each: Break, ours: Ours) -> list[AnyEntry]:
    """Put a rename in the place of its rows, as the last of the old coins went."""
    note = f"{each.kind.value}: {each.reason}"
    flows = [fact for fact in ours.facts if isinstance(fact, CashFlow) and fact.id in each.evidence]
    went = [flow for flow in flows if flow.amount < 0]
    rename = Rename(
        id="",
        executed_at=went[-1].executed_at,
        account=ours.account,
        sequence=went[-1].sequence,
        note=note,
        asset=went[-1].asset,
        to_asset=flows[-1].asset,
        quantity=-sum((flow.amount for flow in went), ZERO),
    )
    return [*(_void(flow, note) for flow in flows), rename]


def _void(fact: Fill | CashFlow, note: str) -> Reversal:
    return Reversal(
        id="",
        executed_at=fact.executed_at,
        account=fact.account,
        note=note,
        target=fact.id,
        void=True,
    )


def _anew(each: Break, common: "_Common", ours: Ours) -> list[AnyEntry]:
    """Write a trade anew with what the venue's balances say of it, if it stays one."""
    fills = (fact for fact in ours.facts if isinstance(fact, Fill))
    told = next((fill for fill in fills if fill.id in each.evidence), None)
    right = None if told is None else _righted(each, told)
    if told is None or right is None:
        return []
    fill = msgspec.structs.replace(
        right,
        source=Source.CLAIM,
        group=None,
        rows=(),
        flags=(),
        note=common.note,
        price=None,
        pair=None,
        value=None,
    )
    return [_void(told, common.note), fill]


def _righted(each: Break, fill: Fill) -> Fill | None:
    """Return a trade with its legs corrected, `None` where that leaves no trade."""
    bought = 1 if fill.side is Side.BUY else -1
    base, quote, fees = fill.base, fill.quote, fill.fees
    amounts = {canonical(shift.asset): shift.amount for shift in each.shifts}
    if each.kind is Kind.WRONG_ASSET:
        wrong = next((name for name in (base, quote) if canonical(name) in amounts), "")
        true = next((name for name in amounts if name != canonical(wrong)), "")
        if canonical(wrong) not in amounts or sum(amounts.values(), ZERO):
            return None
        base, quote = (true if name == wrong else name for name in (base, quote))
        fees = tuple(Fee(true if fee.asset == wrong else fee.asset, fee.amount) for fee in fees)
        amounts = {}
    quantity = bought * fill.quantity + amounts.get(canonical(base), ZERO)
    amount = -bought * (fill.amount or ZERO) + amounts.get(canonical(quote), ZERO)
    if quantity * amount >= 0:
        return None
    return msgspec.structs.replace(
        fill,
        base=base,
        quote=quote,
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=abs(quantity),
        amount=abs(amount),
        fees=tuple(Fee(fee.asset, fee.amount) for fee in fees),
    )


def _entry(each: Break, common: "_Common", cash: frozenset[str]) -> AnyEntry:
    if each.target is not None:
        return Reversal(
            id="",
            executed_at=common.at,
            account=common.account,
            note=common.note,
            target=each.target,
            void=True,
        )
    if len(each.shifts) == 1:
        return _single(each, each.shifts[0], common)
    came = [shift for shift in each.shifts if shift.amount > 0]
    went = [shift for shift in each.shifts if shift.amount < 0]
    if {shift.asset for shift in came} == {shift.asset for shift in went}:
        return _transfer(went[0].pocket, came[0].pocket, came[0], common)
    if len(each.shifts) == _BOTH and each.kind is not Kind.WRONG_ASSET:
        return _fill(came[0], went[0], common, cash)
    return Conversion(
        id="",
        executed_at=common.at,
        account=common.account,
        note=common.note,
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


def _instant(each: Break, evidence: Evidence) -> int:
    """Return a time inside the break's window at which the entry makes no balance negative.

    It is the last instant before the row after it, or where the book has less than goes, that of
    the row, which comes first then. What corrects a row, or lies in one instant with it, goes
    beside that row: ahead of it if coins come, behind it if they go.
    """
    place = each.place
    if place.until is None or place.where in {Where.END, Where.FACT, Where.NOWHERE}:
        return place.until or 0
    is_wide = place.since is None or place.since < place.until - 1
    corrects = each.kind in {Kind.FEE, Kind.WRONG_AMOUNT, Kind.EXTRA}
    if each.shifts[0].amount > 0:
        return place.until - 1
    if corrects or not is_wide:
        return place.until + 1
    coins = [coin for coin in each.shifts if coin.asset not in evidence.ours.book.cash]
    lacks = any(evidence.held(coin.asset, place.until) + coin.amount < 0 for coin in coins)
    return place.until if lacks else place.until - 1


def _rank(each: Break, ours: Ours) -> int:
    """Return the venue's sequence of the row after a break, so that an entry may follow it."""
    rows = (row.sequence for row in ours.rows if row.id == each.place.after)
    return next(rows, 0)
