"""A small Kraken for tests: lists in pages, signatures and nonces checked, whatever it holds.

It shares no code with what it tests: its own signing, its own cutting of pages.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from bursar.venue.kraken.account import KrakenAccount
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.history import Options
from bursar.venue.kraken.pace import Tier
from bursar.venue.kraken.signing import Keys
from tests.venue.loopback import Asked, HandClock, Reply, outside, served

KEY = "a-key-that-opens-nothing"
SECRET = base64.b64encode(b"a secret that opens nothing").decode()
PAGE = 50


class Model:
    """What the venue holds. `asked` are the endpoints, in order.

    `before` runs before each, and `twist` changes what it gives.
    """

    def __init__(self, now: int = 1_800_000_000) -> None:
        self.now = now
        self.ledger: dict[str, dict] = {}
        self.trades: dict[str, dict] = {}
        self.closed: dict[str, dict] = {}
        self.open: dict[str, dict] = {}
        self.positions: dict[str, dict] = {}
        self.balances: dict[str, dict] = {}
        self.results: dict[str, object] = {}
        self.errors: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.nonces: list[int] = []
        self.before: Callable[[int, str], object] = lambda number, endpoint: None
        self.twist: Callable[[str, Any], object] = lambda endpoint, result: result

    async def __call__(self, asked: Asked) -> Reply:
        self.before(len(self.asked), asked.endpoint)
        self.asked.append(asked.endpoint)
        self.forms.append(asked.form or asked.query)
        errors = self._refusals(asked) if asked.path.startswith("/0/private/") else []
        errors += self.errors.get(asked.endpoint, [])
        if errors:
            return reply({"error": errors})
        result = self.twist(asked.endpoint, self.result(asked.endpoint, self.forms[-1]))
        return reply({"error": [], "result": result})

    def result(self, endpoint: str, form: dict[str, str]) -> object:
        lists = {
            "Ledgers": ("ledger", self.ledger, "time"),
            "TradesHistory": ("trades", self.trades, "time"),
            "ClosedOrders": ("closed", self.closed, "closetm"),
        }
        if endpoint in self.results:
            return self.results[endpoint]
        if endpoint in lists:
            name, rows, time = lists[endpoint]
            found = cut(rows, form, time)
            ofs = int(form.get("ofs", "0"))
            return {name: dict(found[ofs : ofs + PAGE]), "count": len(found)}
        return {
            "Time": {"unixtime": self.now, "rfc1123": "x"},
            "BalanceEx": self.balances,
            "OpenOrders": {"open": self.open},
            "OpenPositions": self.positions,
        }[endpoint]

    def _refusals(self, asked: Asked) -> list[str]:
        nonce = int(asked.form["nonce"])
        inner = hashlib.sha256(str(nonce).encode() + asked.body).digest()
        right = hmac.new(base64.b64decode(SECRET), asked.path.encode() + inner, hashlib.sha512)
        if asked.headers["api-key"] != KEY:
            return ["EAPI:Invalid key"]
        if asked.headers["api-sign"] != base64.b64encode(right.digest()).decode():
            return ["EAPI:Invalid signature"]
        if self.nonces and nonce <= self.nonces[-1]:
            return ["EAPI:Invalid nonce"]
        self.nonces.append(nonce)
        return []


def cut(rows: dict[str, dict], form: dict[str, str], time: str) -> list[tuple[str, dict]]:
    """The rows of a window, newest first; ties in the order in which they were put in."""
    start, end = form.get("start"), form.get("end")
    found = [
        (txid, row)
        for txid, row in rows.items()
        if (start is None or Decimal(row[time]) > Decimal(start))
        and (end is None or Decimal(row[time]) <= Decimal(end))
    ]
    found.sort(key=lambda item: Decimal(item[1][time]))
    return found[::-1]


def reply(body: object, status: int = 200, **headers: str) -> Reply:
    text = json.dumps(body, default=lambda number: f"@{number}@")
    return Reply(re.sub(r'"@([0-9.]+)@"', r"\1", text).encode(), status, headers)


@asynccontextmanager
async def client(handler, state: Path, *, clock: HandClock | None = None, **more):
    """A client with keys against a handler on loopback."""
    async with served(handler) as url:
        made = KrakenRESTClient(
            outside(clock),
            Keys(KEY, SECRET),
            state=state,
            url=url,
            tier=more.pop("tier", Tier.PRO),
        )
        try:
            yield made
        finally:
            await made.close()


@asynccontextmanager
async def account(model: Model, state: Path, *, clock: HandClock | None = None, **options):
    """An account at a model."""
    async with client(model, state, clock=clock) as made:
        yield KrakenAccount(made, Options(**options))


async def synced(account: KrakenAccount, mark: str | None = None):
    """Everything after a mark: the chunks, all of them."""
    return [chunk async for chunk in account.history(mark)]
