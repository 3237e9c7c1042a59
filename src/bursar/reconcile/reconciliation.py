"""Reconciliation: what a venue states against what the book says, and every difference accounted
for.

`reconcile` compares, parts each difference into the places it comes from, says what each of them
is, and proposes the entry that would close it. It changes nothing: a person accepts.

A difference of worth is for the alarm; a break is for the record. So two rows that are missing and
cancel each other are breaks without drift, and what the book assumes is said beside both.

Errors: `BadChoice` for the statement of another account.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from bursar.exact import money, trimmed
from bursar.ledger.entries import CashFlow, Fill, Flag, FlowKind
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.reconcile.breaks import Break
from bursar.reconcile.classify import classify
from bursar.reconcile.compare import DEFAULT, Comparison, Limits, Sides, Verdict, compare
from bursar.reconcile.evidence import Evidence
from bursar.reconcile.leverage_breaks import broken, closing
from bursar.reconcile.locate import effect
from bursar.reconcile.ours import Ours
from bursar.reconcile.propose import Proposal, proposal, propose
from bursar.reconcile.statement import Statement
from bursar.reconcile.trace import Assumed, trace
from bursar.value.marks import Marks
from bursar.value.worth import EVERYTHING, Options


class Underway(msgspec.Struct, frozen=True):
    """Something that is not settled yet, and since when. It is said, and is no break."""

    what: str
    asset: str
    quantity: Decimal
    entry: str | None = None
    since: int | None = None

    def __str__(self) -> str:
        told = "" if self.entry is None else f" ({self.entry})"
        return f"{trimmed(self.quantity)} {self.asset} {self.what}{told}"


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison, its breaks with their proposals, and what is assumed or under way.

    `rows` counts the venue's rows it rests on; `seq` is the journal row up to which the book goes.
    """

    comparison: Comparison
    breaks: tuple[Break, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    assumed: tuple[Assumed, ...] = ()
    underway: tuple[Underway, ...] = ()
    rows: int = 0
    seq: int = 0

    @property
    def drift(self) -> bool:
        """Tell whether the difference is out of tolerance."""
        return self.comparison.drift

    @property
    def verdict(self) -> Verdict:
        """What the comparison found, as far as worth goes."""
        return self.comparison.verdict

    @property
    def is_clean(self) -> bool:
        """Tell whether there was a statement, and nothing is unexplained."""
        return self.verdict is Verdict.EQUAL and not self.breaks


@money
def reconcile(
    statement: Statement | None,
    ours: Ours,
    *,
    marks: Marks,
    limits: Limits = DEFAULT,
    options: Options = EVERYTHING,
) -> Reconciliation:
    """Account for every difference between a statement and the book. O(rows log rows + facts).

    Raises:
        BadChoice: the statement is of another account.
    """
    comparison = compare(statement, ours, marks=marks, limits=limits, options=options)
    if statement is None:
        return Reconciliation(comparison=comparison, rows=len(ours.rows), seq=ours.seq)
    traced = trace(statement, ours)
    known = Evidence(ours, traced.trails, marks, limits, statement.as_of)
    breaks = tuple(classify(traced.parts, known))
    told = set(ours.known)
    proposals: list[Proposal] = []
    for each in breaks:
        made = propose(each, known, told)
        if made is not None:
            told.update(entry.id for entry in made.entries)
            proposals.append(made)
    for line in comparison.apart:
        each = broken(line, ours.account, statement.as_of)
        breaks += (each,)
        entries = closing(line, each, ours.account)
        if entries:
            proposals.append(proposal(each, entries, told))
    return Reconciliation(
        comparison=_doubled(comparison, breaks),
        breaks=breaks,
        proposals=tuple(proposals),
        assumed=traced.assumed,
        underway=tuple(_underway(statement, ours, known)),
        rows=len(ours.rows),
        seq=ours.seq,
    )


def _doubled(comparison: Comparison, breaks: Iterable[Break]) -> Comparison:
    """Count coins that the book has twice: on their way, and assumed to have been there before."""
    twice = [shift for each in breaks if each.is_half and each.is_covered for shift in each.shifts]
    limit = comparison.limits.asset
    shown = {line.asset for line in comparison.lines if line.is_shown}
    off = [s for s in twice if s.asset in shown and (s.worth is None or abs(s.worth) > limit)]
    return msgspec.structs.replace(comparison, verdict=Verdict.DRIFT) if off else comparison


def _underway(statement: Statement, ours: Ours, known: Evidence) -> list[Underway]:
    found = [
        Underway("between two pockets", asset, quantity, *_half(known, asset, quantity))
        for asset, quantity in sorted(Sides(statement, ours).transit.items())
        if quantity
    ]
    for fact in ours.facts:
        told = _unsettled(fact)
        if told is not None:
            what, asset, quantity = told
            found.append(Underway(what, asset, quantity, fact.id, fact.executed_at))
    since = statement.as_of - known.limits.patience
    found += [
        Underway("left; no deposit is linked to it", flow.asset, -flow.amount, *_named(flow))
        for flow in known.withdrawals(statement.as_of)
        if flow.kind is FlowKind.WITHDRAWAL and flow.executed_at >= since
    ]
    owed = [(key, held.owed) for key, held in sorted(ours.book.holdings.items()) if held.owed]
    found += [
        Underway(
            "sold before its acquisition is known", key[1], lot.quantity, lot.id, lot.acquired_at
        )
        for key, lots in owed
        if key[0] == ours.account and ours.account not in ours.book.shorts
        for lot in lots
    ]
    return found


def _half(known: Evidence, asset: str, quantity: Decimal) -> tuple[str | None, int | None]:
    """Return the row that left coins between two pockets, if one alone did."""
    rows = [
        row
        for row in known.half_moves
        if canonical(row.asset) == asset and effect(row) == -quantity
    ]
    return (rows[0].id, rows[0].executed_at) if len(rows) == 1 else (None, None)


def _named(fact: Fact) -> tuple[str, int]:
    return fact.id, fact.executed_at


def _unsettled(fact: Fact) -> tuple[str, str, Decimal] | None:
    if Flag.PROVISIONAL in fact.flags and isinstance(fact, Fill):
        return "told by the trade history alone", fact.base, fact.quantity
    if Flag.UNPAIRED in fact.flags and isinstance(fact, CashFlow):
        return "one side of a trade whose other is not here", fact.asset, fact.amount
    return None
