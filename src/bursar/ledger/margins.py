"""Leveraged positions: what fills make of them, by account and pair.

The notional of entry is kept as a total and reduced pro rata when a position closes; going through
zero closes, then opens the rest. A position that is settled by delivery is gone without PnL: the
coins cost what was paid for them. To be called inside the money context.

Errors: none.
"""

from collections.abc import MutableMapping
from decimal import Decimal

from bursar.exact import ZERO, product18, share
from bursar.ledger.entries import Fill, MarginFill, Side
from bursar.ledger.state import Margin

Margins = MutableMapping[tuple[str, str], Margin]


def deliver(margins: Margins, fill: Fill) -> None:
    """Close, at what it was entered for, the position whose coins a fill brings or takes away."""
    key = (fill.account, f"{fill.base}/{fill.quote}")
    position = margins.get(key)
    is_long = fill.side is Side.BUY
    if position is None or not position.quantity or (position.quantity > 0) is not is_long:
        return
    size, notional = abs(position.quantity), position.notional
    closing = min(size, fill.quantity)
    left = (size - closing) if is_long else closing - size
    rest = notional - share(notional, closing, size)
    leverage = position.leverage if left else None
    margins[key] = Margin(position.base, position.quote, left, rest, leverage)


def reposition(margins: Margins, fill: MarginFill) -> Decimal:
    """Move the position and return the PnL that the notional of entry gives, in the quote."""
    if fill.quantity is None or fill.side is None:
        return ZERO
    price = fill.price or ZERO
    key = (fill.account, fill.pair or f"{fill.base}/{fill.quote}")
    position = margins.get(key, Margin(fill.base, fill.quote))
    signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
    size, notional, pnl = position.quantity, position.notional, ZERO
    if size * signed < 0:
        closing = min(abs(size), fill.quantity)
        entered = share(notional, closing, abs(size))
        left = product18(closing, price)
        pnl = left - entered if size > 0 else entered - left
        if fill.price is None:
            pnl = fill.settled or ZERO
        notional -= entered
        opening = fill.quantity - closing
    else:
        opening = fill.quantity
    notional += product18(opening, price)
    leverage = position.leverage if size * (size + signed) > 0 else None
    if opening and fill.leverage is not None:
        leverage = fill.leverage
    margins[key] = Margin(fill.base, fill.quote, size + signed, notional, leverage)
    return pnl
