"""One account of a book, and nothing of the others."""

import pytest

from bursar.errors import BadChoice
from bursar.ledger.projection import digest
from bursar.value.accounts import account_book, account_digest, accounts
from tests.unit.ledger.samples import MAIN, OTHER, Pen, folded, landed, terms


def test_the_part_of_an_account_is_the_book_of_its_facts():
    pen = Pen()
    own = [pen.buy(2, "XBT", 20), pen.flow("reward", 1, "ETH"), pen.margin("buy", 1, 10)]
    others = [pen.buy(1, "XBT", 5, account=OTHER), pen.flow("deposit", 1, "ADA", account=OTHER)]
    book = landed(own + others, under=terms("fifo")).book
    assert accounts(book) == [OTHER, MAIN]
    part = account_book(book, MAIN)
    assert {place for place, _ in part.holdings} == {MAIN}
    assert part.gaps == {("ETH", "unpriced"): 1}
    alone = landed(own, under=terms("fifo")).book
    assert digest(part) == digest(alone)
    assert account_digest(book, MAIN) == account_digest(alone, MAIN) != account_digest(book, OTHER)


def test_where_lots_are_pooled_there_are_accounts_but_no_parts():
    book = folded(Pen().buy(2, "XBT", 20), under=terms(pooled=True))
    assert accounts(book) == [MAIN]
    with pytest.raises(BadChoice, match="pooled"):
        account_book(book, MAIN)
