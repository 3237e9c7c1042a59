"""Ask Binance through a server on this machine that answers as a test says."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.keys import Keys
from tests.venue.binance_story import SHARED
from tests.venue.loopback import Reply, outside, script, served

KEY, SECRET = "a-key", "not-so-secret"
TIME = {"serverTime": 1_800_000_000_000}
TRADE = {
    "symbol": "BTCUSDT",
    "orderId": 1,
    "price": "50000",
    "qty": "1",
    "quoteQty": "50000",
    "commission": "0",
    "commissionAsset": "BNB",
    "isBuyer": True,
}
"""A trade as the venue tells it, but for its number and its time."""
WALLET: dict[str, list[object]] = {"assets": []}
EMPTY: dict[str, list[object]] = {"balances": []}

recorded = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"NOT RUN: recorded Binance data is not at {SHARED} (BURSAR_SHARED)"
)


def reply(said, status=200, **headers):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


@asynccontextmanager
async def client(handler, clock=None):
    async with served(handler) as url:
        there = BinanceRESTClient(outside(clock), Keys(KEY, SECRET), url=url, futures_url=url)
        try:
            yield there
        finally:
            await there.close()


def asked(replies, ask, clock=None):
    """What a question comes to, given replies, and what was asked."""
    handler, seen = script(*replies)

    async def go():
        async with client(handler, clock) as there:
            return await ask(there)

    return asyncio.run(go()), seen


def answered(paths, ask, clock=None):
    """What a question comes to where each path has an answer of its own."""

    async def handler(told):
        said = {"/fapi/v3/account": WALLET, **paths}.get(told.path, [])
        return reply(TIME if told.path.endswith("/time") else said)

    async def go():
        async with client(handler, clock) as there:
            return await ask(there)

    return asyncio.run(go())


def account(there):
    return BinanceAccount(there).check_key()
