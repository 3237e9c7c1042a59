"""A book that is there has its own terms; settings contradict it only by what they say."""

import asyncio

import pytest

import bursar
from bursar.app.keeping import stored
from bursar.app.live import open_live
from bursar.config import PortfolioSettings, Settings, VenueSettings
from bursar.errors import BadChoice
from bursar.serve.opening import open_book


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("KRAKEN_API_KEY", "key")
    monkeypatch.setenv("KRAKEN_API_SECRET", "c2VjcmV0")
    here = str(tmp_path / "book.db")
    terms = bursar.Terms(base="EUR", method=bursar.Method.FIFO, pegs=("EURT",))
    bursar.open(here, terms=terms).close()
    return here


def test_a_book_in_euros_is_served_where_the_settings_name_no_currency(place):
    book = open_book(Settings(portfolio=PortfolioSettings(book=place)))
    assert book.service.portfolio.terms.base == "EUR"
    asyncio.run(book.close())


def test_a_book_is_followed_by_its_own_terms_where_the_settings_name_none(place):
    own = PortfolioSettings(book=place)
    live = open_live(Settings(portfolio=own, venues=(VenueSettings(),)))
    assert live.service.portfolio.terms.method is bursar.Method.FIFO
    asyncio.run(live.close())


@pytest.mark.parametrize(
    "said, answer",
    [
        ({"base_currency": "USD"}, "base_currency has to be EUR"),
        ({"cost_basis_method": "wac"}, "takes costs by fifo, the settings say wac"),
        ({"pegs": ("EURC",)}, "counts EUR, EURT as money, the settings EUR, EURC"),
    ],
)
def test_settings_that_say_otherwise_than_the_book_are_refused(place, said, answer):
    own = PortfolioSettings(book=place, **said)
    with pytest.raises(BadChoice, match=answer):
        open_live(Settings(portfolio=own, venues=(VenueSettings(),)))


def test_a_store_with_a_bad_name_is_refused_as_it_was(place):
    with pytest.raises(BadChoice, match="printable"):
        stored(PortfolioSettings(book=place, name=" "))
