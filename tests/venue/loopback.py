"""A server on this machine that answers as a test says, and a clock that a test moves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import NamedTuple
from urllib.parse import parse_qsl

from bursar.venue.http import Outside

START = 1_800_000_000 * 10**9


class HandClock:
    """Time passes only where somebody pauses; `waits` remembers for how many milliseconds."""

    def __init__(self, at: int = START) -> None:
        self.at = at
        self.waits: list[int] = []

    def now(self) -> int:
        return self.at

    async def pause(self, milliseconds: int) -> None:
        self.waits.append(milliseconds)
        self.at += milliseconds * 1_000_000
        await asyncio.sleep(0)


def outside(clock: HandClock | None = None, seed: int = 1) -> Outside:
    clock = clock or HandClock()
    return Outside(clock=clock, chance=Random(seed), pause=clock.pause)


class Asked(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def endpoint(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Reply(NamedTuple):
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}
    cut: int | None = None  # so many bytes of the body, then the line goes dead


Handler = Callable[[Asked], Awaitable[Reply]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """Serve on loopback and give the address."""

    async def client(reader, writer):
        try:
            while True:
                asked = await _read(reader)
                if asked is None:
                    break
                reply = await handler(asked)
                writer.write(_bytes(reply))
                await writer.drain()
                if reply.cut is not None:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        await asyncio.sleep(0)


async def _read(reader) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path, _, query = target.partition("?")
    return Asked(method, path, dict(parse_qsl(query)), headers, body)


def _bytes(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} X", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    body = reply.body if reply.cut is None else reply.body[: reply.cut]
    return "\r\n".join([*lines, "", ""]).encode() + body


def script(*replies: Reply) -> tuple[Handler, list[Asked]]:
    """A handler that gives replies in turn, the last one for ever, and what it was asked."""
    asked: list[Asked] = []

    async def handler(request: Asked) -> Reply:
        asked.append(request)
        return replies[min(len(asked), len(replies)) - 1]

    return handler, asked
