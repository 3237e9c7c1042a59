"""Staged changes: a committed transaction of deltas, as one fact.

A position delta is priced per unit in base currency: what comes in costs that, what leaves
realises its value less the cost of its lots. Cash changes by delta − fees, which are charged where
its one position is; what the positions do not explain of it is a `staged_flow` of capital, and a
change of cost by lot edits that the deltas do not explain is a `basis_adjustment`. The claimed
realised PnL is kept beside the derived one and changes nothing.

Quantities are moved by the deltas alone. Edits that come to another quantity speak of lots that
are not there: an earlier fact came or went since, or another cost rule is asked for. The rule
chooses then.
"""

from collections.abc import Sequence
from decimal import Decimal

from bursar.exact import ZERO, product18
from bursar.ledger.book import Book
from bursar.ledger.entries import FlowKind, StagedChange, StagedLine, StagedLot, venue
from bursar.ledger.fold.booking import count, dispose, lot_of, realize, tag_of
from bursar.ledger.lots import Lot
from bursar.ledger.lots.base import resized, units
from bursar.ledger.order import turn
from bursar.ledger.state import NO_PAIR, Cell, FeeTotal, FlowTotal, Line


def fold_staged(book: Book, change: StagedChange) -> None:
    """Fold a committed transaction."""
    edited = _edited(book, change) if change.lots else {}
    moved = [(line.asset, -line.quantity) for line in change.lines]
    book.require(change.account, [(asset, need) for asset, need in moved if asset not in edited])
    spent = ZERO
    numbered = list(enumerate(change.lines))
    if len(numbered) > 1:
        numbered.sort(key=lambda each: each[1].quantity < 0)
    for number, line in numbered:
        value = product18(line.quantity, line.price)
        spent += value
        if line.asset not in edited:
            _position(book, change, line, value, part=str(number) if number else "")
    for asset, lots in edited.items():
        _edit(book, change, asset, lots)
    cash = change.cash - change.fees
    book.acquire(change.account, book.terms.base, lot_of(change, cash, cash))
    place = (FlowKind.STAGED_FLOW, book.terms.base, tag_of(None))
    unexplained = change.cash + spent
    if unexplained:
        count(book, change, place, FlowTotal(unexplained, unexplained, unexplained, 1))
    if change.fees:
        _fees(book, change)


def unexplained(change: StagedChange) -> Decimal:
    """Return the change of cash that positions do not explain."""
    return change.cash + sum([product18(x.quantity, x.price) for x in change.lines], ZERO)


def _fees(book: Book, change: StagedChange) -> None:
    """Book the fees where the one position is; of several, or none, they are no pair's."""
    base = book.terms.base
    assets = {line.asset for line in change.lines}
    asset, pair = base, NO_PAIR
    if len(assets) == 1:
        (asset,) = assets
        pair = f"{asset}/{base}"
    book.charge(change.account, pair, base, FeeTotal(change.fees, change.fees))
    key = (change.account, asset, pair, _strategy(change.lines), "")
    book.credit(key, Cell(ZERO, -change.fees, change.fees))
    if book.lines is not None:
        book.lines.append(Line("staged", key, -change.fees))


def _strategy(lines: Sequence[StagedLine]) -> str:
    """Return the strategy that all of several positions are of, or else none's."""
    named = {line.strategy for line in lines}
    return tag_of(named.pop() if len(named) == 1 else None)


def _position(
    book: Book, change: StagedChange, line: StagedLine, value: Decimal, *, part: str
) -> None:
    strategy = tag_of(line.strategy)
    pair = f"{line.asset}/{book.terms.base}"
    key = (change.account, line.asset, pair, strategy, "")
    book.credit(key, Cell(line.quantity, ZERO, ZERO, 1))
    if line.quantity > 0:
        lot = lot_of(change, line.quantity, value, part=part)
        realize(book, key, book.acquire(change.account, line.asset, lot), "cover")
    elif line.quantity < 0:
        sale = lot_of(change, -line.quantity, -value)
        realized, removal = dispose(book, change.account, line.asset, sale)
        realize(book, key, realized, "staged", removal)


def _edited(book: Book, change: StagedChange) -> dict[str, list[Lot]]:
    """Return the lots that the edits leave, of each asset where they add up to its position."""
    found = {}
    for asset in sorted({lot.asset for lot in change.lots} - book.cash):
        there = book.lots(change.account, asset)
        lots = {lot.id: lot for lot in there}
        for edit in change.lots:
            if edit.asset == asset:
                _apply_edit(lots, change, edit)
        if units(lots.values()) - units(there) == _moved(change, asset):
            found[asset] = list(lots.values())
    return found


def _moved(change: StagedChange, asset: str) -> Decimal:
    return sum((line.quantity for line in change.lines if line.asset == asset), ZERO)


def _edit(book: Book, change: StagedChange, asset: str, lots: list[Lot]) -> None:
    """Set lots as staged; book the change of cost by the deltas, the rest as an adjustment."""
    before = book.held(change.account, asset).cost
    book.replace(change.account, asset, lots)
    difference = book.held(change.account, asset).cost - before
    lines = [line for line in change.lines if line.asset == asset]
    value = sum((product18(line.quantity, line.price) for line in lines), ZERO)
    moved = _moved(change, asset)
    key = (change.account, asset, f"{asset}/{book.terms.base}", _strategy(lines), "")
    book.credit(key, Cell(moved))
    if moved < 0:
        realize(book, key, difference - value, "staged")
    elif difference != value:
        adjusted = difference - value
        place = (FlowKind.BASIS_ADJUSTMENT, asset, tag_of(None))
        count(book, change, place, FlowTotal(ZERO, adjusted, adjusted, 1))


def _apply_edit(lots: dict[str, Lot], change: StagedChange, edit: StagedLot) -> None:
    if edit.action == "remove":
        lots.pop(edit.lot, None)
    else:
        place = (venue(change.account), change.sequence, turn(change))
        fresh = Lot(edit.lot, change.executed_at, edit.quantity, edit.cost, *place)
        known = lots.get(edit.lot, fresh)
        lots[edit.lot] = resized(known, edit.quantity, edit.cost)
