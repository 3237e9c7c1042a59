"""Random lists of events and activities: whatever they tell, one book, and it closes."""

import json
from random import Random

import pytest

import bursar
from bursar.ledger import projection
from bursar.ledger.terms import Account
from bursar.venue.generic.rows import SIGNED, TRADES, Type
from tests import figures

ASSETS = ["USD", "USDT", "BTC", "ETH", "ACME", "EUR"]
COINS = ["BTC", "ETH", "ACME", "EUR"]
NUMBERS = ["1", "2.5", "0.000000000000000001", "3", "100", "7.77"]
KINDS = ["DIV", "DIVNRA", "INT", "CSD", "CSW", "FEE", "JNLC", "PTR", "SWP", "ODD"]
KINDS += ["CIL", "MA", "REORG", "OPTRD", "ACATS", "JNLS", "SPIN"]
SYMBOLS = ["AAPL", "ACME", "BTC/USD", "BTCUSD", "ETH/BTC", "SPY231108P00427000"]


def event(random):
    """One row of the generic CSV that may be read."""
    type_ = random.choice(list(Type))
    shapes = type_ in {Type.SPLIT, Type.RENAME}
    asset = random.choice(COINS if shapes else ASSETS)
    others = [each for each in (COINS if shapes else ASSETS) if each != asset]
    row = {"time": f"2025-01-{random.randint(1, 9):02d}", "type": type_.value, "asset": asset}
    if type_ is not Type.RENAME:
        sign = "-" if type_ in SIGNED and random.random() < 0.4 else ""
        row["quantity"] = sign + random.choice(NUMBERS)
    if type_ in TRADES | {Type.CONVERSION, Type.RENAME}:
        row["quote"] = random.choice(others)
    if type_ in TRADES and random.random() < 0.3:
        row["price"] = random.choice(["3.333333333333333333", "0.1"])
    elif type_ in TRADES | {Type.CONVERSION, Type.SPLIT}:
        row["amount"] = random.choice(NUMBERS)
    if type_ is Type.TRANSFER:
        row["to_account"] = random.choice(["a:b", "c:d"])
    if not shapes and type_ is not Type.FEE and random.random() < 0.4:
        row["fee"] = random.choice(["0.1", "-0.1", "0.333333333333333333"])
        row["fee_asset"] = random.choice(ASSETS)
    bare = shapes or type_ is Type.TRANSFER or "USD" in {asset, row.get("quote")}
    if not bare and random.random() < 0.4:
        row |= {"value": random.choice(["0", "9.99"]), "value_asset": "USD"}
        if type_ is Type.DEPOSIT:
            row["basis"] = "5"
    return row


def activity(random, number):
    """One of Alpaca's activities that may be read, corporate actions aside."""
    day = f"2025-01-{random.randint(1, 9):02d}"
    row = {"id": f"{number}::x", "symbol": random.choice(SYMBOLS), "qty": random.choice(NUMBERS)}
    row["price"] = random.choice(["0", "250.10", "0.000000001"])
    if random.random() < 0.5:
        row |= {"activity_type": "FILL", "transaction_time": f"{day}T15:00:00Z", "type": "fill"}
        return row | {"side": random.choice(["buy", "sell"])}
    row |= {"activity_type": random.choice(KINDS), "date": day, "status": "executed"}
    row["qty"] = random.choice(["", "-"]) + row["qty"]
    row["net_amount"] = random.choice(["0", "0.01", "-0.01", "1000", "-1000"])
    row["status"] = random.choice(["executed", "executed", "correct", "canceled", "odd"])
    return row


def action(random, number):
    """The two rows of a split or a new name."""
    day = f"2025-01-{random.randint(1, 9):02d}"
    type_, old, new = random.choice([("SPLIT", "ACME", "ACME"), ("NC", "ACME", "AAPL")])
    came = "2" if type_ == "NC" else random.choice(["6", "0.25"])
    both = {"activity_type": type_, "date": day, "net_amount": "0"}
    return [
        both | {"id": f"{number}::out", "symbol": old, "qty": "-2"},
        both | {"id": f"{number}::in", "symbol": new, "qty": came},
    ]


def as_csv(rows):
    columns = sorted({"time", "type", "asset", "quantity"}.union(*rows))
    lines = [",".join(row.get(column, "") for column in columns) for row in rows]
    return "\n".join([",".join(columns), *lines])


def lists(name, random):
    """A random list, and what writes one."""
    if name == "mine.csv":
        return [event(random) for _ in range(random.randint(1, 25))], as_csv
    rows = [activity(random, number) for number in range(random.randint(1, 25))]
    for number in range(random.randint(0, 3)):
        rows += action(random, f"a{number}")
    return rows, json.dumps


def told(path, terms, write, *batches):
    """The digest of a book that took batches of rows one after the other."""
    with bursar.open(":memory:", terms=terms) as portfolio:
        for rows in batches:
            path.write_text(write(rows))
            portfolio.import_files(path)
        assert portfolio.verify().is_sound
        return projection.digest(portfolio.timeline.book)


def terms_of(random):
    short = random.random() < 0.5
    names = ("csv:main", "alpaca:main", "a:b")
    accounts = tuple(Account(name, may_short=short) for name in names)
    return bursar.Terms(method=random.choice(list(bursar.Method)), accounts=accounts)


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["mine.csv", "activities.json"])
def test_any_order_of_any_list_is_one_book_that_closes(name, tmp_path):
    path = tmp_path / name
    for seed in range(figures.MUTANTS):
        random = Random(f"{figures.SEED} {seed} {name}")
        terms, (rows, write) = terms_of(random), lists(name, random)
        right = told(path, terms, write, rows)
        shuffled = random.sample(rows, len(rows))
        cut = random.randrange(len(rows) + 1)
        assert told(path, terms, write, shuffled[:cut], rows) == right, seed
        assert told(path, terms, write, rows[cut:], shuffled) == right, seed
