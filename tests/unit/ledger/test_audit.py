"""The audit finds every kind of breach that is planted."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger import audit
from bursar.ledger.lots import Lot
from bursar.ledger.state import Cell, Holding
from tests.unit.ledger.samples import MAIN, Pen, folded, terms

D = Decimal


def book(method="fifo", *, pooled=False):
    pen = Pen()
    facts = [
        pen.buy(2, "XBT", 100),
        pen.flow("deposit", 50, "USD"),
        pen.flow("reward", 1, "XBT", value=9),
        pen.flow("fee", -3, "USD"),
        pen.sell(1, "XBT", 70),
    ]
    return folded(*facts, under=terms(method, pooled=pooled))


def planted(method="fifo", *, pooled=False, asset="XBT", **changes):
    found = book(method, pooled=pooled)
    key = found.place(MAIN, asset)
    found.holdings[key] = msgspec.structs.replace(found.holdings[key], **changes)
    return [breach.identity for breach in audit.breaches(found)]


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("method", ["wac", "fifo"])
def test_books_that_close_have_no_breach(method, pooled):
    assert audit.breaches(book(method, pooled=pooled)) == []


def test_both_sides_are_summed_as_they_are_named():
    sums = audit.totals(book())
    assert sums == audit.Totals(
        cost=D(17 + 59), contributed=D(50), realized=D(20), income=D(9), expenses=D(3)
    )
    assert sums.gap == 0


def test_cost_that_nobody_explains_is_a_breach_of_money():
    assert "money" in planted("wac", cost=D(60))


def test_money_off_its_face_is_a_breach():
    assert planted(asset="USD", cost=D(16), quantity=D(17)) == ["money", "face"]


def test_lots_that_do_not_add_up_are_a_breach():
    assert "lots" in planted(quantity=D(3))
    assert "lots" in planted(cost=D(1))


def test_less_than_nothing_is_a_breach():
    assert "quantity" in planted("wac", quantity=D(-1))
    debt = Lot("s", 0, D(5), D(0))
    assert "quantity" not in planted("wac", quantity=D(-3), owed=(debt,))


def test_nothing_that_costs_is_a_breach():
    assert "empty holding with cost" in planted("wac", quantity=D(0))


def test_balances_that_do_not_add_up_to_their_pool_are_a_breach():
    found = book(pooled=True)
    found.balances[MAIN, "XBT"] += 1
    assert [breach.identity for breach in audit.breaches(found)] == ["pooled balances"]


def test_a_fork_is_checked_by_what_it_changed():
    parent = book()
    child = parent.fork()
    assert audit.changes(parent, child) == []
    key = (MAIN, "XBT", "none", "manual", "")
    child.cells[key] = Cell(realized=D(1))
    child.holdings[MAIN, "USD"] = Holding(D(5), D(4))
    breaches = audit.changes(parent, child)
    assert [breach.identity for breach in breaches] == ["money", "face"]
    assert str(breaches[1]) == f"face at {MAIN}/USD: off by -1"
    assert audit.breaches(parent) == []


def test_a_book_that_is_no_fork_is_its_own_change():
    assert audit.changes(book(), book()) == []
