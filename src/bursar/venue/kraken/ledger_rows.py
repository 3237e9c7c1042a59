"""Kraken's ledger: each row becomes one `Movement`, tied to others by the venue's own reference.

References that say nothing (`Unknown`, `0`, none) tie nothing. Three kinds of row are tied without
one. The rows of a forced conversion, by their day; staking rows of one amount, by their day, since
a sweep of rewards may come under two references; and the rows in which a coin gets another name, by
their amount, since they come under two references and may be days apart. What a row becomes depends
on that row alone, so files may be cut anywhere.

Errors: none; rows are read already.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec

from bursar.exact import ZERO, trimmed, unsigned
from bursar.ledger import instant
from bursar.ledger.actions import SETTLED
from bursar.ledger.entries import Movement, MovementKind, Rate, Source
from bursar.venue.kraken.assets import KFEE, RENAMED, Coin, coin, pocket
from bursar.venue.kraken.kinds import kind
from bursar.venue.kraken.rows import LedgerRow

ACCOUNT: Final = "kraken:main"
_NO_REFERENCE: Final = frozenset({"", "0", "Unknown"})
_WITHOUT_WORTH: Final = frozenset({"USD", KFEE})
_STAKING: Final = "staking"
_NOT_MONEY: Final = (Rate(KFEE, "*", ZERO, "fee credit: not money"),)


def movements(
    rows: Sequence[LedgerRow], ranks: Sequence[int], *, account: str = ACCOUNT
) -> list[Movement]:
    """Turn ledger rows into statements, one each; `ranks` are the chain's."""
    return [movement(row, rank, account) for row, rank in zip(rows, ranks, strict=True)]


def movement(row: LedgerRow, rank: int, account: str) -> Movement:
    """Turn one row into a statement."""
    amount, usd = row.amount, row.amount_usd
    sign = 0 if not amount else -1 if amount.is_signed() else 1
    of, where, what, label = _meaning(row.code, row.wallet, row.type, row.subtype, sign)
    if what is MovementKind.ADJUSTMENT and _is_renamed(row):
        what = MovementKind.RENAME
    told = Movement(  # no more than 15 names: Python hands over more of them the slow way
        id=f"{account}:{row.txid}",
        group=_group(row, what, account),
        account=account,
        source=Source.LEDGER,
        executed_at=row.executed_at,
        sequence=rank,
        kind=what,
        asset=of.asset,
        amount=amount,
        fee=row.fee,
        balance=row.balance,
        code=of.code,
        pocket=where,
        label=label,
    )
    if of.asset == KFEE:
        return msgspec.structs.replace(told, rates=_NOT_MONEY)
    if usd and amount and of.asset not in _WITHOUT_WORTH:
        return msgspec.structs.replace(told, worth=usd, worth_asset="USD")
    return told


@lru_cache(maxsize=4096)
def _meaning(
    code: str, wallet: str, type_: str, subtype: str | None, sign: int
) -> tuple[Coin, str | None, MovementKind, str | None]:
    """Return what a row is about, as far as its words and the sign of its amount tell."""
    of, what = coin(code), kind(type_, subtype, Decimal(sign))
    return of, pocket(of, wallet), what, _label(type_, subtype, what)


def _group(row: LedgerRow, what: MovementKind, account: str) -> str | None:
    """Return the reference a row is filed under, or the group in which the ledger finds pairs."""
    if what is MovementKind.RENAME:
        return f"{account}:{_renamed(row)}"
    if what is MovementKind.ADJUSTMENT:
        return f"{account}:adjustment:{instant.day(row.executed_at)}"
    if row.type == _STAKING:
        return f"{account}:{_staked(row)}"
    return None if row.refid in _NO_REFERENCE else f"{account}:{row.refid}"


def ties(rows: Sequence[LedgerRow]) -> Iterator[str]:
    """Return what `tie` says of each row."""
    words = {(row.type, row.subtype) for row in rows}
    if any(type_ == _STAKING or _is_adjustment(type_, subtype) for type_, subtype in words):
        return map(tie, rows)
    return (row.txid if row.refid in _NO_REFERENCE else row.refid for row in rows)


def tie(row: LedgerRow) -> str:
    """Return what the rows of one group, and no others of an account, have in common."""
    if _is_adjustment(row.type, row.subtype):
        return _renamed(row) if _is_renamed(row) else instant.day(row.executed_at)
    if row.type == _STAKING:
        return _staked(row)
    return row.txid if row.refid in _NO_REFERENCE else row.refid


def _staked(row: LedgerRow) -> str:
    asset, amount = coin(row.code).asset, trimmed(unsigned(row.amount))
    return f"{_STAKING}:{asset}:{amount}:{instant.day(row.executed_at)}"


def _is_renamed(row: LedgerRow) -> bool:
    """Tell whether a row takes out a coin that has another name now, or puts in what it became."""
    asset = coin(row.code).asset
    return (row.amount < 0 and asset in RENAMED) or (row.amount > 0 and asset in RENAMED.values())


def _renamed(row: LedgerRow) -> str:
    return f"renamed:{trimmed(unsigned(row.amount))}"


@lru_cache
def _is_adjustment(type_: str, subtype: str | None) -> bool:
    return kind(type_, subtype, ZERO) is MovementKind.ADJUSTMENT


def _label(type_: str, subtype: str | None, what: MovementKind) -> str | None:
    if subtype is not None:
        return f"{type_}/{subtype}" if subtype else type_
    # Without the column half the label is unknown, and unknown must not contradict a fuller export.
    return type_ if what is MovementKind.UNCLASSIFIED or type_ == SETTLED else None
