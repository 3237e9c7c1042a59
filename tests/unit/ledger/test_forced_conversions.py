"""Forced conversions: adjustment rows without a common reference, paired by time as a set."""

from itertools import permutations

import pytest

from bursar.ledger import golden, projection
from bursar.ledger.entries import CashFlow, Conversion
from bursar.ledger.planning import planned
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline

GROUP = "group=k:adjustment:2026-01-05"


def row(name, second, amount):
    return f"2026-01-05T10:00:{second:02}Z row adjustment {amount} #k:{name} source=ledger {GROUP}"


def landed(*batches):
    line = Timeline(Terms())
    for batch in batches:
        line.land(planned(line, golden.read(batch)))
    return line


def kinds(*rows):
    facts = [fact for fact in landed(rows) if not fact.id.startswith("opening:")]
    return [type(fact) for fact in facts]


def test_two_rows_near_each_other_are_one_conversion():
    assert kinds(row("b", 0, "-5 OLD"), row("a", 1, "5 NEW")) == [Conversion]


@pytest.mark.parametrize(
    "rows",
    [
        [("a", 0, "-5 OLD")],
        [("a", 0, "-5 OLD"), ("b", 6, "5 NEW")],
        [("a", 0, "5 OLD"), ("b", 1, "5 NEW")],
        [("a", 0, "-5 OLD"), ("b", 1, "5 OLD")],
        [("a", 0, "-5 OLD"), ("b", 1, "5 NEW"), ("c", 2, "7 OTHER")],
        [("a", 0, "-5 OLD"), ("b", 1, "0 NEW")],
    ],
    ids=["alone", "too far", "same sign", "same asset", "a third", "nothing moved"],
)
def test_an_unclear_pair_stays_apart(rows):
    assert Conversion not in kinds(*(row(*each) for each in rows))
    assert CashFlow in kinds(*(row(*each) for each in rows))


def test_two_pairs_of_one_day_stay_two():
    rows = [row("a", 0, "-5 OLD"), row("b", 1, "5 NEW"), row("c", 30, "-2 X"), row("d", 31, "1 Y")]
    assert kinds(*rows) == [Conversion, Conversion]


def test_the_place_of_a_conversion_is_that_of_its_first_instant():
    """That the successor is first in an instant of its own says nothing."""
    rows = [
        "2026-01-05T10:00:00Z row deposit 5 OLD #k:z source=ledger group=k:g",
        f"{row('a', 0, '-5 OLD')} sequence=3",
        row("b", 1, "5 NEW"),
    ]
    (made,) = [fact for fact in landed(rows) if isinstance(fact, Conversion)]
    assert made.sequence == 3
    assert not any(fact.id.startswith("opening:") for fact in landed(rows))


def test_however_the_rows_come_the_book_is_the_same():
    rows = [row("a", 0, "-5 OLD"), row("b", 1, "5 NEW"), row("c", 40, "3 OLD")]
    digests = {
        projection.digest(landed(*([each] for each in order)).book) for order in permutations(rows)
    }
    assert digests == {projection.digest(landed(rows).book)}


def test_a_stated_worth_is_the_value_of_a_reward_in_base_currency_only():
    text = "2026-01-05T10:00:00Z row reward 0.00000571 XBT #k:1 source=ledger worth=0.22"
    line = landed([f"{text} worth_asset=USD"])
    assert line.book.flows["k", "reward", "XBT", "manual"].booked == line.facts["k:1"].value
    assert str(line.facts["k:1"].value) == "0.22"
    assert landed([f"{text} worth_asset=EUR"]).facts["k:1"].value is None


def test_a_stated_worth_values_a_trade_of_coin_for_coin():
    given = "2026-01-05T10:00:00Z row trade -0.1 XBT #k:2 source=ledger group=k:t"
    rows = [
        "2026-01-05T10:00:00Z row trade 2 ETH #k:1 source=ledger group=k:t",
        f"{given} worth=-4000 worth_asset=USD",
    ]
    assert landed(rows).facts["k:t"].value == 4_000
    sale = "2026-01-04T00:00:00Z row trade -1 USD #k:3 source=ledger group=k:u"
    coin = "2026-01-04T00:00:00Z row trade 1 ETH #k:4 source=ledger group=k:u"
    worth = " worth=9 worth_asset=USD"
    assert landed([sale, coin + worth]).facts["k:u"].value == 1


def test_a_void_takes_a_price_back_whichever_came_first():
    reward = "2026-01-05T12:00:00Z reward 1 XBT #k:1"
    wrong = "2026-01-05T11:00:00Z price BTC 400000 USD #p:1"
    right = "2026-01-05T10:00:00Z price XBT 40000 USD #p:2"
    void = "2026-01-06T00:00:00Z void p:1 #v:1"
    lines = [reward, wrong, right, void]
    for order in permutations(lines):
        line = landed(*([each] for each in order))
        assert line.facts["k:1"].value == 40_000
        assert [price.id for price in line.notes.prices.latest()] == ["p:2"]
    assert landed([reward, wrong, void]).facts["k:1"].value is None
