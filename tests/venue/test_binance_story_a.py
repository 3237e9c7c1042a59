"""One made-up account in every export that Binance gives: all tell one story, alone or together.

What only its API knows is not asked here: the fee inside a withdrawal, what open orders reserve,
and open futures positions. The story's `final_spot_by_venue_code` counts the earn interest as spot,
its transaction history books it in Earn; by asset both are the same.
"""

import csv
import json
from decimal import Decimal
from importlib.resources import files
from itertools import permutations, product
from pathlib import Path
from random import Random

import pytest

import bursar
from bursar.ledger import golden, projection
from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fill,
    Flag,
    FlowKind,
    MarginFill,
    Movement,
    decode,
    encode,
)
from bursar.ledger.journal import Outcome, judge
from bursar.ledger.openings import is_opening
from bursar.venue.files import read
from tests import figures

STORY = Path(str(files("bursar.samples") / "binance-story-a"))
OLD, NEW = STORY / "spot-trade-history.old.csv", STORY / "spot-trade-history.new.csv"
HISTORY, FUTURES = STORY / "transaction-history.csv", STORY / "futures-transaction-history.csv"
PRICES = STORY / "prices.csv"
EXPORTS = (OLD, NEW, HISTORY, FUTURES)
EXPECTED = json.loads((STORY / "expected.json").read_text())["expected"]
WITH_HISTORY = [
    {HISTORY},
    {HISTORY, OLD},
    {HISTORY, NEW},
    {HISTORY, FUTURES},
    {HISTORY, OLD, NEW, FUTURES},
]


def named_files(paths):
    return "+".join(sorted(path.stem for path in paths))


def opened(*paths):
    portfolio = bursar.open(":memory:")
    for path in paths:
        assert portfolio.import_files(path).receipt.review.conflicts == ()
    return portfolio


def named(amounts):
    return {asset: Decimal(amount) for asset, amount in amounts.items()}


def summed(pairs):
    sums: dict[str, Decimal] = {}
    for asset, amount in pairs:
        sums[asset] = sums.get(asset, Decimal(0)) + amount
    return {asset: total for asset, total in sums.items() if total}


def of(portfolio, kind):
    return [fact for fact in portfolio.timeline if isinstance(fact, kind)]


def flows(portfolio, *kinds):
    found = [each for each in of(portfolio, CashFlow) if each.kind in kinds]
    return summed((each.asset, each.amount) for each in found)


def charged(facts):
    return summed((fee.asset, fee.amount) for fact in facts for fee in fact.fees)


def held(portfolio):
    return {key[1]: each.quantity for key, each in portfolio.timeline.book.holdings.items()}


def in_pocket(portfolio, pocket):
    pockets = portfolio.timeline.book.pockets.items()
    return summed((key[1], quantity) for key, quantity in pockets if key[2] == pocket)


@pytest.fixture(params=WITH_HISTORY, ids=named_files)
def story(request):
    with opened(*sorted(request.param), PRICES) as portfolio:
        yield portfolio


@pytest.fixture(params=[OLD, NEW], ids=["old", "new"])
def trades(request):
    return request.param


def test_final_balances(story):
    wallet = named(EXPECTED["futures"]["wallet_balance"])
    spot = named(EXPECTED["final_spot_by_asset"])
    assert held(story) == summed([*spot.items(), *wallet.items()])
    assert in_pocket(story, "usd-m futures") == wallet
    codes = named(EXPECTED["final_spot_by_venue_code"])
    assert in_pocket(story, "earn") == {"USDT": codes["LDUSDT"] + Decimal("0.01037")}
    assert in_pocket(story, "in transit") == {}


def test_every_asset_has_its_basis_and_the_books_close(story):
    assert [fact for fact in story.timeline if is_opening(fact) or fact.flags] == []
    assert story.verify().is_sound
    assert story.equity().valuation.unvalued == ()


def test_deposits_withdrawals_and_rewards(story):
    assert flows(story, FlowKind.DEPOSIT) == named(EXPECTED["deposits"])
    # The history writes that the fee is included; what it was only the API tells.
    gone = named(EXPECTED["withdrawals"])["BTC"] + named(EXPECTED["withdrawal_fees"])["BTC"]
    assert flows(story, FlowKind.WITHDRAWAL) == {"BTC": -gone}
    assert flows(story, FlowKind.REWARD) == named(EXPECTED["rewards"])


def test_trades_and_their_fees_in_what_they_were_charged(story):
    assert charged(of(story, Fill)) == named(EXPECTED["trade_fees"])
    bought = summed((fill.base, fill.quantity) for fill in of(story, Fill))
    assert bought == {"BTC": Decimal("0.012"), "BNB": Decimal("0.5")}
    paid = {"USDT": Decimal("1022.00006")}
    assert summed((fill.quote, fill.amount) for fill in of(story, Fill)) == paid


def test_a_trade_history_tells_the_trades_of_a_second_apart(trades):
    with opened(HISTORY, trades) as story:
        assert len(of(story, Fill)) == EXPECTED["spot_trades"]
        assert all(fill.rows for fill in of(story, Fill))
    with opened(HISTORY) as story:
        seconds = {fill.executed_at for fill in of(story, Fill)}
        assert len(of(story, Fill)) == len(seconds) == 3


def test_conversions(story):
    found = [(fact.given, fact.taken) for fact in of(story, Conversion)]
    assert len(found) == EXPECTED["conversions"]
    legs = [(leg.asset, leg.quantity) for given, taken in found for leg in (*given, *taken)]
    assert legs == [
        ("USDT", Decimal(50)),
        ("ETH", Decimal("0.01666666")),
        ("BTC", Decimal("0.000009")),
        ("BNB", Decimal("0.000882")),
    ]


def test_futures(story):
    right = EXPECTED["futures"]
    settled = summed((each.quote, each.settled) for each in of(story, MarginFill))
    assert settled == named(right["realised"])
    assert charged(of(story, MarginFill)) == named(right["commission"])
    assert flows(story, FlowKind.FUNDING) == named(right["funding_net"])


def test_the_futures_history_alone_is_the_futures_wallet():
    with opened(FUTURES) as story:
        wallet = named(EXPECTED["futures"]["wallet_balance"])
        assert in_pocket(story, "usd-m futures") == wallet
        assert in_pocket(story, "in transit") == {"USDT": Decimal(-200)}
        assert {each.pair for each in of(story, MarginFill)} == {"BTC/USDT:USDT"}


def test_fees_in_a_third_coin_are_worth_what_it_was_worth_then(trades):
    with opened(HISTORY, trades, PRICES) as story:
        worth = [fee.value for fill in of(story, Fill) for fee in fill.fees]
    # 0.000375 BNB at the trade's own 600; 0.0003 and 0.00045001 at 600, 0.00007625 at 610, all
    # recorded; 0.000001 BTC at the trade's own 61000.
    assert sorted(worth) == [
        Decimal(each) for each in ("0.0465125", "0.061", "0.18", "0.225", "0.270006")
    ]


def test_alone_a_trade_history_is_provisional(trades):
    with opened(trades) as story:
        assert len(of(story, Fill)) == EXPECTED["spot_trades"]
        assert charged(of(story, Fill)) == named(EXPECTED["trade_fees"])
        assert all(Flag.PROVISIONAL in fill.flags for fill in of(story, Fill))


@pytest.mark.parametrize("paths", WITH_HISTORY, ids=named_files)
def test_in_any_order_and_twice_it_is_one_book(paths):
    digests = set()
    for order in permutations(sorted(paths)):
        with opened(PRICES, *order) as story:
            digests.add(projection.digest(story.timeline.book))
            version = story.desk.head.version
            for path in order:
                assert story.import_files(path).receipt.review.recorded == 0
            assert story.desk.head.version == version
    assert len(digests) == 1


def test_old_and_new_trade_history_make_the_same_book():
    books = []
    for paths in ((OLD,), (NEW,), (OLD, NEW), (NEW, OLD)):
        with opened(*paths, HISTORY, PRICES) as story:
            books.append(projection.digest(story.timeline.book))
    assert len(set(books)) == 1


def test_prices_may_come_first_or_last():
    books = set()
    for paths in permutations((PRICES, HISTORY, NEW)):
        with opened(*paths) as story:
            books.add(projection.digest(story.timeline.book))
    assert len(books) == 1


def rewritten(path, tmp_path, change, name="part.csv"):
    header, *rows = list(csv.reader(path.read_text().splitlines()))
    made = tmp_path / name
    with made.open("w", newline="") as file:
        csv.writer(file).writerows(change([header, *rows]))
    return made


def day_of(row):
    return next((cell[:10] for cell in row if cell.startswith("2025-")), "")


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.name)
def test_any_order_of_rows_and_columns_says_the_same(path, tmp_path):
    right = {said.id: said for said in read(path).statements}
    for seed in range(figures.MUTANTS):
        random = Random(figures.SEED * 1000 + seed)

        def mixed(rows, random=random):
            columns = random.sample(range(len(rows[0])), len(rows[0]))
            body = random.sample(rows[1:], len(rows) - 1)
            return [[row[place] for place in columns] for row in (rows[0], *body)]

        for said in read(rewritten(path, tmp_path, mixed)).statements:
            assert judge(said, [right[said.id]]).outcome is not Outcome.CONFLICT
            assert right[said.id].executed_at == said.executed_at


@pytest.mark.parametrize("first,last", [("03-02", "03-01"), ("03-05", "03-02"), ("03-08", "03-08")])
def test_overlapping_parts_make_the_same_book(first, last, tmp_path):
    def until(rows):
        return [row for row in rows if day_of(row) < f"2025-{first}" or row is rows[0]]

    def since(rows):
        return [row for row in rows if f"2025-{last}" <= day_of(row) or row is rows[0]]

    with opened(HISTORY, NEW) as story:
        right = projection.digest(story.timeline.book)
    parts = [
        rewritten(path, tmp_path, change, f"{number}.csv")
        for number, (path, change) in enumerate(product((HISTORY, NEW), (until, since)))
    ]
    for order in permutations(parts):
        with opened(*order) as story:
            assert projection.digest(story.timeline.book) == right


def test_another_generation_of_the_history_adds_nothing(tmp_path):
    old_names = {
        "Transaction Buy": "Buy",
        "Transaction Spend": "Transaction Related",
        "Transaction Fee": "Fee",
        "Binance Convert": "Large OTC trading",
        "Small Assets Exchange BNB": "Small assets exchange BNB",
        "USD-M Futures": "USDT-Futures",
    }

    def older(rows):
        return [[old_names.get(cell, cell) for cell in row[1:]] for row in rows]

    with opened(HISTORY, NEW) as story:
        before = projection.digest(story.timeline.book)
        receipt = story.import_files(rewritten(HISTORY, tmp_path, older)).receipt
        assert receipt.review.conflicts == ()
        assert receipt.review.facts_added == 0
        assert projection.digest(story.timeline.book) == before


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.name)
def test_statements_survive_the_journal_and_the_golden_language(path):
    said = list(read(path).statements)
    assert [decode(encode(each)) for each in said] == said
    assert list(golden.read(golden.write(bursar.Terms(), said))) == said


def test_an_account_of_another_name():
    for path in EXPORTS:
        for said in read(path, "binance:second").statements:
            assert said.account == "binance:second"
            assert said.id.startswith("binance:second:")


def test_rows_are_movements_and_count_as_the_file_says():
    rows = [row.split(",") for row in HISTORY.read_text().splitlines()[1:]]
    reading = read(HISTORY)
    said = [each for each in reading.statements if isinstance(each, Movement)]
    assert len(said) == len(reading.statements) == reading.rows == len(rows) == 31
    right = summed((row[4], Decimal(row[5])) for row in rows)
    assert summed((each.asset, each.amount - each.fee) for each in said) == right
    assert reading.unknown == ()
