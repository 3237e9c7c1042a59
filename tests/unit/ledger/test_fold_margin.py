"""Leveraged positions: every number here is worked out by hand."""

from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from bursar.errors import Oversold
from bursar.ledger.describe import retold
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


@pytest.mark.parametrize(
    "trades,left,unseen",
    [
        ([("sell", 1, True)], 0, 1),
        ([("buy", 2, None), ("sell", 5, True)], 0, 3),
        ([("buy", 2, None), ("sell", 1, True)], 1, 0),
        ([("buy", 2, None), ("buy", 5, True)], 2, 5),  # not that position
        ([("sell", 1, True), ("sell", 3, None), ("buy", 4, True)], 0, 2),
    ],
)
def test_what_opened_nothing_closes_what_is_known_and_says_how_much_more(trades, left, unseen):
    pen = Pen()
    made = [pen.margin(side, size, 100, "0", closes=only) for side, size, only in trades]
    position = folded(*made).margins[PAIR]
    assert (position.quantity, position.notional) == (left, 100 * left)
    assert position.unseen == unseen


@pytest.mark.parametrize(
    "side, settled, left",
    [
        ("buy", "60", 200),  # the oldest went, which was entered at 100
        ("buy", "-40", 100),  # the other
        ("buy", None, 150),
        ("buy", "-900", 150),  # it cannot have been entered at 1,060
        ("buy", "200", 150),  # nor at less than nothing
        ("sell", "-60", 200),
        ("sell", "40", 100),
        ("sell", "900", 150),
    ],
)
def test_what_is_stated_of_a_part_says_what_it_was_entered_for(side, settled, left):
    pen, other = Pen(), "sell" if side == "buy" else "buy"
    facts = [pen.margin(side, 1, 100), pen.margin(side, 1, 200), pen.margin(other, 1, 160, settled)]
    assert folded(*facts).margins[PAIR].notional == left


def test_what_was_settled_in_other_coins_says_so_only_where_it_is_known_in_the_quote():
    def left(**told):
        pen = Pen()
        opened = [pen.margin("buy", 1, 100), pen.margin("buy", 1, 200)]
        closing = pen.margin("sell", 1, 160, "0")
        closing = msgspec.structs.replace(closing, is_elsewhere=True, **told)
        return folded(*opened, closing).margins[PAIR].notional

    assert left() == 150
    assert left(made=D(60)) == 200


def test_a_part_that_is_settled_by_delivery_was_entered_for_what_is_paid():
    pen = Pen()
    opened = [pen.margin("buy", 1, 100), pen.margin("buy", 1, 200)]
    delivery = pen.buy(1, "XBT", 100, delivers=True)
    assert folded(*opened, delivery).margins[PAIR] == Margin("XBT", "USD", D(1), D(200))


def test_what_closing_an_unseen_position_settled_is_what_it_made():
    pen = Pen()
    facts = [pen.margin("buy", 2, 100), pen.margin("sell", 5, 90, "30", closes=True)]
    book = folded(*facts)
    assert held(book, "USD") == (D(30), D(30))
    assert told(*facts) == [("margin", "XBT", D(30))]
    assert not book.gaps


def test_where_nobody_states_it_what_closing_an_unseen_position_made_is_not_known():
    pen = Pen()
    facts = [pen.margin("buy", 2, 100), pen.margin("sell", 5, 90, closes=True)]
    book = folded(*facts)
    assert held(book, "USD") == (D(-20), D(-20))  # of the part that is known
    assert book.gaps == {("XBT", "unsettled"): 1}
    record = retold(terms(), facts)[0][-2]
    assert (record.pnl_base, record.pnl_quote, record.flags) == (D(-20), None, ("unsettled",))


def test_a_delivery_leaves_what_is_unseen():
    pen = Pen()
    coins = replace(pen.buy(1, "XBT", 100), delivers=True)
    closed, opened = pen.margin("sell", 3, 100, "1", closes=True), pen.margin("buy", 1, 100)
    book = folded(closed, opened, coins)
    assert book.margins[PAIR] == Margin("XBT", "USD", D(0), D(0), unseen=D(3))


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
