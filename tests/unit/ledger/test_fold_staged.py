"""Staged changes: every number here is worked out by hand."""

from decimal import Decimal

import pytest

from bursar.errors import Oversold
from bursar.ledger import audit
from bursar.ledger.state import Cell
from tests.unit.ledger.samples import (
    MAIN,
    Pen,
    booked,
    fees,
    folded,
    held,
    lots,
    realized,
    terms,
    told,
)

D = Decimal


def test_what_comes_in_costs_its_price_and_what_leaves_realises():
    pen = Pen()
    book = folded(
        pen.staged("-200", lines=[("XBT", 2, 100)]),
        pen.staged("150", "1.5", lines=[("XBT", -1, 150, "trend")]),
    )
    assert held(book, "XBT") == (D(1), D(100))
    assert held(book, "USD") == (D("-51.5"), D("-51.5"))
    assert book.cells[MAIN, "XBT", "XBT/USD", "trend", ""] == Cell(D(-1), D(50), D(0), 1)
    assert realized(book, "USD") == D("-1.5")
    assert booked(book, "staged_flow") == 0


def test_cash_that_positions_do_not_explain_is_capital():
    pen = Pen()
    book = folded(pen.staged("-100", lines=[("XBT", 1, 130)]), pen.staged("5"))
    assert booked(book, "staged_flow") == 30 + 5
    assert audit.breaches(book) == []


def test_purchases_go_before_sales_of_the_same_change():
    pen = Pen()
    change = pen.staged(lines=[("XBT", -2, 10, "a"), ("XBT", 2, 9, "b"), ("XBT", 0, 9)])
    book = folded(change, under=terms("fifo", strict=True))
    assert held(book, "XBT") == (0, 0)
    assert realized(book) == 2


def test_two_purchases_of_one_change_are_two_lots():
    pen = Pen()
    change = pen.staged(lines=[("XBT", 1, 10, "a"), ("XBT", 1, 12, "b")])
    book = folded(change, under=terms("fifo"))
    assert lots(book, "XBT") == [("1", D(1), D(10)), ("1/1", D(1), D(12))]


def test_lot_edits_take_the_place_of_the_rule():
    pen = Pen()
    buys = [pen.buy(1, "XBT", cost) for cost in (10, 20)]
    change = pen.staged("30", lines=[("XBT", -1, 30)], lots=[("remove", "XBT", buys[1].id)])
    book = folded(*buys, change, under=terms("fifo"))
    assert lots(book, "XBT") == [("1", D(1), D(10))]
    assert realized(book) == 30 - 20


def test_edits_of_cost_alone_adjust_the_basis():
    pen = Pen()
    buy = pen.buy(1, "XBT", 10)
    change = pen.staged(lots=[("update", "XBT", buy.id, 1, 25), ("remove", "XBT", "unknown")])
    book = folded(buy, change, under=terms("fifo"))
    assert lots(book, "XBT") == [("1", D(1), D(25))]
    assert booked(book, "basis_adjustment") == 15
    assert realized(book) == 0


def test_an_added_lot_that_the_deltas_explain_is_no_adjustment():
    pen = Pen()
    change = pen.staged("-9", lines=[("XBT", 1, 9)], lots=[("add", "XBT", "new", 1, 9)])
    book = folded(change, under=terms("fifo"))
    assert held(book, "XBT") == (D(1), D(9))
    assert set(book.flows) == set()
    assert audit.breaches(book) == []


def test_under_wac_the_pool_is_the_one_lot():
    pen = Pen()
    book = folded(pen.buy(2, "XBT", 10), pen.staged(lots=[("update", "XBT", "pool", 3, 12)]))
    assert held(book, "XBT") == (D(3), D(12))
    assert booked(book, "basis_adjustment") == 2


def test_edits_touch_only_their_own_asset():
    pen = Pen()
    change = pen.staged(
        lines=[("ETH", 1, 5)], lots=[("add", "XBT", "x", 1, 9), ("add", "SOL", "s", 2, 4)]
    )
    book = folded(pen.buy(1, "XBT", 10), change, under=terms("fifo"))
    assert held(book, "XBT") == (D(2), D(19))
    assert held(book, "SOL") == (D(2), D(4))
    assert held(book, "ETH") == (D(1), D(5))


def test_lots_of_money_are_not_edited():
    pen = Pen()
    book = folded(pen.staged("5", lots=[("add", "USDT", "l", 5, 4)]))
    assert held(book, "USDT") == (0, 0)
    assert audit.breaches(book) == []


def test_money_may_be_a_staged_position():
    pen = Pen()
    book = folded(pen.staged("-99", lines=[("USDT", 100, "0.99")]))
    assert held(book, "USDT") == (D(100), D(100))
    assert realized(book) == 1


def test_the_claim_changes_nothing():
    pen = Pen()
    plain, claimed = Pen(), Pen()
    assert (
        folded(plain.staged("5")).cells == folded(claimed.staged("5", claimed_realized=D(99))).cells
    )
    assert fees() == ()
    assert pen.count == 0


def test_a_strict_account_refuses_to_stage_what_it_has_not():
    pen = Pen()
    with pytest.raises(Oversold):
        folded(pen.staged(lines=[("XBT", -1, 10)]), under=terms(strict=True))


def test_a_traced_change_tells_its_pieces():
    pen = Pen()
    facts = [
        pen.buy(1, "XBT", 10),
        pen.staged("30", "2", lines=[("XBT", -1, 30)]),
    ]
    assert told(*facts) == [("staged", "XBT", D(20)), ("staged", "USD", D(-2))]
