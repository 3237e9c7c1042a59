"""The past: a timeline as far as an instant.

What is known decides what happened: facts are resolved from all statements, and then those of the
instant or earlier are folded. A tag, a link or a void told later counts, since it says what was the
case then; a flow that is reversed only later still stands; prices of later are not there.

Invariants
- At an instant after every fact, the past is the whole book.
- Folding on from the past, with the facts after it, gives the whole book.

Errors: `Oversold` never: the whole course was folded without one.
"""

from bisect import bisect_left, bisect_right

import msgspec

from bursar.exact import money
from bursar.ledger.book import Book
from bursar.ledger.entries import CashFlow
from bursar.ledger.facts import Fact
from bursar.ledger.fold import apply
from bursar.ledger.notes import Notes
from bursar.ledger.openings import is_opening
from bursar.ledger.terms import Method
from bursar.ledger.timeline import Timeline


@money
def until(timeline: Timeline, at: int) -> Timeline:
    """Return the timeline as far as `at`, that instant included. It is for reading only. O(facts).

    The statements stay behind: what it knows are facts, their book, and prices.
    """
    past = Timeline(timeline.terms)
    end = _place(timeline, at)
    past.order = timeline.order[:end]
    kept = {key[-1] for key in past.order}
    past.facts = {name: _standing(timeline.facts[name], kept) for *_, name in past.order}
    past.openings = {name: fact for name, fact in past.facts.items() if is_opening(fact)}
    past.notes = Notes(timeline.notes.prices.until(at))
    past.book = book_until(timeline, at)
    return past


@money
def book_until(timeline: Timeline, at: int, method: Method | None = None) -> Book:
    """Return the book as far as `at`, that instant included.

    Under the timeline's own cost rule this is O(facts since the last kept fold before it), under
    another O(facts before it).
    """
    end = _place(timeline, at)
    if method is None or method is timeline.terms.method:
        start, known = timeline.book_after(end)
        book = known.copy()
    else:
        assert timeline.is_whole, "another rule needs every fact"
        start, book = 0, Book(msgspec.structs.replace(timeline.terms, method=method))
    for key in timeline.order[start:end]:
        apply(book, timeline.facts[key[-1]])
    return book


def facts_between(timeline: Timeline, start: int, end: int) -> list[Fact]:
    """Return the facts from `start` until before `end`, in canonical order."""
    first, last = (bisect_left(timeline.order, at, key=lambda key: key[0]) for at in (start, end))
    return [timeline.facts[key[-1]] for key in timeline.order[first:last]]


def _place(timeline: Timeline, at: int) -> int:
    return bisect_right(timeline.order, at, key=lambda key: key[0])


def _standing(fact: Fact, kept: set[str]) -> Fact:
    """Return the fact as it stood: what is taken back only later was not yet."""
    if isinstance(fact, CashFlow) and fact.reversed_by not in kept:
        return msgspec.structs.replace(fact, reversed_by=None)
    return fact
