"""Which regime stood when, whatever order it was told in."""

import pytest

from bursar.capital.regimes import KEPT_MAX, Spells, Telling, named, standing, told
from bursar.errors import BadChoice


def telling(name, at, by="desk"):
    return Telling(name=name, at=at, by=by)


def heard(*tellings):
    spells: Spells = ()
    for each in tellings:
        spells = told(spells, each)
    return spells


def test_before_anything_is_told_it_is_normal():
    assert named((), 5) == "NORMAL"
    assert named(heard(telling("BULL", 7)), 6) == "NORMAL"
    assert standing(heard(telling("BULL", 7)), 6) is None


def test_a_telling_stands_from_its_time_until_the_next():
    spells = heard(telling("BULL", 1), telling("BEAR", 5))
    assert [named(spells, at) for at in (0, 1, 4, 5, 9)] == [
        *("NORMAL", "BULL", "BULL", "BEAR", "BEAR")
    ]


def test_the_same_again_is_one_spell_and_a_late_other_parts_it():
    spells = heard(telling("BULL", 1), telling("BULL", 9))
    assert len(spells) == 1
    assert heard(telling("BULL", 1), telling("BULL", 9), telling("BULL", 4)) == spells
    parted = told(spells, telling("BEAR", 4))
    assert [named(parted, at) for at in (1, 4, 8, 9)] == ["BULL", "BEAR", "BEAR", "BULL"]


def test_what_is_told_of_a_time_to_come_stands_from_then():
    spells = heard(telling("CRASH", 100), telling("BULL", 1))
    assert named(spells, 99) == "BULL"
    assert named(spells, 100) == "CRASH"


def test_a_regime_without_a_name_is_refused():
    with pytest.raises(BadChoice, match="has a name"):
        telling(" ", 1)


def test_only_so_many_are_kept():
    spells = heard(*(telling(f"r{at}", at) for at in range(KEPT_MAX + 9)))
    assert len(spells) == KEPT_MAX
    assert named(spells, 10**9) == f"r{KEPT_MAX + 8}"
