"""The books close to the last digit over any history, under every rule, after every batch."""

from hypothesis import given
from hypothesis import strategies as st

from bursar.exact import ZERO, money
from bursar.ledger import audit
from bursar.ledger.book import Book
from bursar.ledger.fold import apply, traced
from bursar.ledger.planning import planned
from bursar.ledger.terms import Method
from bursar.ledger.timeline import Timeline
from tests.auditor import histories
from tests.auditor.picture import picture

CHANCE = st.randoms(use_true_random=False)
LENGTH = st.integers(1, 15)


@given(CHANCE, LENGTH)
def test_the_books_close_after_every_batch(chance, length):
    terms = histories.terms(chance)
    timeline = Timeline(terms)
    for batch in histories.batches(chance, histories.history(chance, length, terms)):
        plan = planned(timeline, batch, trace=chance.random() < 0.5)
        if plan.course.is_append:
            assert audit.changes(timeline.book, plan.book) == []
        timeline.land(plan)
        assert audit.breaches(timeline.book) == []


@given(CHANCE, LENGTH)
def test_every_single_fact_keeps_them_closed(chance, length):
    terms = histories.terms(chance)
    timeline = Timeline(terms)
    timeline.land(planned(timeline, histories.history(chance, length, terms)))
    book = Book(terms)
    for fact in timeline:
        fork = book.fork()
        _apply(fork, fact)
        assert audit.changes(book, fork) == [], fact
        book.land(fork)
    assert picture(book) == picture(timeline.book)


@given(CHANCE, LENGTH)
def test_one_history_closes_under_every_rule(chance, length):
    terms = histories.terms(chance)
    timeline = Timeline(terms)
    timeline.land(planned(timeline, histories.history(chance, length, terms)))
    for method in Method:
        assert audit.breaches(timeline.refold(method)) == [], method


@given(CHANCE, LENGTH)
def test_what_is_told_of_each_fact_adds_up_to_what_it_realised(chance, length):
    terms = histories.terms(chance)
    timeline = Timeline(terms)
    timeline.land(planned(timeline, histories.history(chance, length, terms)))
    book = Book(terms)
    told: dict = {}
    for fact in timeline:
        for line in traced(book, fact):
            _add(told, line)
    realized = {key: cell.realized for key, cell in book.cells.items() if cell.realized}
    assert {key: value for key, value in told.items() if value} == realized
    assert picture(book) == picture(timeline.book)


@money
def _apply(book, fact):
    apply(book, fact)


@money
def _add(told, line):
    told[line.key] = told.get(line.key, ZERO) + line.realized
