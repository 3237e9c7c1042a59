"""A recorded price from before a split is no price of the units after it, whatever came first."""

from itertools import permutations

import pytest

from bursar.ledger import golden
from bursar.ledger.entries import CashFlow, Flag
from bursar.ledger.planning import planned
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline

BUY = "2026-01-01T10:00:00Z buy 10 ACME @ 90 USD #k:1"
PRICE = "2026-01-02T10:00:00Z price ACME 100 USD #p:1"
SPLIT = "2026-01-02T12:00:00Z split ACME 4 for 1 #k:s"
GIFT = "2026-01-02T13:00:00Z reward 4 ACME #k:g"
NEW = "2026-01-02T12:00:00Z price ACME 25 USD #p:2"
VOID = "2026-01-03T10:00:00Z void k:s #u:1"
BACK = "2026-01-04T10:00:00Z void u:1 #u:2"
OTHER = "2026-01-02T12:00:00Z split ACME2 4 for 1 #k:s"


def gift(*told):
    """The value of the gift, however the statements are told one by one; and all at once."""
    entries = list(golden.read(told))
    found = set()
    for order in permutations(entries):
        line = Timeline(Terms(base="USD"))
        for entry in order:
            line.land(planned(line, [entry]))
        found.add(worth(line))
    line = Timeline(Terms(base="USD"))
    line.land(planned(line, entries))
    assert found == {worth(line)}
    return found.pop()


def worth(line):
    fact = line.facts["k:g"]
    assert isinstance(fact, CashFlow)
    return fact.value, fact.flags


@pytest.mark.parametrize(
    "told,value",
    [
        ([BUY, PRICE, GIFT], 400),
        ([BUY, PRICE, SPLIT, GIFT], None),
        ([BUY, PRICE, SPLIT, NEW, GIFT], 100),
        ([PRICE, SPLIT, VOID, GIFT], 400),
        ([PRICE, SPLIT, VOID, BACK, GIFT], None),
        ([BUY, PRICE, OTHER, GIFT], 400),
    ],
)
def test_a_price_from_before_a_split_serves_nothing_after_it(told, value):
    assert gift(*told) == (value, () if value else (Flag.UNPRICED,))


def test_what_was_before_the_split_keeps_its_worth():
    early = "2026-01-02T11:00:00Z reward 4 ACME #k:g"
    assert gift(BUY, PRICE, SPLIT, early) == (400, ())


def test_a_price_by_way_of_a_coin_that_was_split_is_none_either():
    way = "2026-01-02T12:30:00Z price ODD 2 ACME #p:3"
    assert gift(PRICE, way, GIFT.replace("ACME", "ODD")) == (800, ())
    assert gift(PRICE, SPLIT, way, GIFT.replace("ACME", "ODD")) == (None, (Flag.UNPRICED,))
