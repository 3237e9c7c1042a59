"""Trades in memory: for portfolios that are kept there, and the measure of the other places."""

from collections.abc import Iterable

from bursar.measure.positions import Trade


class MemoryTradeStore:
    """A `TradeStore` in memory."""

    def __init__(self) -> None:
        self._trades: dict[str, Trade] = {}
        self._reached = self._bookmark = ""

    def reached(self) -> str:
        """Return of which state the trades are."""
        return self._reached

    def bookmark(self) -> str:
        """Return what was kept beside the trades."""
        return self._bookmark

    def save(
        self,
        trades: Iterable[Trade],
        reached: str,
        *,
        since: int | None = None,
        bookmark: str | None = None,
    ) -> None:
        """Keep trades, each in the place of the one of its id, or of all `since` an instant."""
        known = self._trades
        if since is not None:
            known = {
                name: each
                for name, each in known.items()
                if each.closed_at is not None and each.closed_at < since
            }
        self._trades = known | {trade.trade_id: trade for trade in trades}
        self._reached = reached
        if bookmark is not None:
            self._bookmark = bookmark

    def open_trades(self, symbol: str | None = None) -> list[Trade]:
        """Return what is open, by opening time and id."""
        found = [each for each in self._trades.values() if each.is_open]
        told = [each for each in found if symbol in {None, each.symbol}]
        return sorted(told, key=lambda each: (each.since, each.trade_id))

    def closed_trades(
        self, symbol: str | None = None, *, since: int | None = None, limit: int | None = None
    ) -> list[Trade]:
        """Return what was closed at or after an instant, newest first."""
        found = [
            (each.closed_at, each.trade_id, each)
            for each in self._trades.values()
            if each.closed_at is not None and each.closed_at >= (since or 0)
            if symbol in {None, each.symbol}
        ]
        return [each for _, _, each in sorted(found, key=lambda row: row[:2], reverse=True)][:limit]

    def trade(self, trade_id: str) -> Trade | None:
        """Return one trade, if there is one of that id."""
        return self._trades.get(trade_id)

    def close(self) -> None:
        """Keep everything: another opening may come."""
