"""Leveraged positions: what fills make of them, by account and pair.

The notional of entry is kept as a total. What closes a part takes out of it what the venue's own
PnL says that part was entered for, since venues close the oldest or a chosen position, not the
average; where nothing is stated, or it cannot be, its share. Going through zero closes, then opens
the rest, unless the venue says that the fill opened nothing: then the rest
was opened before what is known (`unseen`). What that made only the venue can say. A position that
is settled by delivery is gone without PnL: the coins cost what was paid for them. To be called
inside the money context.

Errors: none.
"""

from collections.abc import MutableMapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, product18, share
from bursar.ledger.entries import Fill, MarginFill, Side
from bursar.ledger.state import Margin

Margins = MutableMapping[tuple[str, str], Margin]


class Moved(msgspec.Struct, frozen=True):
    """What a fill made of a position: the PnL in the quote, and whether a part of it is unknown."""

    pnl: Decimal
    is_unsettled: bool = False


_UNMOVED: Final = Moved(ZERO)


def deliver(margins: Margins, fill: Fill) -> None:
    """Close, at what it was entered for, the position whose coins a fill brings or takes away."""
    key = (fill.account, f"{fill.base}/{fill.quote}")
    position = margins.get(key)
    is_long = fill.side is Side.BUY
    if position is None or not position.quantity or (position.quantity > 0) is not is_long:
        return
    size, closing = abs(position.quantity), min(abs(position.quantity), fill.quantity)
    left = (size - closing) if is_long else closing - size
    paid = fill.amount if closing == fill.quantity else None
    rest = position.notional - _entered(position, closing, paid)
    leverage = position.leverage if left else None
    margins[key] = msgspec.structs.replace(
        position, quantity=left, notional=rest, leverage=leverage
    )


def reposition(margins: Margins, fill: MarginFill) -> Moved:
    """Move the position, and say what the notional of entry gives and what nobody knows."""
    if fill.quantity is None or fill.side is None:
        return _UNMOVED
    price = fill.price or ZERO
    key = (fill.account, fill.pair or f"{fill.base}/{fill.quote}")
    position = margins.get(key, Margin(fill.base, fill.quote))
    signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
    size, notional, pnl = position.quantity, position.notional, ZERO
    closing = min(abs(size), fill.quantity) if size * signed < 0 else ZERO
    rest = fill.quantity - closing
    opening, unseen = (ZERO, rest) if fill.closes else (rest, ZERO)
    if closing:
        left = product18(closing, price)
        entered = _entered(position, closing, _stated(fill, closing, left, is_long=size > 0))
        pnl = left - entered if size > 0 else entered - left
        if fill.price is None:
            pnl = fill.settled or ZERO
        notional -= entered
    if unseen and fill.settled is not None:
        pnl = fill.settled
    notional += product18(opening, price)
    now = size + (closing.copy_sign(signed) if fill.closes else signed)
    leverage = position.leverage if size * now > 0 else None
    if opening and fill.leverage is not None:
        leverage = fill.leverage
    unknown = position.unseen + unseen
    margins[key] = Margin(fill.base, fill.quote, now, notional, leverage, unknown)
    return Moved(pnl, is_unsettled=bool(unseen) and fill.settled is None)


def _stated(fill: MarginFill, closing: Decimal, left: Decimal, *, is_long: bool) -> Decimal | None:
    """Return what was closed had been entered for, by the PnL that the venue states of it alone."""
    made = fill.made if fill.is_elsewhere else fill.settled
    if made is None or fill.price is None or closing != fill.quantity:
        return None
    return left - made if is_long else left + made


def _entered(position: Margin, closing: Decimal, stated: Decimal | None) -> Decimal:
    """Return what of the notional of entry goes with what is closed, so that all of it goes with
    the last of it.
    """
    size = abs(position.quantity)
    if stated is not None and closing < size and ZERO <= stated <= position.notional:
        return stated
    return share(position.notional, closing, size)
