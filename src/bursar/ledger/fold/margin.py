"""Leveraged fills: no asset moves but the settled PnL and the fees.

The PnL a venue states is the fact; where it differs from what the position gives, the difference is
a line of kind `rounding`. What was closed and opened before all that is known made what the venue
states; where it states nothing, that is not known, which a gap says.
"""

from decimal import Decimal

from bursar.exact import ZERO, product18
from bursar.ledger.book import Book
from bursar.ledger.entries import Flag, MarginFill
from bursar.ledger.fold.booking import (
    charge,
    dispose,
    lot_of,
    pay_fee,
    place_in,
    realize,
    tag_of,
)
from bursar.ledger.margins import reposition
from bursar.ledger.state import Cell, Line


def fold_margin(book: Book, fill: MarginFill) -> None:
    """Fold one execution of a leveraged position."""
    charges = [(fee.asset, fee.amount) for fee in fill.fees]
    book.require(fill.account, [(fill.quote, -(fill.settled or ZERO)), *charges])
    moved = reposition(book.margins, fill)
    computed = moved.pnl
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
        unknown = moved.is_unsettled
        line = Line("margin", key, derived - fees, settled=settled, is_unsettled=unknown)
        book.lines.append(line)
        if worth != derived:
            book.lines.append(Line(kind, key, worth - derived))
    if moved.is_unsettled:
        book.note(fill.base, Flag.UNSETTLED)
    for fee in fill.fees:
        charge(book, fill, fee, place[0])
        pay_fee(book, fill, fee, place)
    for asset, change in ((fill.quote, settled), *((fee.asset, -fee.amount) for fee in fill.fees)):
        place_in(book, (fill.account, asset, fill.pocket), change)


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
