"""PnL by heading: each line where it belongs, and the lines add up to the book."""

import random

import pytest

from bursar.errors import BadChoice
from bursar.exact import money
from bursar.ledger import audit
from bursar.ledger.planning import planned
from bursar.ledger.terms import Scope
from bursar.ledger.timeline import Timeline
from bursar.value import pnl as module
from bursar.value.equity import value_book
from bursar.value.pnl import (
    NONE,
    AssetFees,
    By,
    PnLLine,
    fees,
    heading,
    traded_pairs,
    valuation_pair,
)
from bursar.value.worth import Options
from tests.auditor import histories
from tests.unit.value.books import EXAMPLE, NOW, D, book_of, loose, marks, valued

pnl = loose(module.pnl)

TEXT = (
    EXAMPLE
    + """
2026-02-01T00:00:00Z  price EUR 2 USD                        #p:1
2026-02-01T10:00:00Z  deposit 3003 EUR                       #b:0
2026-02-02T00:00:00Z  buy 0.1 XBT @ 30000 EUR  fee 3 EUR     #b:1  regime=wild
2026-02-03T00:00:00Z  reward 0.1 ETH                         #b:2  value=100
2026-02-04T00:00:00Z  fee 7 USD                              #b:3
2026-02-05T00:00:00Z  withdrawal 100 USD  fee 2 USD          #b:4
"""
)
PRICES = {"XBT_USD": "60000", "ETH_USD": "2000", "EUR_USD": "2"}


@pytest.fixture
def book_and_worth():
    return valued(TEXT, **PRICES)


def test_realised_goes_to_the_traded_pair_and_unrealised_to_the_pair_with_base(book_and_worth):
    told = pnl(*book_and_worth)
    assert {key: (line.realized, line.unrealized) for key, line in told.lines.items()} == {
        "ETH/USD": (0, 100),
        "XBT/EUR": (-6, 0),
        "XBT/USD": (4987, 30000),
        NONE: (0, 0),
    }
    assert told.total == PnLLine(D(4981), D(30100), D(19), D(100), D(9), 3)
    assert told.total.total == 35081
    assert told.lines[NONE].income == 100
    assert told.lines[NONE].expenses == 9
    assert told.excluded == PnLLine()
    assert told.unvalued == ()


@pytest.mark.parametrize(
    "by, expected",
    [
        (By.ASSET, {"ETH": 100, "EUR": 0, "USD": 0, "XBT": 34981}),
        (By.STRATEGY, {"manual": -6, "trend": 4987, NONE: 30100}),
        (By.REGIME, {"calm": -8, "wild": -6, NONE: 35095}),
        (By.ACCOUNT, {"b": 94, "k": 34987}),
    ],
)
def test_every_heading_adds_up_to_the_same_total(book_and_worth, by, expected):
    book, worth = book_and_worth
    told = pnl(book, worth, by=by)
    assert told.total == pnl(book, worth).total
    assert {key: line.total for key, line in told.lines.items()} == expected


def test_a_heading_has_a_name():
    assert heading("pair") is By.PAIR
    with pytest.raises(BadChoice, match="by one of pair, asset"):
        heading("colour")


def test_trades_of_some_strategies_can_be_left_out(book_and_worth):
    book, worth = book_and_worth
    told = pnl(book, worth, without=frozenset({"manual"}))
    assert (told.total.realized, told.total.unrealized, told.total.income) == (4987, 30100, 100)
    assert told.total.trades == 2


def test_what_the_view_leaves_out_is_beside_the_total():
    book, worth = valued(TEXT, options=Options(exclude_assets=frozenset({"ETH"})), **PRICES)
    told = pnl(book, worth)
    assert told.excluded == PnLLine(unrealized=D(100), income=D(100))
    assert told.total.unrealized == 30000
    assert "ETH/USD" not in told.lines


def test_what_has_no_value_has_no_unrealised_pnl():
    book, worth = valued(EXAMPLE)
    told = pnl(book, worth)
    assert told.total.unrealized == 0
    assert [each.asset for each in told.unvalued] == ["XBT"]


def test_what_has_no_known_cost_has_no_unrealised_pnl():
    book, worth = valued("2026-02-02T00:00:00Z deposit 5 SGB #k:1", SGB_USD="2")
    told = pnl(book, worth, by=By.ASSET)
    assert (told.total.unrealized, told.unfounded, told.unvalued) == (0, ("SGB",), ())
    assert [(gap.asset, gap.flag) for gap in told.gaps] == [("SGB", "unpriced")]


def test_a_leveraged_position_stands_under_its_own_pair():
    text = """
    2026-02-02T00:00:00Z  margin buy 2 XBT @ 10 USDT    #k:1  strategy=perp
    2026-02-02T00:00:01Z  margin XBT USDT settled 3     #k:2  strategy=perp
    2026-02-02T00:00:01Z  buy 1 XBT @ 10 USD            #k:3
    """
    book, worth = valued(text, XBT_USD="11")
    told = pnl(book, worth)
    assert (told.lines["XBT/USDT"].realized, told.lines["XBT/USDT"].unrealized) == (3, 2)
    assert told.lines["XBT/USD"].unrealized == 1
    assert pnl(book, worth, by=By.ACCOUNT).lines["k"].total == 6


def test_a_leveraged_position_without_a_mark_has_none():
    text = "2026-02-02T00:00:00Z margin buy 2 XBT @ 10 USDT #k:1"
    book, worth = valued(text)
    told = pnl(book, worth)
    assert (told.total.unrealized, told.unrealized("XBT/USDT")) == (0, None)


@pytest.mark.parametrize(
    "by, unknown",
    [(By.PAIR, ("ADA/USD", "SGB/USD")), (By.ASSET, ("ADA", "SGB")), (By.ACCOUNT, ())],
)
def test_the_lines_are_named_whose_unrealised_pnl_is_not_known(by, unknown):
    text = """
    2026-02-02T00:00:00Z  buy 1 ADA @ 2 EUR  #k:1  rate=EUR|USD|2|file|2026-02-02T00:00:00Z
    2026-02-02T00:00:01Z  deposit 5 SGB      #k:2
    2026-02-02T00:00:02Z  buy 1 XBT @ 9 USD  #k:3
    """
    told = pnl(*valued(text, SGB_USD="2", XBT_USD="10", EUR_USD="2"), by=by)
    assert told.unknown == unknown
    assert all(told.unrealized(key) is None for key in unknown)
    assert told.unrealized("ADA/EUR") == 0  # what is held of it stands in its pair with base
    assert told.total.unrealized == 1


def test_names_of_one_asset_meet_under_one_heading():
    text = """
    2026-02-02T00:00:00Z  buy 1 XBT @ 10 USD   #kraken:1
    2026-02-02T00:00:01Z  buy 1 BTC @ 10 USD   #binance:1
    2026-02-02T00:00:02Z  sell 1 BTC @ 15 USD  #binance:2
    """
    book, worth = valued(text, XBT_USD="11")
    told = pnl(book, worth, by=By.ASSET)
    assert {key: line.total for key, line in told.lines.items()} == {"XBT": 6}


def test_the_valuation_pair_is_spelled_as_it_was_traded():
    assert valuation_pair("XBT", "USD", traded=traded_pairs(book_of(EXAMPLE))) == "XBT/USD"
    assert valuation_pair("ETH", "USD", traded=traded_pairs(book_of(EXAMPLE))) == "ETH/USD"
    text = "2026-02-02T00:00:00Z buy 1 XBT @ 10 USD #k:1 pair=XBTUSD"
    assert valuation_pair("XBT", "USD", traded=traded_pairs(book_of(text))) == "XBTUSD"
    both = traded_pairs(book_of(f"{text}\n2026-02-02T00:00:00Z buy 1 XBT @ 10 USD #k:2"))
    assert valuation_pair("XBT", "USD", traded=both) == "XBT/USD"


def test_a_settlement_that_names_no_base_has_no_pair():
    text = """
    2026-02-02T00:00:00Z  row margin 3 USD fee 1  #k:1  source=ledger group=k:g
    2026-02-02T00:00:00Z  deposit 3 USD           #k:2
    """
    book, worth = valued(text)
    assert {key: line.total for key, line in pnl(book, worth).lines.items()} == {NONE: 2}
    assert fees(book).by_pair == {NONE: 1}


def test_pooled_lots_have_unrealised_pnl_in_no_account():
    text = """
    @ scope pooled
    @ account e events
    2026-02-02T00:00:00Z  buy 1 XBT @ 10 USD   #a:1
    2026-02-02T00:00:00Z  sell 1 ETH @ 10 USD  #e:1
    2026-02-02T00:00:01Z  buy 1 ETH @ 8 USD    #e:2
    """
    book, worth = valued(text, XBT_USD="11", ETH_USD="1")
    told = pnl(book, worth, by=By.ACCOUNT)
    assert told.lines[NONE].unrealized == 3
    assert told.total.unrealized == worth.unrealized


def test_fees_whose_worth_nobody_knows_are_named_and_in_no_figure():
    text = """
    2026-02-02T00:00:00Z  deposit 1 BNB  #k:1 value=300
    2026-02-02T00:00:01Z  buy 1 XBT @ 10 USD  fee 0.01 BNB  #k:2
    2026-02-02T00:00:02Z  sell 1 XBT @ 10 USD  fee 0.01 BNB worth 3  #k:3
    2026-02-02T00:00:03Z  fee 0.01 ETH  #k:4
    2026-02-02T00:00:04Z  deposit 1 USD  fee 0.01 ADA  #k:5
    2026-02-02T00:00:05Z  reverse k:5  #k:6
    """
    told = fees(book_of(text))
    assert told.by_asset["BNB"] == AssetFees(D("0.02"), D(3), unknown=1)
    assert [told.by_asset[name].value for name in ("BNB", "ETH")] == [D(3), None]
    assert (told.total, told.unpriced) == (D(3), ("BNB", "ETH"))


def test_fees_by_asset_and_pair_add_up(book_and_worth):
    told = fees(book_and_worth[0])
    assert told.by_asset == {"EUR": AssetFees(D(3), D(6), 0), "USD": AssetFees(D(22), D(22), 0)}
    assert told.by_pair == {"XBT/EUR": 6, "XBT/USD": 13, NONE: 9}
    assert told.total == 28


def test_staged_fees_are_fees():
    book = book_of("2026-02-02T00:00:00Z staged cash -100 fees 0.5 #k:1")
    assert fees(book).by_asset == {"USD": AssetFees(D("0.5"), D("0.5"), 0)}
    assert fees(book).by_pair == {NONE: D("0.5")}


@pytest.mark.parametrize("seed", range(12))
@money
def test_all_headings_agree_on_any_book(seed):
    rng = random.Random(seed)
    terms = histories.terms(rng, scope=list(Scope)[seed % 2])
    made = Timeline(terms)
    made.land(planned(made, histories.history(rng, 40, terms)))
    prices = marks(XBT_USD="30000", ETH_XBT="0.05", ADA_USDT="0.4", EUR_USD="1.1", AAPL_USD="9")
    hidden = rng.choice([frozenset(), frozenset({"XBT", "EUR"})])
    worth = value_book(made.book, prices, now=NOW, options=Options(exclude_assets=hidden))
    totals = audit.totals(made.book)
    for by in By:
        told = pnl(made.book, worth, by=by)
        for name in ("realized", "unrealized", "fees", "income", "expenses", "trades"):
            assert sum(getattr(line, name) for line in told.lines.values()) == getattr(
                told.total, name
            )
        assert told.total.realized + told.excluded.realized == totals.realized
        assert told.total.income + told.excluded.income == totals.income
        assert told.total.expenses + told.excluded.expenses == totals.expenses
        assert told.total.unrealized == worth.unrealized
        assert told.excluded.unrealized == worth.excluded_unrealized
    summary = fees(made.book)
    assert summary.total == totals.expenses + sum(c.fees for c in made.book.cells.values())
    assert summary.total == sum(fee.value or D(0) for fee in summary.by_asset.values())
