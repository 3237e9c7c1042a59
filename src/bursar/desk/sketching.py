"""Statements that are judged before they are staged, so that what they lack can be asked for.

What is asked for then lands in the same commit, and nothing is judged twice.

Errors: as `Desk.stage`.
"""

from collections.abc import Iterable

import msgspec

from bursar.desk import reading
from bursar.desk.desk import Desk, Staged
from bursar.errors import Behind
from bursar.exact import money
from bursar.ledger.draft import Draft, drafted
from bursar.ledger.entries import AnyEntry
from bursar.ledger.facts import Fact
from bursar.ledger.planning import planned
from bursar.ledger.prices import Prices
from bursar.ledger.pricing import lacks_price


class Sketch(msgspec.Struct, frozen=True):
    """Statements that are judged but not yet folded, and the version they were judged on.

    `lacking` are the facts that would come or change, or are told again, and lack a price of their
    own instant.
    """

    draft: Draft
    version: int
    told: tuple[AnyEntry, ...]
    lacking: tuple[Fact, ...]


def sketch(desk: Desk, entries: Iterable[AnyEntry]) -> Sketch:
    """Judge statements, for `stage_over` to go on from. Nothing changes."""
    told = tuple(entries)
    try:
        draft = drafted(desk.timeline, told, reading.recalled(desk.store, desk.timeline, told))
        lacking = draft.lacking()
    except Behind:
        draft = drafted(desk.whole(), told)
        lacking = draft.lacking()
    return Sketch(draft, desk.head.version, told, tuple(lacking))


@money
def unpriced(desk: Desk) -> list[Fact]:
    """Return the facts that lack a price of their own instant. O(facts).

    Raises:
        StaleVersion, StoreCorrupt: from `Desk.whole`.
    """
    timeline = desk.whole()
    nothing = Prices(timeline.terms.base, timeline.terms.cash)
    told = ((fact, timeline.raw.get(name, fact)) for name, fact in timeline.facts.items())
    return [fact for fact, raw in told if lacks_price(raw, nothing)]


def stage_over(desk: Desk, made: Sketch, entries: Iterable[AnyEntry]) -> Staged:
    """Stage what was sketched, and more. A sketch serves once."""
    more = tuple(entries)
    told, draft = (*made.told, *more), made.draft
    if draft.timeline is not desk.timeline or made.version != desk.head.version:
        return desk.stage(told)
    try:
        plan = planned(desk.timeline, more, trace=True, over=draft)
    except Behind:
        return desk.stage(told)
    return Staged(plan, desk.head.version, told, desk.timeline)
