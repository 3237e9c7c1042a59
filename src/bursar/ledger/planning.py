"""Working out what statements would change, without changing anything.

Facts added at the end are folded onto a fork of the book. Otherwise the fold starts again from the
last kept copy before the earliest changed place, and the plan names what that restates. Openings
depend on the whole history of an account; where they change, the course is taken once more with
the right ones. A plan touches O(statements), O(facts after the earliest changed place) and O(keys
touched).

Errors: `Oversold`, from the fold; `Behind` for what belongs before a timeline's checkpoint.
"""

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal

from bursar.errors import Behind
from bursar.exact import ZERO, money
from bursar.ledger.book import Book
from bursar.ledger.checkpoint import NOTHING_RECALLED, Recalled
from bursar.ledger.copies import SPACING
from bursar.ledger.course import Course, Plan, Restated
from bursar.ledger.draft import Draft
from bursar.ledger.entries import AnyEntry
from bursar.ledger.facts import Fact
from bursar.ledger.fold import apply, traced_within
from bursar.ledger.openings import Prefixes
from bursar.ledger.order import order_key
from bursar.ledger.pricing import priced
from bursar.ledger.state import CellKey, Line
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline


@money
def planned(
    timeline: Timeline,
    entries: Iterable[AnyEntry],
    *,
    trace: bool = False,
    recalled: Recalled = NOTHING_RECALLED,
    over: Draft | None = None,
) -> Plan:
    """Work out what statements would change. With `trace`, also what each fact realises.

    They may come `over` a draft of this timeline as it is now, which is then part of it.
    `recalled` are statements from behind the checkpoint that these may be telling again.

    Raises:
        Behind: they reach behind the checkpoint in earnest.
    """
    draft = over or Draft(timeline, recalled)
    draft.lay(entries)
    added, removed = draft.settle()
    course = _course(timeline, added, removed)
    following = Following(timeline, course, draft)
    opened, closed = changed_openings(timeline, draft, following.prefixes)
    if opened or closed:
        course = _course(timeline, added + opened, removed + closed)
        following = Following(timeline, course, draft)
    folding = Folding(timeline, course, trace=trace)
    return Plan(
        ruled=draft.ruled,
        course=course,
        book=folding.book,
        lines=folding.lines,
        books=folding.kept,
        restated=restated(timeline.book, folding, course) if trace and not course.is_append else [],
        groups=draft.groups,
        raw=draft.raw,
        raised=draft.raised,
        notes=draft.new_notes,
        firsts=draft.firsts,
        homes=draft.homes,
        conflicts=draft.conflicts,
        prefixes=following.prefixes,
        balances=following.kept,
        is_following=following.is_append,
        followed_from=following.begin,
        amends=draft.amends,
    )


def folded(terms: Terms, told: Iterable[AnyEntry]) -> Timeline:
    """Return the timeline of a whole journal: its facts, and the book they make.

    Raises:
        Oversold: as `planned`.
    """
    timeline = Timeline(terms)
    timeline.land(planned(timeline, told))
    return timeline


def _course(timeline: Timeline, added: list[Fact], removed: list[Fact]) -> Course:
    course = Course(timeline.order, timeline.facts, added, removed)
    if course.first is not None and timeline.is_behind(course.first[0]):
        raise Behind("a fact belongs before the checkpoint")
    return course


class Folding:
    """The fold of a course: onto a fork at the end, from a checkpoint otherwise."""

    def __init__(self, timeline: Timeline, course: Course, *, trace: bool) -> None:
        self.lines: list[tuple[Fact, list[Line]]] = []
        self.kept: list[tuple[int, Book]] = []
        if course.is_append:
            self.book = timeline.book.fork()
            start = course.position
        else:
            start, book = timeline.book_after(course.position)
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
                self.kept.append((place, self.book.copy()))


class Following:
    """The running balances as a course leaves them, and copies of them on the way."""

    def __init__(self, timeline: Timeline, course: Course, draft: Draft) -> None:
        self.kept: list[tuple[int, Prefixes]] = []
        firsts = before = timeline.firsts.ids()
        if draft.firsts is not timeline.firsts:
            firsts = draft.firsts.ids()
        self.begin = min(course.position, _first_told(timeline, draft, firsts - before))
        self.is_append = self.begin == len(timeline.order)
        if self.is_append:
            self.prefixes = timeline.prefixes.fork()
        else:
            start, known = timeline.balances_after(self.begin)
            self.prefixes = known.flat()
            between = timeline.order[start : course.position]
            self.prefixes.follow((timeline.facts[key[-1]] for key in between), firsts)
        for first in range(0, len(course.tail), SPACING):
            self.prefixes.follow(course.tail[first : first + SPACING], firsts)
            if first + SPACING <= len(course.tail):
                self.kept.append((course.position + first + SPACING, self.prefixes.flat()))


def _first_told(timeline: Timeline, draft: Draft, rows: frozenset[str]) -> int:
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
    timeline: Timeline, draft: Draft, prefixes: Prefixes
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
