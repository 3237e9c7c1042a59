"""How things stand is offered when it is news, and PnL every minute and at each close."""

import asyncio
import json

from bursar.bus import LocalBus
from bursar.events import from_fields
from bursar.ledger import golden, instant
from bursar.ledger.terms import Terms
from bursar.portfolio.events.states import States
from bursar.serve.offering import Offers
from bursar.serve.views import look
from tests.unit.portfolio.places import MINUTE, NOON, opened

SECOND = instant.SECOND


class Told:
    """A portfolio whose states are told on a bus, and what was told there since last asked."""

    def __init__(self, *lines):
        self.portfolio = opened(*lines, terms=Terms())
        self.clock = self.portfolio.desk.clock
        self._bus = LocalBus(self.clock)
        self._states = States("main", self._bus, self.clock)
        self._offers = Offers(self._states)
        self._heard = 0

    def look(self):
        """Publish once, and return the types and data of what was told."""
        self._offers.take(self.portfolio, look(self.portfolio))
        asyncio.run(self._states.flush())
        lines = asyncio.run(self._bus.replay("out:main", count=10_000))
        fresh, self._heard = lines[self._heard :], len(lines)
        events = [from_fields(each.fields, place=each.place, at=each.at) for each in fresh]
        return {each.type: json.loads(each.data) for each in events}

    def commit(self, *lines):
        self.portfolio.record(*golden.read(lines))


DEPOSIT = "2026-05-01T00:00:00Z deposit 1000 USD #events:main:1"


def test_pnl_is_told_once_in_every_minute_of_the_clock():
    """Nothing happens for ten minutes and somebody looks every five seconds."""
    made = Told(DEPOSIT)
    assert "pnl.update" in made.look()
    told = []
    for step in range(1, 121):
        made.clock.at = NOON + step * 5 * SECOND
        told += [step * 5] if "pnl.update" in made.look() else []
    assert told == [60 * minute for minute in range(1, 11)]


def test_pnl_is_told_at_each_close_also_of_one_that_made_nothing():
    made = Told(DEPOSIT)
    made.look()
    made.commit("2026-06-01T11:00:00Z buy 1 XBT @ 100 USD #events:main:2")
    assert "pnl.update" not in made.look()
    made.commit("2026-06-01T11:30:00Z sell 1 XBT @ 100 USD #events:main:3")
    told = made.look()["pnl.update"]
    assert (told["realized_pnl"], told["version"]) == (0, 3)
    made.commit("2026-06-01T11:40:00Z buy 1 XBT @ 100 USD #events:main:4")
    made.commit("2026-06-01T11:45:00Z sell 1 XBT @ 130 USD #events:main:5")
    assert made.look()["pnl.update"]["realized_pnl"] == 30
    assert "pnl.update" not in made.look()


def test_equity_is_told_when_it_changes_and_not_when_time_passes():
    made = Told(DEPOSIT)
    assert made.look()["equity.update"]["equity"] == 1000
    made.clock.at = NOON + MINUTE
    assert "equity.update" not in made.look()
    made.commit("2026-06-01T11:00:00Z reward 5 USD #events:main:2")
    assert made.look()["equity.update"]["equity"] == 1005
