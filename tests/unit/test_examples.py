"""The examples run, and do what they say."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CYCLE = ROOT / "examples" / "trading_cycle.py"
YEAR, DRAWN = ROOT / "examples" / "allocation_year.py", ROOT / "docs" / "allocation-year.svg"


def test_the_trading_cycle_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    place = str(tmp_path / "book.db")
    monkeypatch.setattr(sys, "argv", [str(CYCLE), place])
    said = []
    for _ in range(2):
        runpy.run_path(str(CYCLE), run_name="__main__")
        said.append(capsys.readouterr().out.splitlines()[-2:])
    # 100,000; nine a cycle in fees; 400 × 0.8 − 10 × 10 and −300 × 0.8 + 20 × 10 by the marks.
    assert said[0] == ["equity 100153.0", "True"]
    # The second run: back to the first marks and through all three again: only the fees are new.
    assert said[1] == ["equity 100126.0", "True"]


@pytest.mark.slow("a year of trades and twenty-six decisions in a real book")
def test_the_year_of_three_strategies_is_the_one_that_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(YEAR), str(tmp_path / "year.svg")])
    runpy.run_path(str(YEAR), run_name="__main__")
    assert (tmp_path / "year.svg").read_text() == DRAWN.read_text()
