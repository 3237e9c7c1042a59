"""Which portfolios a database holds, told without folding any of them."""

import pytest

import bursar
from bursar.errors import BadChoice, PortfolioNotFound
from bursar.ledger import golden
from bursar.ledger.terms import Method, Scope, Terms
from bursar.store import list_portfolios

LINE = "2026-01-05T10:00:00Z deposit 5 EUR #k:1"


def test_portfolios_are_listed_by_name_with_where_they_stand(tmp_path):
    place = tmp_path / "book.db"
    terms = Terms("EUR", method=Method.FIFO, scope=Scope.POOLED)
    with bursar.open(place, portfolio="b", terms=terms) as portfolio:
        portfolio.record(*golden.read([LINE, LINE.replace("k:1", "k:2")]))
        (last, *_) = [row.recorded_at for row in portfolio.journal()]
    bursar.open(place, portfolio="a").close()
    one, two = list_portfolios(place)
    assert (one.name, one.base, one.version, one.entries) == ("a", "USD", 0, 0)
    assert one.committed_at is None
    assert one.created_at > two.created_at
    assert (two.name, two.base, two.method, two.scope) == ("b", "EUR", "fifo", "pooled")
    assert (two.version, two.entries, two.committed_at) == (1, 2, last)
    assert bursar.portfolios(f"sqlite:///{place}") == [one, two]


def test_listing_makes_nothing(tmp_path):
    with pytest.raises(PortfolioNotFound):
        list_portfolios(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []
    assert list_portfolios(":memory:") == []
    with pytest.raises(BadChoice):
        list_portfolios("nothing://here")


def test_a_broken_journal_is_listed_all_the_same(tmp_path):
    import sqlite3

    place = tmp_path / "book.db"
    with bursar.open(place) as portfolio:
        portfolio.record(*golden.read([LINE]))
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE journal SET body = replace(body, '5', '6')")
    connection.close()
    assert [each.entries for each in list_portfolios(place)] == [1]
