"""What changes place, name or count: transfers, renames, splits, conversions, sleeves."""

from decimal import Decimal

from bursar.exact import ZERO, ratio18
from bursar.ledger.book import Book
from bursar.ledger.entries import Conversion, Leg, Rename, SleeveTransfer, Split, Transfer
from bursar.ledger.facts import MAIN
from bursar.ledger.fold.booking import dispose, expense, realize, tag_of
from bursar.ledger.lots import Lot
from bursar.ledger.state import NO_PAIR, Removal


def fold_transfer(book: Book, move: Transfer) -> None:
    """Move coins with their lots: to another account, or to another pocket of the same."""
    needs = [(fee.asset, fee.amount) for fee in move.fees]
    elsewhere = move.to_account != move.account
    book.require(move.account, [(move.asset, move.quantity), *needs] if elsewhere else needs)
    if elsewhere:
        _carry(book, move)
    for pocket, change, account in (
        (move.pocket, -move.quantity, move.account),
        (move.to_pocket, move.quantity, move.to_account),
    ):
        if pocket not in (None, MAIN):
            key = (account, move.asset, pocket)
            book.pockets[key] = book.pockets.get(key, ZERO) + change
    for fee in move.fees:
        expense(book, move, fee, tag_of(None))


def _carry(book: Book, move: Transfer) -> None:
    sale = Lot(move.id, move.executed_at, move.quantity, ZERO)
    removal = book.remove(move.account, move.asset, sale)
    parts = removal.parts
    if removal.missing:
        parts = (*parts, Lot(move.id, move.executed_at, removal.missing, ZERO))
    book.restore(move.to_account, move.asset, Removal(parts, removal.cost))


def fold_rename(book: Book, rename: Rename) -> None:
    """Let an asset go on under another name, lots and cost unchanged."""
    for account in _places(book, rename.account, rename.asset):
        lots = book.lots(account, rename.asset)
        quantity = sum((lot.quantity for lot in lots), ZERO)
        if not quantity:
            continue
        removal = book.remove(
            account, rename.asset, Lot(rename.id, rename.executed_at, quantity, ZERO)
        )
        gained = book.restore(account, rename.to_asset, removal)
        key = (account, rename.to_asset, NO_PAIR, tag_of(None), "")
        realize(book, key, gained, "peg")


def fold_split(book: Book, split: Split) -> None:
    """Multiply the units of an asset; each lot keeps its cost, the units keep their exact sum."""
    for account in _places(book, split.account, split.asset):
        lots = book.lots(account, split.asset)
        held = sum((lot.quantity for lot in lots), ZERO)
        if not held:
            continue
        left = ratio18(held, split.numerator, split.denominator)
        scaled = []
        for lot in lots[:-1]:
            units = ratio18(lot.quantity, split.numerator, split.denominator)
            scaled.append(Lot(lot.id, lot.acquired_at, units, lot.cost))
            left -= units
        scaled.append(Lot(lots[-1].id, lots[-1].acquired_at, left, lots[-1].cost))
        book.replace(account, split.asset, scaled)


def fold_conversion(book: Book, fact: Conversion) -> None:
    """Exchange n assets for m at their worth then."""
    needs = [(leg.asset, leg.quantity) for leg in fact.given]
    book.require(fact.account, [*needs, *((fee.asset, fee.amount) for fee in fact.fees)])
    for leg in fact.taken:
        lot = Lot(fact.id, fact.executed_at, leg.quantity, leg.value or ZERO)
        gained = book.acquire(fact.account, leg.asset, lot)
        _credit(book, fact, leg, gained, None)
    for leg in fact.given:
        lot = Lot(fact.id, fact.executed_at, leg.quantity, leg.value or ZERO)
        realized, removal = dispose(book, fact.account, leg.asset, lot)
        _credit(book, fact, leg, realized, removal)
    for fee in fact.fees:
        expense(book, fact, fee, tag_of(None))


def fold_sleeve(book: Book, move: SleeveTransfer) -> None:
    """Move capital from one strategy's sleeve to another's. The account as a whole does not change."""
    for strategy, change in ((move.from_strategy, -move.amount), (move.to_strategy, move.amount)):
        book.sleeves[strategy] = book.sleeves.get(strategy, ZERO) + change


def _credit(
    book: Book, fact: Conversion, leg: Leg, realized: Decimal, removal: Removal | None
) -> None:
    is_cash = leg.asset in book.cash
    key = (fact.account, leg.asset, NO_PAIR, tag_of(None), "")
    kept = removal if removal is not None and removal.parts else None
    realize(book, key, realized, "peg" if is_cash else "conversion", kept)


def _places(book: Book, account: str, asset: str) -> list[str]:
    """Return where an asset is held: the named account, or everywhere for `*` or pooled lots."""
    if account != "*" and not book.is_pooled:
        return [account]
    return sorted(place for place, held in book.holdings if held == asset)
