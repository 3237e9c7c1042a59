"""Taken back: which flows a venue, or somebody by hand, put back later, and by what.

What puts a flow back stands among the flows as its opposite, flagged. So only of those is the
journal asked: of the statements in their groups, wherever in the history they stand.

Errors: none of its own.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bursar.ledger.describe import REVERSAL
from bursar.ledger.entries import AnyEntry, CashFlow, Reversal
from bursar.ledger.facts import group_of, resolve
from bursar.ledger.journal import Outcome
from bursar.ledger.records import CashFlowRecord

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio


def taken_back(portfolio: "Portfolio", flows: Iterable[CashFlowRecord]) -> dict[str, str]:
    """Return which flows were put back by some of these, and by which: their id to its.

    O(flows) and the groups of those that put one back. The whole journal is read only where these
    do not tell what was put back.
    """
    backs = [each.id for each in flows if REVERSAL in each.flags]
    found = _targets(portfolio, backs) if backs else {}
    if found.keys() == set(backs):
        return {target: by for by, target in found.items()}
    facts = (each for each in portfolio.timeline if isinstance(each, CashFlow))
    return {each.id: each.reversed_by for each in facts if each.reversed_by in set(backs)}


def _targets(portfolio: "Portfolio", backs: Sequence[str]) -> dict[str, str]:
    """Return what each of these put back, as far as the statements of its group tell."""
    found: dict[str, str] = {}
    groups = {group_of(entry) for entry in _told(portfolio, backs, ())}
    together: dict[str, list[AnyEntry]] = {}
    for entry in _told(portfolio, (), sorted(groups)):
        together.setdefault(group_of(entry), []).append(entry)
    wanted = set(backs)
    for told in together.values():
        for fact in resolve(told, portfolio.terms.cash):
            match fact:
                case Reversal(id=name, target=target) if name in wanted and not fact.void:
                    found[name] = target
                case CashFlow(reversed_by=str(name)) if name in wanted:
                    found[name] = fact.id
    return found


def _told(
    portfolio: "Portfolio", facts: Sequence[str], groups: Sequence[str]
) -> Iterable[AnyEntry]:
    rows = portfolio.desk.store.recall(facts, groups)
    return (row.entry() for row in rows if row.outcome is not Outcome.CONFLICT)
