"""What a book begins with at a venue: what the first statement names and nothing else tells of."""

from decimal import Decimal

import pytest

import bursar
from bursar.ledger import instant
from bursar.ledger.entries import Movement, MovementKind, Source
from bursar.portfolio import agreement
from bursar.reconcile import Holding, Statement

D = Decimal


@pytest.mark.parametrize("scope", list(bursar.Scope))
def test_a_coin_of_which_the_book_has_some_begins_with_no_more(scope):
    with bursar.open(":memory:", terms=bursar.Terms(scope=scope)) as portfolio:
        row = Movement(
            id="kraken:main:L1",
            executed_at=instant.parse("2026-01-01"),
            account="kraken:main",
            source=Source.LEDGER,
            kind=MovementKind.DEPOSIT,
            asset="USD",
            amount=D(100),
            balance=D(100),
        )
        portfolio.record(row)
        portfolio.add("deposit", "3", "ADA", account="kraken:main", time="2026-01-02")
        there = {"ADA": 5, "DOT": 7, "USD": 100}
        holdings = tuple(Holding(asset=each, code=each, total=D(n)) for each, n in there.items())
        told = instant.parse("2026-01-03")
        agreement.remember(
            portfolio, Statement(account="kraken:main", as_of=told, holdings=holdings)
        )
        assert [each.asset for each in agreement.without_rows(portfolio, "kraken:main")] == ["DOT"]
