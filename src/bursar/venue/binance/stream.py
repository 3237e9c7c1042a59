"""Word of the account's own doings, as they happen: Binance's WebSocket tells, and a sync is woken.

What it tells is only a hint: facts are booked from REST, which says the same with every digit. So
of a message nothing is read but that it is about the account. Whenever the stream begins anew
somebody is woken too, since something may have happened while nobody listened.

Binance hangs up once a day; a lost connection is made again after a wait that grows up to a minute,
drawn at random. Spot is told by a subscription that is signed; futures at an address of their own,
which ends in a key that REST gives for an hour and again each time it is asked. Who may not see
futures is told of spot alone.

Errors: none but our own. What goes wrong shows in `state`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bursar.errors import VenueDenied, VenueError, VenueGarbled
from bursar.venue.binance.client import NAME, BinanceRESTClient, Question
from bursar.venue.http import CONNECT_S, checked_url, read_json
from bursar.venue.stream import StreamHealth, StreamState

URL: Final = "wss://ws-api.binance.com:443/ws-api/v3"
FUTURES_URL: Final = "wss://fstream.binance.com/private/ws"
LISTEN: Final = Question(path="/fapi/v1/listenKey", is_signed=False, method="POST")
KEEP_MS: Final = 30 * 60 * 1_000
METHOD: Final = "userDataStream.subscribe.signature"
_ID: Final = "bursar"
_OK: Final = 200
_MESSAGE_MAX: Final = 1024 * 1024
_FIRST_MS: Final = 500
_LONGEST_MS: Final = 60_000
_MOVES: Final = frozenset({"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "TRADE_LITE"})
_WORSE: Final = (
    StreamHealth.POLLING,
    StreamHealth.LIVE,
    StreamHealth.STARTING,
    StreamHealth.STALE,
)


class _Listening(msgspec.Struct, frozen=True, rename="camel"):
    listen_key: str


class Line:
    """One connection, made again whenever it is lost. `state` says how it stands."""

    def __init__(self, client: BinanceRESTClient, url: str) -> None:
        checked_url(url.replace("ws", "http", 1))
        self.client = client
        self.state = StreamState(StreamHealth.STARTING, client.outside.clock.now())
        self._failures = 0

    async def persist(self, listen: Callable[[], Awaitable[None]]) -> None:
        """Listen, again after each failure, until cancelled or denied."""
        while True:
            try:
                await listen()
            except VenueDenied:
                self.stand(StreamHealth.POLLING, "the key may not listen")
                return
            except (OSError, TimeoutError, WebSocketException, VenueError) as error:
                self.stand(StreamHealth.STALE, f"the stream was lost ({type(error).__name__})")
            self._failures += 1
            longest = min(_FIRST_MS << min(self._failures, 16), _LONGEST_MS)
            outside = self.client.outside
            await outside.pause(outside.chance.randrange(longest + 1))

    def begins(self) -> None:
        """Take note that the stream tells from now on."""
        self._failures = 0
        self.stand(StreamHealth.LIVE, None)

    def stand(self, health: StreamHealth, reason: str | None) -> None:
        """Say how the stream stands."""
        self.state = StreamState(health, self.client.outside.clock.now(), reason)


class SpotStream:
    """Word of what happens in the spot wallet."""

    def __init__(self, client: BinanceRESTClient, url: str) -> None:
        self.line = Line(client, url)
        self._url = url

    async def run(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something has happened, or may have."""
        await self.line.persist(lambda: self._listen(wake))

    async def _listen(self, wake: Callable[[], None]) -> None:
        async with _connected(self._url) as socket:
            params = await self.line.client.signed_params()
            await socket.send(json.dumps({"id": _ID, "method": METHOD, "params": params}))
            while True:
                if self._heard(await _message(socket)):
                    wake()

    def _heard(self, said: dict[str, object]) -> bool:
        """Tell whether a message is about the account: the stream begins, or something happened."""
        if said.get("id") == _ID:
            if said.get("status") != _OK:
                raise VenueGarbled(f"{NAME} refused the stream of the account")
            self.line.begins()
            return True
        event = said.get("event")
        if not isinstance(event, dict):
            return False
        if event.get("e") == "eventStreamTerminated":
            raise VenueGarbled(f"{NAME} ended the stream of the account")
        return True


class FuturesStream:
    """Word of what happens in the futures wallet, at an address that a key of an hour ends."""

    def __init__(self, client: BinanceRESTClient, url: str) -> None:
        self.line = Line(client, url)
        self._url = url.rstrip("/")

    async def run(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something has happened, or may have."""
        await self.line.persist(lambda: self._listen(wake))

    async def _listen(self, wake: Callable[[], None]) -> None:
        key = (await self.line.client.one(LISTEN, {}, _Listening)).listen_key
        async with _connected(f"{self._url}/{quote(key, safe='')}") as socket:
            self.line.begins()
            wake()
            keeping = asyncio.create_task(self._keep(socket, key))
            try:
                while True:
                    event = (await _message(socket)).get("e")
                    if event == "listenKeyExpired":
                        raise VenueGarbled(f"{NAME} ended the stream of the futures wallet")
                    if event in _MOVES:
                        wake()
            finally:
                keeping.cancel()

    async def _keep(self, socket: ClientConnection, key: str) -> None:
        """Ask for the key again before its hour is over; hang up where it is gone, or another."""
        told = key
        with suppress(VenueError):
            while told == key:
                await self.line.client.outside.pause(KEEP_MS)
                told = (await self.line.client.one(LISTEN, {}, _Listening)).listen_key
        await socket.close()


class UserStream:
    """Word of one account's doings, in both wallets, while `run` runs."""

    def __init__(
        self, client: BinanceRESTClient, *, url: str = URL, futures_url: str = FUTURES_URL
    ) -> None:
        self._streams = SpotStream(client, url), FuturesStream(client, futures_url)

    @property
    def state(self) -> StreamState:
        """How the stream stands that stands worst; one that may not listen counts for none."""
        lines = (each.line.state for each in self._streams)
        return max(lines, key=lambda each: _WORSE.index(each.health))

    async def run(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something has happened, or may have, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for each in self._streams:
                group.create_task(each.run(wake))


def _connected(url: str) -> connect:
    return connect(url, proxy=None, open_timeout=CONNECT_S, max_size=_MESSAGE_MAX)


async def _message(socket: ClientConnection) -> dict[str, object]:
    told = await socket.recv()
    said = read_json(NAME, told.encode() if isinstance(told, str) else told)
    return said if isinstance(said, dict) else {}
