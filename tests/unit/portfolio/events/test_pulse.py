"""Equity when it changes, PnL every minute and at each close."""

import asyncio
import json

import pytest

from bursar.bus import LocalBus
from bursar.errors import BusDown
from bursar.ledger import instant
from bursar.portfolio.events.pulse import Pulse
from bursar.portfolio.events.states import States
from tests.unit.portfolio.events.test_intake import ORDERS
from tests.unit.portfolio.events.test_relay import told
from tests.unit.portfolio.events.told import event, hearing, order_filled


@pytest.fixture
def lived():
    intake = hearing(believed=ORDERS)
    clock = intake.portfolio.desk.clock
    bus = LocalBus(clock)
    states = States("main", bus, clock)
    pulse = Pulse(intake.portfolio, states)

    def beat(seconds=1):
        """Let time pass, beat, and return what that told: type and data."""
        before = len(told(bus))
        clock.at += seconds * instant.SECOND
        pulse.beat()
        asyncio.run(states.flush())
        return [(each.type, json.loads(each.data)) for each in told(bus)[before:]]

    return intake, beat


def kinds(events):
    return [name for name, _ in events]


def test_nothing_is_told_twice_and_pnl_comes_every_minute(lived):
    _, beat = lived
    assert kinds(beat()) == ["equity.update", "pnl.update"]
    assert beat() == []
    assert kinds(beat(60)) == ["pnl.update"]
    assert beat(59) == []


def test_a_position_that_opens_changes_equity_and_one_that_closes_tells_pnl(lived):
    intake, beat = lived
    beat()
    intake.take([order_filled(1, fee="1")])
    assert kinds(beat()) == ["equity.update"]
    intake.take(
        [event("market.tick", symbol="ETHUSDT", price="1100", at=intake.portfolio.desk.clock.at)]
    )
    ((name, state),) = beat()
    assert (name, state["equity"], state["unrealized_pnl"]) == ("equity.update", 199, 200)
    assert (state["peak_equity"], state["drawdown_pct"]) == (None, None)
    intake.take([order_filled(2, side="SELL", price="1100")])
    equity, pnl = beat()
    assert (equity[1]["equity"], pnl[1]["realized_pnl"], pnl[1]["version"]) == (199, 199, 2)


class Away(LocalBus):
    """A bus that is away until it is told to be back."""

    is_back = False

    async def publish(self, topic, events, *, upto=None):
        if not self.is_back:
            raise BusDown
        await super().publish(topic, events)


def test_a_bus_that_is_away_gets_the_last_value_later(lived):
    intake, _ = lived
    clock = intake.portfolio.desk.clock
    bus, pauses = Away(clock), []

    async def pause(milliseconds):
        pauses.append(milliseconds)
        bus.is_back = len(pauses) > 1
        if len(pauses) == 4:
            raise asyncio.CancelledError

    pulse = Pulse(intake.portfolio, States("main", bus, clock), lambda: None)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(pulse.run(pause))
    assert [each.type for each in told(bus)] == ["equity.update", "pnl.update"]
