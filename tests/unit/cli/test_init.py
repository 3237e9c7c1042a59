"""`bursar init`, and what the settings do to the other commands."""

from pathlib import Path
from shutil import copy

import pytest
import yaml

from bursar.config import PortfolioSettings, load
from tests.unit.cli.conftest import STORY


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in PortfolioSettings.model_fields:
        monkeypatch.delenv(f"PORTFOLIO_{name.upper()}", raising=False)


def test_the_file_says_what_the_defaults_are(bursar):
    bursar("init")
    told = load(Path("config.yaml"))
    assert told.portfolio == load().portfolio
    assert len(told.venues) == 1
    assert told.venues[0] == type(told.venues[0])()


def test_the_file_counts_in_what_the_book_does_or_in_what_is_asked_for(bursar, ask):
    assert ask("init", "first.yaml", "--base", "chf") == {"file": "first.yaml", "base": "CHF"}
    assert load(Path("first.yaml")).portfolio.base_currency == "CHF"
    bursar("new", "--base", "EUR")
    assert "base currency EUR" in bursar("init").out
    assert load(Path("config.yaml")).portfolio.base_currency == "EUR"
    assert "kept in EUR" in bursar("init", "other.yaml", "--base", "USD", code=2).err
    assert "no currency" in bursar("init", "other.yaml", "--base", "a b", code=2).err
    assert not Path("other.yaml").exists()
    Path("broken.db").write_bytes(b"no book")
    assert "not asked" in bursar("init", "third.yaml", "--book", "broken.db").err
    assert load(Path("third.yaml")).portfolio.base_currency == "USD"


@pytest.mark.parametrize("makes", [("new",), ("import", "prices.csv")])
def test_a_new_book_is_as_the_settings_want_it(bursar, ask, makes):
    copy(STORY / "prices.csv", "prices.csv")
    Path("config.yaml").write_text(
        "portfolio: {base_currency: EUR, cost_basis_method: fifo, pegs: [EURC]}\n"
    )
    ran = bursar(*makes)
    assert "base currency EUR, cost rule fifo" in ran.out + ran.err
    (listed,) = ask("portfolio", "list")["portfolios"]
    assert (listed["base"], listed["method"]) == ("EUR", "fifo")
    ran = bursar(*makes, "--base", "USD", "--portfolio", "own")
    assert "base currency USD, cost rule fifo" in ran.out + ran.err


def test_every_setting_of_the_portfolio_stands_in_the_file(bursar):
    bursar("init", "mine.yaml")
    text = Path("mine.yaml").read_text()
    for name in load().portfolio.model_dump():
        assert f"{name}:" in text, name


def test_commented_lines_are_settings_too(bursar):
    bursar("init")
    text = Path("config.yaml").read_text()
    for line in (
        "  # pegs:",
        "  # reconciliation_tolerance:",
        "  # reconciliation_tolerance_total:",
        *["    #  - {"] * 3,
    ):
        assert line in text
        text = text.replace(line, line.replace("# ", "", 1).replace("#", "", 1), 1)
    text = text.replace("tags: []", "tags:")
    Path("config.yaml").write_text(text)
    told = load(Path("config.yaml"))
    assert told.portfolio.pegs == ("USDT", "USDC")
    assert [rule.strategy for rule in told.venues[0].tags] == ["trend_v1", "grid", None]


def test_a_file_that_is_there_stays(bursar):
    Path("config.yaml").write_text("portfolio: {name: own}\n")
    assert "already" in bursar("init", code=2).err
    assert Path("config.yaml").read_text() == "portfolio: {name: own}\n"
    bursar("init", "--force")
    assert yaml.safe_load(Path("config.yaml").read_text())["portfolio"]["name"] == "main"


def test_the_settings_choose_book_and_view(ask, bursar, story, monkeypatch):
    Path("config.yaml").write_text("portfolio: {book: bursar.db, exclude_assets: [ETH]}\n")
    told = ask("status")["excluded"]
    assert "ETH" in told["assets"]
    assert (told["margins"], told["unvalued"]) == ([], [])
    monkeypatch.setenv("PORTFOLIO_EXCLUDE_ASSETS", '["DOT"]')
    assert ask("status")["excluded"]["assets"] == ["DOT"]
    monkeypatch.setenv("PORTFOLIO_BOOK", "other.db")
    assert "other.db" in bursar("status", code=3).err
    assert ask("status", "--book", "bursar.db")["base"] == "EUR"
    monkeypatch.setenv("BURSAR_BOOK", "bursar.db")
    assert ask("status")["base"] == "EUR"


def test_a_config_of_another_program_is_none_of_ours(ask, story):
    Path("config.yaml").write_text("server: {port: 80}\n")
    assert ask("status")["base"] == "EUR"


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_a_config_of_ours_is_known_by_whichever_editor(ask, story, coding):
    Path("config.yaml").write_text("portfolio:\n  name: other\n", encoding=coding)
    fault = ask("status", code=3 if coding == "utf-8-sig" else 2)["error"]
    assert ("other" if coding == "utf-8-sig" else "this is no UTF-8 text") in fault["message"]


def test_a_wrong_setting_is_told_with_its_line(bursar):
    Path("config.yaml").write_text("portfolio:\n  base_curency: EUR\n")
    assert "config.yaml, line 2: portfolio.base_curency" in bursar("status", code=2).err


def test_the_status_tells_what_passes_a_limit_and_when_it_cannot_know(ask, bursar, story):
    Path("limits.yaml").write_text("positions_max: 0\ndrawdown_pct_max: 90\n")
    Path("config.yaml").write_text("portfolio: {book: bursar.db, risk_limits_file: limits.yaml}\n")
    found = ask("status")["limits"]
    assert (found["freshness"], found["source"]) == ("fresh", "limits.yaml")
    assert [each.partition(":")[0] for each in found["breaches"]] == ["positions"]
    assert "limits of limits.yaml: 1 to look at" in bursar("status").out
    text = "portfolio: {book: bursar.db, risk_safety_service_url: 'http://127.0.0.1:9'}\n"
    Path("config.yaml").write_text(text)
    assert ask("status")["limits"]["freshness"] == "missing"
    assert "(missing, so no all-clear)" in bursar("status").out
