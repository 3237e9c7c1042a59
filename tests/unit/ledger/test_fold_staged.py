"""Staged changes: every number here is worked out by hand."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bursar.errors import Oversold
from bursar.ledger import audit
from bursar.ledger.state import Cell, FeeTotal
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
    made = Cell(D(-1), D("48.5"), D("1.5"), 1)
    assert book.cells[MAIN, "XBT", "XBT/USD", "trend", ""] == made
    assert booked(book, "staged_flow") == 0


@pytest.mark.parametrize(
    "lines, place",
    [
        ([("XBT", 1, 5, "trend")], ("XBT", "XBT/USD", "trend")),
        ([("XBT", 1, 5, "trend"), ("XBT", 1, 6, "grid")], ("XBT", "XBT/USD", "manual")),
        ([("XBT", 1, 5, "trend"), ("ETH", 1, 5, "trend")], ("USD", "none", "trend")),
        ([("XBT", 1, 5, "trend"), ("ETH", 1, 5)], ("USD", "none", "manual")),
        ([], ("USD", "none", "manual")),
    ],
)
def test_fees_are_where_the_one_position_is(lines, place):
    book = folded(Pen().staged(fees="1.5", lines=lines))
    charged = {key[1:4]: cell.fees for key, cell in book.cells.items() if cell.fees}
    assert charged == {place: D("1.5")}
    assert book.fees == {(MAIN, place[1], "USD"): FeeTotal(D("1.5"), D("1.5"))}


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
    book = folded(pen.buy(2, "XBT", 10), pen.staged(lots=[("update", "XBT", "pool", 2, 12)]))
    assert held(book, "XBT") == (D(2), D(12))
    assert booked(book, "basis_adjustment") == 2


def test_edits_touch_only_their_own_asset():
    pen = Pen()
    change = pen.staged(
        lines=[("ETH", 1, 5), ("XBT", 1, 9), ("SOL", 2, 2)],
        lots=[("add", "XBT", "x", 1, 9), ("add", "SOL", "s", 2, 4)],
    )
    book = folded(pen.buy(1, "XBT", 10), change, under=terms("fifo"))
    assert held(book, "XBT") == (D(2), D(19))
    assert held(book, "SOL") == (D(2), D(4))
    assert held(book, "ETH") == (D(1), D(5))


@pytest.mark.parametrize(
    "edits",
    [
        [("remove", "XBT", f"{MAIN}:1")],
        [("remove", "XBT", "gone")],
        [("update", "XBT", "gone", "0.5", 5)],
        [("update", "XBT", f"{MAIN}:1", 1, 10)],
        [("add", "XBT", "new", 1, 10)],
    ],
)
def test_lots_that_are_not_there_as_they_were_set_are_for_the_rule_to_choose(edits):
    pen = Pen()
    buy = pen.buy(2, "XBT", 20)
    change = pen.staged("8", lines=[("XBT", "-0.5", 16, "a")], lots=edits)
    book = folded(buy, change, under=terms("fifo"))
    plain = folded(buy, replace(change, lots=()), under=terms("fifo"))
    assert (book.holdings, book.cells) == (plain.holdings, plain.cells)
    assert held(book, "XBT") == (D("1.5"), D(15))
    assert realized(book) == 3
    assert set(book.flows) == set()


def test_lots_alone_bring_and_take_no_coins():
    pen = Pen()
    edits = [("remove", "XBT", f"{MAIN}:1"), ("add", "ETH", "e", 1, 5)]
    book = folded(pen.buy(2, "XBT", 20), pen.staged(lots=edits), under=terms("fifo"))
    assert lots(book, "XBT") == [("1", D(2), D(20))]
    assert held(book, "ETH") == (0, 0)
    assert set(book.flows) == set()


def test_lots_set_by_hand_under_one_rule_move_the_same_coins_under_any_other():
    def under(rule):
        pen = Pen()
        buys = [pen.buy(1, "XBT", cost) for cost in (10, 20)]
        edits = [("update", "XBT", buys[1].id, "0.5", 10)]
        change = pen.staged("15", lines=[("XBT", "-0.5", 30)], lots=edits)
        return folded(*buys, change, under=terms(rule))

    made = {rule: realized(under(rule)) for rule in ("fifo", "lifo", "hifo", "wac")}
    assert made == {"fifo": 5, "lifo": 5, "hifo": 5, "wac": D("7.5")}
    assert {held(under(rule), "XBT")[0] for rule in made} == {D("1.5")}


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
    assert told(*facts) == [("staged", "XBT", D(20)), ("staged", "XBT", D(-2))]
