"""`bursar performance`: what it shows, what it says in JSON, and that help stays quick."""

import os
import re
import subprocess
import sys
from decimal import Decimal

import pytest

from bursar.cli.performance import spark
from bursar.desk import Desk
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
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


def test_a_book_without_a_past_says_so(story, bursar):
    said = bursar("performance").out
    assert "a return needs two complete moments" in said
    assert "unit price" not in said
    assert "falls" not in said
    bursar("performance", "fortnight", code=2)


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
