"""`bursar performance`: what it shows, what it says in JSON, and that help stays quick."""

import os
import re
import subprocess
import sys
from decimal import Decimal

import pytest

from bursar.app.measuring import measuring_of
from bursar.cli.performance import spark
from bursar.config import PortfolioSettings
from bursar.desk import Desk
from bursar.ledger.terms import Terms
from bursar.measure.returns import Calendar
from bursar.portfolio import Portfolio
from bursar.portfolio.risk import Measuring
from bursar.store import open_store
from tests.unit.measure.samples import loose
from tests.unit.portfolio.places import Clock
from tests.unit.portfolio.test_measures import a_month, tell


@pytest.fixture
def kept(tmp_path):
    """A book with a month of snapshots."""
    clock = Clock()
    clock.set("2026-01-01T00:00:01Z")
    store = open_store(tmp_path / "bursar.db", "main", terms=Terms(base="EUR"), create=True)
    with Portfolio(Desk(store, clock), loose(None)) as portfolio:
        tell(portfolio, "2026-01-01T00:00:00Z deposit 10000 EUR #k:1")
        a_month(portfolio)


def test_a_month_reads_well(kept, bursar):
    said = bursar("performance", "--at", "2026-01-31T12:00:00Z").out
    assert re.search(r"^unit price +[▁▂▃▄▅▆▇█]{20,}$", said, re.MULTILINE)
    assert re.search(r"^equity +14,521\.00 +made +-479\.00", said, re.MULTILINE)
    assert re.search(r"^win rate +22\.22 % +profit factor +0\.32", said, re.MULTILINE)
    assert "— 9 round trips; it takes 20" in said
    assert re.search(r"^2026-01-02 10:00 .* open", said, re.MULTILINE)
    assert re.search(r"^trend +9 +22\.22 % +-392\.20", said, re.MULTILINE)
    exact = bursar("performance", "2026-01-10..2026-01-20", "--exact", "--heatmap", "symbol").out
    assert re.search(r"^XBT +-395", exact, re.MULTILINE)
    assert "22.222222222222222222 %" in bursar("performance", "--exact").out


def test_the_document_has_times_and_reasons(kept, ask):
    found = ask("performance", "2026-01-10..", "--heatmap", "month")
    assert found["opened_at"] == "2026-01-09T10:00:00Z"
    assert found["kelly_trades"]["half"] == {"value": None, "reason": "7 round trips; it takes 20"}
    assert found["curve"]["points"][0]["at"] == found["opened_at"]
    assert found["heatmap"]["total"] == "-395"
    assert ask("performance", "..2026-01-05")["trades"]["count"] == 0


def test_the_settings_say_how_it_is_measured(kept, ask, bursar, tmp_path):
    (tmp_path / "mine.csv").write_text("XBT,GOLD,EXPANSION\n")
    settings = """portfolio:
  base_currency: EUR
  sectors_file: mine.csv
  periods_per_year: 252
  risk_free_pct: 3.5
  bucket_targets: {CORE: 50, EXPANSION: 50}
"""
    (tmp_path / "config.yaml").write_text(settings)
    told = ask("performance")["conventions"]
    assert (told["periods"], told["risk_free_pct"]) == (252, "3.5")
    (tmp_path / "config.yaml").write_text(settings.replace("CORE: 50", "CORE: 40"))
    assert "must add up to 100" in bursar("performance", code=2).err
    (tmp_path / "config.yaml").write_text(settings.replace("mine.csv", "none.csv"))
    assert "none.csv cannot be read" in bursar("performance", code=2).err


def test_measuring_of_settings(tmp_path):
    (tmp_path / "mine.csv").write_text("XBT,GOLD,EXPANSION\n")
    usual = measuring_of(PortfolioSettings())
    assert usual == Measuring()
    made = measuring_of(PortfolioSettings(sectors_file=tmp_path / "mine.csv", periods_per_year=252))
    assert made.calendar is Calendar.WEEKDAYS
    assert loose(made.table).of("BTC").sector == "GOLD"


def test_a_book_without_snapshots_is_rebuilt_and_says_so(story, bursar, ask):
    said = bursar("performance").out
    assert "! the curve is rebuilt from trades, at last known prices" in said
    assert "lack a price" not in said, "fee credits are no money"
    told = ask("performance")
    assert told["is_rebuilt"]
    assert {point["is_stale"] for point in told["curve"]["points"]} == {True}
    bursar("performance", "fortnight", code=2)


def test_a_new_book_has_nothing_to_show(bursar):
    bursar("new", "--base", "EUR")
    said = bursar("performance").out
    assert "a return needs two complete moments" in said
    assert "unit price" not in said
    assert "falls" not in said


def test_trips_that_rest_on_a_fee_without_a_price_are_counted(bursar, ask):
    bursar("new", "--base", "EUR")
    for day, words in (
        ("02", "reward 3 DUST"),
        ("03", "buy 2 XBT/EUR @ 100"),
        ("04", "sell 1 XBT/EUR @ 110"),
    ):
        fee = ("--fee", "1 DUST") if day == "04" else ()
        bursar("add", *words.split(), "--time", f"2026-01-{day}", *fee, "--yes")
    said = "! 1 of 1 trips have a fee, a leg or a settlement that nobody priced,"
    assert said in bursar("performance").out
    assert ask("performance")["trades"]["unpriced"] == 1


def test_a_curve_is_drawn_between_its_lowest_and_highest():
    values = [Decimal(value) for value in (0, 7, 3, 7)]
    assert spark(values, 80) == "▁█▄█"
    assert spark(values, 2) == "▁▁"
    assert spark(values[:1], 80) == "▁"
    assert spark([], 80) == ""


def test_help_loads_no_statistics(tmp_path):
    """What `--help` loads is what makes it slow; the library of returns is not among it."""
    asked = "import sys; from bursar.cli import main; main(['--help']); print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True, env=os.environ
    )
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert "bursar.cli.performance" in loaded
    heavy = {"pyxirr", "numpy", "sqlalchemy", "bursar.measure", "bursar.portfolio"}
    assert not {name for name in loaded if name in heavy}
