"""What a fill costs, counted in steps on lots and facts folded; no clock is looked at."""

from decimal import Decimal
from math import log2

import pytest

from bursar.exact import money
from bursar.ledger import copies, openings, planning
from bursar.ledger.book import Book
from bursar.ledger.entries import Fill, Side
from bursar.ledger.fold import apply, fold
from bursar.ledger.lots import COUNT, RULES, Lot
from bursar.ledger.planning import planned
from bursar.ledger.terms import Account, FactSource, Method, Terms
from bursar.ledger.timeline import Timeline

SIZES = (1_000, 4_000, 16_000)
ACCOUNT = "kraken:main"
OPEN = Terms(accounts=(Account(ACCOUNT, FactSource.EVENTS),))


def fill(number, side=Side.BUY, quantity=1, price=None):
    amount = Decimal(quantity) * (price or 100 + number * 7919 % 101)
    return Fill(
        id=f"kraken:main:{number}",
        executed_at=number * 1_000_000_000,
        account=ACCOUNT,
        base="XBT",
        quote="USD",
        side=side,
        quantity=Decimal(quantity),
        amount=amount,
        value=amount,
    )


@money
def steps_of_a_day(method, size):
    """Steps of `size` buys, then as many sales that each take one and a half lots' worth in two."""
    rule, pool = RULES[method], RULES[method].arrange(())
    COUNT.steps = 0
    for i in range(size):
        pool = rule.add(pool, Lot(str(i), i, Decimal(1), Decimal(100 + i * 7919 % 101)))
    for _ in range(2 * size):
        pool = rule.take(pool, Decimal("0.5"), ()).pool
    assert rule.lots(pool) == []
    return COUNT.steps


@pytest.mark.parametrize("method", [Method.WAC, Method.FIFO, Method.LIFO])
def test_a_fill_costs_a_constant_number_of_steps(method):
    for size in SIZES:
        assert steps_of_a_day(method, size) <= 4 * size


def test_under_hifo_a_fill_costs_a_logarithm():
    for size in SIZES:
        assert steps_of_a_day(Method.HIFO, size) <= 3 * size * 2 * log2(size + 1)


@money
def dearest_steps_of_one_take(method, size):
    rule, pool, dearest = RULES[method], None, 0
    for i in range(size):
        pool = rule.add(pool, Lot(str(i), i, Decimal(1), Decimal(100 + i * 7919 % 101)))
    for _ in range(size):
        COUNT.steps = 0
        pool = rule.take(pool, Decimal(1), ()).pool
        dearest = max(dearest, COUNT.steps)
    return dearest


def test_no_single_take_under_hifo_or_lifo_is_dear():
    for size in SIZES:
        assert dearest_steps_of_one_take(Method.LIFO, size) == 1
        assert dearest_steps_of_one_take(Method.HIFO, size) <= 2 * log2(size + 1)


def test_fifo_turns_each_lot_over_once():
    rule, pool = RULES[Method.FIFO], None
    for i in range(1_000):
        pool = rule.add(pool, Lot(str(i), i, Decimal(1), Decimal(1)))
    COUNT.steps = 0
    first = rule.take(pool, Decimal(1), ())
    assert COUNT.steps == 1_001
    COUNT.steps = 0
    rule.take(first.pool, Decimal(1), ())
    assert COUNT.steps == 1


@pytest.mark.parametrize("method", [Method.FIFO, Method.LIFO, Method.HIFO])
def test_a_fork_of_a_large_book_costs_what_it_changes(method):
    book = Book(Terms(method=method, accounts=OPEN.accounts))
    fold([fill(i) for i in range(1_000)], book)
    fork = book.fork()
    COUNT.steps = 0
    fold([fill(1_000), fill(1_001)], fork)
    assert COUNT.steps <= 2 * log2(1_002)
    assert {name: len(layer.own) for name, layer in layers(fork) if layer.own} == {
        "holdings": 2,
        "cells": 1,
    }


def layers(book):
    return [(name, getattr(book, name)) for name in ("holdings", "cells", "fees", "flows", "undo")]


class Counted:
    """Stands where `apply` and `_follow` stand and counts the facts that pass."""

    def __init__(self, patch):
        self.folded, self.followed, follow = 0, 0, openings.Prefixes._follow

        def counted_apply(book, fact):
            self.folded += 1
            apply(book, fact)

        def counted_follow(prefixes, fact, firsts):
            self.followed += 1
            follow(prefixes, fact, firsts)

        patch.setattr(planning, "apply", counted_apply)
        patch.setattr(openings.Prefixes, "_follow", counted_follow)


def long_line(size, patch, spacing=100, batch=50):
    patch.setattr(planning, "SPACING", spacing)
    patch.setattr(copies, "SPACING", spacing)
    line = Timeline(Terms())
    for start in range(0, size, batch):
        line.land(planned(line, [fill(10 * i) for i in range(start, start + batch)]))
    return line


def test_a_fact_at_the_end_costs_itself_alone(monkeypatch):
    line = long_line(2_000, monkeypatch)
    counted = Counted(monkeypatch)
    line.land(planned(line, [fill(99_999)]))
    assert (counted.folded, counted.followed) == (1, 1)


@pytest.mark.parametrize("batch", [50, 2_000])
@pytest.mark.parametrize("after", [0, 10, 500])
def test_a_late_fact_costs_the_facts_after_it_and_one_spacing(after, batch, monkeypatch):
    line = long_line(2_000, monkeypatch, batch=batch)
    counted = Counted(monkeypatch)
    line.land(planned(line, [fill(10 * (1_999 - after) - 1)]))
    assert counted.folded <= after + 2 + 100
    assert counted.followed <= after + 2 + 100


def test_the_first_of_many_late_facts_pays_for_all(monkeypatch):
    line = long_line(2_000, monkeypatch)
    counted = Counted(monkeypatch)
    line.land(planned(line, [fill(10 * (1_999 - i) - 1) for i in range(100)]))
    assert counted.folded <= 200 + 100
