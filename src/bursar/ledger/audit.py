"""The identities of the books, as functions that return what breaks them.

Money identity, without marks: Σ cost of holdings (cash at face, what is owed negative) =
contributed + realised + income − expenses, exactly. It holds for the whole book and, since every
fact keeps it, for what any one commit changed; `changes` checks a fork in time proportional to the
keys it touched.

Shape: base currency and pegs cost their quantity; lots add up to their holding; nothing held costs
nothing; pooled balances add up to their pool.

Errors: none here. The desk turns a breach into `BrokenInvariant` and writes nothing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money, plain
from bursar.ledger.book import POOL, Book, own_changes
from bursar.ledger.entries import INCOME, FlowKind
from bursar.ledger.lots.base import total
from bursar.ledger.state import Cell, FlowTotal, Holding, HoldingKey

_INCOME = frozenset(kind.value for kind in INCOME)


class Breach(msgspec.Struct, frozen=True):
    """One identity that does not hold: its name, where, and by how much."""

    identity: str
    where: str
    off_by: Decimal

    def __str__(self) -> str:
        return f"{self.identity} at {self.where}: off by {plain(self.off_by)}"


class Totals(msgspec.Struct, frozen=True):
    """The two sides of the books, in base currency."""

    cost: Decimal
    contributed: Decimal
    realized: Decimal
    income: Decimal
    expenses: Decimal

    @property
    @money
    def gap(self) -> Decimal:
        """Left side less right side; zero when the books close."""
        return self.cost - (self.contributed + self.realized + self.income - self.expenses)


@money
def totals(book: Book) -> Totals:
    """Sum both sides of the whole book. O(keys)."""
    return _totals(book.holdings.values(), book.cells.values(), book.flows)


@money
def breaches(book: Book) -> list[Breach]:
    """Check the whole book. O(keys and lots)."""
    gap = totals(book).gap
    found = [Breach("money", "the whole book", gap)] if gap else []
    for key, holding in book.holdings.items():
        found += _shape(book, key, holding)
    return found + _pools(book)


@money
def changes(parent: Book, child: Book) -> list[Breach]:
    """Check what a fork changed: the identity between the two, and the shape of what it touched."""
    touched = own_changes(child.holdings)
    gap = (
        _sum(each.cost for each in touched.values())
        - _sum(parent.holdings[key].cost for key in touched if key in parent.holdings)
        - _right(own_changes(child.cells), own_changes(child.flows))
        + _right(
            {key: parent.cells[key] for key in own_changes(child.cells) if key in parent.cells},
            {key: parent.flows[key] for key in own_changes(child.flows) if key in parent.flows},
        )
    )
    found = [Breach("money", "this commit", gap)] if gap else []
    for key, holding in touched.items():
        found += _shape(child, key, holding, lots=False)
    return found


def _totals(
    holdings: Iterable[Holding],
    cells: Iterable[Cell],
    flows: Mapping[tuple[str, str, str, str], FlowTotal],
) -> Totals:
    booked: dict[str, Decimal] = {"capital": ZERO, "income": ZERO, "expense": ZERO}
    for key, flow in flows.items():
        booked[_side(key[1])] += flow.booked
    return Totals(
        _sum(each.cost for each in holdings),
        booked["capital"],
        _sum(cell.realized for cell in cells),
        booked["income"],
        booked["expense"],
    )


def _right(
    cells: Mapping[tuple[str, str, str, str, str], Cell],
    flows: Mapping[tuple[str, str, str, str], FlowTotal],
) -> Decimal:
    sums = _totals((), cells.values(), flows)
    return sums.contributed + sums.realized + sums.income - sums.expenses


def _side(kind: str) -> str:
    if kind in _INCOME:
        return "income"
    return "expense" if kind == FlowKind.FEE.value else "capital"


def _shape(book: Book, key: HoldingKey, holding: Holding, *, lots: bool = True) -> list[Breach]:
    where = "/".join(key)
    if key[1] in book.cash:
        off = holding.cost - holding.quantity
        return [Breach("face", where, off)] if off else []
    found = []
    debt = _sum(lot.quantity for lot in holding.owed)
    there, cost = holding.quantity + debt, holding.cost + total(holding.owed)
    if there < 0:
        found.append(Breach("quantity", where, there))
    if not there and cost:
        found.append(Breach("empty holding with cost", where, cost))
    if lots and not book.is_wac:
        kept = book.rule.lots(holding.pool)
        units, worth = _sum(lot.quantity for lot in kept), total(kept)
        if units != there or worth != cost:
            found.append(Breach("lots", where, units - there or worth - cost))
    return found


def _pools(book: Book) -> list[Breach]:
    if not book.is_pooled:
        return []
    spread: dict[str, Decimal] = {}
    for (_, asset), quantity in book.balances.items():
        spread[asset] = spread.get(asset, ZERO) + quantity
    found = []
    for (place, asset), holding in book.holdings.items():
        off = holding.quantity - spread.get(asset, ZERO)
        if place == POOL and off:
            found.append(Breach("pooled balances", asset, off))
    return found


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)
