"""The timeline: all facts in canonical order, and the book they fold into.

Canonical order is that of `order_key`: when it happened, whatever the order in which we learned it.
`plan` works out what a batch of statements would change without changing anything; `land` makes it
so. Facts at the end are folded onto a fork of the book. A late fact, or one that changes an earlier
fact, refolds from the last checkpoint before its place, and the plan names what that restates.

Invariants
- Any permutation of the same statements, told any number of times, gives the same facts and book.
- The book is the fold of the facts in canonical order, openings included.
- A plan touches O(statements), O(facts after the earliest changed place) and O(keys touched).

A timeline may start at a checkpoint instead of the first fact; what reaches back is `Behind` then.
`trim` lets go of what lies behind a checkpoint of its own: facts in order of time need no more.

Errors: `Oversold` from strict accounts, judged on the fold of the batch; `Behind`. Nothing changed.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import msgspec

from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.checkpoint import Checkpoint, Recalled, end_of_second, last_trades, state_of
from bursar.ledger.course import (
    SPACING,
    Course,
    Folding,
    Following,
    LastTrade,
    Restated,
    changed_openings,
    lasts_after,
    restated,
)
from bursar.ledger.draft import Draft, Ruled, is_at_once, reaches
from bursar.ledger.entries import AnyEntry, CashFlow, Link, Movement, Reversal, Split
from bursar.ledger.facts import Fact
from bursar.ledger.firsts import Firsts
from bursar.ledger.fold import apply
from bursar.ledger.journal import Outcome
from bursar.ledger.notes import Note, Notes, targets
from bursar.ledger.openings import Prefixes, is_opening
from bursar.ledger.order import Key
from bursar.ledger.prices import PRICE_REACH, Prices
from bursar.ledger.pricing import wanted
from bursar.ledger.state import Line
from bursar.ledger.terms import FactSource, Method, Terms


class Plan(msgspec.Struct, frozen=True):
    """What a batch of statements would do. Nothing has changed until it lands.

    It `amends` where a statement adds to what the same source has said, or contradicts it.
    """

    ruled: list[Ruled]
    course: Course
    folding: Folding
    restated: list[Restated]
    groups: dict[str, tuple[AnyEntry, ...]]
    raw: dict[str, Fact | None]
    raised: dict[str, tuple[str, ...]]
    notes: list[Note]
    firsts: Firsts
    homes: dict[str, str]
    conflicts: dict[str, str]
    prefixes: Prefixes
    followed: list[tuple[int, Prefixes]]
    is_following: bool
    followed_from: int
    amends: bool

    @property
    def is_empty(self) -> bool:
        """Tell whether the journal has nothing to keep of it."""
        return all(ruled.key is None for ruled in self.ruled)

    @property
    def recorded(self) -> list[tuple[str, Outcome, AnyEntry]]:
        """Return what the journal is to keep: everything but duplicates."""
        return [(r.key, r.verdict.outcome, r.entry) for r in self.ruled if r.key is not None]

    @property
    def book(self) -> Book:
        """Return the book as it would be."""
        return self.folding.book

    @property
    def lines(self) -> list[tuple[Fact, list[Line]]]:
        """Return what each fact from the first changed place on realises, if that was traced."""
        return self.folding.lines


class Expected(msgspec.Struct, frozen=True):
    """What is known of statements that are still to come in order of time.

    `firsts` are rows that will be the first of their code; what was there before them is opened
    with at once. `spans` are seconds (first, last) that one group will lie on both ends of.
    `are_distinct` promises that no two statements will have one id.
    """

    firsts: tuple[Movement, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    are_distinct: bool = False


_NOTHING: Final = Recalled()


class Timeline:
    """Statements, facts and book of one portfolio in memory.

    Its `trunk` is the same object for as long as facts have only been added at the end.
    """

    def __init__(self, terms: Terms, start: Checkpoint | None = None) -> None:
        self.terms = terms
        self.start = start
        self.book = Book(terms)
        self.trunk = object()
        self.order: list[Key] = []
        self.facts: dict[str, Fact] = {}
        self.notes = Notes(Prices(terms.base, terms.cash))
        self.firsts = Firsts()
        self.prefixes = Prefixes(terms.base, terms.cash)
        self.openings: dict[str, Fact] = {}
        self.splits: dict[str, Split] = {}
        self.homes: dict[str, str] = {}
        self.conflicts: dict[str, str] = {}
        self.groups: dict[str, tuple[AnyEntry, ...]] = {}
        self.raw: dict[str, Fact] = {}
        self.raised: dict[str, tuple[str, ...]] = {}
        self._wanting: dict[str, list[tuple[int, str]]] = {}
        self._checkpoints: list[tuple[int, Book]] = []
        self._followed: list[tuple[int, Prefixes]] = []
        self._spans: dict[str, tuple[int, int]] = {}
        self._lasts: tuple[LastTrade, ...] | None = None
        self._expected: tuple[tuple[int, int], ...] = ()
        if start is not None:
            self._begin(start)

    def __iter__(self) -> Iterator[Fact]:
        """Yield all facts in canonical order. A timeline that is not whole cannot."""
        assert self.is_whole, "the facts before the checkpoint are not here"
        return (self.facts[key[-1]] for key in self.order)

    def __len__(self) -> int:
        """Return how many facts there are, those behind the checkpoint included."""
        return len(self.order) + self.behind

    @property
    def behind(self) -> int:
        """Return how many facts lie behind the checkpoint."""
        return 0 if self.start is None else self.start.facts

    @property
    def is_whole(self) -> bool:
        """Tell whether all facts are here, from the first one on."""
        return self.start is None

    def is_behind(self, at: int) -> bool:
        """Tell whether an instant lies behind the checkpoint."""
        return self.start is not None and self.start.is_behind(at)

    def last_trades(self) -> tuple[LastTrade, ...]:
        """Return the last execution of each pair that tells a price."""
        if self._lasts is None:
            self._lasts = self._last_trades(len(self.order))
        return self._lasts

    @money
    def draft(self, entries: Iterable[AnyEntry], recalled: Recalled = _NOTHING) -> Draft:
        """Judge statements, and leave it open what they change. Errors: as `plan`."""
        draft = Draft(self, recalled)
        draft.lay(entries)
        return draft

    @money
    def plan(
        self,
        entries: Iterable[AnyEntry],
        *,
        trace: bool = False,
        recalled: Recalled = _NOTHING,
        over: Draft | None = None,
    ) -> Plan:
        """Work out what statements would change. With `trace`, also what each fact realises.

        They may come `over` a draft of this timeline as it is now, which is then part of it.
        `recalled` are statements from behind the checkpoint that these may be telling again.

        Raises:
            Behind: they reach behind the checkpoint in earnest.
        """
        draft = over or Draft(self, recalled)
        draft.lay(entries)
        added, removed = draft.settle()
        course = Course(self, added, removed)
        following = Following(self, course, draft)
        opened, closed = changed_openings(self, draft, following.prefixes)
        if opened or closed:
            course = Course(self, added + opened, removed + closed)
            following = Following(self, course, draft)
        folding = Folding(self, course, trace=trace)
        return Plan(
            ruled=draft.ruled,
            course=course,
            folding=folding,
            restated=restated(self.book, folding, course) if trace and not course.is_append else [],
            groups=draft.groups,
            raw=draft.raw,
            raised=draft.raised,
            notes=draft.new_notes,
            firsts=draft.firsts,
            homes=draft.homes,
            conflicts=draft.conflicts,
            prefixes=following.prefixes,
            followed=following.kept,
            is_following=following.is_append,
            followed_from=following.begin,
            amends=draft.amends,
        )

    @money
    def land(self, plan: Plan) -> None:
        """Make a plan so. It must have been made on the timeline as it is now."""
        self.groups.update(plan.groups)
        self.homes.update(plan.homes)
        self.conflicts.update(plan.conflicts)
        for name, fact in plan.raw.items():
            if fact is None:
                self.raw.pop(name, None)
            else:
                self.raw[name] = fact
        self.raised.update(plan.raised)
        for note in plan.notes:
            self.notes.add(note)
        if plan.firsts is not self.firsts:
            self.firsts.land(plan.firsts)
        self._replace(plan.course)
        if self._lasts is not None:
            self._lasts = lasts_after(plan.course, self.order, self._lasts)
        if plan.course.is_append:
            self.book.land(plan.book)
        else:
            self.book = plan.book
            self.turn()
        if plan.is_following:
            self.prefixes.land(plan.prefixes)
        else:
            self.prefixes = plan.prefixes
        self._keep_checkpoints(plan)
        self._keep_spans(plan)

    @money
    def refold(self, method: Method) -> Book:
        """Fold the same facts under another cost rule. O(facts)."""
        book = Book(msgspec.structs.replace(self.terms, method=method))
        for fact in self:
            apply(book, fact)
        return book

    @money
    def checkpoint_behind(self, keep: int) -> Checkpoint | None:
        """Return a checkpoint that at least `keep` facts lie ahead of, if there is a place for one.

        A whole timeline looks through all its facts; another through those it has.
        """
        for position, book in reversed(self._checkpoints):
            if 0 < position <= len(self.order) - keep:
                edge = self._edge(position, len(self.order) - keep)
                if edge is not None:
                    return self._taken_down(position, book, edge)
        return None

    def apart(self) -> "Timeline":
        """Return an independent copy. O(facts in memory)."""
        twin = Timeline(self.terms)
        for name in _COPIED:
            setattr(twin, name, getattr(self, name).copy())
        twin.start, twin._expected, twin.trunk = self.start, self._expected, self.trunk
        twin.book, twin.prefixes = self.book.copy(), self.prefixes.flat()
        twin.notes, twin.firsts = self.notes.fork(), self.firsts.fork()
        twin._wanting = {asset: listed.copy() for asset, listed in self._wanting.items()}
        return twin

    def turn(self) -> None:
        """Say that more may be other than before than what stands at the end."""
        self.trunk = object()

    def expect(self, expected: Expected) -> frozenset[str]:
        """Prepare for what is to come, and return the rows that must come for it to be right."""
        fresh = tuple(row for row in expected.firsts if not self.firsts.knows(row))
        for row in fresh:
            self.firsts.see(row)
        self._expected = expected.spans
        return frozenset(row.id for row in fresh)

    def trim(self, start: Checkpoint) -> None:
        """Let go of what lies behind a checkpoint that this timeline has given. O(facts ahead)."""
        edge = start.facts - self.behind
        self.start = start
        self.order = self.order[edge:]
        self.facts = {key[-1]: self.facts[key[-1]] for key in self.order}
        self.groups = {
            name: told for name, told in self.groups.items() if reaches(told, start.time)
        }
        self.raised = {name: self.raised[name] for name in self.groups if name in self.raised}
        raised = (name for names in self.raised.values() for name in names)
        self.raw = {name: self.raw[name] for name in raised if name in self.raw}
        self.homes = {name: home for name, home in self.homes.items() if home in self.groups}
        self.conflicts = {
            key: name
            for key, name in self.conflicts.items()
            if self.homes.get(name, name) in self.groups
        }
        self._wanting = {
            asset: listed[bisect_left(listed, (start.time + 1, "")) :]
            for asset, listed in self._wanting.items()
        }
        self._checkpoints = [(at - edge, book) for at, book in self._checkpoints if at > edge]
        self._followed = [(at - edge, known) for at, known in self._followed if at > edge]
        second = start.time // instant.SECOND
        self._spans = {name: span for name, span in self._spans.items() if span[1] > second}
        self._expected = tuple(span for span in self._expected if span[1] > second)

    def wanting(self, asset: str, since: int) -> set[str]:
        """Return the facts whose value a price of `asset` at `since` may decide."""
        listed = self._wanting.get(asset, [])
        first = bisect_left(listed, (since, ""))
        last = bisect_left(listed, (since + PRICE_REACH + 1, ""))
        return {name for _, name in listed[first:last]}

    def opens(self, account: str) -> bool:
        """Tell whether an account's history may begin late, so that an opening fills it."""
        known = self.terms.account(account)
        return known.source is FactSource.VENUE and not known.may_short and not self.terms.strict

    def checkpoint(self, position: int) -> tuple[int, Book]:
        """Return the last kept fold of at most `position` facts."""
        fitting = [each for each in self._checkpoints if each[0] <= position]
        return fitting[-1] if fitting else (0, self._book_at_start())

    def following(self, position: int) -> tuple[int, Prefixes]:
        """Return the last kept balances after at most `position` facts."""
        fitting = [each for each in self._followed if each[0] <= position]
        return fitting[-1] if fitting else (0, self._prefixes_at_start())

    def _begin(self, start: Checkpoint) -> None:
        self.book = start.book(self.terms)
        self.prefixes = start.prefixes(self.terms)
        self.firsts = start.first_rows()
        self.openings.update((fact.id, fact) for fact in start.openings)
        self.splits.update((fact.id, fact) for fact in start.splits)
        for note in start.notes:
            self.notes.add(note)

    def _book_at_start(self) -> Book:
        return Book(self.terms) if self.start is None else self.start.book(self.terms)

    def _prefixes_at_start(self) -> Prefixes:
        if self.start is None:
            return Prefixes(self.terms.base, self.terms.cash)
        return self.start.prefixes(self.terms)

    def _last_trades(self, position: int) -> tuple[LastTrade, ...]:
        earlier = () if self.start is None else self.start.lasts
        here = (self.facts[key[-1]] for key in self.order[:position])
        return last_trades(chain(earlier, here))

    def _edge(self, position: int, last: int) -> int | None:
        """Return the first place from `position` on where a second ends that no group spans."""
        spans = (*self._spans.values(), *self._expected, *self._ties())
        for place in range(position, last + 1):
            second = self.order[place - 1][0] // instant.SECOND
            if self.order[place][0] // instant.SECOND > second and not any(
                first <= second < end for first, end in spans
            ):
                return place
        return None

    def _ties(self) -> Iterator[tuple[int, int]]:
        """Yield the seconds between facts that a note makes depend on each other."""
        tying: list[Link | Reversal] = [each for each in self.notes.undone() if not each.void]
        for note in (*tying, *self.notes.linked()):
            ends = [self.raw[name] for name in targets(note) if name in self.raw]
            times = [end.executed_at for end in ends]
            times += [note.executed_at] if isinstance(note, Reversal) else []
            if times:
                yield min(times) // instant.SECOND, max(times) // instant.SECOND

    def _taken_down(self, position: int, book: Book, edge: int) -> Checkpoint:
        there = book.copy()
        for key in self.order[position:edge]:
            apply(there, self.facts[key[-1]])
        time = end_of_second(self.order[edge - 1][0])
        begin, known = self.following(edge)
        prefixes = known.flat()
        between = (self.facts[key[-1]] for key in self.order[begin:edge])
        prefixes.follow(between, self.firsts.ids())
        return Checkpoint(
            time=time,
            facts=edge + self.behind,
            state=state_of(there),
            walked=prefixes.walked(),
            firsts=tuple(row for row in self.firsts.rows() if row.executed_at <= time),
            openings=self._openings_until(time),
            notes=tuple(self.notes.told()),
            lasts=self._last_trades(edge),
            splits=tuple(each for each in self.splits.values() if each.executed_at <= time),
        )

    def _openings_until(self, time: int) -> tuple[CashFlow, ...]:
        standing = (self.openings[name] for name in sorted(self.openings))
        flows = (fact for fact in standing if isinstance(fact, CashFlow))
        return tuple(flow for flow in flows if flow.executed_at <= time)

    def _keep_spans(self, plan: Plan) -> None:
        """Remember the groups whose statements lie in several seconds; a span never shrinks."""
        for name, statements in plan.groups.items():
            if len(statements) > 1 and not (is_at_once(statements) and name not in self._spans):
                self._span(name, statements)
        for ruled in plan.ruled:
            if ruled.verdict.outcome is Outcome.CONFLICT:
                home = self.homes.get(ruled.entry.id, ruled.entry.id)
                self._span(home, (*self.groups.get(home, ()), ruled.entry))

    def _span(self, name: str, statements: Iterable[AnyEntry]) -> None:
        seconds = [each.executed_at // instant.SECOND for each in statements]
        seconds += self._spans.get(name, ())
        if min(seconds) < max(seconds):
            self._spans[name] = (min(seconds), max(seconds))

    def _replace(self, course: Course) -> None:
        for fact in course.removed:
            assert fact.id in self.facts, "a fact behind the checkpoint gives way"
            self.facts.pop(fact.id, None)
            self.openings.pop(fact.id, None)
            self.splits.pop(fact.id, None)
            for asset in wanted(fact, self.terms.cash):
                listed = self._wanting[asset]
                del listed[bisect_left(listed, (fact.executed_at, fact.id))]
        fresh: dict[str, list[tuple[int, str]]] = {}
        for fact in course.added:
            self.facts[fact.id] = fact
            if is_opening(fact):
                self.openings[fact.id] = fact
            if isinstance(fact, Split):
                self.splits[fact.id] = fact
            for asset in wanted(fact, self.terms.cash):
                fresh.setdefault(asset, []).append((fact.executed_at, fact.id))
        for asset, listed in fresh.items():
            self._wanting[asset] = sorted(self._wanting.get(asset, []) + listed)
        self.order[course.position :] = course.keys

    def _keep_checkpoints(self, plan: Plan) -> None:
        kept = [each for each in self._checkpoints if each[0] <= plan.course.position]
        self._checkpoints = kept + plan.folding.checkpoints
        last = self._checkpoints[-1][0] if self._checkpoints else 0
        if len(self.order) - last >= SPACING:
            self._checkpoints.append((len(self.order), self.book.copy()))
        reached = plan.course.position if plan.is_following else plan.followed_from
        followed = [each for each in self._followed if each[0] <= reached]
        self._followed = followed + plan.followed
        last = self._followed[-1][0] if self._followed else 0
        if len(self.order) - last >= SPACING:
            self._followed.append((len(self.order), self.prefixes.flat()))


_COPIED: Final = (
    "order",
    "facts",
    "openings",
    "splits",
    "homes",
    "conflicts",
    "groups",
    "raw",
    "raised",
    "_checkpoints",
    "_followed",
    "_spans",
)


def folded(terms: Terms, told: Iterable[AnyEntry]) -> Timeline:
    """Return the timeline of a whole journal: its facts, and the book they make.

    Raises:
        Oversold: as `Timeline.plan`.
    """
    timeline = Timeline(terms)
    timeline.land(timeline.plan(told))
    return timeline
