"""One account through the front door: every figure of its story, to the last digit."""

import json
from decimal import Decimal
from itertools import product

import pytest

from tests.unit.cli.conftest import STORY

EXPECTED = json.loads((STORY / "expected.json").read_text())["expected"]
LEDGERS = sorted(STORY.glob("ledgers.*.csv"))
TRADES = sorted(STORY.glob("trades.*.csv"))


def named(amounts):
    """What the samples call BTC is XBT with us; nothing held is no line."""
    return {"XBT" if name == "BTC" else name: Decimal(each) for name, each in amounts.items()}


def summed(rows, asset, amount):
    sums: dict[str, Decimal] = {}
    for row in rows:
        if row[asset]:
            sums[row[asset]] = sums.get(row[asset], Decimal(0)) + Decimal(row[amount])
    return {name: value for name, value in sums.items() if value}


def flows(ask, *kinds):
    found = ask("flows")["flows"]
    return [row for row in found if row["type"] in kinds]


def trades(ask, *kinds):
    return [row for row in ask("trades")["trades"] if row["kind"] in kinds]


def test_final_balances(story, ask):
    held = {row["asset"]: Decimal(row["quantity"]) for row in ask("status")["holdings"]}
    right = named(EXPECTED["final_balance_by_asset"])
    assert held == {name: value for name, value in right.items() if value}


def test_row_counts(ask):
    done = ask("import", LEDGERS[0], TRADES[0], "--base", "EUR")
    assert [each["rows"] - each["pending"] for each in done["files"]] == [
        EXPECTED["ledger_rows"],
        EXPECTED["trades_history_rows"],
    ]
    assert [each["pending"] for each in done["files"]] == [2, 0]
    assert done["created"]
    assert done["recorded"] == 58


def test_deposits_and_withdrawals(story, ask):
    money = [row for row in flows(ask, "deposit") if Decimal(row["value_base"])]
    assert summed(money, "asset", "amount") == named(EXPECTED["deposits"])
    gone = summed(flows(ask, "withdrawal"), "asset", "amount")
    assert {name: -value for name, value in gone.items()} == named(EXPECTED["withdrawals"])
    fees = summed(flows(ask, "withdrawal"), "asset", "fee_amount")
    assert fees == named(EXPECTED["withdrawal_fees"])
    assert summed(flows(ask, "deposit"), "asset", "fee_amount") == EXPECTED["deposit_fees"]


def test_the_failed_withdrawal_moved_nothing(story, ask):
    failed = [row for row in ask("flows")["flows"] if row["reversed_by"]]
    assert len(failed) == EXPECTED["failed_withdrawals_netting_to_zero"]
    assert [(row["asset"], row["amount"]) for row in failed] == [("EUR", "-100")]


def test_trade_fees_in_what_they_were_charged(story, ask):
    charged = summed(trades(ask, "trade"), "fee_asset", "fee_amount")
    assert charged == named(EXPECTED["trade_fees"])


def test_income(story, ask):
    rewards = flows(ask, "reward")
    earned = summed(rewards, "asset", "amount")
    kept_back = summed(rewards, "asset", "fee_amount")
    assert kept_back == named(EXPECTED["reward_commission"])
    net = {name: value - kept_back.get(name, 0) for name, value in earned.items()}
    assert net == named(EXPECTED["rewards_net"])
    assert summed(flows(ask, "airdrop"), "asset", "amount") == named(EXPECTED["airdrops"])


def test_margin(story, ask):
    margin = trades(ask, "margin")
    assert summed(margin, "fee_asset", "fee_amount") == named(EXPECTED["margin_fees"])
    of_money = [row for row in margin if row["fee_asset"] == "EUR"]
    settled = sum(Decimal(row["quote_delta"]) + Decimal(row["fee_amount"]) for row in of_money)
    assert {"EUR": settled} == named(EXPECTED["margin_realised"])
    rollovers = [row for row in flows(ask, "fee") if row["note"] == "rollover"]
    assert summed(rollovers, "asset", "fee_amount") == named(EXPECTED["rollover_fees"])


def test_internal_moves_change_nothing(story, ask):
    rows = ask("journal", "--kind", "movement", "--grep", "row  internal")["rows"]
    assert len(rows) == 2 * EXPECTED["internal_moves"]
    moved = {row["id"] for row in rows}
    assert not moved & {row["id"] for row in ask("flows")["flows"]}


def test_conversions(story, ask):
    done = {row["trade_id"].rpartition(":")[2] for row in trades(ask, "conversion")}
    assert done == {each["refid"] for each in EXPECTED["conversions"]}
    for each in EXPECTED["conversions"]:
        rows = ask("journal", "--grep", f"group=kraken:main:{each['refid']}")["rows"]
        legs = [row["line"].split("  ")[3] for row in rows if "row  conversion" in row["line"]]
        sold = each["sold"] if isinstance(each["sold"], list) else [each["sold"]]
        assert named_legs(legs, -1) == {named_leg(leg) for leg in sold}
        assert named_legs(legs, 1) == {named_leg(each["bought"])}


def named_leg(text):
    amount, name = text.split()
    return "XBT" if name == "BTC" else name, abs(Decimal(amount))


def named_legs(texts, sign):
    return {named_leg(text) for text in texts if Decimal(text.split()[0]) * sign > 0}


def test_instant_swaps(story, ask):
    for each in EXPECTED["instant_swaps"]:
        found = [row for row in trades(ask, "trade") if row["trade_id"].endswith(each["refid"])]
        assert len(found) == 1
        sold, fee = named_leg(each["sold"]), named_leg(each["fee"])
        assert ("XBT", Decimal(found[0]["base_delta"])) == named_leg(each["bought"])
        assert (found[0]["fee_asset"], Decimal(found[0]["fee_amount"])) == fee
        assert -Decimal(found[0]["quote_delta"]) == sold[1] + fee[1]


def test_the_books_close_in_what_is_told(story, ask):
    said = ask("status", "--price", "XBT=65000")
    right = sum(Decimal(said[name]) for name in ("contributed", "realized", "income", "unrealized"))
    assert Decimal(said["equity"]) == right - Decimal(said["expenses"])
    assert said["is_complete"]


def test_pnl_agrees_with_status(story, ask):
    said = ask("status")
    for by in ("pair", "asset", "strategy", "regime", "account", "month"):
        answers = ask("pnl", "--by", by, "--method", "wac,fifo,lifo,hifo")["methods"]
        assert [each["method"] for each in answers] == ["wac", "fifo", "lifo", "hifo"]
        assert answers[0]["total"]["realized"] == said["realized"]
        if by != "month":
            assert answers[0]["total"]["unrealized"] == said["unrealized"]
        for each in answers:
            lines = each["lines"] if by == "month" else each["lines"].values()
            total = sum(Decimal(line["realized"]) for line in lines)
            assert total == Decimal(each["total"]["realized"])


def book_of(ask):
    """What the book is, lots and all, and what it says."""
    said = ask("status")
    held = {row["asset"]: (row["quantity"], row["cost"]) for row in said["holdings"]}
    return ask("verify")["digest"], held, said["realized"], said["income"], said["fees"]


@pytest.fixture(scope="module")
def known():
    return {}


@pytest.mark.parametrize(
    "ledgers,trades,is_reversed",
    [
        pytest.param(*case, id=f"{case[0].name[:12]}-{case[1] and case[1].name[:11]}-{case[2]}")
        for case in product(LEDGERS, [None, *TRADES], [False, True])
    ],
)
def test_every_generation_in_any_order_gives_one_book(ledgers, trades, is_reversed, ask, known):
    files = [each for each in (STORY / "prices.csv", ledgers, trades) if each is not None]
    files = files[::-1] if is_reversed else files
    for number, path in enumerate(files, 1):
        done = ask("import", path, "--base", "EUR")
        assert done["version"] == number
        assert done["conflicts"] == []
    digest, held, *made = book_of(ask)
    # Without a trades file the dust trade has one row only, and waits for its partner.
    of_trades = trades is not None
    # The oldest export does not say in which pocket a staked coin lies.
    of_pockets = "gen1" not in ledgers.name
    assert known.setdefault("held", held) == held
    assert known.setdefault(("made", of_trades), made) == made
    assert known.setdefault(("digest", of_trades, of_pockets), digest) == digest


@pytest.mark.parametrize("files", [(*LEDGERS, *TRADES), (*TRADES[::-1], *LEDGERS[::-1])])
def test_all_generations_together_are_the_newest(ask, files):
    ask("import", STORY / "prices.csv", LEDGERS[-1], TRADES[-1], "--base", "EUR")
    ask("import", STORY / "prices.csv", *files, "--base", "EUR", "--book", "all.db")
    assert ask("verify", "--book", "all.db")["digest"] == ask("verify")["digest"]


def test_a_second_import_changes_nothing(story, ask):
    before, book = ask("status")["version"], book_of(ask)
    for path in (*LEDGERS, *TRADES, story / "prices.csv"):
        done = ask("import", path)
        assert (done["recorded"], done["version"], done["created"]) == (0, before, False)
        assert done["duplicates"] == done["files"][0]["rows"] - done["files"][0]["pending"]
    assert book_of(ask) == book


def test_the_golden_export_makes_the_same_book(story, ask, bursar, tmp_path):
    bursar("export", "-o", "all.journal")
    text = (tmp_path / "all.journal").read_text()
    assert text.startswith("@ base EUR\n")
    assert bursar("export").out == text
    bursar("import", "all.journal", "--book", "other.db")
    assert book_of(lambda *a: ask(*a, "--book", "other.db")) == book_of(ask)
    assert bursar("export", "--book", "other.db").out == text


def test_a_journal_brings_its_terms(ask, bursar, tmp_path):
    bursar("new", "--base", "EUR", "--method", "fifo", "--scope", "pooled", "--peg", "EURC")
    bursar("import", STORY / "ledgers.gen4-16col.csv")
    bursar("export", "-o", "all.journal")
    bursar("import", "all.journal", "--book", "other.db")
    assert bursar("export", "--book", "other.db").out == (tmp_path / "all.journal").read_text()
    assert ask("status", "--book", "other.db")["method"] == "fifo"
    assert ask("verify", "--book", "other.db")["digest"] == ask("verify")["digest"]
