"""A coin's new name whose rows do not pair one by one: several rows of it that add up.

A venue says of each row that it is of a rename, and rows of one amount pair by themselves
(`ledger.actions`). What is left is unpaired: out at cost, in at worth, so that nothing is gained
and the cost of the new coins is not that of the old. No quantity differs, and yet it is a break.

It is called one rename only where it can be nothing else. All that is left in the account is of one
old and one new coin; they add up to nothing, to the last digit and without a fee; the last old ones
went before the first new ones came; none lies in another pocket; no source disagrees; and the
balances of both coins follow throughout. Another ratio, a rest, or a part is never guessed at.

Errors: none.
"""

from collections.abc import Collection, Sequence

from bursar.exact import ZERO, trimmed
from bursar.ledger.entries import MAIN, CashFlow, Flag, Movement, MovementKind
from bursar.ledger.names import canonical
from bursar.reconcile.breaks import Break, Kind, Part, Place, Where
from bursar.reconcile.evidence import Evidence, name_of


def renames(parts: Sequence[Part], known: Evidence) -> list[Break]:
    """Return the rename that the unpaired rows of renames are together, if they are one.

    `parts` are what does not add up in the account.
    """
    legs = [flow for flow in known.unpaired if _row(flow, known) is not None]
    went = [flow for flow in legs if flow.amount < 0]
    came = [flow for flow in legs if flow.amount > 0]
    if not _is_one(went, came, {part.asset for part in parts if not part.is_hint}):
        return []
    first, last = went[0], came[-1]
    place = Place(Where.ROWS, first.id, last.id, first.executed_at, last.executed_at)
    old, new = (" + ".join(trimmed(abs(flow.amount)) for flow in own) for own in (went, came))
    reason = f"{old} {first.asset} went and {new} {last.asset} came, as much, by rows of a rename"
    return [
        Break(
            id=name_of(known.ours.account, place, ()),
            kind=Kind.RENAME,
            shifts=(),
            place=place,
            reason=reason,
            evidence=tuple(flow.id for flow in legs),
        )
    ]


def _row(flow: CashFlow, known: Evidence) -> Movement | None:
    """Return the row of a leg, if it is one of a rename."""
    row = known.rows.get(flow.rows[0]) if flow.rows else None
    return row if row is not None and row.kind is MovementKind.RENAME else None


def _is_one(went: Sequence[CashFlow], came: Sequence[CashFlow], broken: Collection[str]) -> bool:
    """Tell whether one coin went, and then as much of another came, and nothing is odd in it."""
    if not went or not came:
        return False
    legs = (*went, *came)
    old, new = ({canonical(flow.asset) for flow in own} for own in (went, came))
    return (
        len(old) == len(new) == 1
        and old != new
        and (old | new).isdisjoint(broken)
        and not sum((flow.amount for flow in legs), ZERO)
        and max(flow.executed_at for flow in went) <= min(flow.executed_at for flow in came)
        and not any(flow.fees or flow.pocket not in {None, MAIN} for flow in legs)
        and not any(Flag.CONFLICTED in flow.flags for flow in legs)
    )
