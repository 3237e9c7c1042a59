"""Binance's spot trades, exported or told by its API: each row becomes one `Fill`.

Trades are filed under the hour they were made in, as the legs of the transaction history are:
within it the ledger finds out which rows are whose. Until those rows come an exported fill is
provisional. What the API tells is what was booked, so there it is the ledger's word.

Errors: none; rows are read already.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from bursar.exact import trimmed
from bursar.ledger import instant
from bursar.ledger.entries import Fee, Fill, Source
from bursar.venue.binance.identity import numbered, ranks, stamp
from bursar.venue.binance.rows import TradeRow

ACCOUNT: Final = "binance:main"
SPOT: Final = "spot"


def fills(
    rows: Sequence[TradeRow], *, account: str = ACCOUNT, source: Source = Source.TRADES
) -> list[Fill]:
    """Turn trades, oldest first, into statements, one each. All of a second must be there."""
    ids = numbered(rows, _content, lambda row: (trimmed(row.price),))
    places = ranks(row.executed_at for row in rows)
    made = [
        _fill(row, name, place, account) for row, name, place in zip(rows, ids, places, strict=True)
    ]
    return [msgspec.structs.replace(each, source=source) for each in made]


def hour_of(account: str, family: str, at: int) -> str:
    """Name the group of the rows of a family in an hour."""
    return f"{account}:{family}/{instant.show(at)[:13]}"


def _content(row: TradeRow) -> str:
    amounts = f"{trimmed(row.quantity)}/{trimmed(row.amount)}"
    fee = f"/{trimmed(row.fee)}{row.fee_asset}" if row.fee else ""
    market = f"{row.pair.base}-{row.pair.quote}"
    return f"{stamp(row.executed_at)}/{market}/{row.side.value}/{amounts}{fee}"


def _fill(row: TradeRow, name: str, place: int, account: str) -> Fill:
    return Fill(
        id=f"{account}:{name}",
        group=hour_of(account, f"trades/{SPOT}", row.executed_at),
        account=account,
        source=Source.TRADES,
        executed_at=row.executed_at,
        sequence=place,
        pair=str(row.pair),
        base=row.pair.base,
        quote=row.pair.quote,
        side=row.side,
        quantity=row.quantity,
        amount=row.amount,
        price=row.price,
        fees=(Fee(row.fee_asset, row.fee),) if row.fee else (),
        order_id=row.order_id,
        note=None if row.number is None else f"trade {row.number}",
    )
