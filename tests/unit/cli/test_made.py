"""A book that is not there: who only looks is told so, and who makes one says it."""

import asyncio
from pathlib import Path

import pytest

from bursar.config import PortfolioSettings, Settings
from bursar.serve.opening import open_book
from tests.unit.cli.conftest import STORY

LOOKS = [
    ("status",),
    ("verify",),
    ("drift",),
    ("portfolio", "list"),
    ("token", "list"),
    ("tx", "log"),
    ("add", "deposit", "5", "EUR", "--yes"),
    ("allocate", "--apply"),
    ("profits", "--apply"),
    ("backup", "b.backup"),
]
SAID = "Made bursar.db, portfolio main: base currency USD (by default, and for good), cost rule wac"


@pytest.mark.parametrize("line", LOOKS, ids=" ".join)
def test_who_needs_a_book_makes_none(bursar, line):
    assert "there is no book at bursar.db" in bursar(*line, code=3).err
    assert not list(Path().iterdir())


@pytest.fixture
def answering(monkeypatch):
    """Let `serve` have its address at once."""
    monkeypatch.setattr(
        "bursar.serve.running.run", lambda settings, told: told(f"http://{settings.portfolio.name}")
    )


@pytest.mark.parametrize(
    "line",
    [("new",), ("import", STORY / "prices.csv"), ("token", "new", "x"), ("serve",)],
    ids=lambda line: line[0],
)
def test_who_makes_one_says_so_and_that_nobody_named_its_currency(bursar, answering, line):
    ran = bursar(*line)
    assert SAID in ran.out + ran.err


def test_a_currency_that_was_named_is_no_default(bursar, answering):
    assert "base currency EUR, cost rule wac, lots by account" in bursar("new", "--base", "EUR").out
    Path("config.yaml").write_text('portfolio:\n  base_currency: "EUR"\n')
    for name, line in (("a", ("new",)), ("b", ("token", "new", "x")), ("c", ("serve",))):
        ran = bursar(*line, "--portfolio", name)
        assert "base currency EUR, cost rule wac" in ran.out + ran.err


def test_nothing_is_said_of_a_book_that_was_there(bursar, ask, answering):
    bursar("new", "--quiet")
    for line in (("token", "new", "x"), ("serve",)):
        assert "Made" not in bursar(*line).err
    assert ask("token", "new", "y")["created"] is False
    assert ask("serve") == {"url": "http://main"}


def test_a_service_that_makes_its_book_logs_it_however_it_was_begun(tmp_path, monkeypatch):
    told, place = [], str(tmp_path / "book.db")

    class Log:
        def warning(self, event, **fields):
            told.append((event, fields))

    monkeypatch.setattr("bursar.serve.opening.LOG", Log())
    for name in ("main", "main", "other"):
        own = PortfolioSettings(book=place, name=name, base_currency="EUR")
        asyncio.run(open_book(Settings(portfolio=own)).close())
    made = [{"book": place, "portfolio": name, "base": "EUR"} for name in ("main", "other")]
    assert told == [("BOOK_MADE", each) for each in made]


def test_a_place_without_portfolios_says_so(bursar):
    bursar("new", "--quiet")
    said = bursar("status", "--portfolio", "other", code=3).err
    assert "there is no portfolio 'other' here, only: main" in said


def test_drift_without_a_statement_says_how_one_comes(bursar):
    bursar("new", "--quiet")
    for line in (("drift",), ("drift", "--account", "kraken:main"), ("drift", "accept", "1")):
        said = bursar(*line, code=2).err
        assert "no venue has told yet what it holds: `bursar init` writes a config.yaml" in said
    bursar("init", "--quiet")
    said = bursar("drift", code=2).err
    assert "no venue has told yet what it holds: `bursar sync` asks\n" in said


@pytest.mark.parametrize(
    "line,instead",
    [
        (("fee", "-5", "EUR"), "a fee that is paid back is a rebate"),
        (("deposit", "-5", "EUR"), "what leaves is a withdrawal"),
        (("withdrawal", "-5", "EUR"), "what comes is a deposit"),
    ],
)
def test_what_is_below_zero_has_another_name(bursar, line, instead):
    bursar("new", "--quiet")
    assert f"-5 is not above zero; {instead}\n" in bursar("add", *line, code=2).err
    zero = (line[0], "0", line[2])
    assert "0 is not above zero\n" in bursar("add", *zero, code=2).err


@pytest.mark.parametrize("line", [("new",), ("token", "new", "x"), ("serve",)], ids=" ".join)
def test_an_empty_file_may_have_been_a_book(bursar, answering, line):
    Path("bursar.db").touch()
    assert "there is no book in it, or none any more" in bursar(*line, code=4).err
