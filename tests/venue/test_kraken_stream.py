"""Live prices: from the stream while it is there, from questions while it is not."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from random import Random

import pytest
from websockets.asyncio.server import serve

from bursar.errors import BadChoice
from bursar.venue.http import Outside
from bursar.venue.kraken.market import MarketDataAPI
from bursar.venue.kraken.stream import SOURCE, PriceStream
from bursar.venue.stream import StreamHealth
from tests.venue.kraken_model import client
from tests.venue.loopback import HandClock, outside
from tests.venue.test_kraken_market import Markets

TICKER = (
    '{"channel":"ticker","type":"update","data":[{"symbol":"%s","bid":%s,"bid_qty":1,'
    '"ask":%s,"ask_qty":2,"last":1.5}]}'
)


class Stream:
    """A stream server: says what a test puts into it, and hears what it is asked."""

    def __init__(self):
        self.heard: list[dict] = []
        self.sockets: list = []
        self.script: list[str] = []

    async def __call__(self, socket):
        self.sockets.append(socket)
        self.heard.append(json.loads(await socket.recv()))
        for message in self.script:
            await socket.send(message)
        with suppress(Exception):
            await socket.wait_closed()


@asynccontextmanager
async def following(tmp_path, stream, *, model=None, url=None, silence_s=5):
    clock = HandClock()

    async def pause(milliseconds):
        clock.at += milliseconds * 10**6
        await asyncio.sleep(0.005)

    world = Outside(clock=clock, chance=Random(1), pause=pause)
    async with (
        serve(stream, "127.0.0.1", 0) as server,
        client(model or Markets(), tmp_path) as made,
    ):
        port = server.sockets[0].getsockname()[1]
        prices = PriceStream(
            MarketDataAPI(made),
            world,
            url=url or f"ws://127.0.0.1:{port}",
            silence_s=silence_s,
            poll_ms=1000,
        )
        work = asyncio.ensure_future(prices.run(["XBTUSD", "ETHUSD"]))
        try:
            async with asyncio.timeout(20):
                yield prices
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)


def test_prices_are_told_exactly_as_they_come(tmp_path):
    stream = Stream()
    stream.script = [
        '{"channel":"status","data":[{"system":"online"}],"type":"update"}',
        '{"method":"subscribe","success":true,"result":{}}',
        TICKER % ("BTC/USD", "60000.0", "60000.100000000000000002"),
        '{"channel":"heartbeat"}',
    ]

    async def go():
        async with following(tmp_path, stream) as prices:
            (mark,) = await prices.changed()
            return mark, prices.state

    mark, state = asyncio.run(go())
    assert (mark.pair, mark.source) == ("XBT/USD", SOURCE)
    assert mark.price == Decimal("60000.050000000000000001")
    assert state.health is StreamHealth.LIVE
    (asked,) = stream.heard
    assert asked["params"]["symbol"] == ["BTC/USD", "ETH/USD"]


def test_of_each_pair_only_the_latest_waits(tmp_path):
    stream = Stream()
    stream.script = [TICKER % ("BTC/USD", str(price), str(price)) for price in range(1, 2001)]
    stream.script += [TICKER % ("ETH/USD", "7", "7"), TICKER % ("DOGE/USD", "1", "1")]

    async def go():
        async with following(tmp_path, stream) as prices:
            await until(lambda: len(prices._fresh) == 2)
            return await prices.changed()

    marks = asyncio.run(go())
    assert [(mark.pair, mark.price) for mark in marks] == [
        ("ETH/USD", Decimal(7)),
        ("XBT/USD", Decimal(2000)),
    ]


def test_without_a_stream_prices_are_asked_for(tmp_path):
    async def go():
        async with following(tmp_path, Stream(), url="ws://127.0.0.1:9") as prices:
            marks = await prices.changed()
            await until(lambda: prices.state.health is StreamHealth.POLLING)
            return marks, prices.state

    marks, state = asyncio.run(go())
    assert {mark.pair for mark in marks} == {"XBT/USD", "ETH/USD"}
    assert "stream was lost" in state.reason


def test_with_neither_prices_are_stale_since_the_last_one(tmp_path):
    model = Markets()

    async def go():
        async with following(tmp_path, Stream(), model=model, url="ws://127.0.0.1:9") as prices:
            marks = await prices.changed()
            model.errors["Ticker"] = ["EGeneral:Invalid arguments"]
            await until(lambda: prices.state.health is StreamHealth.STALE)
            model.errors.clear()
            state = prices.state
            await until(lambda: prices.state.health is StreamHealth.POLLING)
            return marks, state

    marks, state = asyncio.run(go())
    assert state.since >= max(mark.at for mark in marks)
    assert "Invalid arguments" in state.reason


def test_a_stream_that_was_lost_is_followed_again(tmp_path):
    stream = Stream()
    stream.script = [TICKER % ("BTC/USD", "5", "5")]

    async def go():
        async with following(tmp_path, stream) as prices:
            await until(lambda: prices.state.health is StreamHealth.LIVE)
            await stream.sockets[0].close()
            await until(lambda: len(stream.sockets) > 1)
            await until(lambda: prices.state.health is StreamHealth.LIVE)

    asyncio.run(go())
    assert len(stream.heard) >= 2


@pytest.mark.parametrize("message", ["no json", "[1]", '{"channel":"ticker","data":5}', "{}}"])
def test_a_garbled_stream_is_a_lost_one(tmp_path, message):
    stream = Stream()
    stream.script = [message]

    async def go():
        async with following(tmp_path, stream) as prices:
            await until(lambda: prices.state.health is StreamHealth.POLLING)
            return prices.state.reason

    assert "VenueGarbled" in asyncio.run(go())


def test_silence_is_a_lost_stream(tmp_path):
    async def go():
        async with following(tmp_path, Stream(), silence_s=1) as prices:
            await until(lambda: prices.state.health is StreamHealth.POLLING)
            return prices.state.reason

    assert "TimeoutError" in asyncio.run(go())


@pytest.mark.parametrize("url", ["ws://example.com", "https://example.com?x=1", "wss://u:p@h"])
def test_only_a_host_over_tls_or_this_machine_is_followed(tmp_path, url):
    async def go():
        async with client(Markets(), tmp_path) as made:
            PriceStream(MarketDataAPI(made), outside(), url=url)

    with pytest.raises(BadChoice):
        asyncio.run(go())
