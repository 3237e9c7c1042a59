"""The portfolio on its bus: what others tell is looked at, and how things stand is told."""

import asyncio
import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from bursar.app.events import bus_of
from bursar.config import load
from bursar.events import from_fields
from bursar.ledger.terms import Terms
from bursar.serve.carrying import Carrier
from bursar.serve.views import look
from tests.servers import redis
from tests.unit.portfolio.events.told import event, trade_closed, trade_opened
from tests.unit.portfolio.places import NOON, opened

STATES = ("portfolio.snapshot_updated", "portfolio.pnl_updated", "portfolio.exposure_updated")
TOLD = {*STATES, "portfolio.drawdown_updated", "equity.update", "pnl.update"}


class Touched:
    """A publisher that looks at once when it is touched, as the real one does after a while."""

    def __init__(self):
        self.times = self.writes = 0
        self.look = lambda: None

    def wrote(self):
        self.writes += 1

    def touch(self):
        self.times += 1
        self.look()


def is_all_told(told, version):
    """Whether every state of this version is out, and every commit up to it."""
    seen = {each.type: json.loads(each.data)["version"] for each in told}
    wanted = {*TOLD, "portfolio.committed", "position.closed"}
    return all(seen.get(name) == version for name in wanted)


async def carried(settings, portfolio, batches):
    """Tell batches one after another; return what was told, and how often there was a look."""
    publisher: Any = Touched()
    told: list = []
    carrier = Carrier(load(flags=settings), publisher, lambda: None)
    publisher.look = lambda: carrier.offer(portfolio, look(portfolio))
    bus = bus_of(load(flags=settings).portfolio, portfolio.desk.clock)
    running = asyncio.ensure_future(
        carrier.run(SimpleNamespace(service=SimpleNamespace(portfolio=portfolio)))
    )
    try:
        async with asyncio.timeout(40):
            for batch in batches:
                before = publisher.times
                await bus.publish("in", batch)
                while publisher.times == before:  # noqa: ASYNC110 (it stands for a publisher)
                    await asyncio.sleep(0.005)
            while not is_all_told(told, portfolio.desk.head.version):
                await asyncio.sleep(0.01)
                lines = await bus.replay("out:main", count=1_000)
                told = [from_fields(each.fields, place=each.place, at=each.at) for each in lines]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bus.close()
    assert publisher.writes == 2  # what was booked
    return told, publisher.times


def test_every_event_of_others_is_looked_at_and_every_state_is_told(redis_server):
    settings = {
        "book": ":memory:",
        "redis_socket": str(redis_server().folder / "s"),
        "redis_prefix": redis.prefix(),
    }
    portfolio = opened("2026-05-01T00:00:00Z deposit 10000 USDT #events:main:1", terms=Terms())
    batches = [
        [trade_opened()],
        [event("market.tick", "t", symbol="BTCUSDT", price="43000.5", at=NOON)],
        [event("ess.tripped", "e", reason="drawdown")],
        [trade_closed()],
    ]
    told, looks = asyncio.run(carried(settings, portfolio, batches))
    assert looks >= len(batches)
    last = {each.type: json.loads(each.data, parse_float=Decimal) for each in told}
    assert last["portfolio.pnl_updated"]["realized_pnl_total"] == Decimal("148.23")
    assert last["portfolio.snapshot_updated"]["total_equity"] == Decimal("10148.23")
    assert last["portfolio.exposure_updated"]["total_exposure"] == 0
    assert last["portfolio.drawdown_updated"]["current_equity"] == Decimal("10148.23")
    assert last["pnl.update"]["total_pnl"] == Decimal("148.23")
    assert last["equity.update"]["equity"] == Decimal("10148.23")
    assert {each.type for each in told} - TOLD == {
        *("portfolio.committed", "position.opened", "position.closed"),
    }
