"""Leveraged positions: no asset moves but the settled PnL and the fees.

The notional of entry is kept as a total and reduced pro rata when a position closes; going through
zero closes, then opens the rest. The PnL a venue states is the fact; where it differs from what
the notional gives, the difference is a line of kind `rounding`. A position that is settled by
delivery is gone without PnL: the coins cost what was paid for them.
"""

from decimal import Decimal

from bursar.exact import ZERO, product18, share
from bursar.ledger.book import Book
from bursar.ledger.entries import Fill, MarginFill, Side
from bursar.ledger.fold.booking import (
    charge,
    dispose,
    lot_of,
    pay_fee,
    place_in,
    realize,
    tag_of,
)
from bursar.ledger.state import Cell, Line, Margin


def fold_margin(book: Book, fill: MarginFill) -> None:
    """Fold one execution of a leveraged position."""
    charges = [(fee.asset, fee.amount) for fee in fill.fees]
    book.require(fill.account, [(fill.quote, -(fill.settled or ZERO)), *charges])
    computed = _reposition(book, fill)
    settled = computed if fill.settled is None else fill.settled
    rate = fill.quote_rate or ZERO
    worth = settled if fill.quote in book.cash else product18(settled, rate)
    derived = computed if fill.quote in book.cash else product18(computed, rate)
    place = (fill.pair or f"{fill.base}/{fill.quote}", tag_of(fill.strategy), fill.regime or "")
    _settle(book, fill, settled, worth, place)
    fees = sum((fee.value or ZERO for fee in fill.fees), ZERO)
    key = (fill.account, fill.base, *place)
    book.credit(key, Cell(ZERO, worth - fees, fees, 1))
    if book.lines is not None:
        kind = "margin" if fill.quantity is None else "rounding"
        book.lines.append(Line("margin", key, derived - fees))
        if worth != derived:
            book.lines.append(Line(kind, key, worth - derived))
    for fee in fill.fees:
        charge(book, fill, fee, place[0])
        pay_fee(book, fill, fee, place)
    for asset, change in ((fill.quote, settled), *((fee.asset, -fee.amount) for fee in fill.fees)):
        place_in(book, (fill.account, asset, fill.pocket), change)


def deliver(book: Book, fill: Fill) -> None:
    """Close, at what it was entered for, the position whose coins a fill brings or takes away."""
    key = (fill.account, f"{fill.base}/{fill.quote}")
    position = book.margins.get(key)
    is_long = fill.side is Side.BUY
    if position is None or not position.quantity or (position.quantity > 0) is not is_long:
        return
    size, notional = abs(position.quantity), position.notional
    closing = min(size, fill.quantity)
    left = (size - closing) if is_long else closing - size
    rest = notional - share(notional, closing, size)
    leverage = position.leverage if left else None
    book.margins[key] = Margin(position.base, position.quote, left, rest, leverage)


def _reposition(book: Book, fill: MarginFill) -> Decimal:
    """Move the position and return the PnL that the notional of entry gives, in the quote."""
    if fill.quantity is None or fill.side is None:
        return ZERO
    price = fill.price or ZERO
    key = (fill.account, fill.pair or f"{fill.base}/{fill.quote}")
    position = book.margins.get(key, Margin(fill.base, fill.quote))
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
    book.margins[key] = Margin(fill.base, fill.quote, size + signed, notional, leverage)
    return pnl


def _settle(
    book: Book,
    fill: MarginFill,
    settled: Decimal,
    worth: Decimal,
    place: tuple[str, str, str],
) -> None:
    """Book the settled PnL: it comes in, or goes out, in the quote. The cell has it already."""
    key = (fill.account, fill.quote, *place)
    if settled > 0:
        gained = book.acquire(fill.account, fill.quote, lot_of(fill, settled, worth))
        realize(book, key, gained, "peg")
    elif settled < 0:
        sale = lot_of(fill, -settled, -worth)
        gained, removal = dispose(book, fill.account, fill.quote, sale)
        kind = "peg" if fill.quote in book.cash else "trade"
        realize(book, key, gained, kind, removal if removal.parts else None)
