"""Many transactions that become durable together: each with its own verdict, one wait for the disk.

A transaction that is discarded, or fails, leaves the others alone. If the block raises, or the end
of it cannot be written, none of them has happened. Other changes of the portfolio inside the block
come after what waits by then, and land with it.

Errors: from the end of the block, `OutcomeUnknown` and `StoreFull`; then no verdict counts.
`TransactionOver` for transactions before the block or after it, `BadChoice` for a batch inside a
batch or inside a transaction.
"""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

import msgspec

from bursar.desk import metrics
from bursar.desk.desk import Desk
from bursar.desk.metrics import Counts
from bursar.desk.transactions import nesting
from bursar.desk.transactions.rules import Rules, State, TransactionReview
from bursar.desk.transactions.running import Running
from bursar.desk.transactions.transaction import Later, PortfolioTransaction
from bursar.errors import BadChoice, OutcomeUnknown, TransactionOver


class PortfolioBatch:
    """Transactions of one portfolio that land together. Use it in a `with` block."""

    def __init__(self, desk: Desk, rules: Rules) -> None:
        self.desk = desk
        self.rules = rules
        self._next = msgspec.structs.replace(rules, previous=None)
        self.is_durable = False
        self.transactions: list[PortfolioTransaction] = []
        self._later: Later = []
        self._uncounted = metrics.NONE
        self._together: AbstractContextManager[None] | None = None
        self._running: Running | None = None
        self._has_committed = False

    def __enter__(self) -> Self:
        if self._together is not None:
            raise TransactionOver("the batch was begun already")
        if nesting.innermost(self.desk) is not None:
            raise BadChoice("a transaction of this portfolio is open; end it first")
        self.desk.catch_up()
        together = self.desk.together()
        together.__enter__()
        try:
            self._running = running = Running(self.desk)
        except BaseException as error:
            together.__exit__(type(error), error, error.__traceback__)
            raise
        self._together, self.desk.waiting = together, running.flush
        self._uncounted, self.desk.uncounted = self.desk.uncounted, metrics.NONE
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._together is not None, "the batch was begun"
        assert self._running is not None, "the batch was begun"
        before, running = self._uncounted, self._running
        running.is_over = kind is not None
        try:
            if kind is None:
                self._close(running, self._together)
            else:
                self._together.__exit__(kind, error, trace)
        except OutcomeUnknown:
            self._undo(State.UNKNOWN, before)
            raise
        except BaseException as failed:
            if isinstance(failed, Exception) or not running.is_written:
                self._undo(State.DISCARDED, before)
            else:  # an interrupt, which came when everything had been
                self._done(running, before)
            raise
        finally:
            self.desk.waiting = None
        if kind is not None:
            self._undo(State.DISCARDED, before)
        else:
            self._done(running, before)

    def _done(self, running: Running, before: Counts) -> None:
        """Say of each transaction that it is on the disk."""
        desk, self.is_durable = self.desk, True
        desk.uncounted = metrics.added((desk.uncounted, before, metrics.took_all(running.took)))
        for tell in self._later:
            tell()

    def _close(self, running: Running, together: AbstractContextManager[None]) -> None:
        """Write what waits, and wait for the disk."""
        try:
            running.close()
        except BaseException as error:
            running.is_over = True
            together.__exit__(type(error), error, error.__traceback__)
            raise
        together.__exit__(None, None, None)

    def _undo(self, state: State, before: Counts) -> None:
        """Say of each transaction that it has not happened, or that nobody knows."""
        self.desk.uncounted = before
        for each in self.transactions:
            each.state = state if each.state is State.COMMITTED else each.state

    def transaction(self) -> PortfolioTransaction:
        """Return a transaction of this batch; it is compared with what the one before came to.

        Raises:
            TransactionOver: the batch has not begun, or has ended.
        """
        if self._running is None:
            raise TransactionOver("the batch has not begun; use it in a `with` block")
        nesting.require_batch(self.desk, self._running)
        rules = self.rules
        last = self.transactions[-1] if self.transactions else None
        if self._has_committed or (last is not None and last.state is State.COMMITTED):
            self._has_committed, rules = True, self._next
        made = PortfolioTransaction(self.desk, rules, later=self._later, running=self._running)
        self.transactions.append(made)
        return made

    @property
    def verdicts(self) -> tuple[TransactionReview | None, ...]:
        """The review of each transaction in order; `None` for one that was never judged."""
        return tuple(each.review_made for each in self.transactions)
