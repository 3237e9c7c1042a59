"""What changes place, name or count: transfers, renames, splits, conversions, sleeves."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, ratio18, split
from bursar.ledger.book import Book
from bursar.ledger.entries import Conversion, Leg, Rename, SleeveTransfer, Split, Transfer
from bursar.ledger.fold.booking import (
    charges,
    dispose,
    expense,
    lot_of,
    place_in,
    realize,
    tag_of,
)
from bursar.ledger.lots import Lot
from bursar.ledger.lots.base import resized, total, units
from bursar.ledger.state import NO_PAIR, Removal


def fold_transfer(book: Book, move: Transfer) -> None:
    """Move coins with their lots: to another account, or to another pocket of the same."""
    needs = charges(move.fees)
    elsewhere = move.to_account != move.account
    book.require(move.account, [(move.asset, move.quantity), *needs] if elsewhere else needs)
    if elsewhere:
        _carry(book, move, (move.account, move.asset), (move.to_account, move.asset), move.quantity)
    for pocket, change, account in (
        (move.pocket, -move.quantity, move.account),
        (move.to_pocket, move.quantity, move.to_account),
    ):
        place_in(book, (account, move.asset, pocket), change)
    for fee in move.fees:
        expense(book, move, fee, tag_of(None))
    arrival = msgspec.structs.replace(move, account=move.to_account)
    for fee in move.to_fees:
        expense(book, arrival, fee, tag_of(None))


def fold_rename(book: Book, rename: Rename) -> None:
    """Let an asset go on under another name, lots and cost unchanged; so do its debts."""
    for account in accounts_with(book, rename.account, rename.asset):
        debts = _take_debts(book, account, rename.asset)
        quantity = book.owned(account, rename.asset)
        source, target = (account, rename.asset), (account, rename.to_asset)
        if quantity > 0 or rename.asset in book.cash:
            _carry(book, rename, source, target, quantity)
        elif quantity < 0:
            # A pool's account that is short: what it lacks goes on under the new name.
            lacking = lot_of(rename, -quantity, ZERO, part=account)
            gained = book.acquire(*source, lacking) - book.remove(*target, lacking).cost
            realize(book, (*target, NO_PAIR, tag_of(None), ""), gained, "cover")
        _put_debts(book, account, rename.to_asset, debts)


def fold_split(book: Book, fact: Split) -> None:
    """Multiply the units of an asset; lots keep their cost, and the units their exact sum."""
    for account in accounts_with(book, fact.account, fact.asset):
        debts = _take_debts(book, account, fact.asset)
        held = book.owned(account, fact.asset)
        if held > 0 and fact.asset not in book.cash:
            there = min(held, book.available(account, fact.asset))
            removal = book.remove(account, fact.asset, lot_of(fact, there, ZERO))
            parts = _scaled(removal.parts, fact)
            added = book.restore(account, fact.asset, Removal(parts, removal.cost))
            key = (account, fact.asset, NO_PAIR, tag_of(None), "")
            realize(book, key, added - removal.cost, "rounding")
            _beyond(book, fact, account, held - there)
        kept = _scaled(debts, fact)
        _put_debts(book, account, fact.asset, kept)
        key = (account, fact.asset, NO_PAIR, tag_of(None), "")
        realize(book, key, total(debts) - total(kept), "rounding")


def _beyond(book: Book, fact: Split, account: str, units_beyond: Decimal) -> None:
    """Multiply what an account has beyond the lots of its pool: coins of unknown cost."""
    more = ratio18(units_beyond, fact.numerator, fact.denominator) - units_beyond
    if more > 0:
        book.acquire(account, fact.asset, lot_of(fact, more, ZERO, part=account))
    elif more < 0:
        removal = book.remove(account, fact.asset, lot_of(fact, -more, ZERO))
        key = (account, fact.asset, NO_PAIR, tag_of(None), "")
        realize(book, key, -removal.cost, "rounding", removal)


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


def accounts_with(book: Book, account: str, asset: str) -> Iterator[str]:
    """Yield the accounts a fact is about: the named one, or for `*` all that have the asset."""
    if account != "*":
        return iter((account,))
    places = book.balances if book.is_pooled and asset not in book.cash else book.holdings
    return iter(sorted(place for place, held in places if held == asset))


def _carry(
    book: Book,
    fact: Transfer | Rename,
    source: tuple[str, str],
    target: tuple[str, str],
    quantity: Decimal,
) -> None:
    """Move a quantity with its lots from one (account, asset) to another."""
    removal = book.remove(*source, lot_of(fact, quantity, ZERO))
    parts = removal.parts
    if source[1] in book.cash:
        parts = (lot_of(fact, quantity, quantity),)
    elif removal.missing:
        parts = (*parts, lot_of(fact, removal.missing, ZERO))
    added = book.restore(*target, Removal(parts, removal.cost))
    key = (*target, NO_PAIR, tag_of(None), "")
    realize(book, key, added - removal.cost, "peg" if target[1] in book.cash else "cover")


def _scaled(lots: tuple[Lot, ...], fact: Split) -> tuple[Lot, ...]:
    """Multiply units of lots so that they add up; a lot of no units leaves its cost to others."""
    if not lots:
        return ()
    left = ratio18(units(lots), fact.numerator, fact.denominator)
    shares = split(left, [lot.quantity for lot in lots], places=18)
    scaled = [resized(lot, each, lot.cost) for lot, each in zip(lots, shares, strict=True)]
    kept = [lot for lot in scaled if lot.quantity]
    lost = sum((lot.cost for lot in scaled if not lot.quantity), ZERO)
    if kept and lost:
        kept[-1] = resized(kept[-1], kept[-1].quantity, kept[-1].cost + lost)
    return tuple(kept)


def _take_debts(book: Book, account: str, asset: str) -> tuple[Lot, ...]:
    """Take what is owed out of a holding of its own; a pool's debts stay with the pool."""
    key = book.place(account, asset)
    holding = book.holdings.get(key)
    if holding is None or not holding.owed or book.is_pooled:
        return ()
    debts = holding.owed
    book.holdings[key] = msgspec.structs.replace(
        holding,
        quantity=holding.quantity + units(debts),
        cost=holding.cost + sum((lot.cost for lot in debts), ZERO),
        owed=(),
    )
    return debts


def _put_debts(book: Book, account: str, asset: str, debts: tuple[Lot, ...]) -> None:
    if debts:
        holding = book.held(account, asset)
        book.holdings[book.place(account, asset)] = msgspec.structs.replace(
            holding,
            quantity=holding.quantity - units(debts),
            cost=holding.cost - sum((lot.cost for lot in debts), ZERO),
            owed=holding.owed + debts,
        )


def _credit(
    book: Book, fact: Conversion, leg: Leg, realized: Decimal, removal: Removal | None
) -> None:
    is_cash = leg.asset in book.cash
    key = (fact.account, leg.asset, NO_PAIR, tag_of(None), "")
    kept = removal if removal is not None and removal.parts else None
    realize(book, key, realized, "peg" if is_cash else "conversion", kept)
