"""The made-up Binance account over the wire: what it comes to, alone and with its exports."""

import json
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from bursar.ledger.entries import CashFlow, Conversion, Fill, FlowKind
from tests.venue.binance_story import END, SHARED, STORY, story
from tests.venue.following import at_binance

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"NOT RUN: recorded Binance data is not at {SHARED} (BURSAR_SHARED)"
)
D = Decimal


def expected():
    return json.loads((STORY / "expected.json").read_text())["expected"]


def named(amounts):
    return {asset: D(amount) for asset, amount in amounts.items()}


def summed(pairs):
    sums: dict[str, Decimal] = {}
    for asset, amount in pairs:
        sums[asset] = sums.get(asset, D(0)) + amount
    return {asset: total for asset, total in sums.items() if total}


@pytest.fixture(scope="module")
def following():
    made = at_binance(story(), start=END)
    made.done = made.initialize()
    yield made
    made.close()


def facts(following, kind):
    return [each for each in following.service.portfolio.timeline if isinstance(each, kind)]


def flows(following, kind):
    return summed(
        (each.asset, each.amount) for each in facts(following, CashFlow) if each.kind is kind
    )


def fees(found):
    return summed((fee.asset, fee.amount) for each in found for fee in each.fees)


def test_every_figure_of_the_story(following):
    right = expected()
    assert following.done.is_whole
    assert len(facts(following, Fill)) == right["spot_trades"]
    assert fees(facts(following, Fill)) == named(right["trade_fees"])
    assert flows(following, FlowKind.DEPOSIT) == named(right["deposits"])
    assert flows(following, FlowKind.WITHDRAWAL) == {
        asset: -amount for asset, amount in named(right["withdrawals"]).items()
    }
    out = [each for each in facts(following, CashFlow) if each.kind is FlowKind.WITHDRAWAL]
    assert fees(out) == named(right["withdrawal_fees"])
    assert flows(following, FlowKind.REWARD) == named(right["rewards"])
    assert len(facts(following, Conversion)) == right["conversions"]


def test_what_is_stated_is_what_is_booked(following):
    right = expected()
    said = following.run(following.venue.statement())
    spot = [each for each in said.holdings if each.pocket != "usd-m futures"]
    total = summed((each.asset, each.total) for each in spot)
    assert total == named(right["final_spot_by_asset"])
    reserved = summed((each.asset, each.reserved) for each in said.holdings)
    assert reserved == named(right["reserved"])
    (found,) = following.service.get_drift()
    # Interest that accrues lies in Simple Earn; the story's account has it in the spot wallet.
    assert [line for line in found.comparison.differing if line.is_asset] == []
    assert not following.done.drift_detected
    assert following.service.portfolio.verify().is_sound


EXPORTS = (
    "transaction-history.csv",
    "spot-trade-history.new.csv",
    "spot-trade-history.old.csv",
    "futures-transaction-history.csv",
)
SAMPLES = Path(str(files("bursar.samples") / "binance-story-a"))


def test_exports_and_the_api_make_one_book_in_any_order():
    books = set()
    for order in ("aea", "ea"):
        there = at_binance(story(), start=END)
        for step in order:
            if step == "a":
                (done,) = there.initialize().accounts
                assert (done.failure, done.conflicts) == (None, ())
            else:
                for name in EXPORTS:
                    review = there.service.portfolio.import_files(SAMPLES / name).receipt.review
                    assert review.conflicts == ()
        books.add(there.service.portfolio.digest())
        out = [each for each in facts(there, CashFlow) if each.kind is FlowKind.WITHDRAWAL]
        assert fees(out) == named(expected()["withdrawal_fees"])
        assert len(facts(there, Fill)) == expected()["spot_trades"]
        there.close()
    assert len(books) == 1
