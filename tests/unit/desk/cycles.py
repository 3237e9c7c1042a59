"""Portfolios with money, and what may happen to their transactions."""

from bursar.desk.transactions import PortfolioTransaction, rules_of
from bursar.ledger import projection
from bursar.ledger.terms import Method, Terms
from bursar.portfolio import Portfolio
from tests.unit.portfolio.places import opened

USD = Terms(base="USD")
FIFO = Terms(base="USD", method=Method.FIFO)


def book(*, terms=USD, cash="100000", clock=None):
    """A portfolio with so much cash."""
    portfolio = opened(terms=terms, clock=clock)
    with portfolio.transaction(cash) as tx:
        tx.stage_cash_delta(cash)
        assert tx.commit({})
    return portfolio


def state(portfolio):
    store = portfolio.desk.store
    head = store.head()
    rows = [row.hash for row in store.records()]
    return projection.digest(portfolio.book()), head, store.load_state(), rows, store.outbox()


def reviewed(tx):
    """Its verdict, which it has."""
    assert tx.review_made is not None
    return tx.review_made


def broken_in(tx):
    """An exception in the middle of a block."""
    with tx:
        tx.stage_cash_delta("-90000")
        raise LookupError


def overtaken(one, other, *, stages):
    """A transaction of one desk, while that of another commits."""
    with PortfolioTransaction(one, rules_of(0, {})) as tx:
        if stages:
            tx.stage_cash_delta(1)
        with PortfolioTransaction(other, rules_of(0, {})) as first:
            first.stage_cash_delta(1)
            assert first.commit({})
        tx.commit({})


def committed(tx):
    """Stage one dollar and commit it."""
    with tx:
        tx.stage_cash_delta(1)
        tx.commit({})


def two_lots():
    portfolio = book(terms=FIFO)
    for price in (30000, 40000):
        with portfolio.transaction("100000", validation_epsilon=10**6) as tx:
            tx.stage_cash_delta(-price)
            tx.stage_position_delta("BTC", 1, entry_price=price)
            assert tx.commit({"BTC": price})
    return portfolio, [lot.id for lot in portfolio.book().lots("manual:main", "BTC")]


def over(desk):
    """A portfolio that reads no files."""

    def read(path, _account, _progress):
        raise AssertionError(path)

    return Portfolio(desk, read)
