"""Small servers of this machine: one for HTTP that says what it is told to, one for SMTP."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Web:
    """An HTTP server: what it was asked, and what it answers, the last again and again."""

    answers: list[tuple[int, bytes]]
    url: str = ""
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    heard: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append((head[0], headers, body))
        status, said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        line = f"HTTP/1.1 {status} .\r\ncontent-length: {len(said)}\r\nconnection: close\r\n\r\n"
        writer.write(line.encode() + said)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.heard.release()


@asynccontextmanager
async def web(*answers):
    """An HTTP server with these answers, each a status and a body."""
    made = Web(list(answers))
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield made


@dataclass
class Post:
    """An SMTP server: the letters it was handed, or its refusal to take any."""

    refuses: int = 0
    port: int = 0
    letters: list[tuple[str, list[str], str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    heard: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def serve(self, reader, writer):
        sender, to = "", []
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode("latin-1").strip():
            self.lines.append(line)
            word = line[:4].upper()
            if word == "MAIL" and self.refuses:
                self.refuses -= 1
                writer.write(b"451 later\r\n")
                continue
            if word == "MAIL":
                sender = line.split("<")[1].split(">")[0]
            elif word == "RCPT":
                to.append(line.split("<")[1].split(">")[0])
            elif word == "DATA":
                writer.write(b"354 go on\r\n")
                text = (await reader.readuntil(b"\r\n.\r\n")).decode()
                self.letters.append((sender, to, text))
                self.heard.release()
            elif word == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            writer.write(b"250 fine\r\n")
        writer.close()


@asynccontextmanager
async def post(refuses=0):
    """An SMTP server that refuses so many letters first."""
    made = Post(refuses)
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made
