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
    """Yield by how much openings would grow."""
    for fact in plan.course.added:
        if is_opening(fact) and isinstance(fact, CashFlow):
            known = timeline.openings.get(fact.id)
            had = known.amount if isinstance(known, CashFlow) else ZERO
            if fact.amount > had:
                yield fact.account, fact.asset, fact.amount - had


def _owed(timeline: Timeline, plan: Plan) -> Iterator[tuple[str, str, Decimal]]:
    """Yield what more would be owed of names that a rename has emptied, where it is no opening."""
    accounts = sorted({fact.account for fact in plan.course.added if timeline.opens(fact.account)})
    for (place, asset), holding in plan.book.holdings.items():
        more = _debt(plan.book, place, asset) - _debt(timeline.book, place, asset)
        if holding.owed and more > 0 and (place in accounts or (place == POOL and accounts)):
            yield accounts[0] if place == POOL else place, asset, more


def _debt(book: Book, place: str, asset: str) -> Decimal:
    holding = book.holdings.get((place, asset))
    return ZERO if holding is None else units(holding.owed)
