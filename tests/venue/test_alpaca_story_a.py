"""One made-up Alpaca account, as JSON and as CSV: both tell one story, to the last digit."""

import csv
import json
import os
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest

import bursar
from bursar.ledger import audit, projection
from bursar.ledger.entries import Fill, decode, encode
from bursar.ledger.terms import Account
from bursar.venue.alpaca.symbols import instrument
from bursar.venue.files import read
from tests import figures

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("BURSAR_SHARED", ROOT.parent / "shared")) / "venues" / "alpaca"
STORY = Path(str(files("bursar.samples") / "alpaca-story-a"))
JSON, CSV = STORY / "activities.all.json", STORY / "activities.csv"
ROWS = json.loads(JSON.read_text())
EXPECTED = json.loads((STORY / "expected.json").read_text())["expected"]
D = Decimal


@pytest.fixture(params=[JSON, CSV], ids=lambda path: path.suffix)
def activities(request):
    return request.param


@pytest.fixture
def book(activities):
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(activities)
        yield portfolio


def stated(path):
    return read(path).statements


def summed(flows, *kinds):
    sums: dict[str, Decimal] = {}
    for flow in flows:
        if flow.type in kinds:
            sums[flow.asset] = sums.get(flow.asset, D(0)) + flow.amount
    return sums


def numbers(told, sign=1):
    return {name: sign * D(value) for name, value in told.items()}


def write_json(path, rows):
    path.write_text(json.dumps(rows))


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, sorted({column for row in rows for column in row}))
        writer.writeheader()
        writer.writerows(rows)


def book_of(*batches, terms=None):
    """The digest of a book that took batches of files one after the other."""
    with bursar.open(":memory:", terms=terms) as portfolio:
        for batch in batches:
            portfolio.import_files(*batch)
        return projection.digest(portfolio.timeline.book)


def test_both_files_state_the_same():
    told = {path: {said.id: said for said in read(path).statements} for path in (JSON, CSV)}
    assert told[JSON] == told[CSV]
    assert len(told[JSON]) == len(ROWS) == 14
    for said in told[JSON].values():
        assert decode(encode(said)) == said


def test_what_is_held(book):
    held = {each.asset: each.total for each in book.balances()}
    right = {instrument(name).asset: D(value) for name, value in EXPECTED["positions"].items()}
    assert held == right | {"USD": D(EXPECTED["cash"])}


def test_fills_flows_and_fees(book):
    assert len(book.trades()) == EXPECTED["fills"]
    flows = book.flows()
    assert summed(flows, "deposit") == numbers(EXPECTED["deposits"])
    assert summed(flows, "withdrawal") == numbers(EXPECTED["withdrawals"], -1)
    assert summed(flows, "interest") == numbers(EXPECTED["interest"])
    assert summed(flows, "reward") == numbers(EXPECTED["journal"])
    paid = [flow for flow in flows if flow.type == "dividend"]
    gross = [flow for flow in paid if flow.note == "DIV"]
    assert summed(gross, "dividend") == numbers(EXPECTED["dividends_gross"])
    withheld = [flow for flow in paid if flow.note == "DIVNRA"]
    assert summed(withheld, "dividend") == numbers(EXPECTED["withholding"], -1)
    fees = {name: fee.amount for name, fee in book.fees().by_asset.items()}
    assert fees == numbers(EXPECTED["trade_fees"])


def test_costs_and_equity_are_the_venues_own(book):
    costs = {place[1]: sum(lot.cost for lot in lots) for place, lots in book.lots().items()}
    prices = {}
    for position in json.loads((STORY / "positions.json").read_text()):
        asset = instrument(position["symbol"]).asset
        assert costs[asset] == D(position["cost_basis"]), asset
        prices[asset] = position["current_price"]
    account = json.loads((STORY / "account.json").read_text())
    assert book.equity(prices).value == D(account["equity"])


def test_every_total_by_hand(book):
    # 3 × 250.10 + 7 × 250.12 = 2501.14; a quarter cost 625.285 and brought 600.01. The coin fee,
    # worth 1.50, had cost 1.50. 10,000 − 500 contributed; 2.5 − 0.75 + 1.37 + 5 earned.
    assert audit.totals(book.timeline.book) == audit.Totals(
        cost=D("7006.96") + D("1875.855") + D("598.5"),
        contributed=D(9_500),
        realized=D("-25.275"),
        income=D("8.12"),
        expenses=D("1.53"),
    )
    assert book.gaps() == ()
    assert book.verify().is_sound


def test_lots_by_their_age():
    with bursar.open(":memory:", terms=bursar.Terms(method=bursar.Method.FIFO)) as portfolio:
        portfolio.import_files(JSON)
        (lots,) = [lots for place, lots in portfolio.lots().items() if place[1] == "AAPL"]
    assert [(lot.quantity, lot.cost) for lot in lots] == [
        (D("0.5"), D("125.05")),
        (D(7), D("1750.84")),
    ]


def test_again_as_the_other_kind_of_file_and_in_any_order(tmp_path):
    right = book_of([JSON])
    assert book_of([JSON], [CSV], [JSON]) == right
    assert book_of([CSV, JSON]) == right
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(JSON)
        review = portfolio.import_files(CSV).receipt.review
        assert (review.recorded, review.duplicates, review.conflicts) == (0, 14, ())
    path = tmp_path / "page"
    for seed in range(figures.MUTANTS):
        random = Random(figures.SEED * 1000 + seed)
        rows = random.sample(ROWS, len(ROWS))
        write = random.choice([write_json, write_csv])
        with bursar.open(":memory:") as portfolio:
            for part in (rows[:5], rows[3:9], rows[9:], rows[:1]):
                write(path, part)
                portfolio.import_files(path)
            assert projection.digest(portfolio.timeline.book) == right


def action(number, type_, day, symbol, qty, **more):
    row = {"id": f"{day}::{number}", "activity_type": type_, "date": day, "net_amount": "0"}
    return row | {"symbol": symbol, "qty": qty, "status": "executed"} | more


def fill(number, at, *words):
    side, symbol, qty, price = words
    row = {"id": f"{number}::fill", "activity_type": "FILL", "transaction_time": at}
    return row | {"type": "fill", "side": side, "symbol": symbol, "qty": qty, "price": price}


CORPORATE = [
    {"id": "0::in", "activity_type": "CSD", "date": "2025-01-02", "net_amount": "10000"},
    fill(1, "2025-01-03T15:00:00Z", "buy", "OLD", "25", "40"),
    # Late trading on the evening before counts before the split, that of the day itself after it.
    fill(2, "2025-02-11T00:30:00Z", "buy", "OLD", "5", "40"),
    action(3, "SPLIT", "2025-02-11", "OLD", "-30", description="REMOVE, From QTY:30, To QTY:2"),
    action(4, "SPLIT", "2025-02-11", "OLD", "2", description="ADD, From QTY:30, To QTY:2"),
    fill(5, "2025-02-11T14:30:00Z", "sell", "OLD", "0.5", "700"),
    action(6, "NC", "2025-03-03", "OLD", "-1.5"),
    action(7, "NC", "2025-03-03", "NEW", "1.5"),
    fill(8, "2025-03-04T14:30:00Z", "sell", "NEW", "0.5", "900"),
    action(9, "MA", "2025-04-01", "NEW", "-1", net_amount="950"),
    fill(10, "2025-04-02T14:30:00Z", "sell_short", "SHORT", "10", "50"),
    action(11, "SPLIT", "2025-05-05", "SHORT", "10", description="REMOVE, From QTY:-10"),
    action(12, "SPLIT", "2025-05-05", "SHORT", "-2", description="ADD, From QTY:-10"),
    fill(13, "2025-05-06T14:30:00Z", "buy", "SHORT", "1", "230"),
]


def test_corporate_actions_and_short_sales(tmp_path):
    # 30 for 1200 become 2; 0.5 cost 300 and brought 350; on as NEW, 0.5 for 450, the last 1, at
    # 600, for 950 in a merger. Sold short 10 for 500, then 2 for 500; one bought back for 230.
    terms = bursar.Terms(accounts=(Account("alpaca:main", may_short=True),))
    path = tmp_path / "page"
    digests = set()
    for seed in range(figures.MUTANTS):
        rows = Random(figures.SEED * 1000 + seed).sample(CORPORATE, len(CORPORATE))
        with bursar.open(":memory:", terms=terms) as portfolio:
            for part in (rows[:3], rows[3:8], rows[2:]):
                write_json(path, part)
                portfolio.import_files(path)
            digests.add(projection.digest(portfolio.timeline.book))
            totals = audit.totals(portfolio.timeline.book)
            assert totals.realized == 50 + 150 + 350 + 20
            held = {each.asset: each.total for each in portfolio.balances() if each.total}
            assert held == {"USD": D(10_000 - 1_200 + 350 + 450 + 950 + 500 - 230), "SHORT": D(-1)}
            assert portfolio.gaps() == ()
    assert len(digests) == 1


@pytest.mark.parametrize("day", ["2025-02-11", "2025-07-11"])  # New York's winter and summer
@pytest.mark.parametrize("type_", ["JNLS", "ACATC"])
def test_shares_that_come_in_on_the_day_of_a_split_are_not_split(day, type_, tmp_path):
    path = tmp_path / "page"
    split = [action(1, "SPLIT", day, "OLD", "-10"), action(2, "SPLIT", day, "OLD", "30")]
    sold = fill(4, f"{day}T15:00:00Z", "sell", "OLD", "33", "40")
    write_json(path, [BOUGHT, *split, action(3, type_, day, "OLD", "3", price="40"), sold])
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(path)
        assert {each.asset: each.total for each in portfolio.balances()} == {"USD": D(320)}


def test_a_row_that_is_canceled_later_is_undone_whatever_comes_first(tmp_path):
    done, undone = tmp_path / "done", tmp_path / "undone"
    rows = [CORPORATE[0], CORPORATE[1], *CORPORATE[3:5], action(9, "MA", "2025-04-01", "OLD", "-2")]
    rows[-1]["net_amount"] = "950"
    write_json(done, rows)
    write_json(undone, [row | {"status": "canceled"} for row in (*rows[2:], rows[0])])
    only = tmp_path / "only"
    write_json(only, rows[1:2])
    for batches in ([[done], [undone]], [[undone], [done]], [[undone, done]]):
        with bursar.open(":memory:") as portfolio:
            for batch in batches:
                portfolio.import_files(*batch)
            held = {each.asset: each.total for each in portfolio.balances()}
            assert held == {"OLD": 25, "USD": -1000}
            assert audit.totals(portfolio.timeline.book).contributed == 0


BOUGHT = {
    "id": "f",
    "activity_type": "FILL",
    "transaction_time": "2025-01-03T15:00:00Z",
    "type": "fill",
    "side": "buy",
    "symbol": "OLD",
    "qty": "10",
    "price": "100",
}


CORRECTED, CANCELED = {"status": "correct"}, {"status": "canceled"}
DAY = "2025-03-01"
OUT, MISSPELT = action(1, "NC", DAY, "OLD", "-10"), action(2, "NC", DAY, "NWE", "10")
MERGED = [action(1, "MA", DAY, "OLD", "-10") | {"price": "100"}]
MERGED += [action(2, "MA", DAY, "NEW", "5") | {"price": "200"}]
TOO_MUCH = action(3, "MA", DAY, "NEW", "50") | {"price": "200"}
CHANGED = {
    "a fill at 101 instead of 100": (
        [BOUGHT],
        [BOUGHT | CORRECTED | {"price": "101"}],
        ({"OLD": 10}, 1010),
    ),
    "a fill that was taken back after it was corrected": (
        [BOUGHT, BOUGHT | CORRECTED | {"price": "101"}],
        [BOUGHT | CANCELED | {"price": "101"}],
        ({}, 0),
    ),
    "a split of 10 for 1 that was one of 2 for 1": (
        [BOUGHT, action(1, "SPLIT", DAY, "OLD", "-10"), action(2, "SPLIT", DAY, "OLD", "100")],
        [action(2, "SPLIT", DAY, "OLD", "20") | CORRECTED],
        ({"OLD": 20}, 1000),
    ),
    "a new name that was misspelt, taken back and told again on the same day": (
        [BOUGHT, OUT, MISSPELT],
        [
            OUT | CANCELED,
            MISSPELT | CANCELED,
            OUT | {"id": "3"},
            action(4, "NC", DAY, "NEW", "10"),
        ],
        ({"NEW": 10}, 1000),
    ),
    "a row too many of a merger": (
        [BOUGHT, *MERGED, TOO_MUCH],
        [TOO_MUCH | CANCELED],
        ({"NEW": 5}, 1000),
    ),
}


@pytest.mark.parametrize("before,after,left", CHANGED.values(), ids=CHANGED)
def test_what_was_corrected_or_canceled_counts_so_whatever_comes_first(
    before, after, left, tmp_path
):
    one, other = tmp_path / "one", tmp_path / "other"
    write_json(one, before)
    write_json(other, after)
    digests = set()
    for batches in ([[one], [other]], [[other], [one]], [[one, other]], [[one], [other], [one]]):
        with bursar.open(":memory:") as portfolio:
            for batch in batches:
                portfolio.import_files(*batch)
            balances = {each.asset: each.total for each in portfolio.balances()}
            held = {name: total for name, total in balances.items() if name != "USD"}
            costs = portfolio.timeline.book.holdings.items()
            assert (held, sum(each.cost for (_, name), each in costs if name != "USD")) == left
            assert portfolio.gaps() == ()
            digests.add(projection.digest(portfolio.timeline.book))
    assert len(digests) == 1


def test_a_unit_that_becomes_other_securities_is_one_exchange(tmp_path):
    unit = {"activity_sub_type": "USPLIT"}
    parts = [
        action(1, "SPLIT", DAY, "OLD", "-10") | unit,
        action(2, "SPLIT", DAY, "STOCK", "10") | unit | {"price": "90"},
        action(3, "SPLIT", DAY, "WARRANT", "5") | unit | {"price": "60"},
    ]
    path = tmp_path / "a"
    write_json(path, [BOUGHT, *parts])
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(path)
        # 10 × 90 + 5 × 60 = 1200 for what had cost 1000; nothing went and nothing came besides.
        costs = {name: each.cost for (_, name), each in portfolio.timeline.book.holdings.items()}
        assert (costs["STOCK"], costs["WARRANT"], costs["OLD"]) == (D(900), D(300), D(0))
        totals = audit.totals(portfolio.timeline.book)
        assert (totals.realized, totals.contributed) == (D(200), D(0))
        assert portfolio.gaps() == ()


def test_shares_that_are_removed_as_worthless_are_a_loss(tmp_path):
    gone = action(1, "REORG", DAY, "OLD", "-10") | {"activity_sub_type": "WRM", "price": "0.01"}
    path = tmp_path / "a"
    write_json(path, [BOUGHT, gone])
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(path)
        totals = audit.totals(portfolio.timeline.book)
        assert (totals.realized, totals.contributed) == (D(-1000), D(0))
        assert portfolio.gaps() == ()


def test_shares_of_a_spin_off_are_income_at_their_worth(tmp_path):
    path = tmp_path / "a"
    write_json(path, [BOUGHT, action(1, "SPIN", DAY, "PART", "2") | {"price": "30"}])
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(path)
        totals = audit.totals(portfolio.timeline.book)
        assert (totals.income, totals.contributed) == (D(60), D(0))
        assert portfolio.gaps() == ()
        assert {each.asset: each.total for each in portfolio.balances()}["PART"] == 2


@pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"NOT RUN: recorded Alpaca data is not at {SHARED} (BURSAR_SHARED)"
)
def test_recorded_activities_and_answers_of_other_kinds():
    said = stated(SHARED / "alpaca-go/activities-DIV-FILL.json")
    assert [str(each.amount) for each in said[:2]] == ["1.02", "5"]
    assert isinstance(said[2], Fill)
    assert (said[2].base, str(said[2].price), said[2].quantity) == ("AAPL", "3.8", D(643))
    for path in sorted(SHARED.glob("alpaca-py/*/*.json")):
        with pytest.raises(bursar.errors.UnknownFormat, match="JSON, but not Alpaca's account"):
            read(path)
    shipped = {path.name: path.read_bytes() for path in STORY.glob("*.json")}
    recorded = {path.name: path.read_bytes() for path in (SHARED / "own-made/story-a").iterdir()}
    assert shipped == recorded
