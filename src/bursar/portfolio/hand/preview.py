"""A preview: what a staged change would do to the book, before anything is written."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from bursar.desk import Desk, Review, Staged
from bursar.exact import ZERO, money
from bursar.ledger import audit
from bursar.ledger.audit import Totals
from bursar.ledger.book import Book
from bursar.ledger.course import Plan
from bursar.ledger.golden import write_line
from bursar.ledger.order import order_key


class HoldingChange(msgspec.Struct, frozen=True):
    """What one account holds of an asset: quantity and cost, before and after."""

    account: str
    asset: str
    quantity: Decimal
    quantity_after: Decimal
    cost: Decimal
    cost_after: Decimal


class FactChange(msgspec.Struct, frozen=True):
    """A fact that is `added`, `changed` or `removed`, as a line of the golden language."""

    change: str
    id: str
    line: str


class Preview(msgspec.Struct, frozen=True):
    """What a staged change would do.

    `statements` are the lines to be recorded, each with its verdict. `before` and `after` are the
    totals of the books; lots by the portfolio's own cost rule.
    """

    statements: tuple[str, ...]
    review: Review
    facts: tuple[FactChange, ...]
    holdings: tuple[HoldingChange, ...]
    before: Totals
    after: Totals

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to record."""
        return not (self.review.recorded or self.review.conflicts)


@money
def preview(desk: Desk, staged: Staged) -> Preview:
    """Say what committing a staged change would do."""
    plan, book = staged.plan, desk.timeline.book
    return Preview(
        statements=tuple(f"{write_line(each.entry)}  {each.verdict}" for each in plan.ruled),
        review=staged.review,
        facts=tuple(_facts(plan)),
        holdings=tuple(_holdings(book, plan.book)),
        before=audit.totals(book),
        after=audit.totals(plan.book),
    )


def _facts(plan: Plan) -> Iterator[FactChange]:
    came = {fact.id: fact for fact in plan.course.added}
    gone = {fact.id: fact for fact in plan.course.removed}
    for fact in sorted({**gone, **came}.values(), key=order_key):
        known, stays = fact.id in gone, fact.id in came
        change = "changed" if known and stays else "added" if stays else "removed"
        yield FactChange(change, fact.id, write_line(fact))


def _holdings(before: Book, after: Book) -> Iterator[HoldingChange]:
    """Yield the places whose quantity or cost changes; where lots are pooled, of the pool too."""
    for account, asset in sorted({*before.holdings, *after.holdings}):
        old, new = (book.holdings.get((account, asset)) for book in (before, after))
        quantity, cost = (ZERO, ZERO) if old is None else (old.quantity, old.cost)
        now, costs = (ZERO, ZERO) if new is None else (new.quantity, new.cost)
        if (quantity, cost) != (now, costs):
            yield HoldingChange(account, asset, quantity, now, cost, costs)
