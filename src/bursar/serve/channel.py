"""The WebSocket `/ws/portfolio`: all of it first, then what changes, as the shelf publishes it.

    ?seq=N          go on after publication N: what was missed is told, or all of it anew
    first message   {"type": "auth", "token": "…"}, where no Authorization header can be sent

Close codes: 1008 not let in, or a token that was revoked; 1013 too slow, come again with `seq`.

Errors: none; who is not let in is closed.
"""

import asyncio
from contextlib import suppress
from typing import Final

import msgspec

from bursar.errors import AccessError
from bursar.serve.door import Caller, Door
from bursar.serve.front import Message, Receive, Send
from bursar.serve.logs import LOG
from bursar.serve.shelf import Client, Shelf

NOT_LET_IN: Final = 1008
TOO_SLOW: Final = 1013
PATIENCE_S: Final = 5
CLOSING_S: Final = 1
_SEQ_DIGITS: Final = 18


class _Auth(msgspec.Struct, tag="auth"):
    token: str


_AUTH: Final = msgspec.json.Decoder(_Auth)


class Channel:
    """An ASGI application of one WebSocket."""

    def __init__(self, shelf: Shelf, door: Door) -> None:
        self._shelf = shelf
        self._door = door

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one client until it goes or is dropped."""
        await receive()  # websocket.connect
        try:
            after = _after(scope["query_string"])
            caller = self._door.greet(scope)
        except (AccessError, ValueError):
            await send({"type": "websocket.close", "code": NOT_LET_IN})
            return
        await send({"type": "websocket.accept"})
        if caller is None:
            caller = await self._authenticated(receive)
        if caller is None:
            reason = "a token is needed: an Authorization header, or an auth message first"
            await send({"type": "websocket.close", "code": NOT_LET_IN, "reason": reason})
            return
        await self._talk(caller, after, receive, send)

    async def _authenticated(self, receive: Receive) -> Caller | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                message = await receive()
            told = _AUTH.decode(message.get("text") or message.get("bytes") or b"")
        except (TimeoutError, msgspec.MsgspecError, RecursionError):
            return None
        token = self._door.ring.find(told.token.encode())
        return None if token is None else Caller(token)

    async def _talk(self, caller: Caller, after: int | None, receive: Receive, send: Send) -> None:
        client = Client(None if caller.token is None else caller.token.name)
        first = self._shelf.enter(client, after)
        teller = asyncio.ensure_future(_tell(client, first, send))
        closer = asyncio.ensure_future(close_when_dropped(client, teller, send))
        try:
            while (await receive())["type"] != "websocket.disconnect":
                pass  # whatever it says is heard, and means nothing here
        finally:
            self._shelf.leave(client)
            teller.cancel()
            closer.cancel()


async def _tell(client: Client, first: list[bytes], send: Send) -> None:
    for message in first:
        await send({"type": "websocket.send", "text": message.decode()})
    while True:
        message = await client.queue.get()
        await send({"type": "websocket.send", "text": message.decode()})


async def close_when_dropped(client: Client, teller: asyncio.Future[None], send: Send) -> None:
    """Close, without waiting for a client that does not even read that."""
    await client.is_dropped.wait()
    teller.cancel()
    LOG.warning("WS_DROPPED", code=client.reason, token=client.token)
    reason = "too slow; come again with seq" if client.reason == TOO_SLOW else "let in no more"
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(CLOSING_S):
            await send({"type": "websocket.close", "code": client.reason, "reason": reason})


def _after(query: bytes) -> int | None:
    """Read `seq=N`; anything else is refused."""
    if not query:
        return None
    name, _, said = query.partition(b"=")
    if name != b"seq" or not said.isdigit() or len(said) > _SEQ_DIGITS:
        raise ValueError("the query says something else than seq=N")
    return int(said)
