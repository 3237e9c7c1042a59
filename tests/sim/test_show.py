"""The show's past: the same world from the same seed, its books sound, its story there.

And what it plants: a difference between book and statement that is found, told and accepted.
"""

from types import SimpleNamespace

import pytest

import bursar
from bursar.portfolio import allocating
from bursar.portfolio.agreement import reconciled
from bursar.portfolio.service import PortfolioService
from bursar.sim.show import Present, Shape, prepare
from bursar.sim.show.past import ACCOUNT
from bursar.sim.show.present import _ACCEPT_AT, _DRIFT_AT, _STATED_EVERY, _UNTOLD

NOW = 1_795_000_000 * 10**9

pytestmark = pytest.mark.slow("four months of facts and some twenty decisions")


def test_a_seed_is_a_world_and_what_it_plants_is_found_and_accepted(tmp_path):
    digests = []
    for name in ("one.db", "other.db"):
        scene = prepare(tmp_path / name, Shape(seed=7), now=NOW)
        with bursar.open(tmp_path / name, portfolio="demo", create=False) as portfolio:
            digests.append(portfolio.digest())
            assert portfolio.verify().is_sound
            decided = allocating.decision(portfolio)
            assert decided is not None
            weights = {line.strategy: line.weight for line in decided.allocation.lines}
            assert weights["grid"] == 0  # it has died
            assert weights["carry"] > 0
            if name == "other.db":
                found_and_accepted(scene, PortfolioService(portfolio))
    assert digests[0] == digests[1]


def found_and_accepted(scene, service):
    """Go to the steps at which the venue states what lies there: before, within and after."""
    opened, present = SimpleNamespace(service=service), Present(scene, lambda: None)
    worth = []
    for at in (0, _DRIFT_AT, _ACCEPT_AT):
        present._step = at - at % _STATED_EVERY + _STATED_EVERY + 1
        present._besides(opened)
        found = reconciled(service.portfolio, ACCOUNT, service.rules.limits)
        worth.append(
            [(shift.asset, shift.amount) for each in found.breaks for shift in each.shifts]
        )
    assert worth == [[], [("USD", _UNTOLD)], []]
    assert service.portfolio.verify().is_sound
