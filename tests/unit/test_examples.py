"""The examples run, and do what they say."""

import runpy
import sys
from pathlib import Path

CYCLE = Path(__file__).parents[2] / "examples" / "trading_cycle.py"


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
