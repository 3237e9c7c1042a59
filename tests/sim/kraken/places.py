"""A clock that a test moves, accounts that are invented once, and ways to ask a fake venue."""

import asyncio
import json
import threading
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from itertools import count
from urllib.parse import urlencode

from bursar.sim.kraken import FakeKraken, Request, invent, serve

SECOND = 10**9
_NONCES = count(1_700_000_000_000)


class Hands:
    """A clock that stands where it was put; with a step, each look moves it on."""

    def __init__(self, at, step=0):
        self.at = at
        self.step = step

    def now(self):
        self.at += self.step
        return self.at

    def move(self, seconds):
        self.at += int(seconds * SECOND)


@cache
def account(seed=7, size=600, on_margin=False):
    return invent(seed, size, on_margin=on_margin)


def fake(of=None, *, step=5 * SECOND, **options):
    """A fake venue after everything happened, whose counter is always low (unless `step` is 0)."""
    of = of or account()
    return FakeKraken(of, clock=Hands(of.end, step), **options)


def signed(venue, endpoint, *, key=None, secret=None, nonce=None, as_json=False, **fields):
    """A well signed request."""
    from bursar.sim.kraken.keys import Key

    path = f"/0/private/{endpoint}"
    nonce = str(next(_NONCES) if nonce is None else nonce)
    told = {"nonce": nonce} | {name: str(value) for name, value in fields.items()}
    body = (json.dumps(told) if as_json else urlencode(told)).encode()
    signature = Key("", secret or venue.secret).signature(path, nonce, body)
    kind = "application/json" if as_json else "application/x-www-form-urlencoded"
    headers = {"api-key": key or venue.key, "api-sign": signature, "content-type": kind}
    return Request("POST", path, "", headers, body)


def decoded(answer):
    return json.loads(answer.body, parse_float=Decimal)


def ask(venue, endpoint, **fields):
    """What a private endpoint answers: the whole envelope."""
    return decoded(venue.answer(signed(venue, endpoint, **fields)))


def told(venue, endpoint, **fields):
    """The result of a private endpoint that finds nothing wrong."""
    envelope = ask(venue, endpoint, **fields)
    assert envelope["error"] == []
    return envelope["result"]


def look(venue, endpoint, **fields):
    """What a public endpoint answers: the whole envelope."""
    return decoded(venue.answer(Request("GET", f"/0/public/{endpoint}", urlencode(fields))))


def every(venue, endpoint, name, **fields):
    """All rows of a history, page by page, newest first."""
    rows: dict[str, dict] = {}
    total = 1
    while len(rows) < total:
        page = told(venue, endpoint, ofs=len(rows), **fields)
        assert page[name]
        rows |= page[name]
        total = page["count"]
    return rows


@contextmanager
def running(venue):
    """A fake venue on a socket, served by a thread of its own; yields its address."""
    started, ended = threading.Event(), []
    address = []

    async def live():
        over = asyncio.Event()
        ended.append((asyncio.get_running_loop(), over))
        async with serve(venue) as url:
            address.append(url)
            started.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    assert started.wait(10)
    try:
        yield address[0]
    finally:
        loop, over = ended[0]
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        assert not thread.is_alive()
