"""One made-up account in every generation of Kraken's exports: all must tell one story."""

import csv
import json
from decimal import Decimal
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from random import Random

import pytest

from bursar.errors import Malformed
from bursar.ledger.entries import Fill, MarginFill, Movement, MovementKind, decode, encode
from bursar.ledger.journal import Outcome, judge
from bursar.venue.files import read
from bursar.venue.kraken.assets import coin
from tests import figures

STORY = Path(str(files("bursar.samples") / "kraken-story-a"))
LEDGERS = sorted(STORY.glob("ledgers.*.csv"))
TRADES = sorted(STORY.glob("trades.*.csv"))
EXPECTED = json.loads((STORY / "expected.json").read_text())["expected"]


def said_in(path):
    return read(path).statements


def told(path):
    return {said.id: said for said in said_in(path)}


def movement(number):
    name = f"kraken:main:LA{number:04}-AAAAA-{number:06}"
    return told(LEDGERS[-1])[name]


@pytest.fixture(params=LEDGERS, ids=lambda path: path.name)
def ledger(request):
    return request.param


def test_the_story_is_all_there():
    assert [len(LEDGERS), len(TRADES)] == [4, 2]


def test_every_row_is_read(ledger):
    reading = read(ledger)
    assert len(reading.statements) == EXPECTED["ledger_rows"] == 46
    assert reading.pending == (2 if "gen1" in ledger.name else 0)
    assert reading.rows == 46 + reading.pending
    assert reading.breaks == ()
    assert all(isinstance(said, Movement) for said in reading.statements)


@pytest.mark.parametrize(
    "one,other", list(combinations(LEDGERS, 2)) + list(combinations(TRADES, 2))
)
def test_no_generation_contradicts_another(one, other):
    first, second = told(one), told(other)
    assert first.keys() == second.keys()
    for name, said in second.items():
        for known, again in ((first[name], said), (said, first[name])):
            verdict = judge(again, [known])
            assert verdict.outcome is not Outcome.CONFLICT, f"{name}: {verdict}"
        assert said.sequence == first[name].sequence


def test_the_same_file_again_adds_nothing(ledger):
    first = told(ledger)
    for name, said in told(ledger).items():
        assert judge(said, [first[name]]).outcome is Outcome.DUPLICATE


def test_rows_add_up_to_the_last_digit(ledger):
    sums: dict[str, Decimal] = {}
    for said in said_in(ledger):
        sums[said.asset] = sums.get(said.asset, Decimal(0)) + said.amount - said.fee
    right = {coin(name).asset: value for name, value in EXPECTED["final_balance_by_asset"].items()}
    assert sums == {asset: Decimal(value) for asset, value in right.items()}


def test_the_last_balance_of_each_code_is_the_venues(ledger):
    last = {}
    for said in said_in(ledger):
        last[said.code] = said.balance
    right = {
        coin(name).code: value for name, value in EXPECTED["final_balance_by_venue_code"].items()
    }
    assert last == {code: Decimal(value) for code, value in right.items()}


@pytest.mark.parametrize(
    "numbers,kind",
    [
        ([1, 2], MovementKind.DEPOSIT),
        ([*range(3, 20), 26, 27, 33, 45, 46], MovementKind.TRADE),
        ([20, 21, 23, 24], MovementKind.INTERNAL),
        ([22, 25, 28, 44], MovementKind.REWARD),
        ([29, 30, 31], MovementKind.WITHDRAWAL),
        ([32], MovementKind.AIRDROP),
        ([34, 37, 40], MovementKind.MARGIN),
        ([35, 36], MovementKind.FINANCING),
        ([38, 39, 41, 42, 43], MovementKind.CONVERSION),
    ],
)
def test_the_kind_of_each_row(ledger, numbers, kind):
    statements = told(ledger)
    for number in numbers:
        name = f"kraken:main:LA{number:04}-AAAAA-{number:06}"
        assert statements[name].kind is kind, name


def test_rows_of_one_second_are_counted_per_code(ledger):
    statements = told(ledger)
    ranks = [
        statements[f"kraken:main:LA{number:04}-AAAAA-{number:06}"].sequence
        for number in range(5, 11)
    ]
    assert ranks == [0, 0, 1, 1, 2, 2]


def test_pockets_and_groups():
    assert movement(21).pocket == movement(22).pocket == movement(23).pocket == "staked"
    assert movement(24).pocket == movement(25).pocket == "bonded"
    assert movement(28).pocket == "auto-earn"
    assert movement(1).pocket is None
    assert movement(23).group is movement(24).group is movement(25).group is None
    assert movement(3).group == movement(4).group == "kraken:main:TA0001-AAAAA-000001"
    assert movement(29).group == movement(30).group


@pytest.mark.parametrize("path", TRADES, ids=lambda path: path.name)
def test_trades(path):
    statements = told(path)
    assert len(statements) == EXPECTED["trades_history_rows"] == 12
    margin = [said for said in statements.values() if isinstance(said, MarginFill)]
    assert [said.id.rpartition(":")[2] for said in margin] == [
        "TA0030-MARGN-OPEN01/margin",
        "TA0031-MARGN-CLOS01/margin",
    ]
    assert {said.pair for said in statements.values()} == {
        "XBT/EUR",
        "ETH/EUR",
        "DOT/EUR",
        "ALGO/EUR",
        "XTZ/EUR",
    }
    first = statements["kraken:main:TA0001-AAAAA-000001"]
    assert isinstance(first, Fill)
    assert (first.quantity, first.amount, first.price) == (
        Decimal("0.05"),
        Decimal(2000),
        Decimal(40000),
    )


def test_a_trade_lists_the_rows_of_its_group():
    rows = told(LEDGERS[0])
    for said in read(TRADES[0]).statements:
        if isinstance(said, Fill):
            own = {name for name, row in rows.items() if row.group == said.group}
            assert set(said.rows) == own


def test_statements_survive_the_journal(ledger):
    for said in (*read(ledger).statements, *read(TRADES[0]).statements):
        assert decode(encode(said)) == said


def test_an_account_of_another_name():
    for path in (*LEDGERS, *TRADES):
        for said in read(path, "kraken:second").statements:
            assert said.account == "kraken:second"
            assert said.id.startswith("kraken:second:")


def rewritten(path, tmp_path, change):
    header, *rows = list(csv.reader(path.read_text().splitlines()))
    made = tmp_path / path.name
    with made.open("w", newline="") as file:
        csv.writer(file).writerows(change([header, *rows]))
    return made


def test_any_order_of_rows_gives_the_same_statements(ledger, tmp_path):
    right = told(ledger)

    def newest_first(rows):
        return [rows[0], *reversed(rows[1:])]

    assert told(rewritten(ledger, tmp_path, newest_first)) == right
    for seed in range(figures.MUTANTS):
        random = Random(figures.SEED * 1000 + seed)

        def shuffled(rows, random=random):
            return [rows[0], *random.sample(rows[1:], len(rows) - 1)]

        assert told(rewritten(ledger, tmp_path, shuffled)) == right


@pytest.mark.parametrize("path", [*LEDGERS, *TRADES], ids=lambda path: path.name)
def test_any_order_of_columns_gives_the_same_statements(path, tmp_path):
    def turned(rows):
        return [row[::-1] for row in rows]

    assert told(rewritten(path, tmp_path, turned)) == told(path)


def test_no_row_can_be_lost_unseen_between_two_of_its_code(ledger, tmp_path):
    statements = said_in(ledger)
    pending = read(ledger).pending
    by_code: dict[str, list[int]] = {}
    for place, said in enumerate(statements):
        by_code.setdefault(said.code, []).append(place)
    tried = 0
    for places in by_code.values():
        for place in places[1:-1]:
            moved = statements[place].amount - statements[place].fee
            if not moved:
                continue
            tried += 1

            def without(rows, lost=1 + pending + place):
                return rows[:lost] + rows[lost + 1 :]

            with pytest.raises(Malformed, match=r"line \d+, column balance: .*, expected "):
                read(rewritten(ledger, tmp_path, without))
    assert tried > 20


def test_prices_are_for_what_the_exports_leave_unvalued():
    prices = said_in(STORY / "prices.csv")
    assert {said.asset for said in prices} == {
        "XBT",
        "ETH",
        "DOT",
        "ALGO",
        "SGB",
        "XTZ",
    }
    assert {said.quote for said in prices} == {"EUR"}
