"""What nobody may do by hand: spend what only an opening could explain, or what nothing could.

Errors: `Oversold`.
"""

from collections.abc import Iterator
from decimal import Decimal

from bursar.errors import Oversold
from bursar.exact import ZERO, money, trimmed
from bursar.ledger.book import POOL, Book
from bursar.ledger.entries import CashFlow
from bursar.ledger.lots.base import units
from bursar.ledger.openings import is_opening
from bursar.ledger.timeline import Plan, Timeline


@money
def require_covered(timeline: Timeline, plan: Plan) -> None:
    """Refuse what only an opening could explain, or would be owed where openings are made.

    By hand, nothing is assumed.
    """
    for account, asset, lacking in (*_opened(timeline, plan), *_owed(timeline, plan)):
        raise Oversold(
            f"{account} would spend {trimmed(lacking)} {asset} that nothing"
            " in the book brings; enter that first",
            account=account,
            asset=asset,
        )


def _opened(timeline: Timeline, plan: Plan) -> Iterator[tuple[str, str, Decimal]]:
    """Yield by how much openings would grow, but for what was owed until now.

    Where a wrong rename is taken back, what was owed for it was there from the beginning after all.
    """
    before, after = _debts(timeline.book), _debts(plan.book)
    for fact in plan.course.added:
        if is_opening(fact) and isinstance(fact, CashFlow):
            known = timeline.openings.get(fact.id)
            had = known.amount if isinstance(known, CashFlow) else ZERO
            place = POOL if plan.book.is_pooled else fact.account
            was, is_ = (debts.get(place, {}).get(fact.asset, ZERO) for debts in (before, after))
            if fact.amount - had > max(was - is_, ZERO):
                yield fact.account, fact.asset, fact.amount - had


def _owed(timeline: Timeline, plan: Plan) -> Iterator[tuple[str, str, Decimal]]:
    """Yield what more would be owed where openings are made: under names that renames emptied.

    What is owed under another name than before is no more.
    """
    accounts = sorted({fact.account for fact in plan.course.added if timeline.opens(fact.account)})
    if not accounts:
        return
    before, after = _debts(timeline.book), _debts(plan.book)
    places = (*accounts, POOL) if plan.book.is_pooled else accounts
    for place in places:
        was, owed = before.get(place, {}), after.get(place, {})
        grown = {asset: debt - was.get(asset, ZERO) for asset, debt in sorted(owed.items())}
        if sum(owed.values(), ZERO) > sum(was.values(), ZERO):
            asset = max(grown, key=lambda each: grown[each])
            yield accounts[0] if place == POOL else place, asset, grown[asset]


def _debts(book: Book) -> dict[str, dict[str, Decimal]]:
    """Return what is owed, by place and asset."""
    found: dict[str, dict[str, Decimal]] = {}
    for (place, asset), holding in book.holdings.items():
        if holding.owed:
            found.setdefault(place, {})[asset] = units(holding.owed)
    return found
