"""Wherever a history is cut, its past folded on is the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.exact import money
from bursar.ledger import copies, planning
from bursar.ledger.fold import apply
from bursar.ledger.past import until
from bursar.ledger.planning import planned
from bursar.ledger.timeline import Timeline
from tests.auditor import histories
from tests.auditor.picture import digest, picture

CHANCE = st.randoms(use_true_random=False)


def landed(terms, entries):
    line = Timeline(terms)
    line.land(planned(line, entries))
    return line


@money
def folded_on(line, past, at):
    """The book of the past, with what came after it."""
    book = past.book.copy()
    for key in line.order:
        if key[0] > at:
            apply(book, line.facts[key[-1]])
    return book


@given(CHANCE, st.integers(1, 14))
def test_the_past_folded_on_is_the_whole_book(chance, length):
    terms = histories.terms(chance)
    with pytest.MonkeyPatch.context() as patch:
        for module in (planning, copies):
            patch.setattr(module, "SPACING", chance.choice([1, 2, 3, 1_000]))
        line = landed(terms, histories.history(chance, length, terms))
        times = [key[0] for key in line.order] or [histories.START]
        for _ in range(3):
            at = chance.choice(times) + chance.choice([-1, 0, 1])
            past = until(line, at)
            assert [fact.id for fact in past] == [key[-1] for key in line.order if key[0] <= at]
            whole = folded_on(line, past, at)
            if digest(whole) != digest(line.book):
                assert picture(whole) == picture(line.book)
        assert digest(until(line, times[-1]).book) == digest(line.book)
