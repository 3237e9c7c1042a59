"""The examples run, and do what they say."""

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bursar
from bursar.serve.routes import READS, WRITES
from tests.servers.redis import binary

ROOT = Path(__file__).parents[2]
CYCLE = ROOT / "examples" / "trading_cycle.py"
WALK = ROOT / "examples" / "walk.sh"
CONTRACT = (
    *("trade.opened", "trade.closed", "order.executed", "ess.tripped", "market.tick"),
    *(f"portfolio.{name}_updated" for name in ("snapshot", "pnl", "drawdown", "exposure")),
)
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


VALIDATION = ROOT / "examples" / "validate_rebalance.py"


def validated(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", [str(VALIDATION), *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(VALIDATION), run_name="__main__")
    return left.value.code, capsys.readouterr().out.splitlines()


def test_the_validation_of_plans_holds_on_its_sample(monkeypatch, capsys):
    code, said = validated(monkeypatch, capsys)
    assert (code, said[-1]) == (0, "The plan holds.")
    reasons = {line.split()[0]: line.split()[-1] for line in said[:-3]}
    assert reasons["TSLA"] == "not_targeted"
    assert reasons["GME"] == "dust"
    assert reasons["BTC"] == "below_step"


def test_the_validation_takes_a_request_or_a_book(tmp_path, monkeypatch, capsys):
    request = tmp_path / "request.json"
    request.write_text(
        '{"target_weights": {"A": 1}, "holdings": {"positions": {}, "prices": {}, "cash": 10}}'
    )
    code, said = validated(monkeypatch, capsys, request)
    assert code == 2
    assert said[0] == "Portfolio operation failed: no price of A: a plan would be a guess"
    place, weights = tmp_path / "book.db", tmp_path / "weights.csv"
    weights.write_text("symbol,weight\nXBT,0.5\n")
    with bursar.open(place) as portfolio:
        portfolio.add("deposit", "1000", "USD", time="2026-01-01")
        portfolio.add("buy", "0.01", "XBT/USD", price="50000", time="2026-01-02")
        portfolio.add("deposit", "500", "USD", time="2026-01-03")
    code, said = validated(monkeypatch, capsys, place, weights)
    assert (code, said[-1]) == (0, "The plan holds.")
    assert said[0].split() == ["XBT", "BUY", "250.00", "0.005000000", "underweight"]


def test_the_walk_goes_by_every_route_and_every_event_of_the_contract():
    text = WALK.read_text()
    for route in READS:
        assert re.search(rf"\b{route.name}\b", text), route.name
    for write in WRITES:
        assert f"$(post {write.name} " in text, write.name
    for path in ("/health", "/metrics", "/openapi.json", "/ws/portfolio", "/api/portfolio/export"):
        assert path in text
    for kind in CONTRACT:
        assert kind in text, kind


@pytest.mark.slow("a service, and every program outside it that it is meant for")
def test_a_stranger_walks_the_contract(redis_server, database, monkeypatch):
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    server = redis_server()
    client = Path(binary("redis") or "").with_name("redis-cli")
    if not client.is_file():
        pytest.skip("no redis-cli beside the server")
    monkeypatch.setenv("PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", str(Path(bursar.__file__).parents[1]))
    monkeypatch.setenv("REDIS_SOCKET", server.url.removeprefix("unix://"))
    monkeypatch.setenv("REDIS_CLI", str(client))
    monkeypatch.setenv("BOOK", database)
    ran = subprocess.run(
        ["sh", str(WALK)], capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith("walked\n")
    assert "heard and told" in ran.stdout
