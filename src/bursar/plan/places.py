"""In which accounts the lines of a plan would be executed.

A snapshot that says by account what is `free` is obeyed: a sale takes coins from where they are
free and a purchase spends money where it is free, and an account that the snapshot does not name
has neither. A plan over one venue is so executed there. Where a snapshot does not say, all that an
account of the book holds counts as free. Accounts follow by name for a sale, and the one with the
most money first for a purchase.

What no account has free is sold short, if the line wants that, by the first account that may, and
what is owed is bought where it is owed. Money that is nowhere is owed where a purchase began: plans
spend none, but what was free as the plan was made may be gone by now.

Errors: `Oversold` where the accounts have less free in the book than the plan sells.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from bursar.errors import Oversold
from bursar.exact import ZERO
from bursar.ledger.book import POOL, Book
from bursar.ledger.names import known_as, names_of
from bursar.plan.holdings import HoldingsSnapshot
from bursar.plan.items import PlanItem
from bursar.plan.reasons import Action

_NOWHERE: Final = "manual:main"
Share = tuple[str, Decimal]
"""An account and what of a line falls to it: units of a sale, money of a purchase."""


class Places:
    """What may be sold and spent in each account, while a plan is executed on forks of a book."""

    def __init__(self, holdings: HoldingsSnapshot, book: Book) -> None:
        self._free, self._base = holdings.free, holdings.base
        self._accounts = sorted(_accounts(book) | self._free.keys())
        self._bound = {
            account: max(cash - self._free[account].get(self._base, ZERO), ZERO)
            for account, cash in _cash(book).items()
            if account in self._free
        }

    def shares(self, book: Book, item: PlanItem) -> list[Share]:
        """Return which accounts trade how much of a line, on the book as it is by now."""
        return self._sold(book, item) if item.action is Action.SELL else self._bought(book, item)

    def _sold(self, book: Book, item: PlanItem) -> list[Share]:
        there = {account: self._there(book, account, item.symbol) for account in self._accounts}
        shares, left = _taken(there, self._accounts, -item.quantity)
        shorting = next((account for account in self._accounts if account in book.shorts), None)
        if left and (item.target_weight >= ZERO or shorting is None):
            raise Oversold(self._said(item, there), asset=item.symbol)
        if left and shorting is not None:
            shares[shorting] = shares.get(shorting, ZERO) + left
        return list(shares.items())

    def _there(self, book: Book, account: str, symbol: str) -> Decimal:
        """Return what an account may sell: what it has, and no more than is free."""
        owned = max(_owned(book, account, symbol), ZERO)
        if not self._free:
            return owned
        return min(owned, self._free.get(account, {}).get(symbol, ZERO))

    def _said(self, item: PlanItem, there: Mapping[str, Decimal]) -> str:
        symbol, sold, has = item.symbol, f"{-item.quantity:f}", sum(there.values(), ZERO)
        if not self._free:
            return f"the book holds {has:f} {symbol}; the plan sells {sold}"
        where = ", ".join(f"{account} {free:f}" for account, free in there.items() if free)
        return (
            f"of {symbol}, {has:f} are free in the book where the plan sells them"
            f" ({where or 'nowhere'}); it sells {sold}"
        )

    def _bought(self, book: Book, item: PlanItem) -> list[Share]:
        cash = {name: each - self._bound.get(name, ZERO) for name, each in _cash(book).items()}
        if self._free:
            cash = {account: cash.get(account, ZERO) for account in self._free}
        order = sorted(cash, key=lambda account: (-cash[account], account)) or [_NOWHERE]
        owing = [name for name in self._accounts if _owned(book, name, item.symbol) < ZERO]
        if owing:
            return [(owing[0], item.trade_amount)]
        shares, left = _taken(cash, order, item.trade_amount + item.fee)
        if left:
            shares[order[0]] = shares.get(order[0], ZERO) + left
        return list(shares.items())


def _taken(
    there: Mapping[str, Decimal], order: Iterable[str], wanted: Decimal
) -> tuple[dict[str, Decimal], Decimal]:
    """Take what is wanted from one account after the other; return the parts, and what is left."""
    parts: dict[str, Decimal] = {}
    for account in order:
        part = min(max(there.get(account, ZERO), ZERO), wanted)
        if part:
            parts[account] = part
            wanted -= part
    return parts, wanted


def name_in(book: Book, account: str, symbol: str) -> str:
    """Return what an account calls a coin: of all its names the one it has most of, if any.

    Lots may be everybody's; the coins themselves lie in an account, under that account's name.
    """
    name, there = _found(book, account, symbol)
    return name if there else known_as(symbol, account, book.spellings)


def _owned(book: Book, account: str, symbol: str) -> Decimal:
    return _found(book, account, symbol)[1]


def _found(book: Book, account: str, symbol: str) -> tuple[str, Decimal]:
    """Return the name under which an account has most of a coin, or owes most, and how much."""
    there = [(name, book.owned(account, name)) for name in sorted(names_of(symbol))]
    return max(there, key=lambda each: abs(each[1]))


def _accounts(book: Book) -> set[str]:
    found = {place for place, _ in book.holdings} | {place for place, _ in book.balances}
    return (found | book.shorts) - {POOL}


def _cash(book: Book) -> dict[str, Decimal]:
    """Return the money of each account: base currency and its pegs."""
    cash: dict[str, Decimal] = {}
    for (place, asset), holding in book.holdings.items():
        if asset in book.cash:
            cash[place] = cash.get(place, ZERO) + holding.quantity
    return cash
