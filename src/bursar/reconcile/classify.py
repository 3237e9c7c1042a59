"""Classification: what each break is, and the evidence for it.

The rules go from what proves most to what proves least, and each takes only what it can prove:
entries that no row backs, rows under a wrong asset, rows too many, amounts that slipped, moves
between pockets, coins on their way, charges at a rate of the account's own, trades at a price near
the market's, rewards that are due, roundings, dust. A row that is provably missing and is none of
these is a flow. What is left is unknown, and says why. A rename is no part of a difference and is
told beside them all.

Errors: none.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from bursar.exact import ONE, ZERO, money, trimmed
from bursar.ledger import instant
from bursar.ledger.entries import MAIN, CashFlow, Fill, Movement, MovementKind
from bursar.ledger.names import canonical
from bursar.reconcile import joint
from bursar.reconcile.breaks import Break, Kind, Part, Where
from bursar.reconcile.evidence import Evidence
from bursar.reconcile.locate import effect
from bursar.reconcile.patterns import (
    FEE_SHARE_MAX,
    FEES_MIN,
    fee_among,
    fee_like,
    fee_told,
    fits,
    ratio,
    reward_like,
)
from bursar.reconcile.renames import renames

_EARNING: Final = 20
_MUCH: Final = 4
_OFF: Final = Decimal("1.05")
_CHARGED: Final = frozenset(
    {MovementKind.TRADE, MovementKind.DEPOSIT, MovementKind.WITHDRAWAL, MovementKind.REWARD}
)
_Verdict = tuple[Kind, str, tuple[str, ...]]
_Rule = Callable[[Part, Evidence], _Verdict | None]


@money
def classify(parts: Sequence[Part], known: Evidence) -> list[Break]:
    """Say of every part what it is. Breaks come in the order of their time."""
    breaks = renames(parts, known)
    left = list(parts)
    rules = joint.beside, joint.wrong_asset, joint.strays, joint.halves, joint.moves, joint.again
    for rule in rules:
        found, left = rule(left, known)
        breaks += found
    left = [part for part in left if not part.is_hint]
    found, left = _alone(left, known, (_rounding, _in_flight, _charge, _other_side))
    breaks += found
    for rule in (joint.flipped, joint.fills):
        found, left = rule(left, known)
        breaks += found
    found, left = _alone(left, known, (_misstated, _reward, _dust, _flow, _unknown))
    breaks += found
    assert not left, "the last rule takes everything"
    return sorted(breaks, key=lambda each: (each.place.until or known.as_of, each.id))


def _alone(
    parts: Sequence[Part], known: Evidence, rules: Sequence[_Rule]
) -> tuple[list[Break], list[Part]]:
    """Give each part to the first rule that can explain it by itself."""
    breaks: list[Break] = []
    left: list[Part] = []
    for part in parts:
        verdict = next((told for rule in rules if (told := rule(part, known)) is not None), None)
        if verdict is None:
            left.append(part)
        else:
            kind, reason, evidence = verdict
            breaks.append(known.broken(kind, [part], reason, evidence=evidence))
    return breaks, left


def _rounding(part: Part, known: Evidence) -> _Verdict | None:
    """One step, if that is little: a whole share is a step too, and no rounding."""
    worth = known.worth(part.asset, part.amount)
    is_much = part.quantum >= ONE if worth is None else abs(worth) > known.limits.asset
    if abs(part.amount) > part.quantum or is_much:
        return None
    return Kind.ROUNDING, f"one step in which {part.asset} is stated, or less", ()


def _in_flight(part: Part, known: Evidence) -> _Verdict | None:
    """A withdrawal that came back, or one from elsewhere that arrived, ahead of its row."""
    if part.place.where not in {Where.END, Where.NOWHERE} or part.amount <= 0:
        return None
    until = part.place.until or known.as_of
    since = until - known.limits.patience
    for flow in known.withdrawals(until):
        fees = sum((fee.amount for fee in flow.fees if fee.asset == flow.asset), ZERO)
        same = canonical(flow.asset) == part.asset and flow.amount - fees == -part.amount
        if same and flow.executed_at >= since:
            reason = f"{flow.id} went out and is back in the balance; the row that undoes it is not"
            return Kind.IN_FLIGHT, f"{reason} here yet", (flow.id,)
    for flow in known.ours.elsewhere:
        is_near = since <= flow.executed_at <= until
        if is_near and canonical(flow.asset) == part.asset and flow.amount == -part.amount:
            reason = f"{flow.id} left {flow.account} and is in this balance; its row is not here"
            return Kind.IN_FLIGHT, f"{reason} yet", (flow.id,)
    return None


def _charge(part: Part, known: Evidence) -> _Verdict | None:
    """A fee that the row lacks, or states otherwise: the true one is like others of its kind."""
    row = part.after
    if row is None or part.place.where not in {Where.ROWS, Where.START}:
        return None
    if part.amount < 0 and known.is_only_charged(part.asset):
        return Kind.FEE, f"{part.asset} goes only as a fee", ()
    true = row.fee - part.amount
    like = _charged_like(part, row, true, known)
    if like is None:
        return None
    said = trimmed(row.fee) if row.fee else "none"
    reason = f"{row.id} states a fee of {said}; its balance says {trimmed(true)}, charged as {like}"
    return Kind.FEE, reason, (row.id, like)


def _charged_like(part: Part, row: Movement, true: Decimal, known: Evidence) -> str | None:
    """Return what a fee is like: the trade's own statement, a rate or an amount, or a range."""
    trade = known.trade_of(row)
    if trade is not None and fee_told(row, true, trade, part.quantum):
        return trade.id
    others = known.charged(part, row)
    return fee_like(row, true, others, part.quantum) or fee_among(row, true, others)


def _other_side(part: Part, known: Evidence) -> _Verdict | None:
    """The leg of a trade of which the other leg alone is among the rows, at a fitting price."""
    sides = [flow for flow in known.unpaired if _is_side(part, flow, known)]
    if len(sides) != 1:
        return None
    reason = f"the other side of {sides[0].id}, which is one leg of a trade"
    return Kind.MISSING_FILL, reason, (sides[0].id,)


def _is_side(part: Part, flow: CashFlow, known: Evidence) -> bool:
    place, at = part.place, flow.executed_at
    is_then = (place.since is None or place.since <= at) and (
        place.until is None or at <= place.until
    )
    asset = canonical(flow.asset)
    if not is_then or asset == part.asset or flow.amount * part.amount >= 0:
        return False
    one, other = known.worths.near(part.asset, at), known.worths.near(asset, at)
    if one is None or other is None:
        return False
    return fits((part.amount, one), (flow.amount, other)) is not None


def _misstated(part: Part, known: Evidence) -> _Verdict | None:
    """A row told in different words, or a leg whose price fits only with what is missing."""
    row = part.after
    if row is None or part.place.where not in {Where.ROWS, Where.START}:
        return None
    if known.is_disputed(row):
        return Kind.WRONG_AMOUNT, f"{row.id} was told in different words", (row.id,)
    fact, true = known.owners.get(row.id), row.amount + part.amount
    if not isinstance(fact, Fill) or true * row.amount <= 0:
        return None
    stated, corrected = _off(fact, row, row.amount, known), _off(fact, row, true, known)
    if stated is None or corrected is None or stated < _OFF:
        return None
    if _MUCH * (corrected - ONE) >= stated - ONE:
        return None
    reason = f"{row.id} fits the price of its trade only as {trimmed(true)}"
    return Kind.WRONG_AMOUNT, reason, (row.id, fact.id)


def _off(fill: Fill, row: Movement, amount: Decimal, known: Evidence) -> Decimal | None:
    """Return how far a trade would be from the market with another amount in one of its legs."""
    is_base = canonical(row.asset) == canonical(fill.base)
    quantity = abs(amount) if is_base else fill.quantity
    paid = (fill.amount or ZERO) if is_base else abs(amount)
    but = frozenset({fill.id})
    base = known.worths.near(canonical(fill.base), fill.executed_at, but=but)
    quote = known.worths.near(canonical(fill.quote), fill.executed_at, but=but)
    if base is None or quote is None or not quantity or not paid:
        return None
    if max(base.off, quote.off) > instant.DAY:
        return None
    return ratio(quantity * base.worth, paid * quote.worth)


def _reward(part: Part, known: Evidence) -> _Verdict | None:
    """What is earned: as much as usual when it is due, or a little in a pocket that only earns."""
    if part.amount <= 0 or part.place.where not in {Where.ROWS, Where.END}:
        return None
    since, until = part.place.since, part.place.until
    if since is not None and until is not None:
        like = reward_like(part.amount, (since, until), known.rewards(part))
        if like is not None:
            return Kind.REWARD, f"as much as {like.id}, and one is due", (like.id,)
    row = part.before
    if _may_be_a_fee(part, known):
        return None
    is_earning = part.pocket not in {None, MAIN} and row is not None and row.balance is not None
    if is_earning and row is not None and _EARNING * part.amount <= (row.balance or ZERO):
        reason = f"a little came into {part.pocket}, where nothing else comes without leaving"
        return Kind.REWARD, f"{reason} another pocket", ()
    return None


def _dust(part: Part, known: Evidence) -> _Verdict | None:
    worth = known.worth(part.asset, part.amount)
    if not worth or abs(worth) > known.limits.dust:  # of what is worth nothing, nothing is little
        return None
    return Kind.DUST, f"worth {trimmed(abs(worth))} {known.ours.book.terms.base}", ()


def _flow(part: Part, known: Evidence) -> _Verdict | None:
    """A row that is provably not here, and has no counterpart in another asset or pocket."""
    way = "came" if part.amount > 0 else "went"
    said = f"{trimmed(abs(part.amount))} {part.asset} {way}"
    if part.place.where is Where.ROWS:
        if _may_be_a_fee(part, known):
            return Kind.UNKNOWN, f"{said}: a fee of {part.place.after}, or a row ahead of it", ()
        undone = part.before is not None and part.amount == -effect(part.before)
        reason = f"{said} between two rows, and nothing else at that time"
        reason += f"; it undoes {part.place.before}" if undone else ""
        return Kind.MISSING_FLOW, reason, ()
    if part.is_covered:
        return Kind.MISSING_FLOW, f"{said} before the first row of a history said to be whole", ()
    return None


def _may_be_a_fee(part: Part, known: Evidence) -> bool:
    """Tell whether little moved just before a row, and too few others say how such are charged."""
    row = part.after
    if row is None or row.kind not in _CHARGED:
        return False
    share = ONE if row.kind is MovementKind.REWARD else FEE_SHARE_MAX  # a commission may be large
    little = share * abs(row.amount)
    is_little = abs(part.amount) <= little and ZERO <= row.fee - part.amount <= little
    alike = [each for each in known.charged(part, row) if each.label == row.label]
    return is_little and len(alike) < FEES_MIN


def _unknown(part: Part, _known: Evidence) -> _Verdict:
    reasons = {
        Where.START: "the venue's first row does not start from what the book had",
        Where.END: "the rows add up to their end; what happened after it, no row tells",
    }
    return Kind.UNKNOWN, reasons.get(part.place.where, "no running balances to tell where"), ()
