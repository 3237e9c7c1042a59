"""Renames and splits: what changes the name or the count of an asset, and never what it cost.

A **whole** is all that is kept in one place: an account's own lots and debts, or those of a pool.
A fact about `*`, or about the only account that has anything of a pool, is about the whole, and
then lots, debts and balances change together. A fact about one account of several in a pool:

- A split multiplies the balance of that account; lots belong to none, so those of the pool share
  the difference by their size, and its debts grow by as much as all balances taken without sign.
  Splits stated account by account therefore end, in any order, where a split of all does.
- A rename takes that many of the pool's lots by the rule; debts keep the old name.

What lies in other pockets of an account goes on there, and is split there. A rename of a stated
quantity carries as much of it, and no pocket. What stands in a pair is split with its asset.

Units are rounded once per balance, half-even; what a place holds is the sum of its balances.

Errors: none.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, ratio18, split
from bursar.ledger.book import POOL, Book
from bursar.ledger.entries import Rename, Split
from bursar.ledger.fold.booking import carry, dispose, lot_of, place_in, realize, tag_of
from bursar.ledger.lots import Lot
from bursar.ledger.lots.base import resized, total, units
from bursar.ledger.names import canonical
from bursar.ledger.state import NO_PAIR, Cell, CellKey, Holding

AHEAD: Final = "split"  # owed since an account's split came before that of those who have its coins


def fold_rename(book: Book, rename: Rename) -> None:
    """Let an asset go on under another name, lots and cost unchanged; so do its debts."""
    if rename.quantity is not None:
        source, target = (rename.account, rename.asset), (rename.account, rename.to_asset)
        carry(book, rename, source, target, rename.quantity)
        return
    accounts = _accounts(book, rename.account, rename.asset)
    _rename_pockets(book, rename)
    if _is_pooled(book, rename.asset) and not _gross(book, rename.asset, without=accounts):
        _rename_pool(book, rename, accounts)
        return
    for account in accounts:
        debts = _take_debts(book, account, rename.asset)
        quantity = book.owned(account, rename.asset)
        source, target = (account, rename.asset), (account, rename.to_asset)
        if quantity > 0:
            carry(book, rename, source, target, quantity)
        elif quantity < 0:
            # Money below zero, or a pool's account that is short: what it lacks goes on as well.
            cost = -quantity if rename.asset in book.cash else ZERO
            lacking = lot_of(rename, -quantity, cost, part=account)
            gained, _ = dispose(book, *target, lacking)
            gained += book.acquire(*source, lacking)
            realize(book, _cell(*target), gained, "cover")
        _put_debts(book, account, rename.to_asset, debts)


def _rename_pockets(book: Book, rename: Rename) -> None:
    """Let what lies in other places than the main one go on there, under the new name."""
    for (account, asset, pocket), quantity in list(book.pockets.items()):
        if asset == rename.asset and rename.account in {"*", account}:
            place_in(book, (account, asset, pocket), -quantity)
            place_in(book, (account, rename.to_asset, pocket), quantity)


def fold_split(book: Book, fact: Split) -> None:
    """Multiply the units of an asset; its lots and debts keep their costs."""
    if fact.asset in book.cash:
        return
    _split_pockets(book, fact)
    _split_sizes(book, fact)
    accounts = _accounts(book, fact.account, fact.asset)
    for those in [accounts] if book.is_pooled else [[account] for account in accounts]:
        _split_place(book, fact, those)


def _split_pockets(book: Book, fact: Split) -> None:
    """Multiply what lies in other places than the main one, which has what is left of the whole."""
    for (account, asset, pocket), quantity in list(book.pockets.items()):
        if asset == fact.asset and fact.account in {"*", account}:
            after = ratio18(quantity, fact.numerator, fact.denominator)
            place_in(book, (account, asset, pocket), after - quantity)


def _split_sizes(book: Book, fact: Split) -> None:
    """Multiply what stands in each pair: it is what is held because of it."""
    for key, cell in list(book.cells.items()):
        if key[1] == fact.asset and fact.account in {"*", key[0]} and cell.size:
            after = ratio18(cell.size, fact.numerator, fact.denominator)
            book.credit(key, Cell(after - cell.size))


def _rename_pool(book: Book, rename: Rename, accounts: Sequence[str]) -> None:
    """Join a whole pool to that of another name; as money it is in each account, at face."""
    old, new = (POOL, canonical(rename.asset)), (POOL, canonical(rename.to_asset))
    moved = book.holdings.get(old)
    if moved is None:
        return
    lots = book.lots(*old)
    book.holdings[old] = Holding(ZERO, ZERO, None if book.is_wac else book.rule.arrange(()))
    for account in accounts:
        quantity = book.owned(account, rename.asset)
        book.balances[account, rename.asset] = ZERO
        if rename.to_asset in book.cash:
            book.acquire(account, rename.to_asset, lot_of(rename, quantity, quantity))
        else:
            there = book.balances.get((account, rename.to_asset), ZERO)
            book.balances[account, rename.to_asset] = there + quantity
    if rename.to_asset in book.cash:
        gained = moved.quantity - moved.cost
        realize(book, _cell(accounts[0], rename.to_asset), gained, "peg")
        return
    joined = book.held(*new)
    book.holdings[new] = Holding(
        joined.quantity + moved.quantity,
        joined.cost + moved.cost,
        None if book.is_wac else book.rule.restore(joined.pool, lots),
        joined.owed + moved.owed,
    )


def _split_place(book: Book, fact: Split, accounts: Sequence[str]) -> None:
    """Multiply the balances of accounts, and with them what is kept in the place they share."""
    key = book.place(accounts[0], fact.asset) if accounts else ("", fact.asset)
    holding = book.holdings.get(key)
    if holding is None:
        return
    lots, others = book.lots(*key), _gross(book, fact.asset, without=accounts)
    part, whole = _growth(book, fact, accounts, others)
    grown = _split_balances(book, fact, accounts)
    if others and not grown:
        return
    firm = tuple(lot for lot in holding.owed if not others or lot.id != AHEAD)
    owed = _scaled(firm, ratio18(units(firm), part, whole))
    quantity = holding.quantity + grown
    stay = there = quantity + units(owed)
    if there <= 0:
        stay = units(lots) if others and total(lots) else ZERO
    if stay > there:
        owed += (Lot(AHEAD, 0, stay - there, ZERO),)
    kept = _scaled(lots, stay) if lots else (lot_of(fact, stay, ZERO),) if stay else ()
    cost = total(kept) - total(owed)
    book.holdings[key] = Holding(
        quantity, cost, None if book.is_wac else book.rule.arrange(kept), owed
    )
    realize(book, _cell(accounts[0], fact.asset), cost - holding.cost, "rounding")


def _growth(
    book: Book, fact: Split, accounts: Sequence[str], others: Decimal
) -> tuple[Decimal, Decimal]:
    """Return by which ratio debts grow: as all balances do, taken without their sign."""
    if not others:
        return fact.numerator, fact.denominator
    own = sum((abs(book.owned(account, fact.asset)) for account in accounts), ZERO)
    return (
        own * fact.numerator + others * fact.denominator,
        (own + others) * fact.denominator,
    )


def _split_balances(book: Book, fact: Split, accounts: Sequence[str]) -> Decimal:
    """Multiply each balance, rounded once, and return by how much all of them grew."""
    grown = ZERO
    for account in accounts:
        held = book.owned(account, fact.asset)
        after = ratio18(held, fact.numerator, fact.denominator)
        grown += after - held
        if book.is_pooled:
            book.balances[account, fact.asset] = after
    return grown


def _scaled(lots: Sequence[Lot], left: Decimal) -> tuple[Lot, ...]:
    """Share units out to lots by size; a lot of no units leaves its cost to others."""
    if not lots:
        return ()
    shares = split(left, [lot.quantity for lot in lots], places=18)
    scaled = [resized(lot, each, lot.cost) for lot, each in zip(lots, shares, strict=True)]
    kept = [lot for lot in scaled if lot.quantity]
    lost = sum((lot.cost for lot in scaled if not lot.quantity), ZERO)
    if kept and lost:
        kept[-1] = resized(kept[-1], kept[-1].quantity, kept[-1].cost + lost)
    return tuple(kept)


def _is_pooled(book: Book, asset: str) -> bool:
    return book.is_pooled and asset not in book.cash


def _accounts(book: Book, account: str, asset: str) -> list[str]:
    """Return the accounts a fact is about: the named one, or for `*` all that had the asset.

    Of a pool, those that have some of it come first.
    """
    if account != "*":
        return [account]
    places = book.balances if _is_pooled(book, asset) else book.holdings
    known = sorted(place for place, held in places if held == asset)
    return sorted(known, key=lambda each: not book.owned(each, asset))


def _gross(book: Book, asset: str, *, without: Sequence[str]) -> Decimal:
    """Add up, without their sign, what else there is of a pool: of others, or by another name."""
    pool, found = canonical(asset), ZERO
    for (account, held), quantity in book.balances.items():
        if canonical(held) == pool and not (held == asset and account in without):
            found += abs(quantity)
    return found


def _cell(account: str, asset: str) -> CellKey:
    return account, asset, NO_PAIR, tag_of(None), ""


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
        cost=holding.cost + total(debts),
        owed=(),
    )
    return debts


def _put_debts(book: Book, account: str, asset: str, debts: tuple[Lot, ...]) -> None:
    if debts and asset in book.cash:  # owed in money: at face, and the proceeds are made
        spent = book.remove(account, asset, Lot("", 0, units(debts), total(debts)))
        realize(book, _cell(account, asset), total(debts) - spent.cost, "peg")
    elif debts:
        holding = book.held(account, asset)
        book.holdings[book.place(account, asset)] = msgspec.structs.replace(
            holding,
            quantity=holding.quantity - units(debts),
            cost=holding.cost - total(debts),
            owed=holding.owed + debts,
        )
