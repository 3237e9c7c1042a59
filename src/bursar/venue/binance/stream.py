"""Word of the account's own doings, as they happen: Binance's WebSocket tells, and a sync is woken.

What it tells is only a hint: facts are booked from REST, which says the same with every digit. So
of a message nothing is read but that it is about the account. Whenever the stream begins anew
somebody is woken too, since something may have happened while nobody listened.

Binance hangs up once a day; a lost connection is made again after a wait that grows up to a minute,
drawn at random. Futures have no part in it: their wallet is looked at with each sync.

Errors: none but our own. What goes wrong shows in `state`.
"""

import json
from collections.abc import Callable
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bursar.errors import VenueError, VenueGarbled
from bursar.venue.binance.client import NAME, BinanceRESTClient
from bursar.venue.http import CONNECT_S, checked_url, read_json
from bursar.venue.stream import StreamHealth, StreamState

URL: Final = "wss://ws-api.binance.com:443/ws-api/v3"
METHOD: Final = "userDataStream.subscribe.signature"
_ID: Final = "bursar"
_OK: Final = 200
_MESSAGE_MAX: Final = 1024 * 1024
_FIRST_MS: Final = 500
_LONGEST_MS: Final = 60_000


class UserStream:
    """Word of one account's doings, while `run` runs."""

    def __init__(self, client: BinanceRESTClient, *, url: str = URL) -> None:
        checked_url(url.replace("ws", "http", 1))
        self.state = StreamState(StreamHealth.STARTING, client.outside.clock.now())
        self._client = client
        self._url = url
        self._failures = 0

    async def run(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something has happened, or may have, until cancelled."""
        while True:
            try:
                await self._listen(wake)
            except (OSError, TimeoutError, WebSocketException, VenueError) as error:
                self._stand(StreamHealth.STALE, f"the stream was lost ({type(error).__name__})")
            self._failures += 1
            longest = min(_FIRST_MS << min(self._failures, 16), _LONGEST_MS)
            await self._client.outside.pause(self._client.outside.chance.randrange(longest + 1))

    async def _listen(self, wake: Callable[[], None]) -> None:
        async with connect(
            self._url, proxy=None, open_timeout=CONNECT_S, max_size=_MESSAGE_MAX
        ) as socket:
            params = await self._client.signed_params()
            await socket.send(json.dumps({"id": _ID, "method": METHOD, "params": params}))
            while True:
                if self._heard(await _message(socket)):
                    wake()

    def _heard(self, said: dict[str, object]) -> bool:
        """Tell whether a message is about the account: the stream begins, or something happened."""
        if said.get("id") == _ID:
            if said.get("status") != _OK:
                raise VenueGarbled(f"{NAME} refused the stream of the account")
            self._failures = 0
            self._stand(StreamHealth.LIVE, None)
            return True
        event = said.get("event")
        if not isinstance(event, dict):
            return False
        if event.get("e") == "eventStreamTerminated":
            raise VenueGarbled(f"{NAME} ended the stream of the account")
        return True

    def _stand(self, health: StreamHealth, reason: str | None) -> None:
        self.state = StreamState(health, self._client.outside.clock.now(), reason)


async def _message(socket: ClientConnection) -> dict[str, object]:
    told = await socket.recv()
    said = read_json(NAME, told.encode() if isinstance(told, str) else told)
    return said if isinstance(said, dict) else {}
