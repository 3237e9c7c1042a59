"""A connection to Kraken's WebSocket: what is asked for at its beginning, then what is told.

Ten seconds of silence are a lost connection, since Kraken sends a sign of life each second. A lost
connection is made again after a wait that grows up to a minute, drawn at random.

Errors: those of `LOST`: whatever ends a connection.
"""

import json
from asyncio import timeout
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from bursar.errors import VenueGarbled
from bursar.venue.http import CONNECT_S, Outside, read_json
from bursar.venue.kraken.answers import NAME
from bursar.venue.kraken.wire import Object

SILENCE_S: Final = 10
LOST: Final = (OSError, TimeoutError, WebSocketException, VenueGarbled)
_MESSAGE_MAX: Final = 1024 * 1024
_FIRST_MS: Final = 500
_LONGEST_MS: Final = 60_000


async def messages(
    url: str, subscriptions: Sequence[Mapping[str, object]], *, silence_s: int = SILENCE_S
) -> AsyncGenerator[Object, None]:
    """Connect, subscribe, and yield each message, until the other side closes."""
    async with connect(
        url, proxy=None, open_timeout=CONNECT_S, max_size=_MESSAGE_MAX
    ) as connection:
        for params in subscriptions:
            await connection.send(json.dumps({"method": "subscribe", "params": params}))
        while True:
            async with timeout(silence_s):
                told = await connection.recv()
            body = told.encode() if isinstance(told, str) else told
            yield Object("stream", read_json(NAME, body))


def lost(error: BaseException) -> str:
    """Say how a connection was lost."""
    return f"the stream was lost ({type(error).__name__})"


def wait_ms(outside: Outside, failures: int) -> int:
    """Say how long to wait after so many failures in a row."""
    longest = min(_FIRST_MS << min(failures, 16), _LONGEST_MS)
    return outside.chance.randrange(longest + 1)
