"""Writing one transaction that was judged good: worked out, sent, taken over.

Only `send` waits, for the disk or for a server; it touches nothing but the store, so it may run in
another thread while the desk's own goes on. `draft` and `land` belong to the desk's thread.

Errors: `KeyReused`, `StaleVersion`, and those of `Desk.commit`. Then nothing has been written, or
nobody knows (`OutcomeUnknown`).
"""

from contextlib import suppress

from bursar.desk import metrics
from bursar.desk.desk import Desk, Drafted
from bursar.desk.transactions import judging, keeping
from bursar.desk.transactions.rules import Rules
from bursar.desk.transactions.staging import Draft
from bursar.errors import (
    BrokenInvariant,
    BursarError,
    KeyReused,
    OutcomeUnknown,
    StaleVersion,
    StoreError,
)
from bursar.ledger import journal
from bursar.ports import Head


class Writing:
    """One judged transaction on its way into the store."""

    def __init__(
        self, desk: Desk, judged: judging.Judged, rules: Rules, drafts: tuple[Draft, ...]
    ) -> None:
        review = judged.review
        self._desk = desk
        self._rules = rules
        self.review = review
        self._body = "" if rules.key is None else judging.digest(drafts, rules)
        self._counts = metrics.committed(review.delta, review.epsilon)
        self._drafted: Drafted | None = None
        if judged.staged is not None:
            if any(ruled.key != journal.key(ruled.entry) for ruled in judged.staged.plan.ruled):
                raise KeyReused(f"{review.id} stands in the journal already", key=rules.key)
            kept = keeping.beside(review, rules, self._body)
            self._drafted, self._figures = keeping.draft(desk, judged.staged, kept, self._counts)

    def send(self) -> Head | None:
        """Have it written; `None` where there is nothing for the journal."""
        desk, store = self._desk, self._desk.store
        if self._drafted is None:
            with store.grouped():
                require_version(desk, self.review.version)
                store.save_memos(keeping.memos(self.review, self._rules, self._body))
            return None
        if not keeping.announce(desk, self.review, self._rules):  # who is late stands in no line
            require_version(desk, self.review.version)
        try:
            return desk.send(self._drafted)
        except OutcomeUnknown:
            raise
        except (BursarError, BrokenInvariant):
            with suppress(StoreError):  # what is left of it is found not to have landed
                keeping.withdraw(desk, [self.review.id])
            raise

    def found(self) -> Head | None:
        """Return the head that it has left, after `send` was broken off; `None` if it left none.

        Where the server may still be at it, the lock is had when that is over.
        """
        desk = self._desk
        with desk.store.grouped():
            if self._drafted is None or self._drafted.commit is None:
                return None
            last = self._drafted.commit.records[-1]
            if desk.has_landed(last.seq, last.hash):
                return desk.after(self._drafted.commit)
        keeping.withdraw(desk, [self.review.id])
        return None

    def land(self, head: Head | None) -> int:
        """Take over what was written, and return the version after it."""
        desk = self._desk
        if self._drafted is None or head is None:
            keeping.count_apart(desk, self._counts)
            return self.review.version
        keeping.land(desk, self._drafted, head, self._figures)
        return head.version


def require_version(desk: Desk, version: int) -> None:
    """Refuse to go on where another writer was first.

    Raises:
        StaleVersion: with both versions.
    """
    now = desk.store.head().version
    if now != version:
        raise StaleVersion(
            f"begun at version {version}, the portfolio is at {now}; begin again",
            expected=version,
            actual=now,
        )
