"""Leveraged positions: every number here is worked out by hand."""

from decimal import Decimal

import pytest

from bursar.errors import Oversold
from bursar.ledger.entries import Rate
from bursar.ledger.state import Margin
from tests.unit.ledger.samples import MAIN, Pen, fees, folded, held, realized, terms, told

D = Decimal
PAIR = (MAIN, "XBT/USD")
EUR = (Rate("EUR", "USD", D("1.10"), "file"),)


def test_opening_moves_no_asset_and_keeps_the_notional():
    pen = Pen()
    book = folded(pen.margin("buy", 2, 100), pen.margin("buy", 1, 130))
    assert book.margins[PAIR] == Margin("XBT", "USD", D(3), D(330))
    assert not book.holdings
    assert realized(book) == 0


def test_a_long_closes_pro_rata():
    pen = Pen()
    book = folded(pen.margin("buy", 3, 100), pen.margin("sell", 1, 150))
    assert book.margins[PAIR] == Margin("XBT", "USD", D(2), D(200))
    assert held(book, "USD") == (D(50), D(50))


def test_a_short_earns_when_the_price_falls():
    pen = Pen()
    book = folded(pen.margin("sell", 3, 100), pen.margin("buy", 3, 60, fees=fees((2, "USD"))))
    assert book.margins[PAIR] == Margin("XBT", "USD", D(0), D(0))
    assert held(book, "USD") == (D(118), D(118))
    assert realized(book) == 118


@pytest.mark.parametrize(
    "trades,leverage",
    [
        ([("buy", 2, 5)], 5),
        ([("buy", 2, 5), ("buy", 1, None)], 5),  # grown, and nobody says otherwise
        ([("buy", 2, 5), ("buy", 1, 10)], 10),
        ([("buy", 2, 5), ("sell", 1, 3)], 5),  # what is left stays as it was opened
        ([("buy", 2, 5), ("sell", 2, 5)], None),
        ([("buy", 2, 5), ("sell", 5, None)], None),  # another position
        ([("buy", 2, 5), ("sell", 5, 3)], 3),
        ([("buy", 2, 5), ("sell", 2, 5), ("buy", 1, None)], None),
    ],
)
def test_the_leverage_is_that_of_what_is_open(trades, leverage):
    pen = Pen()
    made = (pen.margin(side, size, 100, leverage=told and D(told)) for side, size, told in trades)
    assert folded(*made).margins[PAIR].leverage == leverage


def test_through_zero_closes_and_opens_the_rest():
    pen = Pen()
    book = folded(pen.margin("buy", 2, 100), pen.margin("sell", 5, 90))
    assert book.margins[PAIR] == Margin("XBT", "USD", D(-3), D(270))
    assert realized(book) == -20


def test_what_the_venue_settled_is_the_fact_and_the_rest_is_rounding():
    pen = Pen()
    facts = [pen.margin("buy", 3, 100), pen.margin("sell", 3, "110.003", "30.01")]
    assert held(folded(*facts), "USD") == (D("30.01"), D("30.01"))
    assert told(*facts) == [("margin", "XBT", D("30.009")), ("rounding", "XBT", D("0.001"))]


def test_a_statement_without_a_quantity_settles_money_alone():
    pen = Pen()
    facts = [pen.margin("buy", 3, 100), pen.margin(None, None, None, "-7")]
    book = folded(*facts)
    assert book.margins[PAIR].quantity == 3
    assert held(book, "USD") == (D(-7), D(-7))
    assert told(*facts) == [("margin", "XBT", D(0)), ("margin", "XBT", D(-7))]


def test_without_a_price_the_size_moves_and_the_fact_is_marked():
    pen = Pen()
    book = folded(pen.margin("buy", 3, 100), pen.margin("sell", 1, None, "4"))
    assert book.margins[PAIR] == Margin("XBT", "USD", D(2), D(200))
    assert held(book, "USD") == (D(4), D(4))
    assert book.gaps["XBT", "unpriced"] == 1


def test_pnl_in_a_foreign_quote_comes_in_at_its_worth():
    pen = Pen()
    book = folded(
        pen.margin("buy", 1, 100, quote="EUR", rates=EUR),
        pen.margin("sell", 1, 140, quote="EUR", rates=EUR),
        pen.margin("buy", 1, 140, "-10", quote="EUR", rates=EUR),
    )
    assert held(book, "EUR") == (D(30), D(33))
    assert realized(book, "XBT") == 44 - 11
    assert realized(book, "EUR") == 0


def test_a_foreign_quote_without_a_rate_counts_as_nothing():
    pen = Pen()
    book = folded(pen.margin("buy", 1, 100, "5", quote="EUR"))
    assert held(book, "EUR") == (D(5), 0)
    assert book.gaps["XBT", "unpriced"] == 1


def test_a_fee_in_a_coin_leaves_its_lots():
    pen = Pen()
    bnb = (Rate("BNB", "USD", D(50), "file"),)
    book = folded(
        pen.buy(1, "BNB", 30), pen.margin("buy", 1, 100, fees=fees(("0.1", "BNB")), rates=bnb)
    )
    assert held(book, "BNB") == (D("0.9"), D(27))
    assert (realized(book, "BNB"), realized(book, "XBT")) == (D(2), D(-5))


@pytest.mark.parametrize("account", [MAIN])
def test_a_strict_account_cannot_settle_coins_it_has_not(account):
    pen = Pen()
    with pytest.raises(Oversold):
        folded(
            pen.margin(None, None, None, "-5", quote="EUR", account=account, rates=EUR),
            under=terms(strict=True),
        )
