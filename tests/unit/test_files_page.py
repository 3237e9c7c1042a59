"""docs/FILES.md: its example is a file, and its figures are those of the book."""

import re
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

import bursar
from bursar.ledger import audit, projection
from bursar.venue.alpaca.kinds import TYPES

PAGE = Path(__file__).parents[2] / "docs/FILES.md"
D = Decimal


@pytest.fixture
def example(tmp_path):
    (text,) = re.findall(r"^```csv\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    path = tmp_path / "mine.csv"
    path.write_text(text)
    return path


def balances(portfolio):
    return {(each.account, each.asset): each.total for each in portfolio.balances(by_account=True)}


def swing(portfolio):
    """What the strategy of the example made."""
    line = portfolio.pnl("strategy")[0].pnl.lines.get("swing")
    return None if line is None else line.realized


def test_the_figures_of_the_example(example):
    with bursar.open(":memory:") as portfolio:
        review = portfolio.import_files(example).receipt.review
        assert (review.recorded, review.flags, review.conflicts) == (11, {}, ())
        assert balances(portfolio) == {
            ("csv:main", "USD"): D("4839.80"),
            ("csv:main", "BTC"): D("0.35"),
            ("csv:main", "ACME"): D(27),
            ("ledger:cold", "BTC"): D("0.2"),
        }
        costs = {place: sum(lot.cost for lot in lots) for place, lots in portfolio.lots().items()}
        assert costs == {
            ("csv:main", "BTC"): 14_000,
            ("csv:main", "ACME"): 900,
            ("ledger:cold", "BTC"): 6_000,
        }
        assert audit.totals(portfolio.timeline.book) == audit.Totals(
            cost=D("25739.80"),
            contributed=D(25_000),
            realized=D("709.30"),
            income=D("30.50"),
            expenses=D(0),
        )
        assert swing(portfolio) == D("192.30")


def test_the_example_again_in_any_order_is_the_same_book(example):
    header, *rows = example.read_text().splitlines()
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(example)
        right = projection.digest(portfolio.timeline.book)
        assert portfolio.import_files(example).receipt.review.duplicates == len(rows)
        assert projection.digest(portfolio.timeline.book) == right
    for seed in range(5):
        shuffled = Random(seed).sample(rows, len(rows))
        with bursar.open(":memory:") as portfolio:
            for part in (shuffled[:4], shuffled[2:], shuffled[:6]):
                example.write_text("\n".join([header, *part]) + "\n")
                portfolio.import_files(example)
            assert projection.digest(portfolio.timeline.book) == right


def test_a_strategy_may_be_filled_in_later(example):
    text = example.read_text()
    with bursar.open(":memory:") as portfolio:
        example.write_text(text.replace("swing", ""))
        portfolio.import_files(example)
        assert swing(portfolio) is None
        example.write_text(text)
        review = portfolio.import_files(example).receipt.review
        assert (review.recorded, review.duplicates, review.conflicts) == (2, 9, ())
        assert swing(portfolio) == D("192.30")


def test_every_type_of_alpaca_that_is_known_is_on_the_page():
    text = PAGE.read_text("utf-8").partition("## Alpaca")[2].partition("## Generic CSV")[0]
    named = set(re.findall(r"\b[A-Z]{2,7}\b", text))
    assert set(TYPES) <= named
