"""An account with every kind of row that Kraken writes: clean as it is, and never when a row is
gone.
"""

import json
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from bursar.ledger import instant
from bursar.ledger.entries import Movement, MovementKind
from bursar.ledger.planning import folded
from bursar.ledger.terms import Terms
from bursar.reconcile import Holding, Statement, ours_of, reconcile
from bursar.reconcile.locate import effect
from bursar.value.marks import Marks
from bursar.venue.files import read
from bursar.venue.kraken.assets import coin

SAMPLES = Path(str(files("bursar.samples") / "kraken-story-a"))
BALANCES = Path(__file__).with_name("story-a-balances.json")
ACCOUNT = "kraken:main"
GENERATIONS = ["gen1-10col", "gen2-11col", "gen3-12col", "gen4-16col"]


def stated(as_of):
    told = json.loads(BALANCES.read_text("utf-8"), parse_float=Decimal)["result"]
    return Statement(
        account=ACCOUNT,
        as_of=as_of,
        holdings=tuple(
            Holding(
                asset=coin(code).asset,
                code=code,
                total=Decimal(said["balance"]),
                pocket=coin(code).pocket,
                reserved=Decimal(said["hold_trade"]),
            )
            for code, said in told.items()
        ),
    )


def found(statements):
    as_of = max(each.executed_at for each in statements) + instant.SECOND
    line = folded(Terms(base="EUR"), statements)
    return reconcile(stated(as_of), ours_of(line, ACCOUNT, as_of, is_whole=True), marks=Marks())


def told(*names):
    return [each for name in names for each in read(SAMPLES / name).statements]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_ledger_alone_is_clean(generation):
    assert found(told(f"ledgers.{generation}.csv")).is_clean


def test_so_is_every_file_together():
    ledgers = [f"ledgers.{generation}.csv" for generation in GENERATIONS]
    assert found(told(*ledgers, "trades.gen1-13col.csv", "trades.gen2-24col.csv")).is_clean


ROWS = [row for row in told("ledgers.gen1-10col.csv") if isinstance(row, Movement)]


@pytest.mark.parametrize("gone", ROWS, ids=lambda row: f"{row.id[-6:]} {row.kind.value}")
def test_no_row_can_go_unseen(gone):
    result = found([row for row in ROWS if row is not gone])
    if not effect(gone):
        assert result.is_clean  # it moved nothing
        return
    assert not result.is_clean
    amounts = [shift.amount for each in result.breaks for shift in each.shifts]
    assert effect(gone) in amounts or gone.kind is MovementKind.INTERNAL
    for each in result.breaks:
        assert each.place.since is None or each.place.since <= gone.executed_at
        assert each.place.until is None or gone.executed_at <= each.place.until
