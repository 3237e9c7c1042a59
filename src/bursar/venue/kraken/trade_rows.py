"""Kraken's trades: each row becomes one `Fill`, or a `MarginFill` where a position is leveraged.

A leveraged trade moves no coins but the PnL and the fee that the ledger states, so it must never
look like a purchase. It shows by its initial margin, by the status of the position that it opened,
or by the words of `misc` that close or liquidate. `initiated` says only that it took liquidity.

A position is named after the trade that opened it, and a trade that closes says so, with a margin
as well. What it closed may have been opened before the first row that is here. So one that opened
no position of its own says that it only closes (`closes`), and the book opens nothing for it.

A position that is settled takes or gives its coins at the price it was entered for. The trade that
does so closes, but goes the same way as the one that opened: it is one of coins (`delivers`).

Errors: `UnknownAsset` for a pair that no table names.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from bursar.exact import divide
from bursar.ledger.entries import Fee, Fill, MarginFill, Side, Source
from bursar.venue.kraken.ledger_rows import ACCOUNT
from bursar.venue.kraken.pairs import Pair, pair
from bursar.venue.kraken.rows import TradeRow, settles_position

_CLOSES: Final = "closing"
_LEVERAGED: Final = frozenset({_CLOSES, "liquidated"})


def fills(rows: Sequence[TradeRow], *, account: str = ACCOUNT) -> list[Fill | MarginFill]:
    """Turn trades, oldest first, into statements, one each."""
    said: list[Fill | MarginFill] = []
    opened = dict(openings(rows))
    counted: dict[int, int] = {}
    for row in rows:
        rank = counted.get(row.executed_at, 0)
        counted[row.executed_at] = rank + 1
        said.append(fill(row, rank, account, opened))
    return said


def fill(row: TradeRow, rank: int, account: str, opened: Mapping[str, Side]) -> Fill | MarginFill:
    """Turn one trade into a statement; `rank` is its place among those of its instant, `opened`
    what `openings` says of the trades beside it.
    """
    is_lent = is_margin(row) and not settles(row, opened)
    make = _margin_fill if is_lent else _fill
    return make(row, pair(row.pair), rank, account)


def openings(rows: Iterable[TradeRow]) -> Iterator[tuple[str, Side]]:
    """Yield the id of each leveraged trade that may have opened a position, and its side."""
    return ((row.txid, row.side) for row in rows if is_margin(row) and not only_closes(row))


def is_margin(row: TradeRow) -> bool:
    """Tell whether a trade belongs to a leveraged position."""
    return bool(row.margin or row.position_status) or not _LEVERAGED.isdisjoint(_words(row))


def only_closes(row: TradeRow) -> bool:
    """Tell whether a trade closed what was open, and opened no position of its own."""
    return _CLOSES in _words(row) and not row.position_status


def settles(row: TradeRow, opened: Mapping[str, Side]) -> bool:
    """Tell whether a trade settles a position, by its order or by the side of the trade that
    opened it, if that is among those `opened`, by id.
    """
    if _CLOSES not in _words(row):
        return False
    return settles_position(row.order_type) or opened.get(row.position) is row.side


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
        delivers=is_margin(row),
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
