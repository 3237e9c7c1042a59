"""The past: a timeline as far as an instant.

What is known decides what happened: facts are resolved from all statements, and then those of the
instant or earlier are folded. A tag, a link or a void told later counts, since it says what was the
case then; a flow that is reversed only later still stands; prices of later are not there.

Invariants
- At an instant after every fact, the past is the whole book.
- Folding on from the past, with the facts after it, gives the whole book.

Errors: `Oversold` never: the whole course was folded without one.
"""

from bisect import bisect_right

import msgspec

from bursar.exact import money
from bursar.ledger.entries import CashFlow
from bursar.ledger.facts import Fact
from bursar.ledger.fold import apply
from bursar.ledger.notes import Notes
from bursar.ledger.openings import is_opening
from bursar.ledger.timeline import Timeline


@money
def until(timeline: Timeline, at: int) -> Timeline:
    """Return the timeline as far as `at`, that instant included. It is for reading only. O(facts).

    The statements stay behind: what it knows are facts, their book, and prices.
    """
    past = Timeline(timeline.terms)
    end = bisect_right(timeline.order, at, key=lambda key: key[0])
    start, known = timeline.checkpoint(end)
    past.order = timeline.order[:end]
    kept = {key[3] for key in past.order}
    past.facts = {name: _standing(timeline.facts[name], kept) for name in kept}
    past.openings = {name: fact for name, fact in past.facts.items() if is_opening(fact)}
    past.notes = Notes(timeline.notes.prices.until(at))
    past.book = known.copy()
    for key in past.order[start:]:
        apply(past.book, timeline.facts[key[3]])
    return past


def _standing(fact: Fact, kept: set[str]) -> Fact:
    """Return the fact as it stood: what is taken back only later was not yet."""
    if isinstance(fact, CashFlow) and fact.reversed_by not in kept:
        return msgspec.structs.replace(fact, reversed_by=None)
    return fact
