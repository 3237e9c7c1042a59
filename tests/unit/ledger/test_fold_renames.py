"""Renames and splits where lots are pooled: what each account has, what the pool has and owes."""

from decimal import Decimal
from itertools import permutations

import pytest

from bursar.ledger import audit
from tests.unit.ledger.samples import MAIN, OTHER, SHORT, Pen, folded, held, lots, realized, terms

D = Decimal
RULES = ["wac", "fifo", "lifo", "hifo", "specific"]
ATOM = "0.000000000000000001"
pooled = pytest.mark.parametrize("method", RULES)


def pool(*facts, method="fifo"):
    book = folded(*facts, under=terms(method, pooled=True))
    assert audit.breaches(book) == []
    return book


def balances(book, asset):
    return [book.balances.get((account, asset), 0) for account in (MAIN, OTHER, SHORT)]


def owed(book, asset):
    return [(lot.quantity, lot.cost) for lot in book.held(MAIN, asset).owed]


def moved_unseen(pen, sold):
    return [pen.buy(10, "AAPL", 10), pen.sell(sold, "AAPL", 40, account=OTHER)]


# --------------------------------------------------------------------------------------- splits


@pooled
@pytest.mark.parametrize("sold", [4, 10, 15])
@pytest.mark.parametrize("numerator, denominator", [(2, 1), (1, 10), (3, 2)])
def test_a_split_of_all_multiplies_the_pool_what_it_owes_and_every_balance(
    method, sold, numerator, denominator
):
    pen = Pen()
    before = pool(*moved_unseen(pen, sold), method=method)
    pen = Pen()
    split = [*moved_unseen(pen, sold), pen.split("AAPL", numerator, denominator, account="*")]
    after = pool(*split, method=method)
    factor = D(numerator) / denominator
    assert balances(after, "AAPL") == [10 * factor, -sold * factor, 0]
    assert held(after, "AAPL") == ((10 - sold) * factor, held(before, "AAPL")[1])
    was, now = owed(before, "AAPL"), owed(after, "AAPL")
    assert now == [(units * factor, proceeds) for units, proceeds in was]
    assert realized(after) == realized(before)


@pooled
@pytest.mark.parametrize("sold", [4, 8, 10, 12])
@pytest.mark.parametrize("order", list(permutations([MAIN, OTHER, SHORT])))
def test_stated_account_by_account_a_split_ends_where_a_split_of_all_does(method, sold, order):
    def after(*accounts):
        pen = Pen()
        facts = [*moved_unseen(pen, sold), pen.buy(5, "AAPL", 20)]
        facts.append(pen.buy(5, "AAPL", 20, account=SHORT))
        facts += [pen.split("AAPL", 4, 1, account=account) for account in accounts]
        return pool(*facts, method=method)

    one_by_one, at_once = after(*order), after("*")
    for asked in (balances, owed, held):
        assert asked(one_by_one, "AAPL") == asked(at_once, "AAPL")
    assert sum(balances(at_once, "AAPL")) == 4 * (20 - sold)
    assert realized(one_by_one) == realized(at_once)
    gap = [
        a[1] - b[1] for a, b in zip(lots(one_by_one, "AAPL"), lots(at_once, "AAPL"), strict=True)
    ]
    assert all(abs(each) <= 50 * D(ATOM) for each in gap)


def test_an_account_that_has_nothing_of_a_pool_splits_nothing():
    pen = Pen()
    facts = moved_unseen(pen, 15)
    book = pool(*facts, pen.split("AAPL", 2, 1, account=SHORT))
    assert balances(book, "AAPL") == [10, -15, 0]
    assert owed(book, "AAPL") == owed(pool(*facts), "AAPL")


def test_lots_and_debts_of_a_pool_in_which_nobody_has_anything_are_split():
    pen = Pen()
    facts = [pen.sell(5, "AAPL", 40), pen.buy(5, "AAPL", 20), pen.split("AAPL", 2, 1)]
    book = pool(*facts)
    assert lots(book, "AAPL") == [("2", 10, 20)]
    assert owed(book, "AAPL") == [(10, 40)]


@pytest.mark.parametrize("sign, there", [("buy", 1), ("sell", -1)])
def test_balances_that_round_apart_leave_an_atom_of_no_cost(sign, there):
    pen = Pen()
    other = "sell" if sign == "buy" else "buy"

    def atoms(side, count, account):
        return getattr(pen, side)(count * D(ATOM), "AAPL", 0, account=account)

    # Three, −1 and −2 atoms, or the same the other way: half of them are 1.5 and −0.5 and −1.
    facts = [atoms(sign, 3, MAIN), atoms(other, 1, OTHER), atoms(other, 2, SHORT)]
    if sign == "sell":
        facts = [*facts[1:], facts[0]]
    book = pool(*facts, pen.split("AAPL", 1, 2, account="*"))
    assert balances(book, "AAPL") == [2 * there * D(ATOM), 0, -there * D(ATOM)]
    assert held(book, "AAPL") == (there * D(ATOM), 0)


def test_a_pool_that_rounds_to_nothing_realises_its_cost():
    pen = Pen()
    book = pool(pen.buy(ATOM, "AAPL", 5), pen.split("AAPL", 1, 4, account="*"))
    assert held(book, "AAPL") == (0, 0)
    assert realized(book) == -5


# -------------------------------------------------------------------------------------- renames


@pooled
def test_a_rename_of_all_takes_the_pool_what_it_owes_and_every_balance(method):
    pen = Pen()
    facts = [
        pen.sell(15, "AAPL", 30, account=OTHER),
        pen.buy(10, "AAPL", 10),
        pen.sell(4, "AAPL", 40, account=OTHER),
        pen.sell(1, "APL", 3),
        pen.buy(2, "APL", 4),
    ]
    before = pool(*facts, method=method)
    book = pool(*facts, pen.rename("AAPL", "APL", account="*"), method=method)
    assert balances(book, "AAPL") == [0, 0, 0]
    assert balances(book, "APL") == [11, -19, 0]
    assert (held(book, "AAPL"), owed(book, "AAPL")) == ((0, 0), [])
    assert owed(book, "APL") == [(1, 3), (15, 30)]
    assert held(book, "APL")[1] == held(before, "AAPL")[1] + held(before, "APL")[1]
    assert realized(book) == realized(before)


def test_the_only_account_of_a_pool_takes_its_debts_along():
    pen = Pen()
    book = pool(pen.sell(5, "AAPL", 30), pen.rename("AAPL", "APL"))
    assert owed(book, "APL") == [(5, 30)]
    assert owed(book, "AAPL") == []


@pytest.mark.parametrize("method", ["wac", "fifo"])
def test_a_pool_that_turns_out_to_be_money_is_in_each_account_at_face(method):
    pen = Pen()
    facts = [pen.buy(10, "USDX", 8), pen.sell(15, "USDX", 20, account=OTHER)]
    book = pool(*facts, pen.rename("USDX", "USDT", account="*"), method=method)
    assert held(book, "USDT", MAIN) == (10, 10)
    assert held(book, "USDT", OTHER) == (-15, -15)
    assert (held(book, "USDX"), owed(book, "USDX")) == ((0, 0), [])
    assert realized(book) == -8 + 20 - 5


def test_a_pool_of_nothing_is_renamed_to_nothing():
    pen = Pen()
    book = pool(pen.rename("AAPL", "APL", account="*"), pen.rename("AAPL", "APL"))
    assert (dict(book.holdings), dict(book.balances)) == ({}, {})
