"""The show's past: the same world from the same seed, its books sound, its story there."""

import pytest

import bursar
from bursar.portfolio import allocating
from bursar.sim.show import Shape, prepare

NOW = 1_795_000_000 * 10**9

pytestmark = pytest.mark.slow("four months of facts and some twenty decisions")


def test_a_seed_is_a_world(tmp_path):
    digests = []
    for name in ("one.db", "other.db"):
        prepare(tmp_path / name, Shape(seed=7), now=NOW)
        with bursar.open(tmp_path / name, portfolio="demo", create=False) as portfolio:
            digests.append(portfolio.digest())
            assert portfolio.verify().is_sound
            decided = allocating.decision(portfolio)
            assert decided is not None
            weights = {line.strategy: line.weight for line in decided.allocation.lines}
            assert weights["grid"] == 0  # it has died
            assert weights["carry"] > 0
    assert digests[0] == digests[1]
