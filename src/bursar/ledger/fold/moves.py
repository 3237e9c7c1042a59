"""What changes place or kind: transfers, conversions, sleeves."""

from decimal import Decimal

import msgspec

from bursar.exact import ZERO
from bursar.ledger.book import Book
from bursar.ledger.entries import Conversion, Leg, SleeveTransfer, Transfer
from bursar.ledger.fold.booking import (
    carry,
    charges,
    dispose,
    expense,
    lot_of,
    place_in,
    realize,
    tag_of,
)
from bursar.ledger.state import NO_PAIR, Removal


def fold_transfer(book: Book, move: Transfer) -> None:
    """Move coins with their lots: to another account, or to another pocket of the same."""
    needs, there = charges(move.fees), move.to_asset or move.asset
    elsewhere = move.to_account != move.account
    book.require(move.account, [(move.asset, move.quantity), *needs] if elsewhere else needs)
    if elsewhere:
        carry(book, move, (move.account, move.asset), (move.to_account, there), move.quantity)
    place_in(book, (move.account, move.asset, move.pocket), -move.quantity)
    place_in(book, (move.to_account, there, move.to_pocket), move.quantity)
    for fee in move.fees:
        expense(book, move, fee, tag_of(None))
    arrival = msgspec.structs.replace(move, account=move.to_account)
    for fee in move.to_fees:
        expense(book, arrival, fee, tag_of(None))


def fold_conversion(book: Book, fact: Conversion) -> None:
    """Exchange n assets for m at their worth then."""
    needs = [(leg.asset, leg.quantity) for leg in fact.given]
    needs += [(leg.asset, -leg.quantity) for leg in fact.taken]
    book.require(fact.account, [*needs, *charges(fact.fees)])
    for leg in fact.taken:
        lot = lot_of(fact, leg.quantity, leg.value or ZERO)
        _credit(book, fact, leg, book.acquire(fact.account, leg.asset, lot), None)
    for leg in fact.given:
        lot = lot_of(fact, leg.quantity, leg.value or ZERO)
        realized, removal = dispose(book, fact.account, leg.asset, lot)
        _credit(book, fact, leg, realized, removal)
    for fee in fact.fees:
        expense(book, fact, fee, tag_of(None))


def fold_sleeve(book: Book, move: SleeveTransfer) -> None:
    """Move capital from one strategy's sleeve to another's. The account does not change."""
    for strategy, change in ((move.from_strategy, -move.amount), (move.to_strategy, move.amount)):
        book.sleeves[strategy] = book.sleeves.get(strategy, ZERO) + change


def _credit(
    book: Book, fact: Conversion, leg: Leg, realized: Decimal, removal: Removal | None
) -> None:
    is_cash = leg.asset in book.cash
    key = (fact.account, leg.asset, NO_PAIR, tag_of(None), "")
    kept = removal if removal is not None and removal.parts else None
    realize(book, key, realized, "peg" if is_cash else "conversion", kept)
