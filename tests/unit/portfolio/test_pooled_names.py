"""One coin under several names is one pool, and each account keeps its own name of it."""

from decimal import Decimal

import pytest

from bursar.ledger.terms import Method, Scope, Terms
from bursar.portfolio.hand import Details
from tests.unit.portfolio.places import opened

D = Decimal
POOLED = Terms(base="EUR", scope=Scope.POOLED, method=Method.FIFO)
BOTH = (
    "2026-01-05T00:00:00Z buy 1 XBT @ 10000 EUR #kraken:main:1",
    "2026-01-06T00:00:00Z buy 2 BTC @ 40000 EUR #binance:main:1",
)
BY_HAND: Details = {"account": "binance:main", "price": "50000", "time": "2026-01-07"}


def quantities(book):
    return {(each.account, each.asset): each.total for each in book.balances(by_account=True)}


@pytest.mark.parametrize("said", ["BTC/EUR", "XBT/EUR"])
def test_a_sale_takes_the_oldest_lot_whoever_calls_it_what(said):
    book = opened(*BOTH, terms=POOLED)
    book.add("sell", "1", said, **BY_HAND)
    (told,) = book.pnl(by="asset")
    assert told.pnl.total.realized == 40000
    assert quantities(book)["binance:main", "BTC"] == 1
    assert quantities(book)["kraken:main", "XBT"] == 1
    assert book.verify().is_sound


def test_an_account_keeps_its_name_in_a_transaction():
    book = opened(*BOTH, terms=POOLED)
    rules = {"account": "binance:main", "validation_epsilon": "1000000"}
    with book.batch(**rules) as batch, batch.transaction() as tx:
        tx.stage_position_delta("XBT/EUR", "-1", entry_price="50000")
        tx.stage_cash_delta("50000")
        assert tx.commit({"XBT": "50000"})
    assert quantities(book)["binance:main", "BTC"] == 1
    assert book.pnl()[0].pnl.total.realized == 40000


def test_a_pool_is_shown_by_the_only_name_that_it_has():
    book = opened(BOTH[1], terms=POOLED)
    assert set(book.lots()) == set(book.lots("XBT")) == {("*", "BTC")}
    assert [each.asset for each in book.equity().valuation.assets if not each.is_cash] == ["BTC"]
    both = opened(*BOTH, terms=POOLED)
    assert set(both.lots()) == {("*", "XBT")}
    assert len(both.lots()["*", "XBT"]) == 2
