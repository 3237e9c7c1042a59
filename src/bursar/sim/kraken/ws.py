"""The fake venue's WebSocket, version 2: tickers, heartbeats, and word of the account's fills.

    live = Live(fake)
    async with serve_ws(live) as url: ...      # subscribe as at the venue
    await live.beat()                          # or Live(fake, pace_s=1) for a beat by itself

At each beat every connection gets a heartbeat, a ticker of each symbol that it asked for, and, with
a good token, an execution for each trade and a balance for each ledger row that has come since.
Symbols are the names of this interface: `BTC/USD`, `DOGE/EUR`. Amounts are JSON numbers, as the
venue sends them.

`live.is_silent` keeps connections open and tells them nothing; `live.garbage` is sent in place of
the next beat; `await live.drop()` hangs up on everybody; while `live.is_closed` nobody is let in.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final

import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from bursar.sim.kraken import wire
from bursar.sim.kraken.history import Window
from bursar.sim.kraken.house import House
from bursar.sim.kraken.listing import Pair, coded, pairs, text
from bursar.sim.kraken.private import token
from bursar.sim.kraken.public import ticker_of
from bursar.sim.kraken.rows import Row, Trade
from bursar.sim.kraken.server import FakeKraken
from bursar.sim.kraken.wire import Json
from bursar.sim.serving import LOOPBACK

_RENAMED: Final = {"XBT": "BTC", "XDG": "DOGE"}
_SNAPSHOT_MAX: Final = 50
_SNAPSHOT_OF: Final = {"executions": "snap_trades", "balances": "snapshot"}


class _Asked(msgspec.Struct):
    """What one connection has subscribed to: tickers, and up to when it knows of each channel."""

    tickers: dict[str, Pair] = {}
    known: dict[str, int] = {}
    sequence: int = 0


class _Method(msgspec.Struct):
    """A message of a client."""

    method: str
    params: dict[str, object] = {}
    req_id: int | None = None


class Live:
    """The live side of a fake venue. With a `pace_s` it beats by itself, so often."""

    def __init__(self, fake: FakeKraken, *, pace_s: float | None = None) -> None:
        self.fake = fake
        self.pace_s = pace_s
        self.is_silent = False
        self.is_closed = False
        self.garbage: str | None = None
        self._connections: dict[ServerConnection, _Asked] = {}

    @property
    def connections(self) -> int:
        """How many are connected."""
        return len(self._connections)

    async def beat(self) -> None:
        """Tell every connection what is new."""
        for connection, asked in list(self._connections.items()):
            with suppress(ConnectionClosed):
                await self._tell(connection, asked)

    async def drop(self) -> None:
        """Hang up on everybody, without a good-bye."""
        for connection in list(self._connections):
            connection.transport.abort()
            await connection.wait_closed()

    async def attend(self, connection: ServerConnection) -> None:
        """Serve one connection to its end."""
        asked = self._connections[connection] = _Asked()
        try:
            await self._say(connection, _status())
            while True:
                try:
                    said = await asyncio.wait_for(connection.recv(), self.pace_s)
                except TimeoutError:
                    await self._tell(connection, asked)
                else:
                    await self._heed(connection, asked, said)
        except ConnectionClosed:
            return
        finally:
            del self._connections[connection]

    async def _tell(self, connection: ServerConnection, asked: _Asked) -> None:
        if self.garbage is not None:
            said, self.garbage = self.garbage, None
            await connection.send(said)
            return
        await self._say(connection, {"channel": "heartbeat"})
        for symbol, pair in asked.tickers.items():
            await self._say(connection, self._ticker(symbol, pair, "update"))
        for channel, after in asked.known.items():
            new = self._private(channel, after)
            asked.known[channel] = self.fake.house.seen
            if new:
                await self._say(connection, _news(asked, channel, new, "update"))

    async def _heed(self, connection: ServerConnection, asked: _Asked, said: str | bytes) -> None:
        """Do what a client says."""
        try:
            told = msgspec.json.decode(said, type=_Method)
        except msgspec.MsgspecError:
            await self._say(connection, {"error": "Malformed request", "success": False})
            return
        match told.method, told.params.get("channel"):
            case "ping", _:
                await self._say(connection, _reply(told, {"method": "pong"}))
            case (("subscribe" | "unsubscribe"), "ticker"):
                await self._tickers(connection, asked, told)
            case "subscribe", (("executions" | "balances") as channel):
                await self._listen(connection, asked, told, channel)
            case "unsubscribe", (("executions" | "balances") as channel):
                asked.known.pop(channel, None)
                await self._say(connection, _reply(told, _ack(channel)))
            case _:
                await self._say(connection, _reply(told, _refusal("Method or channel not found")))

    async def _tickers(self, connection: ServerConnection, asked: _Asked, told: _Method) -> None:
        symbols = told.params.get("symbol")
        for symbol in symbols if isinstance(symbols, list) else []:
            pair = _symbols().get(symbol)
            if pair is None:
                refusal = _refusal(f"Currency pair not supported {symbol}")
                await self._say(connection, _reply(told, refusal | {"symbol": symbol}))
                continue
            await self._say(connection, _reply(told, _ack("ticker", symbol)))
            if told.method == "unsubscribe":
                asked.tickers.pop(symbol, None)
            else:
                asked.tickers[symbol] = pair
                await self._say(connection, self._ticker(symbol, pair, "snapshot"))

    async def _listen(
        self, connection: ServerConnection, asked: _Asked, told: _Method, channel: str
    ) -> None:
        house = self.fake.house
        good = [token(house, key) for key in self.fake.door.keys.values()]
        if told.params.get("token") not in good:
            await self._say(connection, _reply(told, _refusal("ESession:Invalid session")))
            return
        await self._say(connection, _reply(told, _ack(channel)))
        asked.known[channel] = house.seen
        wants, shown = told.params.get(_SNAPSHOT_OF[channel]), list[Json]()
        if channel == "executions" and wants is True:
            shown = self._private(channel, -1)[-_SNAPSHOT_MAX:]
        if channel == "balances" and wants is not False:
            shown = [_balance(code, wire.amount(code, held)) for code, held in _held(house)]
        await self._say(connection, _news(asked, channel, shown, "snapshot"))

    def _private(self, channel: str, after: int) -> list[Json]:
        house = self.fake.house
        window = Window(after, house.seen)
        if channel == "executions":
            return [_execution(each) for each in house.trades.visible(window)]
        return [_movement(each) for each in house.ledger.visible(window)]

    def _ticker(self, symbol: str, pair: Pair, kind: str) -> dict[str, Json]:
        said = ticker_of(self.fake.house, pair)
        ask, bid, last = (_first(said[name]) for name in "abc")
        volume, mean, low, high = (_first(said[name], 1) for name in "vplh")
        data = {
            "symbol": symbol,
            "bid": bid,
            "bid_qty": 1,
            "ask": ask,
            "ask_qty": 1,
            "last": last,
            "volume": volume,
            "vwap": mean,
            "low": low,
            "high": high,
            "change": 0,
            "change_pct": 0,
        }
        return {"channel": "ticker", "type": kind, "data": [data]}

    async def _say(self, connection: ServerConnection, said: dict[str, Json]) -> None:
        if not self.is_silent:
            await connection.send(msgspec.json.encode(said).decode())


@asynccontextmanager
async def serve_ws(live: Live, *, port: int = 0) -> AsyncIterator[str]:
    """Serve the live side while the block lasts, and yield its address."""

    def gate(connection: ServerConnection, _: Request) -> Response | None:
        if live.is_closed:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "closed\n")
        return None

    async with serve(live.attend, LOOPBACK, port, process_request=gate) as server:
        yield f"ws://{LOOPBACK}:{next(iter(server.sockets)).getsockname()[1]}/v2"


def symbol_of(pair: Pair) -> str:
    """Return the name of a pair on this interface."""
    return "/".join(_RENAMED.get(part, part) for part in pair.wsname.split("/"))


def _symbols() -> dict[object, Pair]:
    return {symbol_of(pair): pair for pair in pairs().values()}


def _first(said: Json, place: int = 0) -> Json:
    assert isinstance(said, list)
    return wire.number(said[place])


def _held(house: House) -> list[tuple[str, int]]:
    return sorted(house.balances().items())


def _news(asked: _Asked, channel: str, data: list[Json], kind: str) -> dict[str, Json]:
    asked.sequence += 1
    return {"channel": channel, "type": kind, "data": data, "sequence": asked.sequence}


def _balance(code: str, held: str) -> dict[str, Json]:
    name = coded()[code].altname
    return {"asset": _RENAMED.get(name, name), "balance": wire.number(held)}


def _movement(row: Row) -> dict[str, Json]:
    amount, fee, left = (
        wire.number(wire.amount(row.code, each)) for each in (row.amount, row.fee, row.balance)
    )
    return _balance(row.code, wire.amount(row.code, row.balance)) | {
        "ledger_id": row.id,
        "ref_id": row.refid,
        "timestamp": wire.iso(row.time, is_fine=True),
        "type": row.type,
        "amount": amount,
        "fee": fee,
        "balance": left,
        "wallet_type": "spot",
        "wallet_id": "main",
    }


def _execution(each: Trade) -> dict[str, Json]:
    pair = pairs()[each.pair]
    fee = {"asset": pair.quote.altname, "qty": wire.number(text(each.fee, pair.cost_decimals))}
    return {
        "order_id": each.order,
        "exec_id": each.id,
        "exec_type": "trade",
        "trade_id": each.number,
        "symbol": symbol_of(pair),
        "side": "buy" if each.is_buy else "sell",
        "last_qty": wire.number(text(each.volume, pair.lot_decimals)),
        "last_price": wire.number(text(each.price, pair.price_decimals)),
        "liquidity_ind": "m" if each.is_maker else "t",
        "cost": wire.number(text(each.cost, pair.cost_decimals)),
        "order_type": each.ordertype,
        "fees": [fee],
        "timestamp": wire.iso(each.time, is_fine=True),
    }


def _status() -> dict[str, Json]:
    data = {"api_version": "v2", "connection_id": 1, "system": "online", "version": "2.0.9"}
    return {"channel": "status", "type": "update", "data": [data]}


def _ack(channel: str, symbol: str | None = None) -> dict[str, Json]:
    result = {"channel": channel, "snapshot": True} | ({"symbol": symbol} if symbol else {})
    return {"result": result, "success": True}


def _refusal(words: str) -> dict[str, Json]:
    return {"error": words, "success": False}


def _reply(told: _Method, said: dict[str, Json]) -> dict[str, Json]:
    named = {"method": told.method} | said
    return named if told.req_id is None else named | {"req_id": told.req_id}
