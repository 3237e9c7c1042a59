"""What staged deltas bring a book to at given marks, added up without folding anything.

An asset is worth its quantity over all accounts on its way to base currency, rounded once; so a
change of one quantity changes one worth. Nothing here knows of lots or costs.

Invariants
- What `after` answers is the equity, cash and marks of `value_book` on the folded book.
- What cannot be told by adding up is `None`: what is owed or leveraged, a sale of more than is
  there, an asset that no mark prices.

Errors: none. `now`, `after` and `go` are to be called inside the money context.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger.book import POOL, Book
from bursar.ledger.names import ALIASES, known_as
from bursar.ledger.state import HoldingKey
from bursar.value.convert import Missing, Path, convert, find_path
from bursar.value.marks import Marks


class Come(msgspec.Struct, frozen=True, gc=False):
    """What a change comes to: equity, its cash, the marks that count; and what it changes."""

    total: Decimal
    cash: Decimal
    used: Mapping[str, Decimal]
    changed: Mapping[str, tuple[Decimal, Decimal]]


class Sums:
    """Quantities of a book, and their worth at the marks of the last question."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.is_plain = _is_plain(book)
        self.moved: dict[HoldingKey, Decimal] = {}
        self._money = frozenset(ALIASES.get(each, each) for each in book.cash)
        self._quantities = _quantities(book)
        self._places = dict.fromkeys(book.spellings)
        self._named: dict[tuple[str, str], str] = {}
        self._come: Come | None = None
        self._marks: Marks | None = None
        self._paths: dict[str, Path | Missing] = {}
        self._values: dict[str, Decimal] = {}

    def asset(self, name: str, account: str) -> str:
        """Return the name that an account, or else the book, has for an asset."""
        known = self._named.get((name, account))
        if known is None:
            known = known_as(name, account, self._places)
            self._named[name, account] = known
        return known

    def path(self, asset: str, marks: Marks) -> Path | Missing:
        """Return the way from an asset to base currency at these marks."""
        if marks is not self._marks:
            self._marks, self._paths, self._come = marks, {}, None
        path = self._paths.get(asset)
        if path is None:
            terms = self.book.terms
            path = find_path(asset, terms.base, marks=marks, cash=self.book.cash)
            self._paths[asset] = path
        return path

    def now(self, marks: Marks) -> Come | None:
        """Return what the book comes to as it is."""
        if marks is not self._marks or self._come is None:
            self._come = self._started(marks)
        return self._come

    def after(self, account: str, moves: Mapping[str, Decimal], marks: Marks) -> Come | None:
        """Return what the book comes to once quantities have changed in an account."""
        now = self.now(marks)
        if now is None:
            return None
        total, cash, is_same = now.total, now.cash, True
        changed: dict[str, tuple[Decimal, Decimal]] = {}
        for asset, move in moves.items():
            if move < 0 and asset not in self.book.cash and not self._has(account, asset, -move):
                return None
            name = ALIASES.get(asset, asset)
            old, worth = changed.get(name) or (
                self._quantities.get(name, ZERO),
                self._values.get(name, ZERO),
            )
            path = self.path(name, marks)
            new = old + move
            if isinstance(path, Missing):
                return None
            value = convert(new, path)
            changed[name] = new, value
            total += value - worth
            if name in self._money:
                cash += value - worth
            is_same = is_same and bool(old) is bool(new)
        used = now.used if is_same else self._used(changed)
        return Come(total, cash, used, changed)

    def places(self, account: str, moves: Mapping[str, Decimal]) -> dict[HoldingKey, Decimal]:
        """Return the same moves by where the lots lie."""
        found: dict[HoldingKey, Decimal] = {}
        for asset, move in moves.items():
            place = self.book.place(account, asset)
            found[place] = found.get(place, ZERO) + move
        return found

    def go(self, account: str, moves: Mapping[str, Decimal], come: Come) -> None:
        """Go on from there."""
        for asset, move in moves.items():
            place = self.book.place(account, asset)
            self.moved[place] = self.moved.get(place, ZERO) + move
            if (account, asset) not in self._places:
                self._places[account, asset] = None
                self._named = {}
        for name, (quantity, value) in come.changed.items():
            self._quantities[name], self._values[name] = quantity, value
        self._come = come

    def _started(self, marks: Marks) -> Come | None:
        """Value everything."""
        total = cash = ZERO
        self._values = {}
        for name, quantity in self._quantities.items():
            path = self.path(name, marks)
            if isinstance(path, Missing):
                if quantity:
                    return None
                continue
            value = self._values[name] = convert(quantity, path)
            total += value
            if name in self._money:
                cash += value
        return Come(total, cash, self._used({}), {})

    def _used(self, changed: Mapping[str, tuple[Decimal, Decimal]]) -> dict[str, Decimal]:
        """Return the prices that what is held rests on."""
        quantities = self._quantities | {name: each[0] for name, each in changed.items()}
        paths = (self._paths[name] for name, quantity in quantities.items() if quantity)
        used = {m.pair: m.price for p in paths if isinstance(p, Path) for m in p.marks}
        return dict(sorted(used.items()))

    def _has(self, account: str, asset: str, quantity: Decimal) -> bool:
        moved = self.moved.get(self.book.place(account, asset), ZERO)
        return self.book.available(account, asset) + moved >= quantity


def _is_plain(book: Book) -> bool:
    """Tell whether nothing in a book is pooled, owed, leveraged, or gone with a cost left."""
    if book.is_pooled:
        return False
    if any(margin.quantity for margin in book.margins.values()):
        return False
    return not any(
        each.owed or (each.cost and not each.quantity) for each in book.holdings.values()
    )


@money
def _quantities(book: Book) -> dict[str, Decimal]:
    """Return what there is of each asset, by its one name, as valuations count it."""
    held = [(asset, each.quantity) for (at, asset), each in book.holdings.items() if at != POOL]
    pooled = ((asset, q) for (_, asset), q in book.balances.items() if asset not in book.cash)
    sums: dict[str, Decimal] = {}
    for asset, quantity in (*held, *pooled):
        name = ALIASES.get(asset, asset)
        sums[name] = sums.get(name, ZERO) + quantity
    return sums
