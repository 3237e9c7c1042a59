"""Whatever happens, strategies together own what the account owns."""

import random

from hypothesis import given
from hypothesis import strategies as st

from bursar.exact import ZERO, money
from bursar.ledger import audit
from bursar.ledger.sleeves import strategy_books
from tests.auditor import histories
from tests.property.test_order import landed


@money
def held(book):
    """Every asset of every account that is not at zero, pooled or not."""
    found = {key: book.owned(*key) for key in {*book.holdings, *book.balances} if key[0] != "*"}
    return {key: quantity for key, quantity in found.items() if quantity}


@money
def together(books):
    found: dict[tuple[str, str], object] = {}
    for strategy in books.strategies():
        for key, holding in books.of(strategy).holdings.items():
            found[key] = found.get(key, ZERO) + holding.quantity
    return {key: quantity for key, quantity in found.items() if quantity}


@money
def parts(books):
    known = books.strategies()
    return sum((books.contributed(each) + books.made(each) for each in known), ZERO)


@given(st.integers(0, 2**64), st.integers(1, 30))
def test_sleeves_hold_together_what_the_accounts_hold(seed, length):
    rng = random.Random(seed)
    terms = histories.terms(rng)
    line = landed(terms, [histories.history(rng, length, terms)])
    books = strategy_books(line, terms)
    assert together(books) == held(line.book)
    assert audit.totals(books.book).gap == 0
    whole = audit.totals(books.book)
    assert whole.gap == 0
    assert parts(books) == whole.cost
