"""Kraken's ledger: each row becomes one `Movement`, tied to others by the venue's own reference.

References that say nothing (`Unknown`, `0`, none) tie nothing. What a row becomes depends on that
row alone, so files may be cut anywhere.

Errors: none; rows are read already.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.actions import SETTLED
from bursar.ledger.entries import Movement, MovementKind, Rate, Source
from bursar.venue.kraken.assets import KFEE, Coin, coin, pocket
from bursar.venue.kraken.kinds import kind
from bursar.venue.kraken.rows import LedgerRow

ACCOUNT: Final = "kraken:main"
_NO_REFERENCE: Final = frozenset({"", "0", "Unknown"})
_NOT_MONEY: Final = (Rate(KFEE, "*", ZERO, "fee credit: not money"),)


def movements(
    rows: Sequence[LedgerRow], ranks: Sequence[int], *, account: str = ACCOUNT
) -> list[Movement]:
    """Turn ledger rows into statements, one each; `ranks` are the chain's."""
    return [movement(row, rank, account) for row, rank in zip(rows, ranks, strict=True)]


def movement(row: LedgerRow, rank: int, account: str) -> Movement:
    """Turn one row into a statement."""
    of = coin(row.code)
    what = kind(row.type, row.subtype, row.amount)
    return Movement(
        id=f"{account}:{row.txid}",
        group=_group(row, what, account),
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
        worth=row.amount_usd if _says_worth(row, of) else None,
        worth_asset="USD" if _says_worth(row, of) else None,
        rates=_NOT_MONEY if of.asset == KFEE else (),
    )


def _group(row: LedgerRow, what: MovementKind, account: str) -> str | None:
    """Return the reference a row is filed under.

    The rows of a forced conversion come under two references, so all adjustments of a day are one
    group, in which the ledger finds the pairs.
    """
    if what is MovementKind.ADJUSTMENT:
        return f"{account}:adjustment:{instant.day(row.executed_at)}"
    return None if row.refid in _NO_REFERENCE else f"{account}:{row.refid}"


def tie(row: LedgerRow) -> str:
    """Return what the rows of one group, and no others of an account, have in common."""
    if _is_adjustment(row.type, row.subtype):
        return instant.day(row.executed_at)
    return row.txid if row.refid in _NO_REFERENCE else row.refid


@lru_cache
def _is_adjustment(type_: str, subtype: str | None) -> bool:
    return kind(type_, subtype, ZERO) is MovementKind.ADJUSTMENT


def _says_worth(row: LedgerRow, of: Coin) -> bool:
    return bool(row.amount_usd and row.amount) and of.asset not in {"USD", KFEE}


def _label(row: LedgerRow, what: MovementKind) -> str | None:
    if row.subtype is not None:
        return f"{row.type}/{row.subtype}" if row.subtype else row.type
    # Without the column half the label is unknown, and unknown must not contradict a fuller export.
    return row.type if what is MovementKind.UNCLASSIFIED or row.type == SETTLED else None
