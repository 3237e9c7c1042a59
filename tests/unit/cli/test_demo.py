"""The first thing anyone sees."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[3] / "README.md"


@pytest.mark.parametrize("width", [80, 120])
def test_the_demo_tells_the_story(bursar, monkeypatch, tmp_path, width):
    monkeypatch.setenv("COLUMNS", str(width))
    said = bursar("demo", "story")
    assert said.err == ""
    assert max(map(len, said.out.splitlines())) <= width
    for key in (
        r"^bursar  knows exactly what you own",
        r"^1  Import ",
        r"^ledgers\.gen4-16col\.csv +kraken ledgers +46",
        r"^100 recorded · 0 duplicates · 0 conflicts",
        r"^0 recorded · 58 duplicates · 0 conflicts",
        r"^Nothing new: the book stays as it was\.",
        r"^equity +15,042\.04",
        r"^asset +wac +fifo +hifo",
        r"^XBT +-7\.04 +-6\.92 +-6\.92 +-87\.61 +-99\.64 +-63\.73",
        r"^-7\.041812133856515859  realised of XBT",
        r"^✓ +books",
        r"^Sound\.",
        r"^  bursar import ledgers\.csv trades\.csv --base EUR",
    ):
        assert re.search(key, said.out, re.MULTILINE), key
    assert "✗" not in said.out
    assert list(tmp_path.iterdir()) == []


def test_the_readme_shows_what_the_demo_says(bursar, monkeypatch):
    monkeypatch.setenv("COLUMNS", "92")
    said = {line.rstrip() for line in bursar("demo", "story").out.splitlines()}
    shown = re.findall(r"```text\n(.*?)```", README.read_text(), re.DOTALL)[0].splitlines()
    changing = ("main  EUR", "Sound. Journal")  # the time it was run, and the hash over it
    assert {line for line in shown if not line.startswith(changing)} <= said


def test_the_demo_as_json(ask):
    told = ask("demo", "story")
    assert [*told] == ["import", "again", "status", "pnl", "why", "verify"]
    assert told["again"]["recorded"] == 0
    assert told["verify"]["is_sound"]


def test_nobodys_settings_count_in_it(ask, monkeypatch, tmp_path):
    (tmp_path / "config.yaml").write_text("portfolio:\n  boook: other.db\n")
    monkeypatch.setenv("PORTFOLIO_EXCLUDE_ASSETS", '["ETH"]')
    assert ask("demo", "story")["status"]["excluded"]["assets"] == []


def test_its_book_can_be_kept(bursar, ask, tmp_path):
    said = bursar("demo", "story", "--keep", "kept.db")
    assert "bursar status --book kept.db" in said.out
    assert ask("status", "--book", "kept.db")["base"] == "EUR"
    assert "is there already" in bursar("demo", "story", "--keep", "kept.db", code=2).err


def test_only_the_story_keeps_its_book(bursar):
    assert "bursar demo story --keep" in bursar("demo", "--keep", "kept.db", code=2).err
