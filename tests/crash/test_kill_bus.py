"""Consumers killed, events told twice, Redis killed and flushed: nothing lost, nothing doubled."""

import asyncio
import random
import subprocess
import sys
from typing import Any

import msgspec
import pytest
import redis

from bursar.bus import settle
from bursar.bus.streams import StreamBus
from bursar.errors import BusDown
from bursar.events import from_fields, to_fields
from bursar.events.catalog import read
from bursar.portfolio.events import Relay
from bursar.portfolio.events.facts import Family, stated
from bursar.portfolio.events.relay import events_of
from bursar.ports import Consumer
from bursar.store import open_store
from tests import figures
from tests.servers.redis import prefix, server
from tests.unit.portfolio.events.told import event, pairs, trade_closed, trade_opened
from tests.unit.portfolio.events.told import hearing as hearing_in_memory
from tests.unit.portfolio.places import MINUTE, NOON

pytestmark = pytest.mark.sweep


def trades(count):
    """So many events: trades that open and close, one in a hundred no event at all."""
    for n in range(count):
        trade, at = n // 2, NOON + n * MINUTE
        own = {"symbol": ("BTCUSDT", "ETHUSDT", "SOLUSDT")[trade % 3], "at": at, "quantity": 1}
        if n % 100 == 99:
            yield event("trade.closed", f"bad {n}", at=at, trade_id=trade, exit_price="none")
        elif n % 2:
            yield trade_closed(trade, exit_price=100 + trade % 7, realized_pnl=trade % 7, **own)
        else:
            yield trade_opened(trade, entry_price=100, **own)


def shuffled(events, chance):
    """The events, one in twenty told twice, the second time somewhere later."""
    told = list(enumerate(events))
    again = [
        (chance.uniform(n, len(told)), each) for n, each in chance.sample(told, len(told) // 20)
    ]
    return [each for _, each in sorted([*told, *again], key=lambda line: line[0])]


class Child:
    """A consumer in a process of its own."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "tests.crash.hearing", *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.stream = self._process.stdout

    def kill(self):
        self._process.kill()
        self._process.wait()
        self.stream.close()


@pytest.mark.slow("kills a process that writes a book, and starts it again")
def test_redelivery_and_killed_consumers_lose_and_double_nothing(redis_server, tmp_path):
    count, chance = figures.MESSAGES, random.Random(figures.SEED)
    url, own, book = redis_server().url, prefix(), str(tmp_path / "book.db")
    events = list(trades(count))
    told = shuffled(events, chance)
    client = redis.Redis.from_url(url, decode_responses=True)
    client.xgroup_create(f"{own}:in", "desk", id="0", mkstream=True)
    for start in range(0, len(told), 500):
        pipe = client.pipeline()
        for each in told[start : start + 500]:
            fields: dict = to_fields(each)
            pipe.xadd(f"{own}:in", fields)
        pipe.execute()
    kills = sorted(chance.sample(range(len(told) - 400), min(count // 1_500, 30)))
    child, heard = Child(book, url, own), 0
    while not _is_done(client, own):
        heard += int(child.stream.readline())
        if kills and heard > kills[0]:
            child.kill()
            kills.pop(0)
            child = Child(book, url, own)
    child.kill()
    _judge(book, events, client.xrange(f"{own}:in:parked:desk"))
    client.close()
    assert not kills


def _is_done(client, own):
    (group,) = client.xinfo_groups(f"{own}:in")
    last = client.xrevrange(f"{own}:in", count=1)[0][0]
    return group["last-delivered-id"] == last and not group["pending"]


def _judge(book, events, parked):
    good = [each for each in events if not each.id.startswith("bad")]
    plain = hearing_in_memory()
    told: list[Any] = [(each, read(each)) for each in good]
    ours = ("events:main", Family.TRADE, pairs)
    plain.portfolio.record(*(stated(each, data, *ours) for each, data in told))
    store = open_store(book, create=False)
    facts = [row.entry().id for row in store.records()]
    assert len(facts) == len(set(facts)) == len(good)
    assert set(facts) == {row.entry().id for row in plain.portfolio.journal()}
    assert len(store.outbox()) == len(good)
    assert store.load_state() == plain.portfolio.desk.store.load_state()
    store.close()
    bad = {each.id for each in events} - {each.id for each in good}
    assert {fields["id"] for _, fields in parked} == bad
    assert all("is not a plain decimal number" in fields["parked_reason"] for _, fields in parked)


class Listener:
    """Hears what a portfolio tells; which commits, and how often each event."""

    def __init__(self):
        self.versions: set = set()
        self.ids: dict = {}

    def check(self, event):
        pass

    async def handle(self, events):
        for each in events:
            self.ids[each.id] = self.ids.get(each.id, 0) + 1
            if each.type == "portfolio.committed":
                self.versions.add(msgspec.json.decode(each.data)["version"])


@pytest.mark.parametrize("is_durable", [False, True])
def test_redis_killed_and_flushed_under_load_is_filled_again(is_durable):
    commits, own = figures.MESSAGES // 10, prefix()
    chance = random.Random(figures.SEED)
    disasters = dict.fromkeys(chance.sample(range(10, commits), 4), "kill")
    disasters |= dict.fromkeys(chance.sample(range(10, commits), 2), "flush")
    intake, listener = hearing_in_memory(), Listener()
    events = [each for each in trades(commits * 2) if not each.id.startswith("bad")][:commits]

    async def work(running):
        bus = StreamBus(running.url, prefix=own)
        relay = Relay(intake.portfolio.desk.store, bus)
        for number, each in enumerate(events):
            intake.take([each])
            happening = disasters.get(number)
            if happening == "flush":
                running.flush()
            elif happening == "kill":
                running.kill()
                with pytest.raises(BusDown):
                    await _relay_and_listen(relay, bus, listener)
                running.start()
            if number % 7 == 0:
                await _relay_and_listen(relay, bus, listener)
        await _relay_and_listen(relay, bus, listener)
        await _relay_and_listen(relay, bus, listener)
        lines = await bus.replay("out:main", count=100_000)
        await bus.close()
        return [from_fields(line.fields, place=line.place, at=line.at) for line in lines]

    with server(is_durable=is_durable) as running:
        lines = asyncio.run(work(running))
    assert listener.versions == set(range(1, commits + 1))
    rows = intake.portfolio.desk.store.outbox()
    told = {each.id for row in rows for each in events_of(row, "main")}
    assert listener.ids.keys() == told
    last = {each.id: n for n, each in enumerate(lines)}
    order = [last[row.message.id] for row in rows if row.message.id in last]
    assert order == sorted(order), "what is there is there in the order of commits"


async def _relay_and_listen(relay, bus, listener):
    async def pause(_):
        raise AssertionError("nothing here is to be waited for")

    while await relay.once():
        pass
    desk = Consumer("out:main", "screen")
    while taken := await bus.take(desk, count=500):
        await settle(bus, desk, taken, listener, pause)
