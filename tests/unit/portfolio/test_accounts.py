"""Several accounts of one venue: kept apart, seen apart, and linked where coins went between."""

from importlib.resources import files

import pytest

import bursar
from bursar.errors import BadChoice
from bursar.ledger.entries import Transfer
from tests.unit.portfolio.places import opened

STORY = files("bursar") / "samples" / "kraken-story-a"
GEN4 = [str(STORY / "ledgers.gen4-16col.csv"), str(STORY / "trades.gen2-24col.csv")]
GEN1 = [str(STORY / "ledgers.gen1-10col.csv"), str(STORY / "trades.gen1-13col.csv")]
PRICES = str(STORY / "prices.csv")
EUR = bursar.Terms(base="EUR")
ONE, TWO = "kraken:main", "kraken:second"


def book(*imports, terms=EUR):
    portfolio = bursar.open(":memory:", terms=terms)
    for account, paths in imports:
        portfolio.import_files(*paths, account=account)
    return portfolio


@pytest.fixture(scope="module")
def both():
    return book((ONE, GEN4), (TWO, GEN4), (None, [PRICES]))


@pytest.fixture(scope="module")
def alone():
    return book((ONE, GEN4), (None, [PRICES]))


def test_the_same_export_of_two_accounts_is_two_histories(both, alone):
    assert both.accounts() == [ONE, TWO]
    assert len(both.timeline.facts) == 2 * len(alone.timeline.facts)
    ids = {account: {f.id for f in both.timeline if f.account == account} for account in (ONE, TWO)}
    assert {name.replace(ONE, TWO) for name in ids[ONE]} == ids[TWO]
    assert both.verify().is_sound


def test_an_account_is_as_it_would_be_alone(both, alone):
    assert both.digest(ONE) == alone.digest(ONE)
    other = book((TWO, GEN4), (None, [PRICES]))
    assert both.digest(TWO) == other.digest(TWO) != both.digest(ONE)
    assert both.digest() != alone.digest()


def test_generations_of_an_export_agree_in_each_account(both):
    mixed = book((TWO, GEN1), (ONE, GEN4), (TWO, GEN4), (ONE, GEN1), (None, [PRICES]))
    assert mixed.digest(ONE) == both.digest(ONE)
    assert mixed.digest(TWO) == both.digest(TWO)


def test_what_two_equal_accounts_hold_is_twice_what_one_holds(both, alone):
    one = {(each.asset, each.total) for each in alone.balances()}
    assert {(each.asset, each.total / 2) for each in both.balances()} == one
    for account in (ONE, TWO):
        own = both.balances(by_account=True)
        assert {(each.asset, each.total) for each in own if each.account == account} == one


def test_positions_of_an_account_are_its_own(both, alone):
    assert both.positions(account=ONE) == both.positions(account=TWO) == alone.positions()
    sizes = {each.pair: each.base_size for each in alone.positions()}
    assert {each.pair: each.base_size / 2 for each in both.positions()} == sizes


def test_pnl_by_account_adds_up(both, alone):
    (found,) = both.pnl("account")
    (own,) = alone.pnl("account")
    assert found.pnl.lines[ONE] == found.pnl.lines[TWO] == own.pnl.lines[ONE]
    assert found.pnl.total.realized == 2 * own.pnl.total.realized


def test_coins_between_own_accounts_are_a_transfer_once_linked():
    portfolio = opened(
        "2026-01-05T10:00:00Z buy 1 XBT @ 30000 EUR #kraken:main:1",
        "2026-01-06T10:00:00Z withdrawal 0.5 XBT #kraken:main:2",
        "2026-01-06T11:00:00Z deposit 0.499 XBT #kraken:second:1",
    )
    assert portfolio.gaps("XBT")
    before = portfolio.digest(TWO)
    portfolio.link("kraken:main:2", "kraken:second:1")
    (move,) = [fact for fact in portfolio.timeline if isinstance(fact, Transfer)]
    assert (move.account, move.to_account) == (ONE, TWO)
    assert portfolio.digest(TWO) != before
    assert portfolio.timeline.book.held(TWO, "XBT").cost == 14_970


def test_pooled_lots_are_of_no_one_account():
    portfolio = book((ONE, GEN4), terms=bursar.Terms(base="EUR", scope=bursar.Scope.POOLED))
    assert portfolio.accounts() == [ONE]
    for ask in (portfolio.digest, lambda account: portfolio.positions(account=account)):
        with pytest.raises(BadChoice, match="pooled over all accounts"):
            ask(ONE)
