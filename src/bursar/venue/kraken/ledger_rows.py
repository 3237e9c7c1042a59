"""Kraken's ledger: each row becomes one `Movement`, tied to others by the venue's own reference.

References that say nothing (`Unknown`, `0`, none) tie nothing. The two rows of a forced conversion
carry different references about a second apart; they share a group where no third one is near, and
stay `ADJUSTMENT`s otherwise.

Errors: none; rows are read already.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import FRACTION_DIGITS, ZERO, divide
from bursar.ledger import instant
from bursar.ledger.entries import Movement, MovementKind, Rate, Source
from bursar.venue.kraken.assets import KFEE, Coin, coin, pocket
from bursar.venue.kraken.kinds import kind
from bursar.venue.kraken.rows import LedgerRow

ACCOUNT: Final = "kraken:main"
PAIRING_MAX: Final = 5 * instant.SECOND
"""How far apart the two rows of a forced conversion may be."""

_NO_REFERENCE: Final = frozenset({"", "0", "Unknown"})
_NOT_MONEY: Final = (Rate(KFEE, "*", ZERO, "fee credit: not money"),)


def movements(
    rows: Sequence[LedgerRow], ranks: Sequence[int], *, account: str = ACCOUNT
) -> list[Movement]:
    """Turn ledger rows into statements, one each; `ranks` are the chain's."""
    said = [_movement(row, rank, account) for row, rank in zip(rows, ranks, strict=True)]
    forced = [place for place, each in enumerate(said) if each.kind is MovementKind.ADJUSTMENT]
    for group, places in _paired([said[place] for place in forced], account):
        for place in places:
            at = forced[place]
            said[at] = msgspec.structs.replace(said[at], kind=MovementKind.CONVERSION, group=group)
    return said


def _movement(row: LedgerRow, rank: int, account: str) -> Movement:
    of = coin(row.code)
    what = kind(row.type, row.subtype, row.amount)
    return Movement(
        id=f"{account}:{row.txid}",
        group=None if row.refid in _NO_REFERENCE else f"{account}:{row.refid}",
        account=account,
        source=Source.LEDGER,
        executed_at=row.executed_at,
        sequence=rank,
        kind=what,
        asset=of.asset,
        amount=row.amount,
        fee=row.fee,
        balance=row.balance,
        code=of.code,
        pocket=pocket(of, row.wallet),
        label=_label(row, what),
        rates=_rates(row, of),
    )


def _label(row: LedgerRow, what: MovementKind) -> str | None:
    if row.subtype is not None:
        return f"{row.type}/{row.subtype}" if row.subtype else row.type
    # Without the column half the label is unknown, and unknown must not contradict a fuller export.
    return row.type if what is MovementKind.UNCLASSIFIED else None


def _rates(row: LedgerRow, of: Coin) -> tuple[Rate, ...]:
    if of.asset == KFEE:
        return _NOT_MONEY
    if not row.amount_usd or not row.amount or of.asset == "USD":
        return ()
    value = _exactly(row.amount_usd, row.amount)
    if value is None or value <= 0:
        return ()
    return (Rate(of.asset, "USD", value, "column amountusd", row.executed_at),)


def _exactly(total: Decimal, by: Decimal) -> Decimal | None:
    """Divide where the result is exact: a rounded rate would be ours, not the venue's."""
    value, rest = divide(total, by, places=FRACTION_DIGITS)
    return None if rest else value.normalize()


def _paired(rows: Sequence[Movement], account: str) -> list[tuple[str, tuple[int, ...]]]:
    """Find the rows of each forced conversion: by their common reference, else by time."""
    by_reference: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.group is not None:
            by_reference.setdefault(row.group, []).append(place)
    found = [
        (group, tuple(places))
        for group, places in by_reference.items()
        if {rows[place].amount > 0 for place in places if rows[place].amount} == {True, False}
    ]
    used = {place for _, places in found for place in places}
    for pair in _lone_pairs(rows, [place for place in range(len(rows)) if place not in used]):
        smaller = min(rows[place].id for place in pair).removeprefix(f"{account}:")
        found.append((f"{account}:adjustment:{smaller}", pair))
    return found


def _lone_pairs(rows: Sequence[Movement], places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield two rows near each other and near no third, of opposite sign and two assets."""
    near: list[list[int]] = []
    for place in sorted(places, key=lambda place: rows[place].executed_at):
        at = rows[place].executed_at
        if near and at - rows[near[-1][-1]].executed_at <= PAIRING_MAX:
            near[-1].append(place)
        else:
            near.append([place])
    for group in near:
        one, other = group[0], group[-1]
        opposite = rows[one].amount * rows[other].amount < 0
        if group == [one, other] and opposite and rows[one].asset != rows[other].asset:
            yield one, other
