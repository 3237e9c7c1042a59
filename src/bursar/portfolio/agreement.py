"""Agreement: the last statement of each account, and whether the book still says the same.

The statement is kept, so whether a venue agrees is known after a restart, and without a network. It
is compared with the book as it was at the statement's instant.

Errors: `StoreCorrupt` for a statement that was changed after it was kept.
"""

from typing import Final

import msgspec

from bursar.ledger.past import book_until
from bursar.portfolio.portfolio import Portfolio
from bursar.reconcile import Comparison, Limits, Ours, Statement, Verdict, compare

_STATEMENT: Final = "statement "
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Statement)


class Agreement(msgspec.Struct, frozen=True):
    """How an account stands to the last statement of its venue."""

    account: str
    statement: Statement | None
    comparison: Comparison

    @property
    def drift(self) -> bool:
        """Whether they are known to differ beyond the tolerance."""
        return self.comparison.drift

    @property
    def is_equal(self) -> bool:
        """Whether they are known to be equal to the last digit."""
        return self.comparison.verdict is Verdict.EQUAL

    @property
    def is_unknown(self) -> bool:
        """Whether there is no statement to compare with."""
        return self.statement is None


def remember(portfolio: Portfolio, statement: Statement) -> None:
    """Keep a statement in the place of the account's last one."""
    text = _ENCODER.encode(statement).decode()
    portfolio.desk.store.save_memos({f"{_STATEMENT}{statement.account}": text})


def last_statement(portfolio: Portfolio, account: str) -> Statement | None:
    """Return the last statement of an account, if there is one."""
    name = f"{_STATEMENT}{account}"
    text = portfolio.desk.store.memos(name).get(name)
    return None if text is None else _DECODER.decode(text)


def of(portfolio: Portfolio, account: str, limits: Limits) -> Agreement:
    """Compare an account with its last statement. O(keys), or O(facts since the statement)."""
    statement = last_statement(portfolio, account)
    book = portfolio.book()
    if statement is not None:
        timeline = portfolio.desk.timeline
        if timeline.is_behind(statement.as_of):
            timeline = portfolio.timeline
        if timeline.order and timeline.order[-1][0] > statement.as_of:
            book = book_until(timeline, statement.as_of)
    found = compare(
        statement,
        Ours(account=account, book=book),
        marks=portfolio.marks(),
        limits=limits,
        options=portfolio.options,
    )
    return Agreement(account, statement, found)
