"""The strategies' books, kept between questions: facts at the end are folded on.

Where a fact came late, changed or went, all are folded again. That is seen fact by fact, by being
the very same object, which costs a thousandth of folding it.

Invariant: the books are those of all facts.

Errors: none of its own.
"""

from __future__ import annotations

from itertools import islice
from operator import is_
from typing import TYPE_CHECKING

from bursar.ledger.sleeves import StrategyBooks

if TYPE_CHECKING:
    from bursar.ledger.facts import Fact
    from bursar.portfolio.portfolio import Portfolio
    from bursar.ports import Head


class Sleeved:
    """The books of one portfolio's strategies as of the last question."""

    def __init__(self) -> None:
        self._head: Head | None = None
        self._facts: list[Fact] = []
        self._books: StrategyBooks | None = None

    def books(self, portfolio: Portfolio) -> StrategyBooks:
        """Return the books of now. O(facts that are new), and a glance at each of the others."""
        head, facts = portfolio.desk.head, portfolio.timeline
        if self._books is None or self._head is not head:
            known, made = self._facts, self._books
            is_on = made is not None and len(known) <= len(facts) and all(map(is_, known, facts))
            self._books = None  # what fails halfway is not kept
            if made is None or not is_on or made.terms != portfolio.terms:
                known, made = [], StrategyBooks(portfolio.terms)
            new = list(islice(facts, len(known), None))
            made.follow(new)
            self._facts, self._books = [*known, *new], made
            self._head = portfolio.desk.head
        return self._books
