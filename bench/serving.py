"""How fast the cached snapshot is served, guard included, beside a bare route with the same bytes.

    ./run bench serving                      10 positions, 8 connections, 10 rounds each
    ./run bench serving --positions 100 --rounds 30 --requests 1000

Three servers run at once, each a process under the same uvicorn: `bursar` (request id, Host and
Origin, a bearer token, security headers, counted), `starlette` (one route that returns the bytes,
and nothing else) and `asgi` (one function that sends them). They take turns, so a busy machine
slows them alike: read the ratios. `cpu` is the server's own processor time a request; what the
clock says of requests a second and of the slowest hundredth depends on who else is at work. The
client is this process: keep-alive connections, a request on each, then an answer from each.

Then: how long a publication takes, by positions and by what has happened since the one before: the
least of some rounds, in processor time. `made from nothing` is the views alone, with nothing kept.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, time_ns

from msgspec import structs

import bursar
from bursar.ledger import instant
from bursar.ledger.golden import read
from bursar.portfolio.service import PortfolioService
from bursar.serve import tokens
from bursar.serve.opening import Book
from bursar.serve.publishing import Publisher
from bursar.value.marks import Mark

BARE = """
import sys
from pathlib import Path
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

body = Path(sys.argv[2]).read_bytes()

async def route(request):
    return Response(body, media_type="application/json")

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

apps = {"starlette": Starlette(routes=[Route("/api/portfolio/snapshot", route)]), "asgi": asgi}
uvicorn.run(apps[sys.argv[1]], port=int(sys.argv[3]), log_level="warning", access_log=False,
            timeout_keep_alive=65)
"""
PATH = "/api/portfolio/snapshot"


class Server:
    """A server that runs, the connections to it, and what was seen of it."""

    def __init__(self, name: str, pid: int, port: int, request: bytes, connections: int) -> None:
        self.name, self.pid = name, pid
        self.cpu_us: list[float] = []
        self.rates: list[float] = []
        self.took_ms: list[float] = []
        self._request = request
        self._sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        self.body = self._answer(self._sockets[0], sends=True)

    def round(self, requests: int) -> None:
        """Ask so many times, over all connections."""
        before, begun = self._cpu(), perf_counter()
        for _ in range(requests // len(self._sockets)):
            sent = []
            for each in self._sockets:
                sent.append(perf_counter())
                each.sendall(self._request)
            for each, at in zip(self._sockets, sent, strict=True):
                assert self._answer(each) == self.body, "the same bytes every time"
                self.took_ms.append((perf_counter() - at) * 1e3)
        self.rates.append(requests / (perf_counter() - begun))
        self.cpu_us.append((self._cpu() - before) * 1e6 / requests)

    def _answer(self, each: socket.socket, *, sends: bool = False) -> bytes:
        if sends:
            each.sendall(self._request)
        told = each.recv(65_536)
        head, _, body = told.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += each.recv(65_536)
        return body

    def _cpu(self) -> float:
        """Return the processor time of all its threads so far, by the scheduler's fine clock."""
        told = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text(encoding="ascii").split()[0]) for each in told) / 1e9


def story(positions: int) -> Iterator[str]:
    """A book with so many positions."""
    yield "2026-01-05T10:00:00Z deposit 100000000 USD #m:0"
    for n in range(positions):
        yield f"2026-01-06T10:00:00Z buy {n + 1}.5 C{n} @ {n + 10}.25 USD #m:{n + 1}"


@contextmanager
def running(*command: str, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a server until the block ends."""
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as made:
        try:
            yield made
        finally:
            made.terminate()


def free() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def reached(port: int) -> None:
    """Wait until somebody listens there."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return


def contest(folder: Path, options: argparse.Namespace, stack: ExitStack) -> list[Server]:
    """Start the servers."""
    book = folder / "book.db"
    with bursar.open(book) as portfolio:
        portfolio.record(*read(story(options.positions)))
        token = tokens.new(portfolio.desk.store, portfolio.desk.clock, "bench", "read")
    env = {**os.environ, "BURSAR_BOOK": str(book), "PORTFOLIO_HTTP__PUBLISH_EVERY_MS": "600000"}
    ours = stack.enter_context(
        running(sys.executable, "-m", "bursar.cli", "serve", "--port", "0", "--json", env=env)
    )
    assert ours.stdout is not None, "it is asked for"
    url = json.loads("".join(ours.stdout.readline() for _ in range(3)))["url"]
    head = f"GET {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n"
    asked = f"{head}authorization: Bearer {token}\r\n\r\n".encode()
    port = int(url.rpartition(":")[2])
    found = [Server("bursar", ours.pid, port, asked, options.connections)]
    body = folder / "body.json"
    body.write_bytes(found[0].body)
    for name in ("starlette", "asgi"):
        port = free()
        args = (sys.executable, "-c", BARE, name, str(body), str(port))
        bare = stack.enter_context(running(*args, env=env))
        reached(port)
        found.append(Server(name, bare.pid, port, asked, options.connections))
    return found


def told(servers: list[Server]) -> None:
    """Print the figures, and each beside the bare route."""
    bare = next(each for each in servers if each.name == "starlette")
    print(
        f"{'':<10} {'cpu µs':>8} {'x':>6} {'req/s':>8} {'x':>6} {'p50 ms':>8} {'p99':>8} {'x':>6}"
    )
    for each in servers:
        cpu, rate = median(each.cpu_us), median(each.rates)
        p50, p99 = (sorted(each.took_ms)[int(len(each.took_ms) * q)] for q in (0.5, 0.99))
        p99_bare = sorted(bare.took_ms)[int(len(bare.took_ms) * 0.99)]
        print(
            f"{each.name:<10} {cpu:>8.1f} {cpu / median(bare.cpu_us):>6.2f} {rate:>8.0f}"
            f" {rate / median(bare.rates):>6.2f} {p50:>8.2f} {p99:>8.2f} {p99 / p99_bare:>6.2f}"
        )


def building(positions: int, repeats: int, quarters: int = 0) -> None:
    """Print how long a publication takes after what has happened, with so many snapshots kept."""
    with tempfile.TemporaryDirectory() as folder:
        portfolio = bursar.open(Path(folder) / "book.db")
        portfolio.record(*read(story(positions)))
        portfolio.keep_marks([_mark(n, 0) for n in range(positions)], "bench")
        opened = Book(PortfolioService(portfolio))
        _keep(opened.service, quarters)
        publisher = Publisher(lambda _: None, lambda _: None, interval=0)
        publisher.publish(opened)
        told = []
        for name, happens in HAPPENINGS.items():
            out = []
            for turn in range(repeats):
                happens(portfolio, positions, turn)
                begun = process_time()
                publisher.publish(opened)
                out.append((process_time() - begun) * 1e3)
            told.append(f"{name} {min(out):7.3f} ms")
        begun = process_time()
        portfolio.views()
        told.append(f"made from nothing {(process_time() - begun) * 1e3:7.3f} ms")
        print(f"{positions:>6} positions, {quarters:>5} snapshots: {', '.join(told)}")
        portfolio.close()


def _mark(n: int, turn: int) -> Mark:
    return Mark(f"C{n}", "USD", Decimal(f"{n + 11}.{turn:02}"), "bench", time_ns())


def _nothing(_portfolio: bursar.Portfolio, _positions: int, _turn: int) -> None:
    pass


def _tick(portfolio: bursar.Portfolio, _positions: int, turn: int) -> None:
    portfolio.live().see(_mark(3, turn + 1))


def _commit(portfolio: bursar.Portfolio, _positions: int, turn: int) -> None:
    at = instant.show(instant.parse("2026-01-07T10:00:00Z") + turn * instant.SECOND)
    portfolio.record(*read([f"{at} buy 1 C3 @ 10 USD #x:{turn}"]))


def _ticks(portfolio: bursar.Portfolio, positions: int, turn: int) -> None:
    for n in range(positions):
        portfolio.live().see(_mark(n, turn + 30))


HAPPENINGS = {"nothing": _nothing, "a tick": _tick, "a commit": _commit, "ticks of all": _ticks}


def _keep(service: PortfolioService, quarters: int) -> None:
    """Keep snapshots of every quarter of an hour until now."""
    if not quarters:
        return
    store, last = service.portfolio.desk.store, service.create_snapshot()
    with store.grouped():
        for n in range(1, quarters):
            at = last.timestamp - n * timedelta(minutes=15)
            store.save_snapshot(structs.replace(last, timestamp=at))


def main() -> None:
    """Run the contest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=10)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--requests", type=int, default=3200)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = contest(folder, options, stack)
        print(f"the snapshot of {options.positions} positions: {len(servers[0].body):,} bytes")
        for number in range(options.rounds + 1):
            for each in servers:
                each.round(options.requests)
                if not number:  # warm now
                    each.cpu_us.clear()
                    each.rates.clear()
                    each.took_ms.clear()
        told(servers)
    for positions in (10, 100, 1_000):
        building(positions, 7)
    building(10, 7, quarters=2_880)


if __name__ == "__main__":
    main()
