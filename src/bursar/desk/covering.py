"""What nobody may do by hand: spend what only an opening could explain.

Errors: `Oversold`.
"""

from bursar.errors import Oversold
from bursar.exact import ZERO, money, trimmed
from bursar.ledger.entries import CashFlow
from bursar.ledger.openings import is_opening
from bursar.ledger.timeline import Plan, Timeline


@money
def require_covered(timeline: Timeline, plan: Plan) -> None:
    """Refuse what only an opening could explain: by hand, nothing is assumed."""
    for fact in plan.course.added:
        if not (is_opening(fact) and isinstance(fact, CashFlow)):
            continue
        known = timeline.openings.get(fact.id)
        had = known.amount if isinstance(known, CashFlow) else ZERO
        if fact.amount > had:
            raise Oversold(
                f"{fact.account} would spend {trimmed(fact.amount - had)} {fact.asset} that nothing"
                " in the book brings; enter that first",
                account=fact.account,
                asset=fact.asset,
            )
