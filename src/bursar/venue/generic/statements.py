"""What a row of the generic CSV states: one entry.

Its id is the file's own where it has one. Without one it is made of what the row tells (time, type,
names and numbers, however they are written) and of how many rows before it in the file tell the
same. So a file again, or a longer one that overlaps, adds nothing twice, and strategy, regime,
note and worth may be filled in later.

Of rows with the same time, what comes in counts before trades, purchases before sales, and what
goes out last, unless the file says their order.

Errors: none; rows are read and checked already.
"""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Final

from bursar.exact import ZERO, negated, trimmed
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    FlowKind,
    Leg,
    Rename,
    Side,
    Split,
    Transfer,
)
from bursar.venue.generic.rows import FLOWS, TRADES, Row, Type

ACCOUNT: Final = "csv:main"
_DIGITS: Final = 24
_PHASES: Final = {
    Type.SPLIT: 0,
    Type.RENAME: 0,
    Type.BUY: 3,
    Type.CONVERSION: 4,
    Type.SELL: 5,
    Type.TRANSFER: 6,
    Type.WITHDRAWAL: 7,
    Type.FEE: 7,
}
_COMES_IN: Final = 2
_GOES_OUT: Final = 7


def statements(rows: Sequence[Row]) -> list[AnyEntry]:
    """Return what each row states. O(rows)."""
    counted: dict[str, int] = {}
    said: list[AnyEntry] = []
    for row in rows:
        name = row.id
        if name is None:
            content = _content(row)
            counted[content] = counted.get(content, 0) + 1
            name = f"{content}-{counted[content]}"
        said.append(_statement(row, f"{row.account}:{name}"))
    return said


def _content(row: Row) -> str:
    """Return a digest of what a row tells: its facts, not who did it or what it was worth."""
    numbers = (
        row.quantity,
        row.amount,
        None if row.amount is not None else row.price,
        row.fee or None,
    )
    told = (
        row.type.value,
        str(row.at),
        row.account,
        row.asset,
        row.quote,
        row.fee_asset if row.fee else None,
        row.to_account,
        *(None if number is None else trimmed(number) for number in numbers),
    )
    text = "\n".join("" if each is None else each for each in told)
    return sha256(text.encode()).hexdigest()[:_DIGITS]


def _statement(row: Row, name: str) -> AnyEntry:
    if row.type in TRADES:
        return _fill(row, name)
    if row.type in FLOWS:
        return _flow(row, name)
    return _move(row, name)


def _fill(row: Row, name: str) -> Fill:
    quote = row.quote or ""
    return Fill(
        id=name,
        account=row.account,
        executed_at=row.at,
        sequence=_sequence(row),
        note=row.note,
        pair=f"{row.asset}/{quote}",
        base=row.asset,
        quote=quote,
        side=Side.BUY if row.type is Type.BUY else Side.SELL,
        quantity=row.quantity or ZERO,
        amount=row.amount,
        price=row.price,
        fees=_fees(row),
        order_id=row.order_id,
        strategy=row.strategy,
        regime=row.regime,
        value=row.value,
    )


def _flow(row: Row, name: str) -> CashFlow:
    quantity = row.quantity or ZERO
    amount = negated(quantity) if row.type in {Type.WITHDRAWAL, Type.FEE} else quantity
    return CashFlow(
        id=name,
        account=row.account,
        executed_at=row.at,
        sequence=_sequence(row),
        note=row.note,
        kind=FlowKind(row.type.value),
        asset=row.asset,
        amount=amount,
        fees=_fees(row),
        strategy=row.strategy,
        value=None if row.value is None else row.value.copy_sign(amount),
        basis=row.basis,
    )


def _move(row: Row, name: str) -> Transfer | Conversion | Split | Rename:
    quantity, amount, quote = row.quantity or ZERO, row.amount or ZERO, row.quote or ""
    if row.type is Type.TRANSFER:
        return Transfer(
            id=name,
            account=row.account,
            executed_at=row.at,
            sequence=_sequence(row),
            note=row.note,
            asset=row.asset,
            quantity=quantity,
            to_account=row.to_account or "",
            fees=_fees(row),
        )
    if row.type is Type.CONVERSION:
        return Conversion(
            id=name,
            account=row.account,
            executed_at=row.at,
            sequence=_sequence(row),
            note=row.note,
            given=(Leg(row.asset, quantity, row.value),),
            taken=(Leg(quote, amount, row.value),),
            fees=_fees(row),
        )
    return _reshaped(row, name, quantity, amount, quote)


def _reshaped(
    row: Row, name: str, quantity: Decimal, amount: Decimal, quote: str
) -> Split | Rename:
    if row.type is Type.SPLIT:
        return Split(
            id=name,
            account=row.account,
            executed_at=row.at,
            sequence=_sequence(row),
            note=row.note,
            asset=row.asset,
            numerator=quantity,
            denominator=amount,
        )
    return Rename(
        id=name,
        account=row.account,
        executed_at=row.at,
        sequence=_sequence(row),
        note=row.note,
        asset=row.asset,
        to_asset=quote,
    )


def _fees(row: Row) -> tuple[Fee, ...]:
    return (Fee(row.fee_asset, row.fee),) if row.fee and row.fee_asset else ()


def _sequence(row: Row) -> int:
    if row.sequence is not None:
        return row.sequence
    came = row.quantity is not None and row.quantity >= 0
    return _PHASES.get(row.type, _COMES_IN if came else _GOES_OUT)
