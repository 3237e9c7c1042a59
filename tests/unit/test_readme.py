"""What the README says is true: its first block of Python runs, and its links lead somewhere."""

import re
import shutil
from importlib.resources import files
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
STORY = files("bursar") / "samples" / "kraken-story-a"


def test_the_front_door_opens(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, file in (("ledgers", "ledgers.gen4-16col.csv"), ("trades", "trades.gen2-24col.csv")):
        shutil.copy(str(STORY / file), f"{name}.csv")
    block, *_ = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(compile(block, "README.md", "exec"), {})  # noqa: S102
    said = capsys.readouterr().out.splitlines()
    told = re.findall(r"# ([\d,.]+ EUR.*)", block)
    assert said[0] == told[0]
    assert said[1].startswith("equity in EUR")
    assert [line.split()[0] for line in said[2:]] == ["wac", "fifo"]


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README.read_text()):
        assert (README.parent / target).exists(), target
