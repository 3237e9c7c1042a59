"""What nobody may do by hand: spend what only an opening could explain, or what nothing could.

Errors: `Oversold`.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

from bursar.errors import Oversold
from bursar.exact import ZERO, money, trimmed
from bursar.ledger.book import POOL, Book, own_changes
from bursar.ledger.course import Plan
from bursar.ledger.entries import CashFlow, Rename, Reversal, Source
from bursar.ledger.lots.base import units
from bursar.ledger.names import canonical
from bursar.ledger.openings import is_opening
from bursar.ledger.timeline import Timeline


@money
def require_covered(timeline: Timeline, plan: Plan) -> None:
    """Refuse what only an opening could explain, or would be owed where openings are made; and what
    an account that cannot spend what it does not have would take of other accounts' in a pool.

    By hand, nothing is assumed.
    """
    if _only_stands_again(plan):
        return
    renamed = _renamed(plan)
    for account, asset, lacking in (
        *_opened(timeline, plan, renamed),
        *_owed(timeline, plan, renamed),
        *_overdrawn(timeline.book, plan.book),
    ):
        raise Oversold(
            f"{account} would spend {trimmed(lacking)} {asset} that nothing"
            " in the book brings; enter that first",
            account=account,
            asset=asset,
        )


def _only_stands_again(plan: Plan) -> bool:
    """Tell whether all that comes was told by who knows it and was taken back, and nothing goes.

    What that calls for is not assumed by hand: it was so before it was taken back.
    """
    come = [fact for fact in plan.course.added if not is_opening(fact)]
    staying = {fact.id for fact in come}
    gone = [fact for fact in plan.course.removed if fact.id not in staying]
    return all(fact.source is not Source.CLAIM for fact in come) and all(
        is_opening(fact) or isinstance(fact, Reversal) for fact in gone
    )


def _opened(
    timeline: Timeline, plan: Plan, renamed: set[str]
) -> Iterator[tuple[str, str, Decimal]]:
    """Yield by how much openings would grow.

    Where a wrong rename is taken back, what was owed for it was there from the beginning after all.
    """
    for fact in plan.course.added:
        if is_opening(fact) and isinstance(fact, CashFlow):
            known = timeline.openings.get(fact.id)
            grown = fact.amount - (known.amount if isinstance(known, CashFlow) else ZERO)
            spared = ZERO
            if plan.book.place(fact.account, fact.asset)[1] in renamed:
                books = timeline.book, plan.book
                was, is_ = (units(each.held(fact.account, fact.asset).owed) for each in books)
                spared = max(was - is_, ZERO)
            if grown > spared:
                yield fact.account, fact.asset, grown


def _owed(timeline: Timeline, plan: Plan, renamed: set[str]) -> Iterator[tuple[str, str, Decimal]]:
    """Yield what more would be owed where openings are made: under names that renames emptied.

    What a rename that comes or goes lets be owed under another name is no more.
    """
    changed = (*plan.course.added, *plan.course.removed)
    places = ((fact.account, getattr(fact, "to_account", fact.account)) for fact in changed)
    if not any(timeline.opens(account) for account in chain(*places)):
        return
    before, after = _debts(timeline.book), _debts(plan.book)
    for place, owed in sorted(after.items()):
        was = before.get(place, {})
        more = {each: owed.get(each, ZERO) - was.get(each, ZERO) for each in {**was, **owed}}
        together = sum((more[each] for each in more if each in renamed), ZERO)
        for asset, grown in sorted(more.items()):
            if grown > 0 and (asset not in renamed or together > 0):
                for account in _short(plan.book, asset) if place == POOL else [place]:
                    if timeline.opens(account):
                        yield account, asset, grown


def _overdrawn(before: Book, after: Book) -> Iterator[tuple[str, str, Decimal]]:
    """Yield what strict accounts would have taken of a pool beyond what is theirs.

    The fold goes by the pool alone, so what stands in a journal already still folds.
    """
    for (account, asset), quantity in own_changes(after.balances).items():
        had = before.balances.get((account, asset), ZERO)
        if quantity < min(had, ZERO) and asset not in after.cash and after.is_strict(account):
            yield account, asset, min(had, ZERO) - quantity


def _short(book: Book, asset: str) -> list[str]:
    """Return the accounts of a pool that have less than nothing of an asset."""
    found = (place for place, quantity in book.balances.items() if quantity < 0)
    return sorted({account for account, held in found if canonical(held) == asset})


def _renamed(plan: Plan) -> set[str]:
    """Return the old and the new names, as lots have them, of the renames that come or go."""
    changed = (*plan.course.added, *plan.course.removed)
    renames = [fact for fact in changed if isinstance(fact, Rename)]
    named = ((each.account, name) for each in renames for name in (each.asset, each.to_asset))
    return {plan.book.place(*each)[1] for each in named}


def _debts(book: Book) -> dict[str, dict[str, Decimal]]:
    """Return what is owed, by place and asset."""
    found: dict[str, dict[str, Decimal]] = {}
    for (place, asset), holding in book.holdings.items():
        if holding.owed:
            found.setdefault(place, {})[asset] = units(holding.owed)
    return found
