"""Leveraged positions: what a venue says is open against what the fills come to, pair by pair.

No coin changes hands when one is opened, so neither a balance nor a row tells that a fill is
missing: what is open tells it alone. A venue that was not asked, or could not say, is not compared,
and neither is a pair that it did not speak of.

Sign rule: quantities are below zero where the position is short; a difference is stated − booked.

Errors: none.
"""

from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO
from bursar.ledger.state import Margin
from bursar.reconcile.ours import Ours
from bursar.reconcile.statement import Leveraged, Statement

_NONE: Final = Margin("", "")


class PositionLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One pair: booked, stated, stated − booked. `worth` is that of the difference, in base
    currency, at the mark; `None` is unknown.

    `entered` is what the stated and `booked_entered` what the booked was entered for, in the quote,
    without sign; `since` is when the venue says that its oldest part was opened.
    """

    pair: str
    base: str
    quote: str
    booked: Decimal
    stated: Decimal
    difference: Decimal
    worth: Decimal | None = None
    entered: Decimal | None = None
    booked_entered: Decimal = ZERO
    since: int | None = None
    is_out: bool = False
    is_shown: bool = True


def lines(statement: Statement, ours: Ours) -> list[PositionLine]:
    """Return both sides of every pair that the venue spoke of, unweighed."""
    stated = {each.pair: each for each in statement.leveraged}
    return [_line(each, ours) for _, each in sorted(stated.items())]


def _line(each: Leveraged, ours: Ours) -> PositionLine:
    booked = ours.book.margins.get((ours.account, each.pair), _NONE)
    return PositionLine(
        pair=each.pair,
        base=each.base,
        quote=each.quote,
        booked=booked.quantity,
        stated=each.quantity,
        difference=each.quantity - booked.quantity,
        entered=each.entered,
        booked_entered=booked.notional,
        since=each.since,
    )
