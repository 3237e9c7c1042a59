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
from bursar.ledger.entries import MarginFill
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService
from bursar.sim.binance import Doings, FakeBinance, Fault, invent, serve, serve_ws
from bursar.sim.binance.account import FUTURES_TRADES, INCOME, TRADES
from bursar.store import MemoryStore
from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.history import Options
from bursar.venue.binance.keys import Keys
from bursar.venue.binance.stream import FuturesStream, UserStream
from bursar.venue.http import Outside
from bursar.venue.stream import StreamHealth
from tests.venue.following import reader
from tests.venue.loopback import outside

CLOCK = SystemClock()
START = CLOCK.now() // instant.DAY * instant.DAY - 20 * instant.DAY


@asynccontextmanager
async def listening(account, secret=None, haste=100_000):
    """Give a service, the fake it follows, its live side, and what is set when somebody is woken,
    and when the stream waits before it tries again.
    """
    fake = FakeBinance(account, clock=CLOCK)
    doings, woken, waited = Doings(fake), asyncio.Event(), asyncio.Event()

    async def pause(milliseconds):
        waited.set()
        await asyncio.sleep(milliseconds / haste)

    async with serve(fake) as url, serve_ws(doings) as (stream, futures_stream):
        world = Outside(CLOCK, Random(1), pause)
        keys = Keys(fake.key, secret or fake.secret)
        client = BinanceRESTClient(world, keys, url=url, futures_url=url)
        heard = UserStream(client, url=stream, futures_url=futures_stream)
        venue = BinanceAccount(client, Options(since=START), doings=heard)
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


async def begun(doings, woken, times=1):
    """Wait until both wallets are listened to so many times, and somebody was woken each time."""
    while doings.heard < times or doings.heard_futures < times:
        await heard(woken)
    woken.clear()


def spot_alone():
    return msgspec.structs.replace(invent(3, 40, start=START), has_futures=False)


def test_a_fill_wakes_a_sync_that_books_it_and_asks_for_little():
    account = invent(3, 40, start=START)

    async def go():
        async with listening(account) as (service, fake, doings, woken, _):
            await begun(doings, woken)
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


def test_a_futures_fill_wakes_a_sync_that_books_it():
    account = invent(4, 60, start=START)
    last = [row for row in account.rows if row.path == FUTURES_TRADES][-1]

    async def go():
        async with listening(account) as (service, fake, doings, woken, _):
            await begun(doings, woken)
            await service.sync()
            at = (CLOCK.now() - 2 * instant.SECOND) // 10**6
            told = {**last.told, "id": 99_999, "time": at, "side": "BUY", "qty": "0.00010000"}
            told |= {"realizedPnl": "0", "commission": "0.25", "commissionAsset": "USDT"}
            late = msgspec.structs.replace(last, at=at * 10**6, told=told)
            paid = {"incomeType": "COMMISSION", "income": "-0.25", "asset": "USDT", "time": at}
            paid |= {"symbol": told["symbol"], "tranId": 5, "tradeId": "99999"}
            charge = msgspec.structs.replace(
                late, path=INCOME, told=paid, moves=(("futures", "USDT", -(25 * 10**6)),)
            )
            rows = (*account.rows, late, charge)
            fake.house.account = msgspec.structs.replace(account, rows=rows)
            await doings.tell_futures({"e": "MARGIN_CALL"})  # moves nothing, wakes nobody
            await doings.tell_futures({"e": "ORDER_TRADE_UPDATE", "o": {"s": told["symbol"]}})
            await heard(woken)
            (done,) = (await service.sync()).accounts
            fills = [each for each in service.portfolio.timeline if type(each) is MarginFill]
            return done, fills[-1]

    done, fill = asyncio.run(go())
    assert (done.failure, done.drift_detected) == (None, False)
    assert (str(fill.quantity), [str(fee.amount) for fee in fill.fees]) == (
        "0.00010000",
        ["0.25"],
    )


def test_the_key_of_the_futures_stream_is_asked_for_again_and_anew():
    def asked(fake):
        return sum(each.path.endswith("listenKey") for each in fake.asked)

    async def go():
        # Half an hour passes in a twentieth of a second.
        async with listening(invent(3, 40, start=START), haste=36_000_000) as told:
            _, fake, doings, woken, waited = told
            await begun(doings, woken)
            while asked(fake) < 3:
                await heard(waited)
            listened = doings.heard_futures  # by the same connection all the while
            await doings.tell_futures({"e": "listenKeyExpired"})
            await heard(woken)
            await begun(doings, woken, times=1)
            fake.script.add(Fault.STATUS, endpoint="listenKey", value=401, times=1)
            await heard(woken)  # it may not be kept, so it begins anew
            fake.listen_key = "k" * 64
            await heard(woken)  # what is listened to has ended, and another is to be had
            return listened, doings.heard_futures

    assert asyncio.run(go()) == (1, 4)


def test_who_may_not_see_futures_hears_of_spot():
    async def go():
        async with listening(spot_alone()) as (service, _, doings, woken, _):
            await heard(woken)
            (venue,) = service.venues
            futures = FuturesStream(venue.client, "ws://127.0.0.1:1/private/ws")
            async with asyncio.timeout(5):
                await futures.run(woken.set)  # it ends: there is nothing to be heard
            assert (futures.line.state.health, woken.is_set()) == (StreamHealth.POLLING, False)
            return venue.doings.state.health, doings.heard, doings.heard_futures

    assert asyncio.run(go()) == (StreamHealth.LIVE, 1, 0)


def test_a_stream_that_is_lost_begins_anew_and_wakes():
    async def go():
        async with listening(spot_alone()) as (_, _, doings, woken, _):
            await heard(woken)
            await doings.drop()
            await heard(woken)
            await doings.tell({"e": "eventStreamTerminated"})
            await heard(woken)
            return doings.heard

    assert asyncio.run(go()) == 3


def test_a_stream_that_is_refused_is_stale_and_wakes_nobody():
    async def go():
        async with listening(spot_alone(), secret="wrong") as (service, _, doings, woken, waited):
            await heard(waited)
            return service.venues[0].doings.state, doings.heard, woken.is_set()

    state, count, was_woken = asyncio.run(go())
    assert (state.health, count, was_woken) == (StreamHealth.STALE, 0, False)
    assert "VenueGarbled" in str(state.reason)


def test_only_addresses_that_are_safe_are_taken():
    client = BinanceRESTClient(outside(), Keys("a", "b"))
    with pytest.raises(BadChoice, match="over https"):
        UserStream(client, url="ws://ws-api.binance.com/ws-api/v3")
