"""The initial capital is put in once, where no venue says what is held."""

import asyncio
from decimal import Decimal

from bursar.app import SystemClock
from bursar.config import load
from bursar.ledger.terms import Terms
from bursar.portfolio.beginning import begin
from bursar.serve.opening import open_book
from tests.unit.portfolio.places import opened

ACCOUNT = "events:main"


def test_it_is_one_deposit_into_an_empty_journal_and_a_fact_like_any_other():
    made = opened(terms=Terms())
    begin(made, Decimal(300), account=ACCOUNT)
    assert made.desk.head.version == 1
    assert begin(made, Decimal(300), account=ACCOUNT) is None
    (flow,) = made.flows()
    assert (flow.asset, flow.amount) == ("USDT", 300)
    assert made.equity().value == 300
    made.reverse("events:main:initial")
    assert made.equity().value == 0
    assert begin(made, Decimal(300), account=ACCOUNT) is None


def test_where_usdt_is_no_money_it_is_the_base_currency():
    made = opened(terms=Terms(base="CHF"))
    begin(made, Decimal(300), account=ACCOUNT)
    assert [flow.asset for flow in made.flows()] == ["CHF"]


def test_what_has_a_journal_keeps_what_it_has_and_nothing_is_no_capital():
    made = opened("2026-05-01T00:00:00Z deposit 7 EUR #k:main:1")
    assert begin(made, Decimal(300), account=ACCOUNT) is None
    assert begin(opened(), Decimal(0), account=ACCOUNT) is None
    assert made.equity().value == 7


def served(place, **capital):
    """The equity of a book as the service opens it, and closes it again."""
    settings = load(flags={"book": str(place)})
    capital = {"capital": settings.capital.__class__(**capital)} if capital else {}
    book = open_book(settings.model_copy(update=capital), SystemClock())
    equity = book.service.portfolio.equity().value
    asyncio.run(book.close())
    return equity


def test_the_service_puts_it_in_at_its_first_start_where_the_environment_says_it(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("INITIAL_CAPITAL", raising=False)
    assert served(tmp_path / "quiet.db") == 0
    monkeypatch.setenv("INITIAL_CAPITAL", "300")
    for _ in range(2):
        assert served(tmp_path / "told.db") == 300
    assert served(tmp_path / "no.db", initial=Decimal(300), begin=False) == 0
