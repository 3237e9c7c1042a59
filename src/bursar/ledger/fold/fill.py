"""Fills: what was bought and sold on the spot market."""

from typing import Final

from bursar.exact import ZERO, share
from bursar.ledger.book import Book
from bursar.ledger.entries import MANUAL, Fee, Fill, Side
from bursar.ledger.fold.booking import dispose, pay_fee, realize, tag_of
from bursar.ledger.lots import Lot
from bursar.ledger.state import Cell, FeeTotal, Holding, Line, Removal
from decimal import Decimal

_NOTHING: Final = Holding(ZERO, ZERO)
_BLANK: Final = Cell()
_NO_FEE: Final = FeeTotal()


def fold_fill(book: Book, fill: Fill) -> None:
    """Fold a fill: the ordinary case in one go, any other leg by leg."""
    if not _plain_fill(book, fill):
        _fill(book, fill)


def _plain_fill(book: Book, fill: Fill) -> bool:
    """Fold the ordinary case in one go: wac, quoted in base currency or a peg, fee in the quote."""
    value, fees, quote = fill.value, fill.fees, fill.quote
    if not book.is_wac or book.is_pooled or book.lines is not None or value != fill.amount:
        return False
    if value is None or quote not in book.cash or fill.base in book.cash or len(fees) > 1:
        return False
    if fees and fees[0].asset != quote:
        return False
    account, base, quantity = fill.account, fill.base, fill.quantity
    fee = fees[0].amount if fees else ZERO
    held = book.holdings.get((account, base), _NOTHING)
    if held.owed:
        return False
    if fill.side is Side.BUY:
        cash, size, realized = -value - fee, quantity, -fee
        holding = Holding(held.quantity + quantity, held.cost + value)
    else:
        if quantity > held.quantity or not quantity:
            return False
        cost = share(held.cost, quantity, held.quantity)
        cash, size, realized = value - fee, -quantity, value - cost - fee
        holding = Holding(held.quantity - quantity, held.cost - cost)
    book.holdings[account, base] = holding
    cash += book.holdings.get((account, quote), _NOTHING).quantity
    book.holdings[account, quote] = Holding(cash, cash)
    pair = fill.pair or f"{base}/{quote}"
    key = (account, base, pair, fill.strategy or MANUAL, fill.regime or "")
    cell = book.cells.get(key, _BLANK)
    book.cells[key] = Cell(
        cell.size + size, cell.realized + realized, cell.fees + fee, cell.trades + 1, cell.peg
    )
    if fee:
        charged = book.fees.get((account, pair, quote), _NO_FEE)
        book.fees[account, pair, quote] = FeeTotal(charged.amount + fee, charged.value + fee)
    return True


def _fill(book: Book, fill: Fill) -> None:
    value, account = fill.value or ZERO, fill.account
    amount = fill.amount or ZERO
    bought = fill.side is Side.BUY
    got, came = (fill.base, fill.quantity) if bought else (fill.quote, amount)
    gave, went = (fill.quote, amount) if bought else (fill.base, fill.quantity)
    inside, outside = _fees_inside(book, fill, got, came)
    book.require(account, [(gave, went), *((fee.asset, fee.amount) for fee in outside)])
    place = (fill.pair or f"{fill.base}/{fill.quote}", tag_of(fill.strategy), fill.regime or "")
    kept = Lot(
        fill.id,
        fill.executed_at,
        came - sum((fee.amount for fee in inside), ZERO),
        value - sum((fee.value or ZERO for fee in inside), ZERO),
    )
    gained = book.acquire(account, got, kept)
    kind = "peg" if got in book.cash else "cover"
    realize(book, (account, got, *place), gained, kind)
    sale = Lot(fill.id, fill.executed_at, went, value)
    realized, removal = dispose(book, account, gave, sale, fill.lots)
    _book_trade(book, fill, place, gave, realized, removal)
    for fee in outside:
        pay_fee(book, fill, fee, place)


def _fees_inside(book: Book, fill: Fill, got: str, came: Decimal) -> tuple[list[Fee], list[Fee]]:
    """Part the fees into those taken from the coins just received and the others."""
    inside = [fee for fee in fill.fees if fee.asset == got and got not in book.cash and fee.amount > 0]
    if sum((fee.amount for fee in inside), ZERO) > came:
        inside = []
    return inside, [fee for fee in fill.fees if fee not in inside]


def _book_trade(
    book: Book,
    fill: Fill,
    place: tuple[str, str, str],
    gave: str,
    realized: Decimal,
    removal: Removal,
) -> None:
    """Credit the pair's cell with the trade, its fees inside, and the disposed asset with the rest."""
    worth = sum((fee.value or ZERO for fee in fill.fees), ZERO)
    for fee in fill.fees:
        book.charge(fill.account, place[0], fee.asset, FeeTotal(fee.amount, fee.value or ZERO))
    sold = gave == fill.base and gave not in book.cash
    size = fill.quantity if fill.side is Side.BUY else -fill.quantity
    own = realized - worth if sold else -worth
    book.credit((fill.account, fill.base, *place), Cell(size, own, worth, 1))
    if book.lines is not None:
        cost, parts = (removal.cost, removal.parts) if sold else (ZERO, ())
        book.lines.append(Line("trade", fill.base, place[0], own, cost, parts))
    if not sold:
        kind = "peg" if gave in book.cash else "trade"
        realize(book, (fill.account, gave, *place), realized, kind, removal if removal.parts else None)
