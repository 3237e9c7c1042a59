"""What the service does by itself for capital, where it is asked to, in virtual time."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec

from bursar.capital.settings import DetectorSettings
from bursar.config import load
from bursar.desk import Desk
from bursar.ledger import golden
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio, allocating, regimes
from bursar.portfolio.events import saying
from bursar.serve.following import detection_of, profits_of
from bursar.sim.loop import VirtualLoop
from bursar.store import MemoryStore
from bursar.value.marks import Mark
from tests.unit.portfolio.test_allocating import DAY, START, unread
from tests.unit.portfolio.test_profits import MADE
from tests.unit.portfolio.test_regimes import price

BEGIN = START + 20 * DAY
MINUTE_S = 60


class LoopClock:
    """The clock of a loop, which begins on 21 January."""

    def __init__(self, loop):
        self._loop = loop

    def now(self):
        return BEGIN + int(self._loop.time() * 10**9)


def settings(**capital):
    told = load(flags={"book": ":memory:"})
    return told.model_copy(update={"capital": msgspec.structs.replace(told.capital, **capital)})


def lived(task, lines, happen):
    """A portfolio that a task looked after while something happened."""
    loop = VirtualLoop()
    made = Portfolio(Desk(MemoryStore(terms=Terms()), LoopClock(loop)), unread)
    if lines:
        made.record(*golden.read(lines))
    opened: Any = SimpleNamespace(service=SimpleNamespace(portfolio=made))
    loop.spawn(task(opened), "task")
    loop.play(lambda: happen(made))
    return made


def test_nothing_is_done_that_nobody_asked_for():
    assert detection_of(settings()) == profits_of(settings()) == ()


def test_profit_is_looked_after_and_an_intent_is_told():
    """The session begins at 1,100; 500 more are made, and of those 300 are lost again."""

    async def happen(made):
        await asyncio.sleep(MINUTE_S)
        for place, deed in enumerate(("buy 1 XBT @ 100", "sell 1 XBT @ 600"), 8):
            told = f"2026-01-21T00:00:0{place}Z {deed} USD #k:main:{place} strategy=trend"
            made.record(*golden.read([told]))
        await asyncio.sleep(5 * MINUTE_S)
        assert not saying.waiting(made.desk.store)
        made.record(*golden.read(["2026-01-21T00:04:00Z withdrawal 300 USD #k:main:10"]))
        await asyncio.sleep(5 * MINUTE_S)
        assert not saying.waiting(made.desk.store)  # what is taken out is not lost
        made.record(*golden.read(["2026-01-21T00:08:00Z fee 300 USD #k:main:11"]))
        await asyncio.sleep(20 * MINUTE_S)

    (task,) = profits_of(settings(profits_every_minutes=5))
    made = lived(task, MADE, happen)
    (told,) = saying.waiting(made.desk.store).values()
    assert told.type == "order.exit_decision"
    kept = {each.strategy: each.contributed for each in allocating.strategies(made)}
    assert kept["trend"] < 500  # a part of the profit went to the reserve


def test_the_market_is_followed_candle_by_candle():
    async def happen(made):
        for minute in range(90):
            await asyncio.sleep(MINUTE_S)
            at = made.desk.clock.now()
            made.see([Mark("BTC", "USD", Decimal(price(minute)), "tick", at)])

    detector = DetectorSettings(symbol="BTC/USD", minutes=1)
    (task,) = detection_of(settings(detector=detector))
    made = lived(task, (), happen)
    first, *_ = regimes.spells(made.desk.store)
    assert first.first.name.startswith("flat-")
    assert regimes.regime(made).startswith("up-")
