"""The fake venue's WebSocket interface: word of the account's doings, for whoever signs for it.

    doings = Doings(fake)
    async with serve_ws(doings) as (url, futures_url): ...
    await doings.tell({"e": "executionReport"})
    await doings.tell_futures({"e": "ORDER_TRADE_UPDATE"})
    await doings.drop()                          # hang up on everybody

A subscription is checked as a request is: key, signature, time. The futures wallet is told of to
whoever knows the key that REST gave. `heard` and `heard_futures` count them.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlencode

from websockets.asyncio.server import ServerConnection, serve

from bursar.sim.binance.house import Refused
from bursar.sim.binance.server import FakeBinance
from bursar.sim.serving import LOOPBACK

METHOD: Final = "userDataStream.subscribe.signature"
_PATH: Final = "/ws-api/v3"
_FUTURES_PATH: Final = "/private/ws"


class Doings:
    """The live side of a fake venue."""

    def __init__(self, fake: FakeBinance) -> None:
        self.fake = fake
        self.heard = self.heard_futures = 0
        self._open: set[ServerConnection] = set()
        self._futures: set[ServerConnection] = set()

    async def attend(self, connection: ServerConnection) -> None:
        """Serve one connection until it is gone."""
        path = "" if connection.request is None else connection.request.path
        if path == _PATH:
            await self._tell_spot(connection)
        elif path == f"{_FUTURES_PATH}/{self.fake.listen_key}":
            self.heard_futures += 1
            self._futures.add(connection)
            await connection.wait_closed()
            self._futures.discard(connection)

    async def _tell_spot(self, connection: ServerConnection) -> None:
        async for message in connection:
            asked = json.loads(message)
            try:
                self._enter(asked)
            except Refused as refusal:
                error = {"code": refusal.code, "msg": str(refusal)}
                said = {"id": asked.get("id"), "status": refusal.status, "error": error}
                await connection.send(json.dumps(said))
                continue
            self.heard += 1
            self._open.add(connection)
            result = {"subscriptionId": self.heard}
            await connection.send(
                json.dumps({"id": asked["id"], "status": 200, "result": result, "rateLimits": []})
            )
        self._open.discard(connection)

    async def tell(self, event: Mapping[str, object]) -> None:
        """Tell everybody that something happened."""
        for connection in list(self._open):
            await connection.send(json.dumps({"subscriptionId": 1, "event": dict(event)}))

    async def tell_futures(self, event: Mapping[str, object]) -> None:
        """Tell everybody that something happened in the futures wallet."""
        for connection in list(self._futures):
            await connection.send(json.dumps(dict(event)))

    async def drop(self) -> None:
        """Hang up on everybody."""
        for connection in [*self._open, *self._futures]:
            await connection.close()

    def _enter(self, asked: Mapping[str, object]) -> None:
        params = asked.get("params")
        if asked.get("method") != METHOD or not isinstance(params, dict):
            raise Refused(400, -1100, "this fake tells of doings alone")
        unsigned = {name: params[name] for name in sorted(params) if name != "signature"}
        self.fake.require_signed(
            str(params.get("apiKey", "")),
            f"{urlencode(unsigned)}&signature={params.get('signature', '')}",
            {name: str(value) for name, value in params.items()},
        )


@asynccontextmanager
async def serve_ws(doings: Doings) -> AsyncIterator[tuple[str, str]]:
    """Serve the live side while the block lasts; yield its addresses, of spot and of futures."""
    async with serve(doings.attend, LOOPBACK, 0) as server:
        place = f"ws://{LOOPBACK}:{next(iter(server.sockets)).getsockname()[1]}"
        yield f"{place}{_PATH}", f"{place}{_FUTURES_PATH}"
