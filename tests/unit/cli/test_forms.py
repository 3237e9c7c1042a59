"""One form for a thing in every `--json`: a time is RFC 3339, a figure its plain digits as text."""

import json
import re
from pathlib import Path

from bursar import open as opened
from bursar.cli import main
from bursar.portfolio.service import PortfolioService, Rules
from tests.unit.cli.conftest import STORY

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
FIGURE = re.compile(r"-?\d+(\.\d+)?")
LINES = [
    ("status", "--by-account"),
    ("positions",),
    ("pnl", "--by", "strategy"),
    ("pnl", "--by", "month"),
    ("performance",),
    ("performance", "30d"),
    ("report", "--output", "r.html"),
    ("lots", "--method", "fifo"),
    ("fees",),
    ("flows",),
    ("trades",),
    ("strategies",),
    ("allocate",),
    ("allocate", "--apply"),
    ("allocate", "why", "trend"),
    ("allocate", "shadow"),
    ("strategies",),
    ("profits",),
    ("profits", "--apply"),
    ("plan", "w.csv"),
    ("why", "equity"),
    ("verify",),
    ("journal",),
    ("tx", "log"),
    ("tx", "stats"),
    ("tx", "review", "c.json"),
    ("token", "list"),
    ("portfolio", "list"),
    ("backup", "b.backup"),
    ("add", "deposit", "5", "EUR"),
    ("import", STORY / "prices.csv"),
]


def fields(document, name=""):
    match document:
        case dict():
            for key, each in document.items():
                yield from fields(each, key)
        case list():
            for each in document:
                yield from fields(each, name)
        case _:
            yield name, document


def test_a_thing_has_one_form_in_every_answer(story, bursar, capsys):
    for coin in ("XBT", "ETH"):
        deed = (coin, "@", "3000", "EUR", "--strategy", "trend", "--yes", "--quiet")
        bursar("add", "buy", "0.5", *deed, "--time", "2024-02-01", "--account", "kraken:main")
        bursar("add", "sell", "0.4", *deed, "--time", "2024-02-02", "--account", "kraken:main")
    cycle = '{"validation_epsilon": "1000000", "cash": {"delta": "10"}, "mark_prices": '
    Path("c.json").write_text(cycle + '{"ALGO":1,"DOT":1,"ETH":1,"SGB":1,"XBT":1,"KFEE":0}}')
    Path("w.csv").write_text("symbol,weight\nXBT,0.5\n")
    bursar("tx", "commit", "c.json", "--yes", "--quiet")
    bursar("token", "new", "bot", "--quiet")
    seen = set()
    for line in LINES:
        capsys.readouterr()
        assert main([*map(str, line), "--json"]) in {0, 1, 5}, line
        for name, value in fields(json.loads(capsys.readouterr().out)):
            where = f"{' '.join(map(str, line))}: {name} = {value!r}"
            assert not isinstance(value, float), where
            if isinstance(value, int):
                assert abs(value) < 10**15, where
            elif value is not None and (name.endswith("_at") or name in {"at", "as_of"}):
                assert TIME.fullmatch(value), where
            elif value is not None and name == "day":
                assert DAY.fullmatch(value), where
            elif name in {"weight", "share", "drawdown", "reserve"} or name.endswith("_pct"):
                assert value is None or FIGURE.fullmatch(value), where
            seen.add(name)
    assert {"at", "day", "weight", "recorded_at", "closed_at", "committed_at"} <= seen


def test_an_asset_of_two_old_marks_is_named_once_as_the_service_does(ask, tmp_path):
    book = str(tmp_path / "book.db")
    with opened(book) as portfolio:
        portfolio.add("deposit", "100", "USD", time="2026-01-01")
        portfolio.add("deposit", "5", "FOO", time="2026-01-01", worth="5")
        portfolio.add("buy", "1", "BAR/FOO", price="2", time="2026-01-02", worth="2")
        portfolio.add("sell", "0.5", "BAR/USD", price="7", time="2026-01-03")
        stale = PortfolioService(portfolio).get_equity().stale
    told = ask("--book", book, "status")["coverage"]
    assert told["stale"] == told["last_trade"] == list(stale) == ["BAR", "FOO"]


def test_trades_that_no_strategy_made_are_in_pnl_as_the_setting_says(bursar, ask):
    """As `PortfolioService` and the service have it; `--manual` and `--no-manual` say otherwise."""
    bursar("new", "--quiet")
    for words in (
        ("deposit", "1000", "USD", "--time", "2026-01-01"),
        ("buy", "4", "ABC/USD", "@", "10", "--time", "2026-01-02"),
        ("sell", "1", "ABC/USD", "@", "12", "--time", "2026-01-31"),
        ("sell", "1", "ABC/USD", "@", "15", "--strategy", "t", "--time", "2026-02-01"),
    ):
        bursar("add", *words, "--yes", "--quiet")
    own = ("--config", "own.yaml")
    Path("own.yaml").write_text("portfolio: {book: bursar.db, track_manual_trades: false}\n")
    for by in ("pair", "strategy", "month"):
        for given, realized in (((), 7), (own, 5), ((*own, "--manual"), 7), (("--no-manual",), 5)):
            told = ask("pnl", "--by", by, *given)
            assert told["includes_manual"] is (realized == 7)
            assert told["methods"][0]["total"]["realized"] == str(realized), (by, given)
    assert "--manual counts them" in bursar("pnl", *own).out
    assert "--manual counts them" not in bursar("pnl").out
    with opened("bursar.db") as portfolio:
        service = PortfolioService(portfolio, rules=Rules(tracks_manual=False))
        assert service.get_pnl_summary().realized_pnl_base_total == 5
