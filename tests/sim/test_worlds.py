"""Worlds in which everything goes wrong, and every judge is content: the heart of the simulation.

`BURSAR_SWEEP_SEEDS` says how many. A failure names its seed, and `bursar sim` replays it.
"""

from collections import Counter
from pathlib import Path

import pytest

from bursar.desk import desk, reading
from bursar.ledger import copies, planning
from bursar.sim import play
from bursar.sim.faults import Fault
from tests import figures
from tests.sim.judging import last_word, replay

FIXED = Path(__file__).with_name("seeds.txt")
# SchemaNewer is not among them: a store raises it when a file is opened, which no world does.
REFUSALS = {"StoreBusy", "StoreFull", "StoreError", "StoreCorrupt", "OutcomeUnknown"}


def fixed_seeds():
    lines = FIXED.read_text("utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


@pytest.mark.slow("fifty worlds, each a day of trouble, and a sweep of thousands")
@pytest.mark.sweep
def test_worlds_end_well_and_every_fault_has_struck():
    fired, errors = Counter[str](), Counter[str]()
    for seed in range(figures.SEED, figures.SEED + figures.SEEDS):
        ending = play(seed, last_word=last_word)
        assert ending.is_well, replay(ending)
        fired.update(ending.fired)
        errors.update(ending.errors)
    least = max(figures.SEEDS // 25, 1)
    assert {fault.value for fault in Fault if fired[fault.value] < least} == set(), fired
    assert REFUSALS | {"StaleVersion", "Oversold"} <= set(errors)


@pytest.mark.parametrize("seed", fixed_seeds())
def test_worlds_that_once_found_a_mistake_end_well(seed):
    ending = play(seed, last_word=last_word)
    assert ending.is_well, replay(ending)


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_world_on_sqlite_has_the_story_of_the_one_in_memory(seed, tmp_path):
    assert play(seed, folder=tmp_path, last_word=last_word).story == play(seed).story


@pytest.mark.parametrize("spacing", [1, 7])
def test_checkpoints_change_no_story(spacing, monkeypatch):
    stories = [play(seed).story for seed in (2, 5)]
    for module in (planning, copies):
        monkeypatch.setattr(module, "SPACING", spacing)
    assert [play(seed).story for seed in (2, 5)] == stories


def test_worlds_whose_desks_open_from_checkpoints_end_well(monkeypatch):
    for module in (planning, copies):
        monkeypatch.setattr(module, "SPACING", 1)
    monkeypatch.setattr(desk, "KEPT_AHEAD", 3)
    shortened, read = [], reading.read

    def counted(store, head, **rest):
        made = read(store, head, **rest)
        shortened.append(not made.is_whole)
        return made

    monkeypatch.setattr(reading, "read", counted)
    for seed in range(figures.SEED, figures.SEED + max(figures.SEEDS // 2, 5)):
        ending = play(seed, last_word=last_word)
        assert ending.is_well, replay(ending)
    assert sum(shortened) > len(shortened) // 4
