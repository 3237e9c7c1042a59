"""Kraken's trades: each row becomes one `Fill`, or a `MarginFill` where a position is leveraged.

A leveraged trade moves no coins but the PnL and the fee that the ledger states, so it must never
look like a purchase. It shows by its initial margin, or by the words of `misc` that close or
liquidate. `initiated` stands on trades of coins as well, so it counts only where no margin is told.

The export does not say which position a trade closed, and the one that it closed may have been
opened before the first row that is here. So a trade that only closes says so (`closes`), and the
book opens nothing for it.

Errors: `UnknownAsset` for a pair that no table names.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from bursar.exact import divide
from bursar.ledger.entries import Fee, Fill, MarginFill, Source
from bursar.venue.kraken.ledger_rows import ACCOUNT
from bursar.venue.kraken.pairs import Pair, pair
from bursar.venue.kraken.rows import TradeRow

_OPENS: Final = "initiated"
_CLOSES: Final = "closing"
_LEVERAGED: Final = frozenset({_CLOSES, "liquidated"})


def fills(rows: Sequence[TradeRow], *, account: str = ACCOUNT) -> list[Fill | MarginFill]:
    """Turn trades, oldest first, into statements, one each."""
    said: list[Fill | MarginFill] = []
    counted: dict[int, int] = {}
    for row in rows:
        rank = counted.get(row.executed_at, 0)
        counted[row.executed_at] = rank + 1
        said.append(fill(row, rank, account))
    return said


def fill(row: TradeRow, rank: int, account: str) -> Fill | MarginFill:
    """Turn one trade into a statement; `rank` is its place among those of its instant."""
    make = _margin_fill if is_margin(row) else _fill
    return make(row, pair(row.pair), rank, account)


def is_margin(row: TradeRow) -> bool:
    """Tell whether a trade belongs to a leveraged position."""
    words = _words(row)
    if row.margin is None and _OPENS in words:
        return True
    return bool(row.margin) or not _LEVERAGED.isdisjoint(words)


def only_closes(row: TradeRow) -> bool:
    """Tell whether a trade closed what was open, and certainly opened nothing: its words say that
    it closed and not that it opened, and no margin was put up for it.
    """
    words = _words(row)
    is_free = row.margin is not None and not row.margin
    return is_free and _CLOSES in words and _OPENS not in words


def _words(row: TradeRow) -> frozenset[str]:
    return frozenset(map(str.strip, row.misc.split(",")))


def _fill(row: TradeRow, market: Pair, rank: int, account: str) -> Fill:
    return Fill(
        id=f"{account}:{row.txid}",
        group=f"{account}:{row.txid}",
        account=account,
        source=Source.TRADES,
        executed_at=row.executed_at,
        sequence=rank,
        rows=tuple(f"{account}:{txid}" for txid in row.ledgers),
        pair=str(market),
        base=market.base,
        quote=market.quote,
        side=row.side,
        quantity=row.volume,
        amount=row.cost,
        price=row.price,
        fees=_fees(row, market),
        order_id=row.order_id,
    )


def _margin_fill(row: TradeRow, market: Pair, rank: int, account: str) -> MarginFill:
    return MarginFill(
        id=f"{account}:{row.txid}/margin",
        group=f"{account}:{row.txid}",
        account=account,
        source=Source.TRADES,
        executed_at=row.executed_at,
        sequence=rank,
        pair=str(market),
        base=market.base,
        quote=market.quote,
        side=row.side,
        quantity=row.volume,
        price=row.price,
        fees=_fees(row, market),
        leverage=_leverage(row),
        order_id=row.order_id,
        closes=True if only_closes(row) else None,
    )


def _fees(row: TradeRow, market: Pair) -> tuple[Fee, ...]:
    return (Fee(market.quote, row.fee),) if row.fee else ()


def _leverage(row: TradeRow) -> Decimal | None:
    """Return cost ÷ initial margin where that is a whole number; the export does not state it."""
    if row.margin is None or row.margin <= 0 or row.cost <= 0:
        return None
    times, rest = divide(row.cost, row.margin, places=0)
    return None if rest else times
