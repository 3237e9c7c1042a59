"""What a batch of statements would do to a timeline: the course of its facts, and the plan.

The course begins at the earliest changed place, and holds every fact from there on, in order. A
plan has all that must be known to make it so; `planning` works it out, and `Timeline.land` lands
it.

Errors: none of its own.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from bursar.ledger.book import Book
from bursar.ledger.checkpoint import last_trades
from bursar.ledger.entries import AnyEntry, Fill, MarginFill
from bursar.ledger.facts import Fact
from bursar.ledger.firsts import Firsts
from bursar.ledger.journal import Outcome, Ruled
from bursar.ledger.notes import Note
from bursar.ledger.openings import Prefixes
from bursar.ledger.order import Key, order_key
from bursar.ledger.state import Line

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

    def __init__(
        self,
        order: list[Key],
        facts: Mapping[str, Fact],
        added: list[Fact],
        removed: list[Fact],
    ) -> None:
        self.added, self.removed = added, removed
        own = [(order_key(fact), fact) for fact in added]
        keys = [key for key, _ in own] + [order_key(fact) for fact in removed]
        self.first = min(keys) if keys else None
        self.position = len(order) if self.first is None else bisect_left(order, self.first)
        self.is_append = self.position == len(order)
        gone = {fact.id for fact in removed}
        kept = [facts[key[-1]] for key in order[self.position :] if key[-1] not in gone]
        placed = sorted([*((order_key(fact), fact) for fact in kept), *own])
        self.keys = [key for key, _ in placed]
        self.tail = [fact for _, fact in placed]


class Plan(msgspec.Struct, frozen=True):
    """What a batch of statements would do. Nothing has changed until it lands.

    `book` is the book as it would be, and `lines` what each fact from the first changed place on
    realises, if that was traced; `books` and `balances` are copies of both folds on the way. It
    `amends` where a statement adds to what the same source has said, or contradicts it.
    """

    ruled: list[Ruled]
    course: Course
    book: Book
    lines: list[tuple[Fact, list[Line]]]
    books: list[tuple[int, Book]]
    restated: list[Restated]
    groups: dict[str, tuple[AnyEntry, ...]]
    raw: dict[str, Fact | None]
    raised: dict[str, tuple[str, ...]]
    notes: list[Note]
    firsts: Firsts
    homes: dict[str, str]
    conflicts: dict[str, str]
    prefixes: Prefixes
    balances: list[tuple[int, Prefixes]]
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
