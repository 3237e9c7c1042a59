"""The course of the facts after a change: where it begins, the refold, and what that restates.

Facts added at the end are folded onto a fork of the book. Otherwise the fold starts again from the
last checkpoint before the earliest changed place. Openings depend on the whole history of an
account; where they change, the course is taken once more with the right ones.

Errors: `Oversold`, from the fold; `Behind` for what belongs before a timeline's checkpoint.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.errors import Behind
from bursar.exact import ZERO
from bursar.ledger import openings
from bursar.ledger.book import Book
from bursar.ledger.checkpoint import last_trades
from bursar.ledger.draft import Draft
from bursar.ledger.entries import Fill, MarginFill
from bursar.ledger.facts import Fact
from bursar.ledger.fold import apply, traced_within
from bursar.ledger.order import Key, order_key
from bursar.ledger.pricing import priced
from bursar.ledger.state import CellKey, Line

if TYPE_CHECKING:
    from bursar.ledger.timeline import Timeline

SPACING: Final = 1_000
LastTrade = Fill | MarginFill


class Restated(msgspec.Struct, frozen=True):
    """A published realised figure that a refold changed, and the facts that caused it."""

    account: str
    asset: str
    pair: str
    strategy: str
    regime: str
    old: Decimal
    new: Decimal
    cause: tuple[str, ...]


class Course:
    """Where facts change in canonical order, and what stands from there on."""

    def __init__(self, timeline: "Timeline", added: list[Fact], removed: list[Fact]) -> None:
        order, facts = timeline.order, timeline.facts
        self.added, self.removed = added, removed
        own = [(order_key(fact), fact) for fact in added]
        keys = [key for key, _ in own] + [order_key(fact) for fact in removed]
        if keys and timeline.is_behind(min(keys)[0]):
            raise Behind("a fact belongs before the checkpoint")
        self.position = bisect_left(order, min(keys)) if keys else len(order)
        self.is_append = self.position == len(order)
        gone = {fact.id for fact in removed}
        kept = [facts[key[-1]] for key in order[self.position :] if key[-1] not in gone]
        placed = sorted([*((order_key(fact), fact) for fact in kept), *own])
        self.keys = [key for key, _ in placed]
        self.tail = [fact for _, fact in placed]


def lasts_after(
    course: Course, order: Sequence[Key], known: Iterable[LastTrade]
) -> tuple[LastTrade, ...] | None:
    """Return the last execution of each pair once a course stands in the order.

    `known` were they before. `None` where only a look through all facts would tell. O(them and
    the facts that the course changes).
    """
    if not (course.position or course.is_append):
        return None
    before = tuple(known)
    standing = [
        fact
        for fact in before
        if course.is_append or bisect_left(order, order_key(fact)) < course.position
    ]
    found = last_trades([*standing, *course.tail])
    told = {(each.base, each.quote) for each in found}
    return found if all((each.base, each.quote) in told for each in before) else None


class Folding:
    """The fold of a course: onto a fork at the end, from a checkpoint otherwise."""

    def __init__(self, timeline: "Timeline", course: Course, *, trace: bool) -> None:
        self.lines: list[tuple[Fact, list[Line]]] = []
        self.checkpoints: list[tuple[int, Book]] = []
        if course.is_append:
            self.book = timeline.book.fork()
            start = course.position
        else:
            start, book = timeline.checkpoint(course.position)
            self.book = book.copy()
            for key in timeline.order[start : course.position]:
                apply(self.book, timeline.facts[key[-1]])
            start = course.position
        for place, fact in enumerate(course.tail, start + 1):
            if trace:
                self.lines.append((fact, traced_within(self.book, fact)))
            else:
                apply(self.book, fact)
            if place % SPACING == 0:
                self.checkpoints.append((place, self.book.copy()))


class Following:
    """The running balances as a course leaves them, and copies of them on the way."""

    def __init__(self, timeline: "Timeline", course: Course, draft: Draft) -> None:
        self.kept: list[tuple[int, openings.Prefixes]] = []
        firsts = before = timeline.firsts.ids()
        if draft.firsts is not timeline.firsts:
            firsts = draft.firsts.ids()
        self.begin = min(course.position, _first_told(timeline, draft, firsts - before))
        self.is_append = self.begin == len(timeline.order)
        if self.is_append:
            self.prefixes = timeline.prefixes.fork()
        else:
            start, known = timeline.following(self.begin)
            self.prefixes = known.flat()
            between = timeline.order[start : course.position]
            self.prefixes.follow((timeline.facts[key[-1]] for key in between), firsts)
        for first in range(0, len(course.tail), SPACING):
            self.prefixes.follow(course.tail[first : first + SPACING], firsts)
            if first + SPACING <= len(course.tail):
                self.kept.append((course.position + first + SPACING, self.prefixes.flat()))


def _first_told(timeline: "Timeline", draft: Draft, rows: frozenset[str]) -> int:
    """Return the place of the earliest fact whose row turns out to be a first only now.

    The fact may have been there before the row: a trade lists its rows.
    """
    places = [len(timeline.order)]
    for row in rows:
        linked = (link.id for link in timeline.notes.links(row))
        homes = timeline.homes.get(row, row), draft.homes.get(row, row)
        raised = (name for home in homes for name in timeline.raised.get(home, ()))
        for name in (*raised, *linked):
            fact = timeline.facts.get(name)
            if fact is not None and row in fact.rows:
                places.append(bisect_left(timeline.order, order_key(fact)))
    return min(places)


def changed_openings(
    timeline: "Timeline", draft: Draft, prefixes: openings.Prefixes
) -> tuple[list[Fact], list[Fact]]:
    """Return the openings that must come, and those that must go."""

    def is_void(name: str) -> bool:
        told = draft.notes.reversal(name)
        return told is not None and told.void

    due: dict[str, Fact] = {}
    for fact in prefixes.due(draft.firsts.before(prefixes, is_void)):
        if timeline.opens(fact.account):
            due[fact.id] = priced(fact, draft.notes.prices)
    standing = timeline.openings
    added = [fact for name, fact in due.items() if standing.get(name) != fact]
    removed = [fact for name, fact in standing.items() if due.get(name) != fact]
    return added, removed


def restated(before: Book, folding: Folding, course: Course) -> list[Restated]:
    """Name the realised figures that changed by more than what the new facts made themselves.

    One that stands as it was told is not restated, whatever facts it is made of now.
    """
    fresh = {fact.id for fact in course.added} - {fact.id for fact in course.removed}
    own: dict[CellKey, Decimal] = {}
    for fact, lines in folding.lines:
        if fact.id in fresh:
            for line in lines:
                own[line.key] = own.get(line.key, ZERO) + line.realized
    cause = tuple(sorted({fact.id for fact in (*course.added, *course.removed)}))
    found = []
    for key, cell in sorted(before.cells.items()):
        now = folding.book.cells.get(key)
        new = ZERO if now is None else now.realized
        if new not in {cell.realized, cell.realized + own.get(key, ZERO)}:
            found.append(Restated(*key, cell.realized, new, cause))
    return found
