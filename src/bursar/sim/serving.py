"""A fake venue on a socket: HTTP/1.1 by h11, on a free port of the loopback.

    async with serve(fake) as base_url: ...

The answers are the venue's; here they only get a length and a way out: whole, byte by byte, broken
off in the middle, or never.

Errors: none; a client that speaks no HTTP is hung up on.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import h11

from bursar.sim.http import Answer, Fake, Request

LOOPBACK: Final = "127.0.0.1"
_CHUNK: Final = 65_536
_DRIP_S: Final = 0.02


@asynccontextmanager
async def serve(fake: Fake, *, port: int = 0) -> AsyncIterator[str]:
    """Serve a fake venue while the block lasts, and yield its address."""
    open_now: dict[StreamWriter, asyncio.Event] = {}
    closing = asyncio.Event()

    async def connected(reader: StreamReader, writer: StreamWriter) -> None:
        ended = open_now[writer] = asyncio.Event()
        try:
            with suppress(ConnectionError, h11.ProtocolError):
                await _converse(fake, reader, writer, closing)
        finally:
            writer.close()
            del open_now[writer]
            ended.set()

    server = await asyncio.start_server(connected, LOOPBACK, port)
    try:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    finally:
        closing.set()
        server.close()
        for writer, ended in list(open_now.items()):
            writer.close()
            await ended.wait()
        await server.wait_closed()


async def _converse(
    fake: Fake, reader: StreamReader, writer: StreamWriter, closing: asyncio.Event
) -> None:
    """Answer the requests of one connection, one after the other."""
    wire = h11.Connection(h11.SERVER)
    while True:
        request = await _request(wire, reader)
        if request is None:
            return
        answer = fake.answer(request)
        if answer.manner.is_never:
            await closing.wait()
            return
        if not await _send(wire, writer, answer):
            return
        if wire.our_state is h11.MUST_CLOSE:
            return
        wire.start_next_cycle()


async def _request(wire: h11.Connection, reader: StreamReader) -> Request | None:
    """Read one whole request, or None where the other side has gone."""
    head: h11.Request | None = None
    body = b""
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            break
        else:
            return None
    path, _, query = head.target.decode("ascii").partition("?")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    return Request(head.method.decode("ascii"), path, query, headers, body)


async def _send(wire: h11.Connection, writer: StreamWriter, answer: Answer) -> bool:
    """Send an answer in its manner, and tell whether the connection lives on."""
    length = ("content-length", str(len(answer.body)))
    writer.write(
        wire.send(h11.Response(status_code=answer.status, headers=[*answer.headers, length]))
    )
    if answer.manner.is_reset:
        writer.write(wire.send(h11.Data(data=answer.body[: len(answer.body) // 2])))
        await writer.drain()
        writer.transport.abort()
        return False
    if answer.manner.is_slow:
        for place in range(len(answer.body)):
            writer.write(wire.send(h11.Data(data=answer.body[place : place + 1])))
            await writer.drain()
            await asyncio.sleep(_DRIP_S)
    else:
        writer.write(wire.send(h11.Data(data=answer.body)))
    writer.write(wire.send(h11.EndOfMessage()))
    await writer.drain()
    return True
