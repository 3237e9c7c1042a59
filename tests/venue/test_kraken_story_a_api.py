"""The story's account as the API tells it: the same facts as its exports, in any order."""

import asyncio
import json
from decimal import Decimal
from importlib.resources import files
from itertools import permutations
from pathlib import Path

import pytest

from bursar.ledger.journal import Outcome, judge
from bursar.ledger.planning import folded
from bursar.ledger.projection import digest
from bursar.ledger.terms import Terms
from bursar.venue.files import read
from tests.venue.kraken_model import Model, account, synced
from tests.venue.test_kraken_public import KRAKEN

STORY = KRAKEN / "own-made" / "story-a"
SAMPLES = Path(str(files("bursar.samples") / "kraken-story-a"))
LEDGERS = sorted(SAMPLES.glob("ledgers.*.csv"))
TRADES = sorted(SAMPLES.glob("trades.*.csv"))

pytestmark = pytest.mark.skipif(
    not STORY.is_dir(), reason=f"NOT RUN: the story's API answers are not at {STORY}"
)


def results(name):
    return json.loads((STORY / name).read_text(), parse_float=Decimal)["result"]


def story():
    model = Model()
    model.ledger = oldest_first(results("Ledgers.all.json")["ledger"])
    model.trades = oldest_first(results("TradesHistory.all.json")["trades"])
    model.balances = results("BalanceEx.json")
    model.open = results("OpenOrders.json")["open"]
    return model


def oldest_first(rows):
    return dict(reversed(rows.items()))


def by_api(tmp_path, **options):
    async def run():
        async with account(story(), tmp_path, **options) as there:
            return [said for chunk in await synced(there) for said in chunk.statements]

    return asyncio.run(run())


def by_files(ledger, trades):
    return [*read(ledger).statements, *read(trades).statements]


def book(statements):
    return digest(folded(Terms(base="EUR"), statements).book)


def recorded(statements):
    """What a journal keeps of statements: each that adds something, by its verdict."""
    known: dict = {}
    kept = []
    for said in statements:
        before = known.setdefault((said.source, said.id), [])
        verdict = judge(said, before)
        assert verdict.outcome is not Outcome.CONFLICT, f"{said.id}: {verdict}"
        if verdict.outcome is Outcome.RECORDED:
            before.append(said)
            kept.append(said)
    return kept


def test_every_row_is_told_once(tmp_path):
    told = by_api(tmp_path)
    assert len(told) == len({said.id for said in told}) == 46 + 12


@pytest.mark.parametrize("ledger", LEDGERS, ids=lambda path: path.name)
@pytest.mark.parametrize("trades", TRADES, ids=lambda path: path.name)
def test_the_exports_say_the_same_facts(tmp_path, ledger, trades):
    api, exported = by_api(tmp_path), by_files(ledger, trades)
    assert {said.id for said in api} == {said.id for said in exported}
    assert {said.id: said.group for said in api} == {said.id: said.group for said in exported}


def test_exports_and_api_in_any_order_make_one_book(tmp_path):
    api = by_api(tmp_path)
    parts = [api, *(list(read(path).statements) for path in (LEDGERS[-1], TRADES[-1]))]
    books = {
        book(recorded(said for place in order for said in parts[place]))
        for order in permutations(range(3))
    }
    assert len(books) == 1


def test_the_api_alone_makes_the_book_of_the_exports(tmp_path):
    api = folded(Terms(base="EUR"), recorded(by_api(tmp_path))).book
    exported = folded(Terms(base="EUR"), recorded(by_files(LEDGERS[-1], TRADES[-1]))).book
    assert api.balances == exported.balances


def test_the_statement_is_the_venues(tmp_path):
    async def run():
        async with account(story(), tmp_path) as there:
            return await there.statement()

    statement = asyncio.run(run())
    held = {each.code: (each.total, each.reserved) for each in statement.holdings}
    assert held["EUR"] == (Decimal("4143.3726"), Decimal(300))
    assert held["ETH"] == (Decimal(1), Decimal("0.5"))
    assert {each.code: each.pocket for each in statement.holdings}["DOT.S"] == "staked"
