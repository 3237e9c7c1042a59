"""Leverage that only a trades file tells: where the ledger booked coins, it was none.

A trades file shows leverage by signs; the rows of the ledger are what moved. Of a trade whose group
holds rows that traded coins and none of a leveraged position, what was told as leveraged was a
trade of coins, or the settlement of a position, which goes by the same id. To be called inside the
money context.

Errors: none.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.actions import SETTLED
from bursar.ledger.entries import Fill, MarginFill, Movement, MovementKind, Side


def overruled(
    rows: Sequence[Movement], fills: Iterable[Fill], lent: Iterable[MarginFill]
) -> tuple[dict[str, Fill], list[MarginFill]]:
    """Return the fills, by id, and the leveraged ones that are left, given the `rows` beside them.

    What turns out to be one of coins keeps its names; its amounts are those of its rows.
    """
    by_id = {fill.id: fill for fill in fills}
    left: list[MarginFill] = []
    for told in lent:
        name = told.group or told.id
        same = by_id.get(name)
        is_delivery = same is not None and same.delivers
        if is_delivery or _is_of_coins(told, [row for row in rows if row.group == name]):
            by_id.setdefault(name, _of_coins(name, told))
        else:
            left.append(told)
    return by_id, left


def _is_of_coins(told: MarginFill, rows: Sequence[Movement]) -> bool:
    """Tell whether rows booked coins each way, and nothing of a leveraged position.

    Rows that settle a position may stand under the trade that opened it, which stays what it is:
    they are of this very trade where they are of its second, and their coins as many.
    """
    traded = [row for row in rows if row.kind is MovementKind.TRADE]
    if len(traded) < len(rows) or {row.amount > 0 for row in traded} != {True, False}:
        return False
    if not any(row.label == SETTLED for row in traded):
        return True
    is_then = {_second(row) for row in traded} == {_second(told)}
    return is_then and _moved(traded, told.base) == _signed(told)


def _second(entry: Movement | MarginFill) -> int:
    return entry.executed_at // instant.SECOND


def _moved(rows: Iterable[Movement], asset: str) -> Decimal:
    return sum((row.amount for row in rows if row.asset == asset), ZERO)


def _signed(told: MarginFill) -> Decimal | None:
    if told.quantity is None or told.side is None:
        return None
    return told.quantity if told.side is Side.BUY else -told.quantity


def _of_coins(name: str, told: MarginFill) -> Fill:
    return Fill(
        id=name,
        group=name,
        account=told.account,
        source=told.source,
        executed_at=told.executed_at,
        sequence=told.sequence,
        pair=told.pair,
        base=told.base,
        quote=told.quote,
        side=told.side or Side.BUY,
        quantity=told.quantity or ZERO,
        price=told.price,
        order_id=told.order_id,
        strategy=told.strategy,
        regime=told.regime,
        flags=told.flags,
    )
