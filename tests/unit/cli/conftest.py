"""The command line, run in this process as the console script runs it."""

import json
import logging
from importlib.resources import files
from pathlib import Path
from shutil import copy

import pytest

import bursar as package
from bursar.cli import main

SOURCE = Path(package.__file__).parents[1]
STORY = Path(str(files("bursar.samples") / "kraken-story-a"))


class Ran:
    """What one command line left behind."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty folder, a known width, no settings of the one who runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    for name in ("BURSAR_BOOK", "INITIAL_CAPITAL", "BURSAR_TRACE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def logging_as_it_was():
    """What a command makes of the process's logs ends with the test."""
    root, ours = logging.getLogger(), logging.getLogger("bursar")
    level, before = root.level, (root.handlers[:], ours.handlers[:], ours.propagate)
    yield
    root.setLevel(level)
    root.handlers[:], ours.handlers[:], ours.propagate = before


@pytest.fixture
def bursar(capsys):
    def run(*arguments, code=0):
        capsys.readouterr()
        left = main([str(each) for each in arguments])
        said = capsys.readouterr()
        assert left == code, said.err or said.out
        return Ran(left, said.out, said.err)

    return run


@pytest.fixture
def ask(bursar):
    """Run a command with --json and return the document."""

    def run(*arguments, code=0):
        ran = bursar(*arguments, "--json", code=code)
        assert ran.err == ""
        return ran.json

    return run


@pytest.fixture(scope="session")
def imported(tmp_path_factory):
    """A book with the whole story in it, to be copied."""
    place = tmp_path_factory.mktemp("story") / "bursar.db"
    exports = [STORY / f"{name}.csv" for name in ("ledgers.gen4-16col", "trades.gen2-24col")]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("INITIAL_CAPITAL", raising=False)
        files = map(str, (*exports, STORY / "prices.csv"))
        assert main(["import", *files, "--base", "EUR", "--quiet", "--book", str(place)]) == 0
    return place


@pytest.fixture
def story(imported, elsewhere):
    """The same as a book of one's own, where a command finds it."""
    copy(imported, "bursar.db")
    return STORY
