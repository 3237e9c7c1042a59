"""Fills: what was bought and sold on the spot market."""

from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, share
from bursar.ledger.book import Book
from bursar.ledger.entries import MANUAL, Fee, Fill, Side
from bursar.ledger.fold.booking import charge, dispose, kept_back, lot_of, pay_fee, realize, tag_of
from bursar.ledger.lots import Lot
from bursar.ledger.margins import deliver
from bursar.ledger.state import Cell, FeeTotal, Holding, Line, Removal

_NOTHING: Final = Holding(ZERO, ZERO)
_BLANK: Final = Cell()
_NO_FEE: Final = FeeTotal()
_BUY: Final = Side.BUY


def fold_fill(book: Book, fill: Fill) -> None:
    """Fold a fill: a plain one in one go, any other leg by leg.

    Plain is what is quoted in base currency or a peg at 1, with at most one fee, in the same.
    """
    if fill.delivers:
        deliver(book.margins, fill)
    value, fees, quote = fill.value, fill.fees, fill.quote
    plain = value and value == fill.amount and quote in book.cash and fill.base not in book.cash
    if plain and fees:
        fee = fees[0]
        plain = len(fees) == 1 and fee.asset == quote and fee.value == fee.amount
    if not plain or book.is_pooled or not _plain_fill(book, fill):
        _fill(book, fill)


def _plain_fill(book: Book, fill: Fill) -> bool:
    """Do what `_fill` does, at once; False, and no change, where coins are or would be owed."""
    account, base, quote, quantity = fill.account, fill.base, fill.quote, fill.quantity
    value, fee = fill.value or ZERO, fill.fees[0].amount if fill.fees else ZERO
    holdings, place, purse = book.holdings, (account, base), (account, quote)
    held, cash = holdings.get(place, _NOTHING), holdings.get(purse, _NOTHING).quantity
    if held.owed or not quantity:
        return False
    spent = ZERO
    parts: tuple[Lot, ...] = ()
    if fill.side is _BUY:
        pool = None if book.is_wac else book.rule.add(held.pool, lot_of(fill, quantity, value))
        holdings[place] = Holding(held.quantity + quantity, held.cost + value, pool)
        cash, size, realized = cash - value - fee, quantity, -fee
    elif quantity > held.quantity:
        return False
    else:
        if book.is_wac:
            spent, pool = share(held.cost, quantity, held.quantity), None
            parts = () if book.lines is None else (Lot("pool", 0, quantity, spent),)
        else:
            take = book.rule.take(held.pool, quantity, fill.lots)
            spent, pool, parts = take.cost, take.pool, take.parts
        holdings[place] = Holding(held.quantity - quantity, held.cost - spent, pool)
        net = value - fee
        cash, size, realized = cash + net, -quantity, net - spent
    holdings[purse] = Holding(cash, cash)
    pair = fill.pair or f"{base}/{quote}"
    key = (account, base, pair, fill.strategy or MANUAL, fill.regime or "")
    cells, cell = book.cells, book.cells.get(key, _BLANK)
    fees, trades = cell.fees + fee, cell.trades + 1
    cells[key] = Cell(cell.size + size, cell.realized + realized, fees, trades, cell.peg)
    if fee:
        charged = (account, pair, quote)
        known = book.fees.get(charged, _NO_FEE)
        book.fees[charged] = FeeTotal(known.amount + fee, known.value + fee, known.unknown)
    if book.lines is not None:
        book.lines.append(Line("trade", key, realized, spent, parts))
    return True


def _fill(book: Book, fill: Fill) -> None:
    value, amount = fill.value or ZERO, fill.amount or ZERO
    bought = fill.side is Side.BUY
    got, came = (fill.base, fill.quantity) if bought else (fill.quote, amount)
    gave, went = (fill.quote, amount) if bought else (fill.base, fill.quantity)
    inside, outside = kept_back(fill.fees, got, came, book.cash)
    charges = [(fee.asset, fee.amount) for fee in outside]
    arriving = sum((fee.amount for fee in inside), -came)
    book.require(fill.account, [(gave, went), (got, arriving), *charges])
    place = (fill.pair or f"{fill.base}/{fill.quote}", tag_of(fill.strategy), fill.regime or "")
    kept, cost = _net(inside, came, value)
    gained = book.acquire(fill.account, got, lot_of(fill, kept, cost))
    realize(book, (fill.account, got, *place), gained, "peg" if got in book.cash else "cover")
    for fee in outside:
        if fee.amount < 0:
            pay_fee(book, fill, fee, place)
    sale = lot_of(fill, went, value)
    realized, removal = dispose(book, fill.account, gave, sale, fill.lots)
    charged = value - cost + sum((fee.value or ZERO for fee in outside), ZERO)
    _book_trade(book, fill, place, charged, Sale(gave, realized, removal))
    for fee in outside:
        if fee.amount > 0:
            pay_fee(book, fill, fee, place)


class Sale(msgspec.Struct, frozen=True):
    """What a trade gave away, and what that realised."""

    asset: str
    realized: Decimal
    removal: Removal


def _net(inside: list[Fee], came: Decimal, value: Decimal) -> tuple[Decimal, Decimal]:
    """Take the fees that are kept back off what came: (quantity, cost) of the lot that stays."""
    for fee in inside:
        came, value = came - fee.amount, value - min(fee.value or ZERO, value)
    return came, value


def _book_trade(
    book: Book, fill: Fill, place: tuple[str, str, str], charged: Decimal, sale: Sale
) -> None:
    """Credit the pair's cell with the trade, fees inside; what else was disposed of, its own."""
    for fee in fill.fees:
        charge(book, fill, fee, place[0])
    is_base = sale.asset == fill.base and sale.asset not in book.cash
    size = fill.quantity if fill.side is Side.BUY else -fill.quantity
    own = sale.realized - charged if is_base else -charged
    key = (fill.account, fill.base, *place)
    book.credit(key, Cell(size, own, charged, 1))
    if book.lines is not None:
        cost, parts = (sale.removal.cost, sale.removal.parts) if is_base else (ZERO, ())
        book.lines.append(Line("trade", key, own, cost, parts))
    if not is_base:
        kind = "peg" if sale.asset in book.cash else "trade"
        removal = sale.removal if sale.removal.parts else None
        realize(book, (fill.account, sale.asset, *place), sale.realized, kind, removal)
