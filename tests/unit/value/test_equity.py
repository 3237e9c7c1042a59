"""Equity: what everything is worth at its marks, what is not known, and that the books close."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.exact import money
from bursar.ledger.planning import planned
from bursar.ledger.terms import Method, Scope
from bursar.ledger.timeline import Timeline
from bursar.value import equity
from bursar.value.convert import Reason
from bursar.value.exposure import exposure
from bursar.value.figures import figures
from bursar.value.marks import Mark as StrictMark
from bursar.value.marks import Marks, fee_credit
from bursar.value.worth import Options
from tests.auditor import histories
from tests.unit.value.books import EXAMPLE, NOW, D, book_of, gap, loose, marks, valued

Mark, value_book = loose(StrictMark), loose(equity.value_book)


def test_the_example_is_worth_its_cash_and_its_coins():
    _, worth = valued(EXAMPLE, XBT_USD="60000")
    xbt = worth.asset("XBT")
    assert worth.equity == 100000 - 55013 + 90000
    assert (worth.cash_base, worth.cash) == (44987, 44987)
    assert (xbt.quantity, xbt.cost, xbt.value, xbt.unrealized) == (D("1.5"), 60000, 90000, 30000)
    assert xbt.share_pct == D("66.673087038011067732")
    assert xbt.mark.source == "venue"
    assert worth.unrealized == 30000
    assert xbt.flags == ()
    assert worth.coverage.is_complete
    assert worth.unvalued == ()


def test_an_empty_book_is_worth_nothing():
    _, worth = valued("2026-01-05T10:00:00Z price XBT 5 USD #k:1")
    assert (worth.equity, worth.assets, worth.accounts) == (0, (), ())
    assert worth.coverage.valued_pct == 100
    assert worth.asset("XBT") is None


def test_what_has_no_mark_is_named_and_in_no_total():
    _, worth = valued(EXAMPLE)
    xbt = worth.asset("XBT")
    assert (xbt.value, xbt.unrealized, xbt.share_pct, xbt.mark) == (None, None, None, None)
    assert worth.equity == 44987
    assert worth.unrealized == 0
    assert [(each.asset, each.reason) for each in worth.unvalued] == [("XBT", Reason.NO_MARK)]
    assert worth.accounts[0].unvalued == ("XBT",)
    assert xbt.flags == ("unvalued",)


def test_a_fee_credit_is_worth_nothing_and_is_valued():
    book = book_of("2026-01-05T10:00:00Z deposit 200 KFEE #k:1 value=0")
    worth = value_book(book, Marks([fee_credit("KFEE", "USD", at=0)]), now=NOW)
    assert worth.asset("KFEE").value == 0
    assert worth.coverage.is_clean
    assert worth.asset("KFEE").share_pct is None
    assert gap(book, worth) == 0


def test_what_is_not_there_is_worth_zero_without_a_mark():
    text = """
    @ account e events
    2026-01-05T10:00:00Z  sell 1 XBT @ 50000 USD   #e:1
    2026-01-05T10:00:01Z  buy  1 XBT @ 40000 USD   #e:2
    """
    _, worth = valued(text)
    xbt = worth.asset("XBT")
    assert (xbt.quantity, xbt.value, xbt.owed, xbt.pending) == (0, 0, 1, 1)
    assert xbt.unrealized == 10000
    assert worth.unvalued == ()


def test_a_sale_without_acquisition_counts_at_the_mark_and_is_pending():
    text = """
    @ account e events
    2026-01-05T10:00:00Z  sell 2 XBT @ 50000 USD   #e:1
    """
    _, worth = valued(text, XBT_USD="60000")
    xbt = worth.asset("XBT")
    assert (xbt.quantity, xbt.value, xbt.unrealized) == (-2, -120000, -20000)
    assert worth.equity == -20000
    assert xbt.share_pct is None
    assert xbt.flags == ("pending",)
    assert [str(each) for each in worth.coverage.pending] == ["2 XBT in e"]


def test_a_short_sale_counts_at_minus_the_mark_and_is_not_pending():
    text = """
    @ account s events short
    2026-01-05T10:00:00Z  deposit 1000 USD          #s:0
    2026-01-05T10:00:00Z  sell 10 AAPL @ 100 USD    #s:1
    """
    _, worth = valued(text, AAPL_USD="90")
    aapl = worth.asset("AAPL")
    assert (aapl.value, aapl.unrealized, worth.equity) == (-900, 100, 1100)
    assert aapl.flags == ("short",)
    assert worth.coverage.pending == ()


def test_pegs_count_at_face_whatever_their_mark_says():
    text = "2026-01-05T10:00:00Z deposit 100 USDT #k:1\n2026-01-05T10:00:00Z deposit 5 USD #k:2"
    _, worth = valued(text, USDT_USD="0.98")
    assert (worth.equity, worth.cash_base, worth.cash) == (105, 5, 105)
    assert [(each.asset, each.rate) for each in worth.coverage.depegs] == [("USDT", D("0.98"))]


def test_a_leveraged_position_counts_as_its_unrealised_pnl():
    text = """
    2026-01-05T10:00:00Z  deposit 1000 USD                    #k:0
    2026-01-05T10:00:01Z  margin buy  2 XBT @ 100 USDT        #k:1
    2026-01-05T10:00:02Z  margin sell 3 ETH @ 10 EUR          #k:2  quote_rate=1
    2026-01-05T10:00:03Z  margin buy  1 ADA @ 5 USD           #k:3
    2026-01-05T10:00:04Z  margin sell 1 ADA @ 6 USD settled 1 #k:4
    """
    _, worth = valued(text, XBT_USD="130", ETH_EUR="12", EUR_USD="2")
    xbt, eth = (next(m for m in worth.margins if m.asset == name) for name in ("XBT", "ETH"))
    assert (xbt.value, xbt.entry, xbt.unrealized) == (260, 200, 60)
    assert (eth.value, eth.entry, eth.unrealized) == (-72, -60, -12)
    assert len(worth.margins) == 2
    assert worth.equity == 1000 + 1 + 60 - 12
    assert worth.unrealized == 48
    assert worth.accounts[0].margin_unrealized == 48


@pytest.mark.parametrize(
    "prices, reason",
    [({"EUR_USD": "2"}, "XBT to USD"), ({"XBT_USD": "1"}, "EUR to USD"), ({}, "XBT to USD")],
)
def test_a_leveraged_position_without_a_mark_is_named(prices, reason):
    text = "2026-01-05T10:00:00Z margin buy 2 XBT @ 100 EUR #k:1 quote_rate=1"
    _, worth = valued(text, **prices)
    assert worth.equity == 0
    assert [str(each) for each in worth.unvalued] == [f"XBT/EUR: no mark ({reason})"]
    assert worth.accounts[0].unvalued == ("XBT/EUR",)


def test_the_names_of_one_asset_are_one_line():
    text = """
    2026-01-05T10:00:00Z  deposit 1 XBT   #kraken:1  value=10
    2026-01-05T10:00:00Z  deposit 2 BTC   #binance:1 value=10
    2026-01-05T10:00:00Z  deposit 2 DOGE  #binance:2 value=10
    """
    _, worth = valued(text, XBT_USD="50000", XDG_USD="1")
    assert [each.asset for each in worth.assets] == ["XBT", "DOGE"]
    xbt = worth.asset("BTC")
    assert (xbt.quantity, xbt.value) == (3, 150000)
    assert [(row.account, row.asset) for row in xbt.holdings] == [
        ("binance", "BTC"),
        ("kraken", "XBT"),
    ]


def test_accounts_add_up_though_each_share_would_be_rounded():
    text = """
    2026-01-05T10:00:00Z  deposit 0.000000000000000001 XBT  #a:1  value=0
    2026-01-05T10:00:00Z  deposit 0.000000000000000001 XBT  #b:1  value=0
    2026-01-05T10:00:00Z  deposit 0.000000000000000001 XBT  #c:1  value=0
    """
    _, worth = valued(text, XBT_USD="0.5")
    assert worth.asset("XBT").value == D("0.000000000000000002")
    assert [each.equity for each in worth.accounts] == [D(0), D("1E-18"), D("1E-18")]


def test_pooled_lots_have_no_cost_by_account():
    text = """
    @ scope pooled
    2026-01-05T10:00:00Z  buy 1 XBT @ 100 USD          #a:1
    2026-01-05T10:00:00Z  buy 3 XBT @ 300 USD          #b:1
    """
    _, worth = valued(text, XBT_USD="400")
    xbt = worth.asset("XBT")
    assert (xbt.cost, xbt.value, xbt.unrealized) == (1000, 1600, 600)
    assert [(row.account, row.value, row.cost, row.unrealized) for row in xbt.holdings] == [
        ("a", 400, None, None),
        ("b", 1200, None, None),
    ]
    assert [each.equity for each in worth.accounts] == [300, 300]


def test_a_view_leaves_out_assets_and_carries_what_they_are_worth():
    text = EXAMPLE + "2026-02-02T00:00:00Z margin buy 2 ETH @ 10 USD #k:9\n"
    options = Options(exclude_assets=frozenset({"BTC", "ETH"}))
    _, worth = valued(text, options=options, XBT_USD="60000", ETH_USD="11")
    assert worth.equity == 44987
    assert (worth.excluded_value, worth.excluded_unrealized) == (90002, 30002)
    assert [each.asset for each in worth.excluded] == ["XBT"]
    assert [each.pair for each in worth.excluded_margins] == ["ETH/USD"]
    assert worth.asset("XBT").value == 90000
    assert worth.margins == ()


def test_what_is_left_out_without_a_value_is_missed_unless_it_came_for_nothing():
    text = EXAMPLE + (
        "2026-02-02T00:00:00Z margin buy 2 ETH @ 10 USD #k:9\n"
        "2026-02-02T00:00:00Z reward 5 ODD #k:10\n"
        "2026-02-02T00:00:00Z deposit 7 USDT #k:11\n"
    )
    names = frozenset({"BTC", "ETH", "ODD", "USDT"})
    _, worth = valued(text, options=Options(exclude_assets=names))
    assert (worth.unvalued, worth.excluded_unvalued) == ((), ("ETH/USD", "XBT"))
    assert (worth.owned_cash, worth.cash, figures(worth).is_priced) == (44994, 44987, False)
    _, shown = valued(text, options=Options(exclude_assets=frozenset({"ODD"})))
    assert shown.lacking == shown.coverage.unvalued_assets == ("XBT", "ETH/USD")
    _, left = valued(text, options=Options(exclude_assets=names), XBT_USD="1", ETH_USD="11")
    assert (left.lacking, left.owned_unrealized, figures(left).is_priced) == ((), -59996.5, True)


def test_a_view_of_some_assets_keeps_base_currency():
    options = Options(include_assets=frozenset({"ETH", "USDT"}))
    text = EXAMPLE + "2026-02-02T00:00:00Z deposit 7 USDT #k:9\n"
    _, worth = valued(text, options=options, XBT_USD="60000")
    assert [each.asset for each in worth.assets] == ["USD", "USDT"]
    assert (worth.equity, worth.excluded_value) == (44994, 90000)


def test_a_view_says_with_which_pair_an_asset_is_priced():
    options = Options(valuation_pairs={"XBT": "XBTEUR"})
    _, worth = valued(EXAMPLE, options=options, XBT_USD="60000", XBT_EUR="50000", EUR_USD="2")
    assert worth.asset("XBT").value == 150000
    assert str(worth.asset("XBT").path) == "XBT → EUR → USD"


def test_base_currency_is_worth_its_count_under_every_name():
    text = """
    @ base XBT
    2026-01-05T10:00:00Z  deposit 2 XBT  #kraken:1
    2026-01-05T10:00:00Z  deposit 1 BTC  #binance:1
    """
    _, worth = valued(text)
    assert (worth.equity, worth.unrealized) == (3, 0)
    assert worth.cash_base == 3


def _random_marks(rng):
    pairs = ["XBT/USD", "ETH/XBT", "USD/EUR", "ADA/EUR", "BNB/USDT", "AAPL/USD", "SOL/ETH"]
    pairs += ["MSFT/USD", "ADA2/USD", "USDT/USD"]
    return Marks(
        Mark(*pair.split("/"), D(rng.randint(1, 10**9)).scaleb(-rng.choice([0, 4, 9])), "x", NOW)
        for pair in pairs
        if rng.random() < 0.7
    )


@money
def _check(book, rng):
    hidden = rng.sample(["XBT", "ETH", "EUR", "USDT", "AAPL"], rng.choice([0, 0, 1, 3]))
    options = Options(exclude_assets=frozenset(hidden))
    worth = value_book(book, _random_marks(rng), now=NOW, options=options)
    assert gap(book, worth) == 0
    assert worth.equity == sum(each.equity for each in worth.accounts)
    assert worth.cash == sum(each.cash for each in worth.accounts)
    for each in (*worth.assets, *worth.excluded):
        assert each.quantity == sum(row.quantity for row in each.holdings)
        assert (each.value is None) == (each.missing is not None)
        if each.value is not None:
            assert each.value == sum(row.value for row in each.holdings)
    told = exposure(worth)
    assert told.net == sum(each.value or 0 for each in (*_coins(worth), *worth.margins)) + sum(
        row.value or 0 for each in _coins(worth) if each.value is None for row in each.holdings
    )
    assert told.gross >= abs(told.net)
    assert told.gross == told.long + told.short


def _coins(worth):
    return [each for each in worth.assets if not each.is_cash]


@given(st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_books_close_at_any_marks(rng):
    terms = histories.terms(rng)
    made = Timeline(terms)
    made.land(planned(made, histories.history(rng, 25, terms)))
    _check(made.book, rng)


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("scope", list(Scope))
def test_the_books_close_under_every_rule(method, scope):
    rng = random.Random(f"{method}{scope}")
    terms = histories.terms(rng, method=method, scope=scope)
    made = Timeline(terms)
    for batch in histories.batches(rng, histories.history(rng, 50, terms)):
        made.land(planned(made, batch))
        _check(made.book, rng)


def test_valuing_a_book_leaves_it_as_it_was():
    book = book_of(EXAMPLE)
    before = dict(book.holdings), dict(book.cells)
    first = value_book(book, marks(XBT_USD="1"), now=NOW)
    assert (dict(book.holdings), dict(book.cells)) == before
    assert value_book(book, marks(XBT_USD="1"), now=NOW) == first


AIRDROP = """
2026-02-02T00:00:00Z  deposit 5 SGB          #k:1
2026-02-02T00:00:01Z  buy 1 XBT @ 10 USD     #k:2
2026-02-02T00:00:02Z  deposit 1 XBT          #k:3
"""


def test_what_came_without_a_price_has_no_known_cost_and_no_known_gain():
    _, worth = valued(AIRDROP, SGB_USD="2", XBT_USD="30")
    free, partly = worth.asset("SGB"), worth.asset("XBT")
    assert (free.value, free.cost, free.known_cost, free.unrealized) == (10, 0, None, None)
    assert (free.unfounded, free.flags[0]) == (10, "unpriced")
    assert [(row.cost, row.unrealized) for row in free.holdings] == [(None, None)]
    assert (partly.known_cost, partly.unrealized, partly.unfounded) == (10, 50, 0)
    assert "unpriced" in partly.flags
    assert (worth.unrealized, worth.unfounded) == (50, 10)


def test_what_has_neither_value_nor_cost_gains_nothing():
    _, worth = valued(AIRDROP, XBT_USD="30")
    assert (worth.asset("SGB").value, worth.asset("SGB").is_cost_known) == (None, False)
    assert worth.unfounded == 0
    _, hidden = valued(AIRDROP, SGB_USD="2", options=Options(exclude_assets=frozenset({"SGB"})))
    assert (hidden.unfounded, hidden.excluded_unrealized) == (10, 0)


def test_a_gift_of_known_worth_nothing_has_a_known_cost():
    _, worth = valued("2026-02-02T00:00:00Z deposit 5 SGB #k:1 value=0", SGB_USD="2")
    assert (worth.asset("SGB").known_cost, worth.asset("SGB").unrealized) == (0, 10)
