"""Trading: open and closed trades, as the store of trades keeps them, and the log of transactions.

The trades are a projection of the journal; it is brought up to the book before it is read.

Errors: those of the stores.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from bursar.measure.positions import Trade
from bursar.portfolio import logged
from bursar.portfolio.logged import LoggedTransaction
from bursar.serve.asking import Query
from bursar.serve.reading import Key, Page, Room, page


class TradeView(msgspec.Struct, frozen=True, kw_only=True):
    """A trade from its opening to its close. Notionals and prices are in its quote asset.

    They are `null` where a part was exchanged for something else. `quantity` is all that came in,
    `open_quantity` what is still there; trades brought `entry_quantity` of it, and took
    `exit_quantity`. Open is what has no `closed_at`; no trade brought what has no `opened_at`.
    `flags` are what the book is not sure of in its fills, such as `unpriced`.
    """

    trade_id: str
    account: str
    symbol: str
    quote: str | None
    side: str
    quantity: Decimal
    open_quantity: Decimal
    entry_quantity: Decimal
    exit_quantity: Decimal
    entry_price: Decimal | None
    exit_price: Decimal | None
    entry_notional: Decimal | None
    exit_notional: Decimal | None
    opened_at: int | None
    closed_at: int | None
    realized_pnl: Decimal
    fees: Decimal
    is_margin: bool
    leverage: Decimal | None
    strategy: str | None
    regime: str | None
    fills: tuple[str, ...]
    flags: tuple[str, ...]


def open_trades(room: Room, query: Query) -> Page[TradeView]:
    """Return what is open, by when it was opened."""
    found = room.once(
        "open-trades",
        lambda: (
            ((each.since, each.trade_id, ""), each) for each in room.trade_store().open_trades()
        ),
    )
    return _shown(found, query)


def closed_trades(room: Room, query: Query) -> Page[TradeView]:
    """Return what was closed, by when that was."""
    found = room.once(
        "closed-trades",
        lambda: (
            ((each.closed_at or 0, each.trade_id, ""), each)
            for each in room.trade_store().closed_trades()
        ),
    )
    return _shown(found, query)


def _shown(rows: Sequence[tuple[Key, Trade]], query: Query) -> Page[TradeView]:
    symbol, strategy = query.text("symbol"), query.text("strategy")

    def fits(trade: Trade) -> bool:
        return symbol in {None, trade.symbol} and strategy in {None, trade.strategy}

    found = page(rows, query, fits)
    return Page(tuple(_view(each) for each in found.items), found.next)


def _view(trade: Trade) -> TradeView:
    return TradeView(**{name: getattr(trade, name) for name in TradeView.__struct_fields__})


def transactions(room: Room, query: Query) -> Page[LoggedTransaction]:
    """Return the transactions that were committed."""
    rows = room.once(
        "transactions",
        lambda: (
            ((each.committed_at, f"{each.version:020}", each.id), each)
            for each in logged.transactions(room.service.portfolio)
        ),
    )
    key = query.text("key")
    return page(rows, query, lambda each: key in {None, each.key})
