"""The live side: what is subscribed is told, and everything that may go wrong does."""

import asyncio
import json
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bursar.sim.kraken import Live, serve_ws
from tests.sim.kraken.places import account, fake, told


@asynccontextmanager
async def met(live):
    """A connection that has been told the status."""
    async with serve_ws(live) as url, connect(url) as client:
        status = await heard(client)
        assert status["channel"] == "status"
        assert status["data"][0]["system"] == "online"
        yield client


async def heard(client):
    said = await asyncio.wait_for(client.recv(), 5)
    return json.loads(said, parse_float=Decimal)


async def says_something(client):
    try:
        return await asyncio.wait_for(client.recv(), 0.1)
    except TimeoutError:
        return ""


async def say(client, method, req_id=None, **params):
    said = {"method": method, "params": params}
    await client.send(json.dumps(said if req_id is None else said | {"req_id": req_id}))


def run(scenario):
    return asyncio.run(scenario())


def test_tickers_are_acknowledged_snapped_and_updated():
    venue = fake(step=0)

    async def scenario():
        async with met(live := Live(venue)) as client:
            await say(client, "subscribe", 9, channel="ticker", symbol=["BTC/USD", "DOGE/EUR"])
            for symbol in ("BTC/USD", "DOGE/EUR"):
                ack = await heard(client)
                assert (ack["success"], ack["req_id"], ack["result"]["symbol"]) == (True, 9, symbol)
                snapshot = await heard(client)
                assert (snapshot["type"], snapshot["data"][0]["symbol"]) == ("snapshot", symbol)
            await live.beat()
            assert await heard(client) == {"channel": "heartbeat"}
            updates = [(await heard(client))["data"][0] for _ in range(2)]
            assert [each["symbol"] for each in updates] == ["BTC/USD", "DOGE/EUR"]
            assert all(each["bid"] < each["ask"] for each in updates)
            assert isinstance(updates[0]["bid"], Decimal)
            await say(client, "unsubscribe", channel="ticker", symbol=["BTC/USD"])
            assert (await heard(client))["method"] == "unsubscribe"
            await live.beat()
            assert (await heard(client))["channel"] == "heartbeat"
            assert (await heard(client))["data"][0]["symbol"] == "DOGE/EUR"

    run(scenario)


def test_prices_are_those_of_the_ticker_endpoint():
    from tests.sim.kraken.places import look

    venue = fake(step=0)

    async def scenario():
        async with met(Live(venue)) as client:
            await say(client, "subscribe", channel="ticker", symbol=["ETH/USD"])
            await heard(client)
            return (await heard(client))["data"][0]

    live, asked = run(scenario), look(venue, "Ticker", pair="ETHUSD")["result"]["XETHZUSD"]
    assert live["bid"] == Decimal(asked["b"][0])
    assert live["ask"] == Decimal(asked["a"][0])


def test_a_new_trade_wakes_who_listens_with_a_token():
    invented = account()
    trade = invented.trades[100]
    venue = fake(until=trade.time - 1)

    async def scenario():
        token = told(venue, "GetWebSocketsToken")["token"]
        async with met(live := Live(venue)) as client:
            await say(client, "subscribe", channel="executions", token="wrong")
            assert (await heard(client))["error"] == "ESession:Invalid session"
            await say(client, "subscribe", channel="executions", token=token, snap_trades=True)
            assert (await heard(client))["success"]
            snapshot = await heard(client)
            assert snapshot["data"][-1]["exec_id"] == invented.trades[99].id
            venue.house.until = trade.time
            await live.beat()
            assert (await heard(client))["channel"] == "heartbeat"
            update = await heard(client)
            assert update["sequence"] == snapshot["sequence"] + 1
            assert trade.id in [each["exec_id"] for each in update["data"]]
            await say(client, "unsubscribe", channel="executions")
            assert (await heard(client))["success"]
            venue.house.arrive(50)
            await live.beat()
            await live.beat()
            assert [(await heard(client))["channel"] for _ in range(2)] == ["heartbeat"] * 2

    run(scenario)


def test_what_makes_no_sense_is_refused():
    async def scenario():
        async with met(Live(fake())) as client:
            await say(client, "ping", 3)
            assert await heard(client) == {"method": "pong", "req_id": 3}
            await say(client, "subscribe", channel="ticker", symbol=["NONE/SUCH"])
            refusal = await heard(client)
            assert (refusal["success"], refusal["symbol"]) == (False, "NONE/SUCH")
            await say(client, "subscribe", channel="nothing")
            assert not (await heard(client))["success"]
            await client.send("{")
            assert not (await heard(client))["success"]

    run(scenario)


def test_it_beats_by_itself_where_it_has_a_pace():
    async def scenario():
        async with met(Live(fake(), pace_s=0.01)) as client:
            assert [(await heard(client))["channel"] for _ in range(3)] == ["heartbeat"] * 3

    run(scenario)


def test_garbage_comes_once_in_place_of_a_beat():
    async def scenario():
        async with met(live := Live(fake())) as client:
            live.garbage = '{"channel":'
            await live.beat()
            assert await asyncio.wait_for(client.recv(), 5) == '{"channel":'
            await live.beat()
            assert (await heard(client))["channel"] == "heartbeat"

    run(scenario)


def test_silence_says_nothing_and_stays():
    async def scenario():
        async with met(live := Live(fake(), pace_s=0.01)) as client:
            live.is_silent = True
            while await says_something(client):
                pass  # what was on its way
            assert live.connections == 1
            live.is_silent = False
            assert (await heard(client))["channel"] == "heartbeat"

    run(scenario)


def test_a_drop_hangs_up_and_a_closed_door_lets_nobody_in():
    async def scenario():
        live = Live(fake())
        async with serve_ws(live) as url:
            async with connect(url) as client:
                await heard(client)
                live.is_closed = True
                await live.drop()
                with pytest.raises(ConnectionClosed):
                    await heard(client)
            with pytest.raises(InvalidStatus):
                await connect(url)
            live.is_closed = False
            async with connect(url) as client:
                assert (await heard(client))["channel"] == "status"

    run(scenario)
