"""Forks, checkpoints and traces are shorter ways to the same book; a refusal leaves no trace."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.errors import Oversold
from bursar.exact import money
from bursar.ledger import copies, planning
from bursar.ledger.book import Book
from bursar.ledger.fold import apply, fold
from bursar.ledger.planning import planned
from bursar.ledger.terms import Account, FactSource
from bursar.ledger.timeline import Timeline
from tests.auditor import histories
from tests.auditor.picture import picture

CHANCE = st.randoms(use_true_random=False)
LENGTH = st.integers(1, 12)


def state(line):
    """Everything a timeline keeps that a later plan could see."""
    return {
        "book": picture(line.book),
        "facts": list(line),
        "order": list(line.order),
        "groups": dict(line.groups),
        "raw": dict(line.raw),
        "raised": {name: ids for name, ids in line.raised.items() if ids},
    }


@given(CHANCE, LENGTH)
def test_a_plan_that_does_not_land_changes_nothing(chance, length):
    terms = histories.terms(chance)
    entries = histories.history(chance, length, terms)
    chance.shuffle(entries)
    line = Timeline(terms)
    for batch in histories.batches(chance, entries):
        before = state(line)
        planned(line, batch, trace=chance.random() < 0.5)
        assert state(line) == before
        line.land(planned(line, batch))


@given(CHANCE, LENGTH)
def test_a_refused_change_changes_nothing(chance, length):
    accounts = [*histories.ACCOUNTS, histories.SHORTS]
    strict = msgspec.structs.replace(
        histories.terms(chance),
        accounts=tuple(Account(name, FactSource.MANUAL) for name in accounts),
    )
    entries = histories.history(chance, length, strict)
    line = Timeline(strict)
    for batch in histories.batches(chance, entries):
        before = state(line)
        try:
            plan = planned(line, batch, trace=chance.random() < 0.5)
        except Oversold:
            assert state(line) == before
        else:
            line.land(plan)
            assert not any(holding.owed for holding in line.book.holdings.values())


@given(CHANCE, LENGTH)
def test_one_refused_fact_leaves_the_book_as_it_was(chance, length):
    loose = histories.terms(chance)
    line = Timeline(loose)
    line.land(planned(line, histories.history(chance, length, loose)))
    book = Book(msgspec.structs.replace(loose, strict=True))
    for fact in line:
        before = picture(book)
        try:
            _apply(book, fact)
        except Oversold:
            assert picture(book) == before
            return


@given(CHANCE, LENGTH, st.integers(1, 4))
def test_a_refold_from_checkpoints_equals_the_whole_fold(chance, length, spacing):
    terms = histories.terms(chance)
    entries = histories.history(chance, length, terms)
    chance.shuffle(entries)
    line = Timeline(terms)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "SPACING", spacing)
        patch.setattr(copies, "SPACING", spacing)
        for batch in histories.batches(chance, entries):
            line.land(planned(line, batch, trace=chance.random() < 0.5))
            whole = fold(list(line), Book(terms))
            assert picture(line.book) == picture(whole)
            for count, kept in line.books.kept:
                assert picture(kept) == picture(fold(list(line)[:count], Book(terms)))


@given(CHANCE, LENGTH)
def test_a_landed_fork_equals_the_book_itself(chance, length):
    terms = histories.terms(chance)
    line = Timeline(terms)
    line.land(planned(line, histories.history(chance, length, terms)))
    facts = list(line)
    cut = chance.randint(0, len(facts))
    book = fold(facts[:cut], Book(terms))
    before, twin = picture(book), book.copy()
    fork = fold(facts[cut:], book.fork())
    assert picture(book) == before
    book.land(fork)
    assert picture(book) == picture(fork) == picture(fold(facts, Book(terms)))
    assert picture(twin) == before


@money
def _apply(book, fact):
    apply(book, fact)
