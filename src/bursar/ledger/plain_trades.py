"""The short way through the commonest groups: the rows of one trade, mostly one each way, alone or
beside the execution that tells its pair and order.

It says what the long way in `facts` says, and a property holds the two against each other.

Errors: none.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from bursar.ledger import actions, instant
from bursar.ledger.entries import (
    AnyEntry,
    Fee,
    Fill,
    Flag,
    MarginFill,
    Movement,
    MovementKind,
    Side,
    Source,
)
from bursar.ledger.legs import when
from bursar.ledger.names import oriented

_TRADE: Final = MovementKind.TRADE


def rows_of_one_trade(statements: Sequence[AnyEntry]) -> list[Movement]:
    """Return the rows, in order, if they are all there is, as in most groups: none is sifted.

    What lies in a pocket has to be put there, so such rows are.
    """
    rows: list[Movement] = []
    first = None
    for entry in statements:
        if not isinstance(entry, Movement) or entry.kind is not _TRADE or entry.pocket:
            return []
        group = entry.group or entry.id
        if group != (first := first or group):
            return []
        rows.append(entry)
    rows.sort(key=when)
    return rows if len({row.id for row in rows}) == len(rows) else []


def plain_trade(rows: Sequence[Movement], cash: frozenset[str]) -> Fill | None:
    """Return what `facts` makes of a row each way in one instant, if nothing else is to be said.

    Most trades are that.
    """
    if len(rows) != 2:  # noqa: PLR2004 (one each way)
        return None
    first, second = rows
    taken, given = (first, second) if first.amount > 0 else (second, first)
    is_money = taken.asset in cash or given.asset in cash
    if (
        first.executed_at != second.executed_at
        or taken.asset == given.asset
        or not given.amount < 0 < taken.amount
        or first.rates
        or second.rates
        or actions.SETTLED in (first.label, second.label)
        or not (is_money or first.worth is second.worth is None)
    ):
        return None
    base, quote = oriented(taken.asset, given.asset, cash)
    bought = base == taken.asset
    coins, paid = (taken, given) if bought else (given, taken)
    return Fill(
        id=first.group or first.id,
        executed_at=first.executed_at,
        account=first.account,
        sequence=min(first.sequence, second.sequence),
        rows=(first.id, second.id),
        base=base,
        quote=quote,
        side=Side.BUY if bought else Side.SELL,
        quantity=abs(coins.amount),
        amount=abs(paid.amount),
        fees=tuple([Fee(row.asset, row.fee) for row in rows if row.fee]),
    )


def booked_trade(statements: Sequence[AnyEntry], cash: frozenset[str]) -> Fill | None:
    """Return what `facts` makes of an execution and the row each way that books it, if that is all.

    What a trade history knows of most trades is that.
    """
    fills = [entry for entry in statements if isinstance(entry, Fill)]
    if len(statements) != 3 or len(fills) != 1:  # noqa: PLR2004 (one each way, and it)
        return None
    told = fills[0]
    rows = rows_of_one_trade([entry for entry in statements if entry is not told])
    booked = plain_trade(rows, cash) if rows else None
    if booked is None or (booked.id, booked.base, booked.quote) != (told.id, told.base, told.quote):
        return None
    return msgspec.structs.replace(
        told,
        executed_at=booked_at(booked.executed_at, told),
        sequence=booked.sequence,
        rows=booked.rows,
        side=booked.side,
        quantity=booked.quantity,
        amount=booked.amount,
        fees=booked.fees,
        flags=tuple(flag for flag in told.flags if flag is not Flag.PROVISIONAL),
        delivers=False,
    )


def booked_at(at: int, told: Fill | MarginFill) -> int:
    """Return when rows of an instant booked an execution: with the digits that it tells, if the
    ledger itself tells it.

    A trade history has more digits than the rows beside it. They would put the trade behind a
    withdrawal of that very second which the ledger has after it, and take its coins from nowhere.
    """
    return instant.refine(at, told.executed_at) if told.source is Source.LEDGER else at
