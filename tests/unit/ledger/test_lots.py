"""The cost rules as plans: they return a new pool and leave the old one alone."""

from decimal import Decimal

import pytest

from bursar.exact import money
from bursar.ledger.lots import RULES, Lot
from bursar.ledger.lots.base import age, cut, joined, total, units
from bursar.ledger.terms import Method

D = Decimal
LOTS = [
    Lot(name, at, D(2), D(cost))
    for at, (name, cost) in enumerate(zip("abc", (20, 60, 40), strict=True))
]
ONE_BY_ONE = [Method.FIFO, Method.LIFO, Method.HIFO, Method.SPECIFIC]


def pool(rule):
    found = rule.arrange(LOTS[:1])
    for lot in LOTS[1:]:
        found = rule.add(found, lot)
    return found


@pytest.mark.parametrize("method", ONE_BY_ONE)
@money
def test_a_take_is_a_plan(method):
    rule = RULES[method]
    before = pool(rule)
    take = rule.take(before, D(3), ())
    order = {"fifo": "ab", "lifo": "cb", "hifo": "bc", "specific": "ab"}[rule.name]
    assert "".join(part.id for part in take.parts) == order
    assert units(take.parts) == 3
    assert take.cost == total(take.parts)
    assert rule.lots(before) == LOTS
    rest = rule.lots(take.pool)
    assert units(rest) == 3
    assert total(rest) + take.cost == 120
    assert rule.lots(rule.restore(take.pool, take.parts)) == LOTS


@pytest.mark.parametrize("method", list(Method))
@money
def test_a_pool_gives_all_it_has_and_no_more(method):
    rule = RULES[method]
    take = rule.take(pool(rule), D(6), ())
    assert take.cost == 120
    assert rule.lots(take.pool) == []
    with pytest.raises(AssertionError, match="more taken"):
        rule.take(take.pool, D(1), ())
    assert rule.lots(rule.arrange(())) == []


@money
def test_the_average_is_one_lot():
    rule = RULES[Method.WAC]
    (lot,) = rule.lots(pool(rule))
    assert (lot.id, lot.quantity, lot.cost) == ("a", D(6), D(120))
    take = rule.take(lot, D("1.5"), ("b",))
    assert take.cost == 30


@money
def test_specific_takes_what_is_named():
    rule = RULES[Method.SPECIFIC]
    take = rule.take(pool(rule), D(3), ("c", "a"))
    assert [(part.id, part.quantity) for part in take.parts] == [("c", D(2)), ("a", D(1))]
    assert [lot.id for lot in rule.lots(take.pool)] == ["a", "b"]


@money
def test_a_lot_is_cut_at_its_share_or_taken_whole():
    lot = Lot("a", 1, D(3), D(100), "kraken", 4)
    part, rest = cut(lot, D(1))
    assert rest is not None
    assert (part.cost, rest.cost) == (D("33.333333333333333333"), D("66.666666666666666667"))
    assert age(part) == age(rest) == age(lot)
    assert cut(lot, D(3)) == (lot, None)
    assert cut(lot, D(5)) == (lot, None)


@money
def test_parts_of_one_lot_join_and_others_stand_by_age():
    parts = [
        Lot("b", 1, D(1), D(2), "kraken", 1),
        Lot("a", 1, D(1), D(2), "kraken", 2),
        Lot("b", 1, D(2), D(3), "kraken", 1),
        Lot("z", 1, D(1), D(1), "binance", 9),
        Lot("y", 0, D(1), D(1), "zebra", 9),
    ]
    assert [(lot.id, lot.quantity) for lot in joined(parts)] == [
        ("y", D(1)),
        ("z", D(1)),
        ("b", D(3)),
        ("a", D(1)),
    ]
