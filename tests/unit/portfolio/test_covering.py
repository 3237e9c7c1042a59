"""By hand nothing is spent that nobody had, whatever a rename has made of it."""

import pytest

from bursar.errors import Oversold
from bursar.ledger.terms import Account, FactSource, Scope, Terms
from bursar.portfolio.hand import Details
from tests.unit.portfolio.places import opened
from tests.unit.portfolio.test_hand import last_id


@pytest.mark.parametrize("scope", list(Scope))
def test_nothing_is_owed_by_hand_under_a_name_that_a_rename_emptied(scope):
    book = opened(
        "2026-01-05T00:00:00Z buy 4 ACME @ 10 EUR #kraken:main:1",
        "2026-01-06T00:00:00Z rename ACME to NEWC #kraken:main:2",
        terms=Terms(base="EUR", scope=scope),
    )
    before = book.digest()
    with pytest.raises(Oversold, match="kraken:main would spend 1 ACME that nothing in the book"):
        book.add("withdrawal", "1", "ACME", account="kraken:main")
    assert book.digest() == before
    book.add("withdrawal", "1", "NEWC", account="kraken:main")


@pytest.mark.parametrize("scope", list(Scope))
def test_a_wrong_rename_is_taken_back_though_what_was_owed_for_it_is_an_opening_then(scope):
    book = opened(
        "2026-01-05T00:00:00Z buy 4 ACME @ 10 EUR #kraken:main:1",
        "2026-01-06T00:00:00Z rename ACME to NEWC #kraken:main:2",
        "2026-01-07T00:00:00Z sell 6 ACME @ 10 EUR #kraken:main:3",
        terms=Terms(base="EUR", scope=scope),
    )
    assert book.timeline.book.owned("kraken:main", "ACME") == -6
    book.reverse("kraken:main:2")
    assert book.timeline.book.owned("kraken:main", "ACME") == 0
    assert book.timeline.book.owned("kraken:main", "NEWC") == 0
    assert [each.amount for each in book.timeline.openings.values() if each.asset == "ACME"] == [2]


def test_what_is_owed_may_come_to_be_owed_under_another_name():
    book = opened(
        "2026-01-05T00:00:00Z buy 4 ACME @ 10 EUR #kraken:main:1",
        "2026-01-06T00:00:00Z rename ACME to NEWC #kraken:main:2",
        "2026-01-07T00:00:00Z sell 6 ACME @ 10 EUR #kraken:main:3",
        "2026-01-08T00:00:00Z rename ACME to OTHR #kraken:main:4",
    )
    assert book.timeline.book.owned("kraken:main", "OTHR") == -6
    book.reverse("kraken:main:4")
    assert book.timeline.book.owned("kraken:main", "ACME") == -6
    with pytest.raises(Oversold, match="would spend 1 ACME"):
        book.add("fee", "1", "ACME", account="kraken:main")
    book.reverse("kraken:main:3")
    assert book.timeline.book.owned("kraken:main", "ACME") == 0


@pytest.mark.parametrize("scope", list(Scope))
def test_what_is_paid_back_of_one_coin_covers_nothing_that_is_spent_of_another(scope):
    book = opened(
        "2026-01-05T00:00:00Z buy 4 ACME @ 10 EUR #kraken:main:1",
        "2026-01-05T00:00:00Z buy 4 BETA @ 10 EUR #kraken:main:2",
        "2026-01-06T00:00:00Z rename ACME to NEWC #kraken:main:3",
        "2026-01-06T00:00:00Z rename BETA to NEWB #kraken:main:4",
        "2026-01-07T00:00:00Z sell 6 ACME @ 10 EUR #kraken:main:5",
        terms=Terms(base="EUR", scope=scope),
    )
    before_the_sale: Details = {"account": "kraken:main", "time": "2026-01-06T12:00:00Z"}
    with pytest.raises(Oversold, match="kraken:main would spend 1 BETA that nothing in the book"):
        book.add("buy", "6", "ACME/BETA", amount="1", **before_the_sale)
    book.add("deposit", "1", "BETA", **before_the_sale)
    book.add("buy", "6", "ACME/BETA", amount="1", **before_the_sale)
    assert book.timeline.book.owned("kraken:main", "ACME") == 0


@pytest.mark.parametrize("scope", list(Scope))
def test_what_came_under_an_emptied_name_is_not_taken_back_once_it_was_spent(scope):
    book = opened(
        "2026-01-05T00:00:00Z buy 4 ACME @ 10 EUR #kraken:main:1",
        "2026-01-06T00:00:00Z rename ACME to NEWC #*:2",
        "2026-01-07T00:00:00Z deposit 3 ACME #kraken:main:3",
        "2026-01-07T00:00:00Z transfer 2 ACME to binance:spot #kraken:main:4",
        "2026-01-08T00:00:00Z sell 1 ACME @ 10 EUR #kraken:main:5",
        "2026-01-08T00:00:00Z sell 2 ACME @ 10 EUR #binance:spot:6",
        terms=Terms(base="EUR", scope=scope),
    )
    before = book.digest()
    for name in ("kraken:main:3", "kraken:main:4"):
        with pytest.raises(Oversold, match="ACME that nothing in the book brings"):
            book.reverse(name)
    assert book.digest() == before


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("time", [None, "2026-02-01"])
def test_what_a_venue_told_stands_again_with_the_opening_that_it_called_for(scope, time):
    book = opened(
        "2026-01-05T00:00:00Z withdrawal 1 XBT #kraken:main:1 source=ledger",
        "2026-01-06T00:00:00Z withdrawal 2 XBT #kraken:main:2 source=ledger",
        terms=Terms(base="EUR", scope=scope),
    )
    before = book.digest()
    book.reverse("kraken:main:2", time=time)
    assert book.digest() != before
    book.reverse(last_id(book))
    assert book.digest() == before
    assert book.timeline.openings["opening:kraken:main:XBT"].amount == 3
    with pytest.raises(Oversold, match="would spend 1 XBT"):
        book.add("withdrawal", "1", "XBT", account="kraken:main")


def test_what_was_entered_by_hand_stands_again_only_where_it_is_covered():
    book = opened("2026-01-05T00:00:00Z deposit 1 XBT #kraken:main:1 source=ledger")
    book.add("deposit", "1", "XBT", account="kraken:main")
    came = last_id(book)
    book.add("withdrawal", "2", "XBT", account="kraken:main")
    book.reverse(last_id(book))
    withdrawn = last_id(book)
    book.reverse(came)
    with pytest.raises(Oversold, match="would spend 1 XBT"):
        book.reverse(withdrawn)


def test_what_another_account_of_a_pool_owes_lets_nobody_transfer_what_is_not_there():
    bot = Account("kraken:bot", FactSource.EVENTS)
    book = opened(
        "2026-01-05T00:00:00Z sell 5 XBT @ 100 EUR #kraken:bot:1",
        terms=Terms(base="EUR", scope=Scope.POOLED, accounts=(bot,)),
    )
    before: Details = {"account": "kraken:main", "to": "cold:wallet", "time": "2026-01-04"}
    with pytest.raises(Oversold, match="kraken:main would spend 1 XBT that nothing in the book"):
        book.add("transfer", "1", "XBT", **before)
    assert not book.timeline.openings


def test_what_another_account_of_a_pool_owes_keeps_nobody_from_spending_what_is_there():
    bot = Account("kraken:bot", FactSource.EVENTS)
    book = opened(
        "2026-01-04T00:00:00Z buy 5 XBT @ 100 EUR #kraken:main:1",
        "2026-01-05T00:00:00Z sell 3 XBT @ 100 EUR #kraken:bot:1",
        terms=Terms(base="EUR", scope=Scope.POOLED, accounts=(bot,)),
    )
    book.add("withdrawal", "5", "XBT", account="kraken:main")
    assert book.timeline.book.owned("kraken:main", "XBT") == 0


def test_a_transfer_of_what_was_spent_there_under_an_emptied_name_is_not_taken_back():
    book = opened(
        "2026-01-05T00:00:00Z deposit 3 ACME #manual:main:1",
        "2026-01-05T00:00:00Z buy 4 ACME @ 10 EUR #kraken:main:2",
        "2026-01-06T00:00:00Z rename ACME to NEWC #kraken:main:3",
        "2026-01-07T00:00:00Z transfer 3 ACME to kraken:main #manual:main:4",
        "2026-01-08T00:00:00Z sell 3 ACME @ 10 EUR #kraken:main:5",
    )
    with pytest.raises(Oversold, match="kraken:main would spend 3 ACME"):
        book.reverse("manual:main:4")


POOL = ("2026-01-04T00:00:00Z buy 5 XBT @ 100 EUR #kraken:main:1",)


def pooled():
    return opened(*POOL, terms=Terms(base="EUR", scope=Scope.POOLED))


@pytest.mark.parametrize(
    "deed",
    [
        ("withdrawal", "2", "XBT", {}),
        ("sell", "2", "XBT/EUR", {"price": "100"}),
        ("transfer", "2", "XBT", {"to": "cold:wallet"}),
        ("fee", "2", "XBT", {"worth": "200"}),
    ],
)
def test_an_account_kept_by_hand_spends_nothing_that_is_anothers_in_a_pool(deed):
    book = pooled()
    verb, quantity, what, details = deed
    with pytest.raises(Oversold, match="manual:main would spend 2 XBT that nothing"):
        book.add(verb, quantity, what, time="2026-01-05", **details)
    book.add("deposit", "1", "XBT", cost="90", time="2026-01-05")
    with pytest.raises(Oversold, match="manual:main would spend 1 XBT that nothing"):
        book.add(verb, quantity, what, time="2026-01-06", **details)
    book.add("deposit", "1", "XBT", cost="95", time="2026-01-05")
    book.add(verb, quantity, what, time="2026-01-06", **details)
    assert book.timeline.book.owned("kraken:main", "XBT") == 5


def test_what_came_by_hand_and_was_spent_is_not_taken_back_out_of_a_pool():
    book = pooled()
    book.add("deposit", "1", "XBT", cost="90", time="2026-01-05", id="got")
    book.add("withdrawal", "1", "XBT", time="2026-01-06")
    with pytest.raises(Oversold, match="manual:main would spend 1 XBT that nothing"):
        book.reverse("got")


@pytest.mark.parametrize("is_batch", [False, True])
def test_a_transaction_takes_nothing_that_is_anothers_in_a_pool(is_batch):
    book = pooled()

    def sold(begun):
        with begun as tx:
            tx.stage_position_delta("XBT/EUR", "-2", entry_price="100")
            tx.stage_cash_delta("200")
            return tx.commit({"XBT": "100"}), tx.reason

    if is_batch:
        with book.batch(validation_epsilon="100000") as batch:
            answer = sold(batch.transaction())
    else:
        answer = sold(book.transaction(validation_epsilon="100000"))
    assert answer == (False, "oversold")
    assert book.timeline.book.owned("manual:main", "XBT") == 0
