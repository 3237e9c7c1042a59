"""The show: the same world from the same seed, its books sound, its story there.

And what it plants: a trade that nobody tells of, which the venue's running balances give away. The
past of four months is written once, as the demo's own options ask for it.
"""

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

import bursar
from bursar.cli.demo_page import Wish, world
from bursar.desk import Desk
from bursar.exact import trimmed
from bursar.ledger import instant
from bursar.ledger.entries import CAPITAL, CashFlow, Fill
from bursar.portfolio import Portfolio, agreement, allocating
from bursar.portfolio.events.facts import Believed, Family
from bursar.portfolio.events.intake import Intake
from bursar.portfolio.service import PortfolioService
from bursar.reconcile import Kind, Where
from bursar.sim.loop import VirtualLoop
from bursar.sim.show import Shape, prepare
from bursar.sim.show.past import ACCOUNT
from bursar.sim.show.present import (
    _ACCEPT_AT,
    _LOST_AT,
    _PRICED_EVERY,
    _STATED_EVERY,
    DAY_STEPS,
    STEP_S,
)
from bursar.store import open_store

NOW = 1_795_000_000 * 10**9
SIZE, SPEED, SHORT = 400_000, 5, 24
ALONE = 9 * _PRICED_EVERY
"""A step in which the show writes, and no bot tells of a trade."""
PATIENCE = 2 * _STATED_EVERY * STEP_S
"""How long it takes at most until a statement tells of what has happened."""

pytestmark = pytest.mark.slow("four months of facts and some twenty decisions")


class Hand:
    """A bus that hands on at once, to whoever is there."""

    intake: Intake

    async def publish(self, _topic, events):
        await self.intake.handle(events)


class LoopClock:
    """The time of a virtual loop, after the past; no two looks at it are of one instant."""

    def __init__(self, loop):
        self._loop, self._looks = loop, 0

    def now(self):
        self._looks += 1
        return NOW + int(self._loop.time() * instant.SECOND) + self._looks


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The place of a past, what goes on from there, and the bus on which it does."""
    place = tmp_path_factory.mktemp("show") / "demo.db"
    bus: Any = Hand()
    return place, world(Wish(7, SIZE, SPEED, 0, None), place, lambda: bus, now=NOW), bus


def test_the_strategy_that_died_has_lost_its_allocation_and_the_books_are_sound(shown):
    with bursar.open(shown[0], portfolio="demo", create=False) as portfolio:
        assert portfolio.verify().is_sound
        decided = allocating.decision(portfolio)
        assert decided is not None
        weights = {line.strategy: line.weight for line in decided.allocation.lines}
        assert weights["grid"] == 0
        assert weights["carry"] > 0
        flows = (each for each in portfolio.timeline if isinstance(each, CashFlow))
        capital = sum(each.amount for each in flows if each.kind in CAPITAL)
        assert capital == SIZE * Decimal("1.15")  # what it began with, two deposits, a withdrawal


def test_a_seed_is_a_world_and_another_size_holds_as_many_times_as_much(tmp_path):
    digests, held = [], []
    for name, size in (("one.db", 250_000), ("other.db", 250_000), ("large.db", 1_000_000)):
        prepare(tmp_path / name, Shape(7, Decimal(size), SHORT), now=NOW)
        with bursar.open(tmp_path / name, portfolio="demo", create=False) as portfolio:
            digests.append(portfolio.digest())
            holdings = portfolio.book().holdings
            held.append({asset: each.quantity for (_, asset), each in holdings.items()})
    assert digests[0] == digests[1]
    assert held[0].keys() == held[2].keys()
    assert len(held[0]) > 3
    for asset, quantity in held[0].items():
        assert held[2][asset] / quantity == pytest.approx(Decimal(4), rel=Decimal("0.02")), asset


def test_what_it_plants_is_found_classified_located_and_accepted(shown):
    place, present, bus = shown
    loop, scene = VirtualLoop(), present._scene

    async def main():
        opened, began = SimpleNamespace(service=service), scene.market.days
        loop.spawn(present.run(opened), "present")
        await asyncio.sleep(_LOST_AT * STEP_S - 1)
        assert reconciled().is_clean  # to the last digit, every row of it
        await asyncio.sleep(PATIENCE)
        (found,), (proposal,) = reconciled().breaks, reconciled().proposals
        assert found.kind is Kind.MISSING_FILL
        assert found.place.where is Where.ROWS
        assert found.place.since < NOW + _LOST_AT * STEP_S * instant.SECOND < found.place.until
        came, went = found.shifts
        assert (came.asset, went.asset) == ("ETH", "USD")
        assert float(came.worth) == pytest.approx(SIZE / 200, rel=0.05)
        assert proposal.says == f"buy {trimmed(came.amount)} ETH for {trimmed(-went.amount)} USD"
        await asyncio.sleep((ALONE - 0.5) * STEP_S - loop.time())
        with on_the_clock(place, loop) as other:  # a command of somebody else, as the page goes on
            other.price("SOL", instant.show(NOW), "150")
        await asyncio.sleep(_ACCEPT_AT * STEP_S + PATIENCE - loop.time())
        assert reconciled().is_clean
        noted = [
            each for each in portfolio.timeline if (each.note or "").startswith("missing fill")
        ]
        assert [each.quantity for each in noted if isinstance(each, Fill)] == [came.amount]
        return scene.market.days - began, loop.time() / STEP_S

    with on_the_clock(place, loop) as portfolio:
        service = PortfolioService(portfolio)
        bus.intake = Intake(portfolio, pair, believed=Believed({ACCOUNT: Family.ORDER}))

        def reconciled():
            return agreement.reconciled(portfolio, ACCOUNT, service.rules.limits)

        days, steps = loop.play(main)
        assert portfolio.verify().is_sound
    assert days == pytest.approx(SPEED * steps / DAY_STEPS, rel=0.02)  # the speed that was asked
    assert present.fills > 20


def on_the_clock(place, loop):
    """A portfolio that lives in the time of a loop."""
    clock = LoopClock(loop)
    return Portfolio(Desk(open_store(str(place), "demo"), clock, wait=_never), _never)


def pair(symbol):
    base, _, quote = symbol.partition("/")
    return base, quote


def _never(*_):
    raise NotImplementedError("nobody waits here, and no file is read")
