"""Our side of a comparison: all that the book knows of one account.

`rows` are the venue's own ledger rows, one a row, what several sources said of each joined; a row
that somebody claimed counts until that is taken back. `facts`
are those that moved something in the account, in canonical order. `known` holds every id that was
ever told, so that what is proposed gets one of its own.

A book that has gone on since the statement is taken back to the statement's instant.

Errors: none.
"""

from collections.abc import Iterable
from typing import TypeGuard

import msgspec

from bursar.exact import money
from bursar.ledger.book import Book
from bursar.ledger.entries import AnyEntry, CashFlow, Fill, FlowKind, Movement, Source, Transfer
from bursar.ledger.facts import Fact
from bursar.ledger.journal import merge
from bursar.ledger.order import order_key
from bursar.ledger.past import until
from bursar.ledger.pockets import is_beginning
from bursar.ledger.timeline import Timeline


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """What the book says of an account, and what it rests on.

    `trades` are the executions as the venue's trade history tells them, by id. `elsewhere` are
    withdrawals from other accounts that no link ties to a deposit. With `is_whole`
    the rows are said to reach back to the account's first day, so that nothing may be assumed to
    have been there before. `seq` is the journal row up to which it is known.
    """

    account: str
    book: Book
    rows: tuple[Movement, ...] = ()
    facts: tuple[Fact, ...] = ()
    known: frozenset[str] = frozenset()
    trades: dict[str, Fill] = {}
    elsewhere: tuple[CashFlow, ...] = ()
    is_whole: bool = False
    seq: int = 0

    @property
    def is_chained(self) -> bool:
        """Tell whether the venue's rows state running balances."""
        return any(row.balance is not None for row in self.rows)


@money
def ours_of(
    timeline: Timeline, account: str, as_of: int, *, is_whole: bool = False, seq: int = 0
) -> Ours:
    """Gather what a timeline says of an account at an instant. O(facts)."""
    facts = sorted(timeline.facts.values(), key=order_key)
    book = timeline.book
    if facts and facts[-1].executed_at > as_of and timeline.is_whole:
        past = until(timeline, as_of)
        book, facts = past.book, list(past)
    counted = {name for fact in facts for name in fact.rows}
    told = [each for group in timeline.groups.values() for each in group if each.account == account]
    rows = (row for row in joined(told) if row.executed_at <= as_of)
    return Ours(
        account=account,
        book=book,
        rows=tuple(row for row in rows if row.source is not Source.CLAIM or row.id in counted),
        facts=tuple(fact for fact in facts if account in _places(fact)),
        known=frozenset((*timeline.homes, *timeline.facts)),
        trades={each.id: each for each in told if _is_trade(each)},
        elsewhere=tuple(_left(facts, account)),
        is_whole=is_whole and timeline.is_whole,
        seq=seq,
    )


def joined(statements: Iterable[AnyEntry]) -> list[Movement]:
    """Return the ledger rows among statements, each once, by time, rank and id.

    What only says what lay in a pocket at one instant is no row of it.
    """
    told: dict[str, list[Movement]] = {}
    for each in statements:
        if isinstance(each, Movement) and not is_beginning(each):
            told.setdefault(each.id, []).append(each)
    joint = (own[0] if len(own) == 1 else _one(own) for own in told.values())
    rows = [row for row in joint if row.source is not Source.CANCELLATION]
    return sorted(rows, key=lambda row: (row.executed_at, row.sequence, row.id))


def _one(told: list[Movement]) -> Movement:
    best = max(each.source for each in told)
    row = merge(each for each in told if each.source is best)
    assert isinstance(row, Movement), "rows of one id are rows"
    return row


def _is_trade(told: AnyEntry) -> TypeGuard[Fill]:
    return isinstance(told, Fill) and told.source is Source.TRADES


def _places(fact: Fact) -> tuple[str, ...]:
    return (fact.account, fact.to_account) if isinstance(fact, Transfer) else (fact.account,)


def _left(facts: Iterable[Fact], account: str) -> Iterable[CashFlow]:
    """Yield what left other accounts for a place that no fact names."""
    return (
        fact
        for fact in facts
        if isinstance(fact, CashFlow)
        and fact.account != account
        and fact.kind is FlowKind.WITHDRAWAL
        and fact.reversed_by is None
    )
