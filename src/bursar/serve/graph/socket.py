"""Subscriptions, and queries, over one WebSocket: the protocol graphql-transport-ws.

    → connection_init {"token": "…"}       ← connection_ack
    → subscribe {id, payload: {query, …}}   ← next {id, payload}, …, complete or error {id}
    → complete {id}                         the client has had enough
    → ping                                  ← pong

A token goes into the `Authorization` header or, where none can be sent, into `connection_init`.
`live` tells all of it at once, and whenever something is published. Whoever reads slowly gets what
is newest when it has time, and none of what lay between.

Close codes: 4400 a message that is none; 4401 asked before the acknowledgement; 4403 not let in;
4406 another protocol; 4408 no `connection_init` in time; 4409 an id that is in use; 4429 a second
`connection_init`; 1008 a token that was revoked.

Errors: none; who is not let in is closed.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

import msgspec

from bursar.errors import AccessError, OutOfBounds
from bursar.serve.channel import NOT_LET_IN, PATIENCE_S, close_when_dropped
from bursar.serve.door import Caller, Door
from bursar.serve.front import Message, Receive, Send
from bursar.serve.graph.operations import Asked, Operations, Said, refused
from bursar.serve.reading import Ask
from bursar.serve.shelf import Client, Shelf

PROTOCOL: Final = "graphql-transport-ws"
AT_ONCE_MAX: Final = 20
_ID_MAX: Final = 128


class Init(msgspec.Struct, tag="connection_init"):
    """The first message."""

    payload: dict[str, Any] | None = None


class Subscribe(msgspec.Struct, tag="subscribe"):
    """An operation."""

    id: str
    payload: Said


class Complete(msgspec.Struct, tag="complete"):
    """The end of an operation."""

    id: str


class Ping(msgspec.Struct, tag="ping"):
    """Whether we are there."""


class Pong(msgspec.Struct, tag="pong"):
    """That the client is there."""


Told = Init | Subscribe | Complete | Ping | Pong
_DECODER: Final[msgspec.json.Decoder[Told]] = msgspec.json.Decoder(Told)
_ENCODER: Final = msgspec.json.Encoder()


class Closed(Exception):
    """This is closed, for a reason."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(reason)


class Socket:
    """An ASGI application of one WebSocket."""

    def __init__(self, operations: Operations, ask: Ask, shelf: Shelf, door: Door) -> None:
        self._operations = operations
        self._ask = ask
        self._shelf = shelf
        self._door = door

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one client until it goes or is closed."""
        await receive()  # websocket.connect
        try:
            caller = self._door.greet(scope)
        except AccessError:
            await send({"type": "websocket.close", "code": NOT_LET_IN})
            return
        if PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": f"speak {PROTOCOL}"})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        try:
            caller = await self._begun(caller, receive)
            if caller is not None:
                await _say(send, "connection_ack")
                await self._talk(caller, receive, send)
        except Closed as why:
            await send({"type": "websocket.close", "code": why.code, "reason": why.reason})

    async def _begun(self, caller: Caller | None, receive: Receive) -> Caller | None:
        """Wait for the first message, and return who it is from; nobody, if that is gone."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                message = await _heard(receive)
        except TimeoutError:
            raise Closed(4408, "no connection_init in time") from None
        if message is None:
            return None
        if not isinstance(message, Init):
            raise Closed(4401, "connection_init comes first")
        told = (message.payload or {}).get("token")
        if told is None and caller is not None:
            return caller
        token = self._door.ring.find(str(told or "").encode())
        if token is None:
            raise Closed(4403, "a token is needed: a header, or token in connection_init")
        return Caller(token)

    async def _talk(self, caller: Caller, receive: Receive, send: Send) -> None:
        client = Client(None if caller.token is None else caller.token.name, is_fed=False)
        running: dict[str, asyncio.Task[None]] = {}
        hearing = asyncio.ensure_future(self._hear(receive, send, running))
        self._shelf.clients.add(client)
        closer = asyncio.ensure_future(close_when_dropped(client, hearing, send))
        try:
            await asyncio.wait([hearing])
            if not hearing.cancelled():
                hearing.result()
            else:
                await closer
        finally:
            self._shelf.leave(client)
            for each in (closer, hearing, *running.values()):
                each.cancel()

    async def _hear(
        self, receive: Receive, send: Send, running: dict[str, asyncio.Task[None]]
    ) -> None:
        while (message := await _heard(receive)) is not None:
            match message:
                case Init():
                    raise Closed(4429, "connection_init comes once")
                case Ping():
                    await _say(send, "pong")
                case Complete() if message.id in running:
                    running.pop(message.id).cancel()
                case Subscribe():
                    if message.id in running or not 0 < len(message.id) <= _ID_MAX:
                        raise Closed(4409, "this id is in use, or is none")
                    if len(running) >= AT_ONCE_MAX:  # told here: who asks on has to hear it first
                        why = OutOfBounds(f"{AT_ONCE_MAX} operations run already", most=AT_ONCE_MAX)
                        await _say(send, "error", id=message.id, payload=refused([why])["errors"])
                        continue
                    task = asyncio.ensure_future(self._do(message, send))
                    running[message.id] = task
                    task.add_done_callback(partial(_forget, running, message.id))
                case _:
                    pass

    async def _do(self, told: Subscribe, send: Send) -> None:
        """Answer one operation, to its end."""
        async for kind, payload in self._answers(told.payload):
            await _say(send, kind, id=told.id, payload=payload)
        if kind == "next":
            await _say(send, "complete", id=told.id)

    async def _answers(self, said: Said) -> AsyncIterator[tuple[str, object]]:
        try:
            asked = self._operations.understood(said)
            if not isinstance(asked, Asked):
                yield "error", refused(asked)["errors"]
                return
            if not asked.is_live:
                yield "next", await self._ask(partial(self._operations.answered, asked))
                return
            made = await self._shelf.newer(0)
            while True:
                yield "next", await asyncio.to_thread(self._operations.told, asked, made)
                made = await self._shelf.newer(made.seq)
        except Exception as error:  # noqa: BLE001 (whatever it is, this operation ends with it)
            yield "error", refused([error])["errors"]


async def _heard(receive: Receive) -> Told | None:
    """Return the next message; nothing once the client is gone."""
    message = await receive()
    if message["type"] == "websocket.disconnect":
        return None
    try:
        return _DECODER.decode(message.get("text") or message.get("bytes") or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Closed(4400, f"no message of {PROTOCOL}") from None


async def _say(send: Send, kind: str, **told: object) -> None:
    text = _ENCODER.encode({"type": kind, **told}).decode()
    await send({"type": "websocket.send", "text": text})


def _forget(running: dict[str, asyncio.Task[None]], name: str, task: asyncio.Task[None]) -> None:
    if running.get(name) is task:
        del running[name]
    if not task.cancelled():
        task.exception()  # a client that is gone; the one who hears knows it too
