"""Trades in Redis: texts by id, and the ids in order of time, whole and by symbol.

    PREFIX:trades:PORTFOLIO            hash: id → trade
    PREFIX:trades:PORTFOLIO:reached    of which state they are
    PREFIX:trades:PORTFOLIO:bookmark   from where to go on
    PREFIX:trades:PORTFOLIO:open       sorted set of "TIME ID", and :open:SYMBOL
    PREFIX:trades:PORTFOLIO:closed     the same of closed ones, and :closed:SYMBOL

All members of a set have one score, so Redis orders them as texts: by the twenty digits of a time,
then by id. A flush leaves nothing, not even the state, so that the trades are made anew.

Errors: `StoreDown`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from redis import Redis, exceptions

from bursar.errors import BadChoice, StoreDown
from bursar.ledger.turns import BEGINNING
from bursar.measure.positions import Trade
from bursar.store.trades import texts

_PATIENCE_S: Final = 5
_CHUNK: Final = 1_000
_OPEN, _CLOSED = "open", "closed"


class RedisTradeStore:
    """A `TradeStore` over Redis. There should be one that writes."""

    def __init__(self, url: str, portfolio: str, *, prefix: str = "bursar") -> None:
        try:
            self._redis: Any = Redis.from_url(
                url, decode_responses=True, socket_timeout=_PATIENCE_S
            )
        except ValueError:
            raise BadChoice("the address of Redis is none: redis://HOST:PORT/DATABASE") from None
        self._key = f"{prefix}:trades:{portfolio}"

    def __repr__(self) -> str:
        return f"RedisTradeStore({self._key!r})"

    def reached(self) -> str:
        """Return of which state the trades are."""
        return self._stamped("reached")

    def bookmark(self) -> str:
        """Return what was kept beside the trades."""
        return self._stamped("bookmark")

    def save(
        self,
        trades: Iterable[Trade],
        reached: str,
        *,
        since: int | None = None,
        bookmark: str | None = None,
    ) -> None:
        """Keep trades and what they are of in one transaction."""
        told = {trade.trade_id: trade for trade in trades}
        is_anew = since == BEGINNING
        with _reached():
            lists = list(self._redis.scan_iter(f"{self._key}:*")) if is_anew else []
            gone = [] if is_anew else self._gone(list(told), since)
            with self._redis.pipeline(transaction=True) as pipe:
                if is_anew:
                    pipe.delete(self._key, *lists)
                for trade in gone:
                    pipe.hdel(self._key, trade.trade_id)
                    for key in self._lists(trade):
                        pipe.zrem(key, _member(trade))
                for name, trade in told.items():
                    pipe.hset(self._key, name, texts.encode(trade))
                    for key in self._lists(trade):
                        pipe.zadd(key, {_member(trade): 0})
                pipe.set(f"{self._key}:reached", texts.stamped(reached))
                if bookmark is not None:
                    pipe.set(f"{self._key}:bookmark", texts.stamped(bookmark))
                pipe.execute()

    def _stamped(self, name: str) -> str:
        with _reached():
            return texts.unstamped(self._redis.get(f"{self._key}:{name}") or "")

    def _gone(self, names: list[str], since: int | None) -> list[Trade]:
        """Return the trades that others take the place of."""
        known = self._redis.hmget(self._key, names) if names else []
        found = [texts.decode(text) for text in known if text is not None]
        if since is not None:
            found += [*self.open_trades(), *self.closed_trades(since=since)]
        return found

    def open_trades(self, symbol: str | None = None) -> list[Trade]:
        """Return what is open, by opening time and id."""
        with _reached():
            return self._named(self._redis.zrangebylex(self._list(_OPEN, symbol), "-", "+"))

    def closed_trades(
        self, symbol: str | None = None, *, since: int | None = None, limit: int | None = None
    ) -> list[Trade]:
        """Return what was closed at or after an instant, newest first."""
        key, first = self._list(_CLOSED, symbol), f"[{max(since or 0, 0):020d}"
        part = {} if limit is None else {"start": 0, "num": limit}
        with _reached():
            return self._named(self._redis.zrevrangebylex(key, "+", first, **part))

    def trade(self, trade_id: str) -> Trade | None:
        """Return one trade, if there is one of that id."""
        with _reached():
            text = self._redis.hget(self._key, trade_id)
        return None if text is None else texts.decode(text)

    def close(self) -> None:
        """Close every connection."""
        self._redis.close()

    def _named(self, members: list[str]) -> list[Trade]:
        names = [member.partition(" ")[2] for member in members]
        found: list[Trade] = []
        for start in range(0, len(names), _CHUNK):
            told = self._redis.hmget(self._key, names[start : start + _CHUNK])
            found += [texts.decode(text) for text in told if text is not None]
        return found

    def _lists(self, trade: Trade) -> tuple[str, str]:
        kind = _OPEN if trade.is_open else _CLOSED
        return self._list(kind, None), self._list(kind, trade.symbol)

    def _list(self, kind: str, symbol: str | None) -> str:
        return f"{self._key}:{kind}" if symbol is None else f"{self._key}:{kind}:{symbol}"


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (exceptions.RedisError, OSError) as error:
        raise StoreDown(f"Redis cannot be reached: {type(error).__name__}") from None


def _member(trade: Trade) -> str:
    time = trade.since if trade.closed_at is None else trade.closed_at
    return f"{time:020d} {trade.trade_id}"
