"""Many transactions that become durable together: each with its own verdict, one wait for the disk.

A transaction that is discarded, or fails, leaves the others alone. If the block raises, or the end
of it cannot be written, none of them has happened.

Errors: from the end of the block, `OutcomeUnknown` and `StoreFull`; then no verdict counts.
"""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

import msgspec

from bursar.desk import metrics
from bursar.desk.desk import Desk
from bursar.desk.metrics import Counts
from bursar.desk.transactions.rules import Rules, TransactionReview
from bursar.desk.transactions.transaction import Later, PortfolioTransaction, State
from bursar.errors import OutcomeUnknown, TransactionOver


class PortfolioBatch:
    """Transactions of one portfolio that land together. Use it in a `with` block."""

    def __init__(self, desk: Desk, rules: Rules) -> None:
        self.desk = desk
        self.rules = rules
        self.is_durable = False
        self.transactions: list[PortfolioTransaction] = []
        self._later: Later = []
        self._uncounted = metrics.NONE
        self._together: AbstractContextManager[None] | None = None

    def __enter__(self) -> Self:
        if self._together is not None:
            raise TransactionOver("the batch was begun already")
        self.desk.catch_up()
        self._uncounted, self.desk.uncounted = self.desk.uncounted, metrics.NONE
        self._together = self.desk.together()
        self._together.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._together is not None, "the batch was begun"
        before, desk = self._uncounted, self.desk
        try:
            self._together.__exit__(kind, error, trace)
        except OutcomeUnknown:
            self._undo(State.UNKNOWN, before)
            raise
        except BaseException:
            self._undo(State.DISCARDED, before)
            raise
        if kind is not None:
            self._undo(State.DISCARDED, before)
            return
        self.is_durable = True
        desk.uncounted = desk.uncounted.plus(before)
        for tell in self._later:
            tell()

    def _undo(self, state: State, before: Counts) -> None:
        """Say of each transaction that it has not happened, or that nobody knows."""
        self.desk.uncounted = before
        for each in self.transactions:
            each.state = state if each.state is State.COMMITTED else each.state

    def transaction(self) -> PortfolioTransaction:
        """Return a transaction of this batch; it is compared with what the one before came to."""
        rules = self.rules
        if any(each.state is State.COMMITTED for each in self.transactions):
            rules = msgspec.structs.replace(rules, previous=None)
        made = PortfolioTransaction(self.desk, rules, later=self._later)
        self.transactions.append(made)
        return made

    @property
    def verdicts(self) -> tuple[TransactionReview | None, ...]:
        """The review of each transaction in order; `None` for one that was never judged."""
        return tuple(each.review_made for each in self.transactions)
