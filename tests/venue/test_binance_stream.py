"""Word of the account's doings wakes a sync, which books them from REST."""

import asyncio
from contextlib import asynccontextmanager
from random import Random

import msgspec
import pytest

from bursar.app import SystemClock
from bursar.desk import Desk
from bursar.errors import BadChoice
from bursar.ledger import instant
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService
from bursar.sim.binance import Doings, FakeBinance, invent, serve, serve_ws
from bursar.sim.binance.account import TRADES
from bursar.store import MemoryStore
from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.history import Options
from bursar.venue.binance.keys import Keys
from bursar.venue.binance.stream import UserStream
from bursar.venue.http import Outside
from bursar.venue.stream import StreamHealth
from tests.venue.binance_following import reader
from tests.venue.loopback import outside

CLOCK = SystemClock()
START = CLOCK.now() // instant.DAY * instant.DAY - 20 * instant.DAY


@asynccontextmanager
async def listening(account, secret=None):
    """Give a service, the fake it follows, its live side, and what is set when somebody is woken,
    and when the stream waits before it tries again.
    """
    fake = FakeBinance(account, clock=CLOCK)
    doings, woken, waited = Doings(fake), asyncio.Event(), asyncio.Event()

    async def pause(milliseconds):
        waited.set()
        await asyncio.sleep(milliseconds / 100_000)

    async with serve(fake) as url, serve_ws(doings) as stream:
        world = Outside(CLOCK, Random(1), pause)
        keys = Keys(fake.key, secret or fake.secret)
        client = BinanceRESTClient(world, keys, url=url, futures_url=url)
        venue = BinanceAccount(client, Options(since=START), stream_url=stream)
        portfolio = Portfolio(Desk(MemoryStore(terms=Terms(base="USD")), CLOCK), reader)
        task = asyncio.create_task(venue.doings.run(woken.set))
        try:
            yield PortfolioService(portfolio, (venue,)), fake, doings, woken, waited
        finally:
            task.cancel()
            await client.close()


async def heard(woken):
    async with asyncio.timeout(5):
        await woken.wait()
    woken.clear()


def test_a_fill_wakes_a_sync_that_books_it_and_asks_for_little():
    account = invent(3, 40, start=START)

    async def go():
        async with listening(account) as (service, fake, doings, woken, _):
            await heard(woken)  # the stream begins
            await service.sync()
            last = [row for row in account.rows if row.path == TRADES][-1]
            at = CLOCK.now() - 2 * instant.SECOND
            told = {**last.told, "id": 99_999, "time": at // 10**6}
            late = msgspec.structs.replace(last, at=at // 10**6 * 10**6, told=told)
            fake.house.account = msgspec.structs.replace(account, rows=(*account.rows, late))
            before = len(fake.asked)
            await doings.tell({"e": "executionReport", "s": last.symbol})
            await heard(woken)
            (done,) = (await service.sync()).accounts
            paths = {each.path for each in fake.asked[before:]}
            return done, paths, service.venues[0].doings.state.health

    done, paths, health = asyncio.run(go())
    assert (done.failure, done.new_trades, done.drift_detected) == (None, 1, False)
    assert not [path for path in paths if "simple-earn/flexible/history" in path]
    assert health is StreamHealth.LIVE


def test_a_stream_that_is_lost_begins_anew_and_wakes():
    async def go():
        async with listening(invent(3, 40, start=START)) as (_, _, doings, woken, _):
            await heard(woken)
            await doings.drop()
            await heard(woken)
            await doings.tell({"e": "eventStreamTerminated"})
            await heard(woken)
            return doings.heard

    assert asyncio.run(go()) == 3


def test_a_stream_that_is_refused_is_stale_and_wakes_nobody():
    async def go():
        account = invent(3, 40, start=START)
        async with listening(account, secret="wrong") as (service, _, doings, woken, waited):
            await heard(waited)
            return service.venues[0].doings.state, doings.heard, woken.is_set()

    state, count, was_woken = asyncio.run(go())
    assert (state.health, count, was_woken) == (StreamHealth.STALE, 0, False)
    assert "VenueGarbled" in str(state.reason)


def test_only_addresses_that_are_safe_are_taken():
    client = BinanceRESTClient(outside(), Keys("a", "b"))
    with pytest.raises(BadChoice, match="over https"):
        UserStream(client, url="ws://ws-api.binance.com/ws-api/v3")
