"""The timeline: all facts in canonical order, and the book they fold into.

Canonical order is (executed_at, venue, sequence, id): when it happened, whatever the order in
which we learned it. `plan` works out what a batch of statements would change without changing
anything; `land` makes it so. Facts at the end are folded onto a fork of the book. A late fact, or
one that changes an earlier fact, refolds from the last checkpoint before its place, and the plan
names what that restates.

Invariants
- Any permutation of the same statements, delivered any number of times, gives the same facts and
  book.
- The book is the fold of the facts in canonical order, openings included.
- A plan touches O(statements), O(facts after the earliest changed place) and O(keys touched).

Errors: `Oversold` from strict accounts, judged on the fold of the whole batch. Nothing has changed
then.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import msgspec

from bursar.exact import money
from bursar.ledger.book import Book
from bursar.ledger.course import (
    SPACING,
    Course,
    Folding,
    Following,
    Restated,
    changed_openings,
    restated,
)
from bursar.ledger.draft import Draft, Ruled, same
from bursar.ledger.entries import AnyEntry, Movement
from bursar.ledger.facts import Fact
from bursar.ledger.fold import apply
from bursar.ledger.journal import Outcome
from bursar.ledger.notes import Note, Notes
from bursar.ledger.openings import Firsts, Prefixes, is_opening
from bursar.ledger.order import Key, order_key
from bursar.ledger.prices import PRICE_REACH, Prices
from bursar.ledger.pricing import wanted
from bursar.ledger.state import Line
from bursar.ledger.terms import FactSource, Method, Terms


class Plan(msgspec.Struct, frozen=True):
    """What a batch of statements would do. Nothing has changed until it lands."""

    ruled: list[Ruled]
    course: Course
    folding: Folding
    restated: list[Restated]
    groups: dict[str, tuple[AnyEntry, ...]]
    raw: dict[str, Fact | None]
    raised: dict[str, tuple[str, ...]]
    notes: list[Note]
    rows: list[Movement]
    homes: dict[str, str]
    conflicts: dict[str, str]
    prefixes: Prefixes
    followed: list[tuple[int, Prefixes]]
    is_following: bool
    followed_from: int

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


class Timeline:
    """Statements, facts and book of one portfolio in memory."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.book = Book(terms)
        self.order: list[Key] = []
        self.facts: dict[str, Fact] = {}
        self.notes = Notes(Prices(terms.base, terms.cash))
        self.firsts = Firsts()
        self.prefixes = Prefixes(terms.base, terms.cash)
        self.openings: dict[str, Fact] = {}
        self.homes: dict[str, str] = {}
        self.conflicts: dict[str, str] = {}
        self.groups: dict[str, tuple[AnyEntry, ...]] = {}
        self.raw: dict[str, Fact] = {}
        self.raised: dict[str, tuple[str, ...]] = {}
        self._wanting: dict[str, list[tuple[int, str]]] = {}
        self._checkpoints: list[tuple[int, Book]] = []
        self._followed: list[tuple[int, Prefixes]] = []

    def __iter__(self) -> Iterator[Fact]:
        """Yield all facts in canonical order."""
        return (self.facts[key[3]] for key in self.order)

    @money
    def plan(self, entries: Iterable[AnyEntry], *, trace: bool = False) -> Plan:
        """Work out what statements would change. With `trace`, also what each fact realises."""
        draft = Draft(self)
        ruled = [draft.rule(entry) for entry in entries]
        added, removed = draft.settle()
        following = Following(self, Course(self, added, removed), draft.firsts.ids())
        opened, closed = changed_openings(self, draft, following.prefixes)
        if opened or closed:
            added, removed = added + opened, removed + closed
            following = Following(self, Course(self, added, removed), draft.firsts.ids())
        course = Course(self, added, removed)
        folding = Folding(self, course, trace=trace)
        late = trace and not course.is_append
        return Plan(
            ruled=ruled,
            course=course,
            folding=folding,
            restated=restated(self.book, folding, course) if late else [],
            groups=draft.groups,
            raw=draft.raw,
            raised=draft.raised,
            notes=draft.new_notes,
            rows=draft.rows,
            homes=draft.homes,
            conflicts=draft.conflicts,
            prefixes=following.prefixes,
            followed=following.kept,
            is_following=following.is_append,
            followed_from=following.begin,
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
        for row in plan.rows:
            self.firsts.see(row)
        self._replace(plan.course)
        if plan.course.is_append:
            self.book.land(plan.book)
        else:
            self.book = plan.book
        if plan.is_following:
            self.prefixes.land(plan.prefixes)
        else:
            self.prefixes = plan.prefixes
        self._keep_checkpoints(plan)

    @money
    def refold(self, method: Method) -> Book:
        """Fold the same facts under another cost rule. O(facts)."""
        book = Book(msgspec.structs.replace(self.terms, method=method))
        for fact in self:
            apply(book, fact)
        return book

    def known(self, entry: AnyEntry) -> list[AnyEntry]:
        """Return what the same source has said of the same fact."""
        home = self.homes.get(entry.id, entry.id)
        return same(entry, self.groups.get(home, ()))

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
        return fitting[-1] if fitting else (0, Book(self.terms))

    def following(self, position: int) -> tuple[int, Prefixes]:
        """Return the last kept balances after at most `position` facts."""
        fitting = [each for each in self._followed if each[0] <= position]
        return fitting[-1] if fitting else (0, Prefixes(self.terms.base, self.terms.cash))

    def _replace(self, course: Course) -> None:
        for fact in course.removed:
            self.facts.pop(fact.id, None)
            self.openings.pop(fact.id, None)
            for asset in wanted(fact) - self.terms.cash:
                listed = self._wanting[asset]
                del listed[bisect_left(listed, (fact.executed_at, fact.id))]
        fresh: dict[str, list[tuple[int, str]]] = {}
        for fact in course.added:
            self.facts[fact.id] = fact
            if is_opening(fact):
                self.openings[fact.id] = fact
            for asset in wanted(fact) - self.terms.cash:
                fresh.setdefault(asset, []).append((fact.executed_at, fact.id))
        for asset, listed in fresh.items():
            self._wanting[asset] = sorted(self._wanting.get(asset, []) + listed)
        self.order[course.position :] = [order_key(fact) for fact in course.tail]

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
