"""What a plan would do to a book: executed at its own prices and fees, on a fork of it.

Every line becomes a fill and goes through the ledger's own fold, so the lots a sale touches, their
costs and what it realises are what the portfolio's lot rule will say. In which accounts that is,
`places` says. The book itself is not changed.

A lot is long-term once it was held for more than 365 days at the snapshot's time. Under wac lots
have no date, and a snapshot may have none: then the term is unknown, never a guess.

Errors: those of `places`, where the book has not free what the plan sells (it was made from other
holdings).
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.exact import FRACTION_DIGITS, ZERO, money, split
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.entries import Fee, Fill, Side
from bursar.ledger.fold import traced
from bursar.ledger.lots import Lot
from bursar.plan.inputs import Inputs
from bursar.plan.items import PlanItem
from bursar.plan.places import Places, name_in
from bursar.plan.reasons import Action

LONG_TERM: Final = 365 * instant.DAY


class Term(Enum):
    """How long a lot was held when it is sold."""

    SHORT = "short"
    LONG = "long"
    UNKNOWN = "unknown"


class LotTouched(msgspec.Struct, frozen=True):
    """A part of a lot that a sale takes; `proceeds` are after the fee."""

    symbol: str
    account: str
    lot: str
    acquired_at: str
    quantity: Decimal
    cost: Decimal
    proceeds: Decimal
    realized: Decimal
    term: Term


class WhatIf(msgspec.Struct, frozen=True):
    """The book after a plan is executed, what that realises, and the lots it takes.

    `realized` is what the ledger books: the fees of purchases are in it too.
    """

    book: Book
    realized: Decimal
    fees: Decimal
    lots: tuple[LotTouched, ...]

    @money
    def realized_by(self, term: Term) -> Decimal:
        """Return what the lots of one term realise."""
        return sum((each.realized for each in self.lots if each.term is term), ZERO)


@money
def executed(inputs: Inputs, items: Sequence[PlanItem], book: Book) -> WhatIf:
    """Execute lines, in their order, on a fork of a book."""
    after = book.fork()
    at = instant.parse(inputs.holdings.as_of) if inputs.holdings.as_of else 0
    realized, fees = ZERO, ZERO
    touched: list[LotTouched] = []
    places = Places(inputs.holdings, book)
    for item in items:
        if item.action is Action.HOLD:
            continue
        for fill in _fills(after, item, places, at):
            fees += fill.fees[0].amount
            for line in traced(after, fill):
                realized += line.realized
                if item.action is Action.SELL and line.parts:
                    touched += _touched(fill, line.parts, at)
    return WhatIf(after, realized, fees, tuple(touched))


def _fills(book: Book, item: PlanItem, places: Places, at: int) -> Iterator[Fill]:
    """Turn a line into fills of accounts."""
    shares = places.shares(book, item)
    sizes = [size for _, size in shares]
    parts = zip(
        shares,
        split(abs(item.quantity), sizes, places=FRACTION_DIGITS),
        split(abs(item.trade_amount), sizes, places=FRACTION_DIGITS),
        split(item.fee, sizes, places=FRACTION_DIGITS),
        strict=True,
    )
    for (account, _), quantity, amount, fee in parts:
        part = msgspec.structs.replace(item, quantity=quantity, trade_amount=amount, fee=fee)
        yield _fill(book, part, account, at)


def _fill(book: Book, item: PlanItem, account: str, at: int) -> Fill:
    amount, base = abs(item.trade_amount), book.terms.base
    return Fill(
        id=f"plan:{item.priority}:{account}",
        executed_at=at,
        account=account,
        base=name_in(book, account, item.symbol),
        quote=base,
        side=Side.BUY if item.action is Action.BUY else Side.SELL,
        quantity=abs(item.quantity),
        amount=amount,
        price=item.price,
        value=amount,
        fees=(Fee(base, item.fee, item.fee),),
    )


def _touched(fill: Fill, parts: Sequence[Lot], at: int) -> Iterator[LotTouched]:
    """Share a sale's proceeds out over the lots it took."""
    assert fill.value is not None, "a planned fill states its value"
    net = fill.value - fill.fees[0].amount
    proceeds = split(net, [part.quantity for part in parts], places=FRACTION_DIGITS)
    for part, brought in zip(parts, proceeds, strict=True):
        yield LotTouched(
            fill.base,
            fill.account,
            part.id,
            instant.show(part.acquired_at) if part.acquired_at else "",
            part.quantity,
            part.cost,
            brought,
            brought - part.cost,
            _term(part, at),
        )


def _term(part: Lot, at: int) -> Term:
    if not part.acquired_at or not at:
        return Term.UNKNOWN
    return Term.LONG if at - part.acquired_at > LONG_TERM else Term.SHORT
