"""The identities of the books, as functions that return what breaks them.

Money identity, without marks: Σ cost of holdings (cash at face, what is owed negative) =
contributed + realised + income − expenses, exactly. It holds for the whole book and, since every
fact keeps it, for what any one commit changed; `changes` checks a fork in time proportional to the
keys it touched.

Shape: base currency and pegs cost their quantity; lots add up to their holding; nothing held costs
nothing; pooled balances add up to their pool.

Errors: none here. The desk turns a breach into `BrokenInvariant` and writes nothing.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.exact import ZERO, money, plain
from bursar.ledger.book import POOL, Book, own_changes
from bursar.ledger.entries import CAPITAL, EXPENSE, INCOME
from bursar.ledger.lots.base import total, units
from bursar.ledger.state import Holding, HoldingKey


class Side(Enum):
    """What a flow is in the books."""

    CAPITAL = "capital"
    INCOME = "income"
    EXPENSE = "expense"


SIDES: Final[Mapping[str, Side]] = MappingProxyType(
    {
        kind.value: side
        for side, kinds in (
            (Side.CAPITAL, CAPITAL),
            (Side.INCOME, INCOME),
            (Side.EXPENSE, EXPENSE),
        )
        for kind in kinds
    }
)
"""The side of each kind of flow, by its name."""


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
    def made(self) -> Decimal:
        """What came of the capital: realised + income − expenses."""
        return self.realized + self.income - self.expenses

    @property
    @money
    def gap(self) -> Decimal:
        """Left side less right side; zero when the books close."""
        return self.cost - (self.contributed + self.made)


@money
def totals(book: Book) -> Totals:
    """Sum both sides of the whole book. O(keys)."""
    booked = dict.fromkeys(Side, ZERO)
    for key, flow in book.flows.items():
        booked[SIDES[key[1]]] += flow.booked
    return Totals(
        sum((each.cost for each in book.holdings.values()), ZERO),
        booked[Side.CAPITAL],
        sum((cell.realized for cell in book.cells.values()), ZERO),
        booked[Side.INCOME],
        booked[Side.EXPENSE],
    )


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
    gap, found = ZERO, []
    for place, holding in own_changes(child.holdings).items():
        held = parent.holdings.get(place)
        gap += holding.cost if held is None else holding.cost - held.cost
        found += _shape(child, place, holding, lots=False)
    for key, cell in own_changes(child.cells).items():
        made = parent.cells.get(key)
        gap -= cell.realized if made is None else cell.realized - made.realized
    for kind, flow in own_changes(child.flows).items():
        known = parent.flows.get(kind)
        moved = flow.booked if known is None else flow.booked - known.booked
        gap += moved if SIDES[kind[1]] is Side.EXPENSE else -moved
    return [Breach("money", "this commit", gap), *found] if gap else found


def _shape(book: Book, key: HoldingKey, holding: Holding, *, lots: bool = True) -> list[Breach]:
    where = "/".join(key)
    if key[1] in book.cash:
        off = holding.cost - holding.quantity
        return [Breach("face", where, off)] if off else []
    found = []
    there, cost = holding.quantity + units(holding.owed), holding.cost + total(holding.owed)
    if there < 0:
        found.append(Breach("quantity", where, there))
    if not there and cost:
        found.append(Breach("empty holding with cost", where, cost))
    if lots and not book.is_wac:
        kept = book.rule.lots(holding.pool)
        quantity, worth = units(kept), total(kept)
        if quantity != there or worth != cost:
            found.append(Breach("lots", where, quantity - there or worth - cost))
    return found


def _pools(book: Book) -> list[Breach]:
    if not book.is_pooled:
        return []
    spread: dict[str, Decimal] = {}
    for (account, asset), quantity in book.balances.items():
        name = book.place(account, asset)[1]
        spread[name] = spread.get(name, ZERO) + quantity
    found = []
    for (place, asset), holding in book.holdings.items():
        off = holding.quantity - spread.get(asset, ZERO)
        if place == POOL and off:
            found.append(Breach("pooled balances", asset, off))
    return found
