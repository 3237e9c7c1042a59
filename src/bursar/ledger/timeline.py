"""The timeline: all facts in canonical order, and the book they fold into.

Canonical order is that of `order_key`: when it happened, whatever the order in which we learned it.
What a batch of statements would change is worked out in `planning`; `land` makes it so. Copies of
the book and of the running balances are kept on the way, for what comes late.

Invariants
- Any permutation of the same statements, delivered any number of times, gives the same facts and
  book.
- The book is the fold of the facts in canonical order, openings included.

A timeline may start at a checkpoint instead of the first fact. Then it takes what lies ahead of
that, and what reaches back is `Behind`. `trim` lets go of what lies behind a checkpoint of its own,
so that facts that come in order of time need no more memory than those that stay ahead.

Errors: none of its own; a plan that cannot be is refused before it could land.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import msgspec

from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.checkpoint import Checkpoint, last_trades
from bursar.ledger.copies import Copies
from bursar.ledger.course import Course, LastTrade, Plan, lasts_after
from bursar.ledger.entries import AnyEntry, Movement, Split
from bursar.ledger.facts import Fact
from bursar.ledger.firsts import Firsts
from bursar.ledger.fold import apply
from bursar.ledger.journal import Outcome
from bursar.ledger.notes import Notes
from bursar.ledger.openings import Prefixes, is_opening
from bursar.ledger.order import Key
from bursar.ledger.prices import PRICE_REACH, Prices
from bursar.ledger.pricing import wanted
from bursar.ledger.spans import Spans
from bursar.ledger.terms import FactSource, Method, Terms
from bursar.ledger.turns import Turns


class Expected(msgspec.Struct, frozen=True):
    """What is known of statements that are still to come in order of time.

    `firsts` are rows that will be the first of their code; what was there before them is opened
    with at once. `spans` are seconds (first, last) that one group will lie on both ends of.
    `are_distinct` promises that no two statements will have one id.
    """

    firsts: tuple[Movement, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    are_distinct: bool = False


class Timeline:
    """Statements, facts and book of one portfolio in memory.

    `turns` tell when anything but what came at the end has changed.
    """

    def __init__(self, terms: Terms, start: Checkpoint | None = None) -> None:
        self.terms = terms
        self.start = start
        self.book = Book(terms)
        self.turns = Turns()
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
        self.books: Copies[Book] = Copies()
        self.balances: Copies[Prefixes] = Copies()
        self.spans = Spans()
        self._lasts: tuple[LastTrade, ...] | None = None
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
            self._lasts = self.last_trades_after(len(self.order))
        return self._lasts

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
        if plan.course.is_append or plan.course.first is None:
            self.book.land(plan.book)
        else:
            self.book = plan.book
            self.turns.turn(plan.course.first[0])
        if plan.is_following:
            self.prefixes.land(plan.prefixes)
        else:
            self.prefixes = plan.prefixes
        self._keep(plan)

    @money
    def refold(self, method: Method) -> Book:
        """Fold the same facts under another cost rule. O(facts)."""
        book = Book(msgspec.structs.replace(self.terms, method=method))
        for fact in self:
            apply(book, fact)
        return book

    def apart(self) -> "Timeline":
        """Return an independent copy. O(facts in memory)."""
        twin = Timeline(self.terms)
        for name in _COPIED:
            setattr(twin, name, getattr(self, name).copy())
        twin.start = self.start
        twin.book, twin.prefixes = self.book.copy(), self.prefixes.flat()
        twin.notes, twin.firsts = self.notes.fork(), self.firsts.fork()
        twin._wanting = {asset: listed.copy() for asset, listed in self._wanting.items()}
        return twin

    def expect(self, expected: Expected) -> frozenset[str]:
        """Prepare for what is to come, and return the rows that must come for it to be right."""
        fresh = tuple(row for row in expected.firsts if not self.firsts.knows(row))
        for row in fresh:
            self.firsts.see(row)
        self.spans.expected = expected.spans
        return frozenset(row.id for row in fresh)

    def trim(self, start: Checkpoint) -> None:
        """Let go of what lies behind a checkpoint that this timeline has given. O(facts ahead)."""
        edge = start.facts - self.behind
        self.start = start
        self.order = self.order[edge:]
        self.facts = {key[-1]: self.facts[key[-1]] for key in self.order}
        self.groups = {
            name: told for name, told in self.groups.items() if _reaches(told, start.time)
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
        self.books.trim(edge)
        self.balances.trim(edge)
        self.spans.trim(start.time // instant.SECOND)

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

    def book_after(self, most: int) -> tuple[int, Book]:
        """Return the last kept book of at most so many facts, and their number."""
        return self.books.latest(most) or (0, self._book_at_start())

    def balances_after(self, most: int) -> tuple[int, Prefixes]:
        """Return the last kept running balances of at most so many facts, and their number."""
        return self.balances.latest(most) or (0, self._prefixes_at_start())

    def last_trades_after(self, count: int) -> tuple[LastTrade, ...]:
        """Return the last execution of each pair among so many facts."""
        earlier = () if self.start is None else self.start.lasts
        here = (self.facts[key[-1]] for key in self.order[:count])
        return last_trades(chain(earlier, here))

    def _begin(self, start: Checkpoint) -> None:
        self.book = start.book(self.terms)
        self.prefixes = start.prefixes(self.terms)
        self.firsts = start.first_rows()
        self.openings.update((fact.id, fact) for fact in start.openings)
        self.splits.update((fact.id, fact) for fact in start.splits)
        for note in start.notes:
            self.notes.add(note)
        self.notes.prices.part(self.splits.values())

    def _book_at_start(self) -> Book:
        return Book(self.terms) if self.start is None else self.start.book(self.terms)

    def _prefixes_at_start(self) -> Prefixes:
        if self.start is None:
            return Prefixes(self.terms.base, self.terms.cash)
        return self.start.prefixes(self.terms)

    def _replace(self, course: Course) -> None:
        is_parted = False
        for fact in course.removed:
            assert fact.id in self.facts, "a fact behind the checkpoint gives way"
            self.facts.pop(fact.id, None)
            self.openings.pop(fact.id, None)
            is_parted |= self.splits.pop(fact.id, None) is not None
            for asset in wanted(fact, self.terms.cash):
                listed = self._wanting[asset]
                del listed[bisect_left(listed, (fact.executed_at, fact.id))]
        fresh: dict[str, list[tuple[int, str]]] = {}
        for fact in course.added:
            self.facts[fact.id] = fact
            if is_opening(fact):
                self.openings[fact.id] = fact
            if isinstance(fact, Split):
                self.splits[fact.id], is_parted = fact, True
            for asset in wanted(fact, self.terms.cash):
                fresh.setdefault(asset, []).append((fact.executed_at, fact.id))
        for asset, listed in fresh.items():
            self._wanting[asset] = sorted(self._wanting.get(asset, []) + listed)
        self.order[course.position :] = course.keys
        if is_parted:
            self.notes.prices.part(self.splits.values())

    def _keep(self, plan: Plan) -> None:
        """Keep copies of what the facts make, and the spans of the groups."""
        course, total = plan.course, len(self.order)
        self.books.renew(course.position, plan.books, total, self.book.copy)
        reached = course.position if plan.is_following else plan.followed_from
        self.balances.renew(reached, plan.balances, total, self.prefixes.flat)
        self.spans.tell(plan.groups)
        for ruled in plan.ruled:
            if ruled.verdict.outcome is Outcome.CONFLICT:
                home = self.homes.get(ruled.entry.id, ruled.entry.id)
                self.spans.widen(home, (*self.groups.get(home, ()), ruled.entry))


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
    "books",
    "balances",
    "spans",
    "turns",
)


def _reaches(told: Iterable[AnyEntry], time: int) -> bool:
    """Tell whether any of these is later than that."""
    for each in told:  # noqa: SIM110 (asked of every group; `any` takes twice as long)
        if each.executed_at > time:
            return True
    return False
