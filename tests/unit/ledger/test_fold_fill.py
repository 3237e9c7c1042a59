"""Fills: every number here is worked out by hand."""

from decimal import Decimal

import pytest

from bursar.errors import Oversold
from bursar.ledger import audit
from bursar.ledger.entries import Fill, Rate, Side
from bursar.ledger.state import Cell, FeeTotal
from tests.unit.ledger.samples import (
    MAIN,
    SHORT,
    START,
    Pen,
    fees,
    folded,
    held,
    lots,
    realized,
    terms,
    told,
)

D = Decimal
EUR = (Rate("EUR", "USD", D("1.10"), "file"),)
BNB = (Rate("BNB", "USD", D(500), "file"),)
KEY = (MAIN, "XBT", "XBT/USD", "manual", "")


def test_fees_are_expensed_when_they_happen():
    pen = Pen()
    book = folded(
        pen.buy(2, "XBT", 80_000, fees=fees((8, "USD"))),
        pen.sell("0.5", "XBT", 25_000, fees=fees((5, "USD"))),
    )
    assert held(book, "XBT") == (D("1.5"), D(60_000))
    assert held(book, "USD") == (D(-55_013), D(-55_013))
    assert book.cells[KEY] == Cell(D("1.5"), D(4_987), D(13), 2)
    assert book.fees[MAIN, "XBT/USD", "USD"] == FeeTotal(D(13), D(13))


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("method", ["wac", "fifo", "lifo", "hifo", "specific"])
def test_every_rule_books_the_same_sale_from_other_lots(method, pooled):
    pen = Pen()
    book = folded(
        pen.buy(1, "XBT", 100),
        pen.buy(1, "XBT", 400),
        pen.buy(1, "XBT", 250),
        pen.sell(1, "XBT", 300, lots=(f"{MAIN}:3",)),
        under=terms(method, pooled=pooled),
    )
    cost = {"wac": 250, "fifo": 100, "lifo": 250, "hifo": 400, "specific": 250}[method]
    assert realized(book) == 300 - cost
    assert held(book, "XBT") == (D(2), D(750 - cost))
    assert audit.breaches(book) == []


def test_a_part_of_a_lot_leaves_at_its_share_and_the_rest_stays():
    pen = Pen()
    book = folded(pen.buy(3, "XBT", 100), pen.sell(1, "XBT", 50), under=terms("fifo"))
    assert lots(book, "XBT") == [("1", D(2), D("66.666666666666666667"))]
    assert realized(book) == D("16.666666666666666667")


def test_specific_takes_the_named_lots_first_and_then_the_oldest():
    pen = Pen()
    book = folded(
        *(pen.buy(1, "XBT", cost) for cost in (10, 20, 30, 40)),
        pen.sell("2.5", "XBT", 100, lots=(f"{MAIN}:3", "never heard of")),
        under=terms("specific"),
    )
    assert lots(book, "XBT") == [("2", D("0.5"), D(10)), ("4", D(1), D(40))]
    assert realized(book) == 100 - 30 - 10 - 10


def test_of_equal_costs_per_unit_hifo_takes_the_earlier():
    pen = Pen()
    book = folded(
        pen.buy(2, "XBT", 20), pen.buy(1, "XBT", 10), pen.sell(1, "XBT", 9), under=terms("hifo")
    )
    assert lots(book, "XBT") == [("1", D(1), D(10)), ("2", D(1), D(10))]


def test_a_fee_in_the_coins_just_bought_comes_from_their_lot():
    pen = Pen()
    book = folded(pen.buy(10, "XBT", 1_000, fees=fees((1, "XBT"))), under=terms("fifo"))
    assert lots(book, "XBT") == [("1", D(9), D(900))]
    assert book.cells[KEY] == Cell(D(10), D(-100), D(100), 1)


def test_a_fee_in_coins_sold_is_a_disposal_at_its_value():
    pen = Pen()
    book = folded(
        pen.buy(11, "XBT", 1_100), pen.sell(10, "XBT", 2_000, fees=fees((1, "XBT"))), under=terms()
    )
    assert held(book, "XBT") == (0, 0)
    # 2,000 − 1,000 − fee 200, and the coin of the fee gains 200 − 100
    assert realized(book) == 800 + 100


def test_a_fee_in_a_third_coin_is_a_disposal_of_that_coin():
    pen = Pen()
    book = folded(
        pen.buy(1, "BNB", 300),
        pen.buy(1, "XBT", 1_000, fees=fees(("0.1", "BNB")), rates=BNB),
    )
    assert held(book, "BNB") == (D("0.9"), D(270))
    assert realized(book, "XBT") == -50
    assert realized(book, "BNB") == 50 - 30


def test_a_rebate_is_a_negative_fee_and_brings_a_lot_of_its_own():
    pen = Pen()
    facts = (pen.buy(10, "XBT", 1_000, fees=fees((-1, "XBT"))),)
    book = folded(*facts, under=terms("fifo"))
    assert lots(book, "XBT") == [("1", D(10), D(1_000)), ("1/rebate", D(1), D(100))]
    assert book.cells[KEY] == Cell(D(10), D(100), D(-100), 1)
    assert audit.breaches(book) == []


def test_a_rebate_of_the_coins_sold_is_there_to_be_sold():
    pen = Pen()
    strict = terms("fifo", strict=True)
    book = folded(
        pen.buy("9.5", "XBT", 950),
        pen.sell(10, "XBT", 2_000, fees=fees((-1, "XBT"))),
        under=strict,
    )
    assert held(book, "XBT") == (D("0.5"), D(100))
    assert not book.held(MAIN, "XBT").owed


def test_one_value_serves_both_legs_of_a_coin_to_coin_trade():
    pen = Pen()
    book = folded(
        pen.buy(100, "EUR", 105, rates=EUR),
        pen.buy(2, "XBT", 50, quote="EUR", rates=EUR),
    )
    assert held(book, "XBT") == (D(2), D(55))
    assert held(book, "EUR") == (D(50), D("52.5"))
    assert realized(book, "EUR") == D("2.5")
    assert realized(book, "XBT") == 0


def test_without_a_rate_of_the_quote_the_base_decides():
    pen = Pen()
    rates = (Rate("XBT", "USD", D(30), "file"),)
    book = folded(pen.buy(2, "XBT", 50, quote="EUR", rates=rates))
    assert held(book, "XBT") == (D(2), D(60))


def test_an_unpriced_fill_has_no_cost_and_leaves_a_gap():
    pen = Pen()
    book = folded(pen.buy(2, "XBT", 50, quote="EUR"))
    assert held(book, "XBT") == (D(2), 0)
    assert dict(book.gaps) == {("XBT", "unpriced"): 1, ("EUR", "unpriced"): 1}


def test_a_peg_away_from_one_realises_the_difference_at_once():
    pen = Pen()
    book = folded(pen.buy(1_000, "USDT", 998), pen.sell(500, "USDT", "500.5"))
    assert held(book, "USDT") == (D(500), D(500))
    assert realized(book) == D(2) + D("0.5")
    assert {cell.peg for cell in book.cells.values()} == {D("2.5")}


def test_price_times_quantity_serves_where_no_amount_is_stated():
    fill = Fill(
        id="k:1",
        executed_at=START,
        account=MAIN,
        base="XBT",
        quote="USD",
        side=Side.BUY,
        quantity=D("0.3"),
        price=D("33.33"),
    )
    assert held(folded(fill), "USD") == (D("-9.999"), D("-9.999"))


def test_a_leg_that_rounded_to_nothing_still_closes():
    pen = Pen()
    book = folded(pen.buy(0, "XBT", 5), pen.sell(0, "XBT", 3))
    assert held(book, "XBT") == (0, 0)
    assert realized(book) == -5 + 3
    assert audit.breaches(book) == []


def test_what_is_not_there_is_owed_and_realises_nothing():
    pen = Pen()
    book = folded(pen.buy(2, "XBT", 200), pen.sell(5, "XBT", 1_000), under=terms("fifo"))
    owed = book.held(MAIN, "XBT").owed
    assert [(lot.quantity, lot.cost) for lot in owed] == [(D(3), D(600))]
    assert held(book, "XBT") == (D(-3), D(-600))
    assert realized(book) == 400 - 200


def test_where_shorts_are_lawful_the_next_purchase_covers():
    pen = Pen()
    facts = [
        pen.sell(3, "AAPL", 300, account=SHORT),
        pen.sell(1, "AAPL", 120, account=SHORT),
        pen.buy("3.5", "AAPL", 280, account=SHORT),
    ]
    book = folded(*facts)
    assert held(book, "AAPL", SHORT) == (D("-0.5"), D(-60))
    assert realized(book) == 300 + 60 - 280
    assert told(*facts) == [("cover", "AAPL", D(80)), ("trade", "AAPL", D(0))]
    over = folded(*facts, pen.buy(2, "AAPL", 100, account=SHORT), under=terms("fifo"))
    assert lots(over, "AAPL", SHORT) == [("4", D("1.5"), D(75))]
    assert realized(over) == 80 + 60 - 25


def test_a_strict_account_refuses_and_says_what_is_there():
    pen = Pen()
    facts = [pen.buy(2, "XBT", 200), pen.sell(3, "XBT", 900)]
    with pytest.raises(Oversold) as caught:
        folded(*facts, under=terms(strict=True))
    assert caught.value.context["held"] == 2
    assert caught.value.context["wanted"] == 3


def test_a_trace_tells_each_piece_by_name():
    pen = Pen()
    facts = [
        pen.buy(100, "EUR", 105, rates=EUR),
        pen.buy(2, "XBT", 50, quote="EUR", rates=EUR, fees=fees((1, "USDT"))),
    ]
    assert told(*facts) == [("trade", "XBT", D(-1)), ("trade", "EUR", D("2.5"))]


def test_a_fee_of_nothing_leaves_no_trace():
    pen = Pen()
    bought = pen.buy(1, "XBT", 10, fees=fees((0, "USD")))
    assert not folded(bought).fees
    assert not folded(bought, under=terms("fifo")).fees
    assert not folded(pen.flow("deposit", 1, "USD", fees=fees((0, "USD")))).fees
