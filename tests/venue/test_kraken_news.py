"""News of an account: what wakes whoever follows it, and what does not."""

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from random import Random

import msgspec
import pytest

from bursar.errors import BadChoice
from bursar.sim.kraken import FakeKraken, Fault, Tier, invent, serve
from bursar.sim.kraken.ws import Live, serve_ws
from bursar.venue.http import Outside
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.news import AccountNews
from bursar.venue.kraken.pace import Tier as Pace
from bursar.venue.kraken.signing import Keys
from bursar.venue.stream import StreamHealth
from tests.venue.loopback import HandClock, outside
from tests.venue.test_kraken_stream import until

ACCOUNT = invent(5, 100)


class Heard:
    """A follower that counts how often it is woken."""

    def __init__(self, fake, live, news):
        self.fake, self.live, self.news, self.wakes = fake, live, news, 0

    def wake(self):
        self.wakes += 1

    async def told(self, rows):
        """Let something happen at the venue, and its word of it go out."""
        self.fake.house.arrive(rows)
        await self.live.beat()


@asynccontextmanager
async def listening(tmp_path, *, url=None, silence_s=5, permissions=None):
    clock = HandClock()
    clock.at = ACCOUNT.rows[-1].time + 10**9

    async def pause(_milliseconds):
        await asyncio.sleep(0.005)

    fake = FakeKraken(ACCOUNT, clock=clock, tier=Tier.PRO, until=ACCOUNT.rows[20].time)
    key = fake.door.keys[fake.key]
    key.permissions = key.permissions if permissions is None else permissions
    live = Live(fake)
    world = Outside(clock=clock, chance=Random(1), pause=pause)
    async with serve(fake) as rest, serve_ws(live) as there:
        keys = Keys(fake.key, fake.secret)
        client = KrakenRESTClient(world, keys, state=tmp_path, url=rest, tier=Pace.PRO)
        news = AccountNews(client, url=url or there, silence_s=silence_s)
        heard = Heard(fake, live, news)
        work = asyncio.ensure_future(news.run(heard.wake))
        try:
            async with asyncio.timeout(20):
                yield heard
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            await client.close()


def played(tmp_path, play, **how):
    async def go():
        async with listening(tmp_path, **how) as heard:
            return await play(heard)

    return asyncio.run(go())


def test_a_row_of_the_ledger_wakes_and_silence_does_not(tmp_path):
    async def play(heard):
        await until(lambda: heard.news.state.health is StreamHealth.LIVE)
        assert heard.wakes == 1  # for what happened before anybody listened
        await heard.live.beat()
        await heard.told(3)
        await until(lambda: heard.wakes > 1)
        assert not any(asked.endpoint == "Ledgers" for asked in heard.fake.asked)

    played(tmp_path, play)


def test_who_may_take_no_nonce_listens_again_once_he_may(tmp_path, monkeypatch):
    read, damaged = os.pread, [b"x"] * 3

    def pread(*told):
        return damaged.pop() if damaged else read(*told)

    async def play(heard):
        await until(lambda: heard.news.state.health is StreamHealth.LIVE)

    monkeypatch.setattr(os, "pread", pread)
    played(tmp_path, play)
    assert not damaged


@pytest.mark.parametrize(
    "message,wakes",
    [
        ({"channel": "executions", "type": "update", "data": [{"exec_type": "trade"}]}, True),
        ({"channel": "executions", "type": "update", "data": [{"exec_type": "canceled"}]}, False),
        ({"channel": "executions", "type": "snapshot", "data": [{"exec_type": "trade"}]}, False),
        ({"channel": "balances", "type": "update", "data": [{"asset": "BTC"}]}, True),
        ({"channel": "balances", "type": "snapshot", "data": [{"asset": "BTC"}]}, False),
        ({"channel": "ticker", "type": "update", "data": [{}]}, False),
    ],
)
def test_what_is_news(tmp_path, message, wakes):
    async def play(heard):
        await until(lambda: heard.news.state.health is StreamHealth.LIVE)
        before = heard.wakes
        heard.live.garbage = msgspec.json.encode(message).decode()
        await heard.live.beat()
        heard.live.garbage = '{"channel":"balances","type":"update","data":[{}]}'
        await heard.live.beat()
        await until(lambda: heard.wakes > before + wakes)
        assert heard.wakes == before + wakes + 1

    played(tmp_path, play)


def test_a_line_that_was_lost_is_drawn_again_with_a_new_token_and_wakes(tmp_path):
    async def play(heard):
        await until(lambda: heard.news.state.health is StreamHealth.LIVE)
        before = heard.wakes
        await heard.live.drop()
        await until(lambda: heard.wakes > before)
        assert heard.news.state.health is StreamHealth.LIVE
        assert [a.endpoint for a in heard.fake.asked].count("GetWebSocketsToken") == 2

    played(tmp_path, play)


@pytest.mark.parametrize("garbage", ["no json", '{"method":"subscribe","success":false}'])
def test_what_cannot_be_understood_is_a_lost_line(tmp_path, garbage):
    async def play(heard):
        await until(lambda: heard.news.state.health is StreamHealth.LIVE)
        before, heard.live.garbage = heard.wakes, garbage
        await heard.live.beat()
        await until(lambda: heard.wakes > before)

    played(tmp_path, play)


def test_a_token_that_is_not_taken_is_drawn_again(tmp_path):
    async def play(heard):
        heard.fake.script.add(Fault.ERROR, endpoint="GetWebSocketsToken", value="EService:Busy")
        await until(lambda: heard.news.state.health is StreamHealth.LIVE)

    played(tmp_path, play)


def test_a_key_that_may_not_listen_is_asked_every_so_often_instead(tmp_path):
    async def play(heard):
        await until(lambda: heard.news.state.health is StreamHealth.POLLING)
        return heard.news.state.reason, heard.wakes

    reason, wakes = played(tmp_path, play, permissions=("query-ledger",))
    assert "'Access WebSockets API'" in reason
    assert wakes == 0


def test_nobody_there_is_said(tmp_path):
    async def play(heard):
        await until(lambda: heard.news.state.reason is not None)
        return heard.news.state

    state = played(tmp_path, play, url="ws://127.0.0.1:9")
    assert (state.health, "stream was lost" in state.reason) == (StreamHealth.POLLING, True)


def test_only_a_host_over_tls_or_this_machine_is_listened_to(tmp_path):
    client = KrakenRESTClient(outside(), Keys("a", "YQ=="), state=tmp_path)
    with pytest.raises(BadChoice):
        AccountNews(client, url="ws://example.com")
