"""What a lot, a pool, a take and a rule are."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, share


class Lot(msgspec.Struct, frozen=True, gc=False):
    """An acquired quantity with its total cost in base currency.

    `id` is the fact that brought it; `venue`, `sequence` and `turn` are that fact's place in
    canonical order among those of its instant.
    """

    id: str
    acquired_at: int
    quantity: Decimal
    cost: Decimal
    venue: str = ""
    sequence: int = 0
    turn: int = 0


Pool = object
"""A rule's own immutable arrangement of lots. Only the rule that made it may read it."""


class Take(msgspec.Struct, frozen=True):
    """What a disposal takes: the parts, their cost, and the pool that is left."""

    parts: tuple[Lot, ...]
    cost: Decimal
    pool: Pool


class Rule(msgspec.Struct, frozen=True):
    """A cost rule as four functions.

    `take(pool, quantity, lots)` needs 0 < quantity ≤ what the pool holds; `lots` names wanted lots
    and only `specific` looks at it. `arrange` builds a pool from lots in acquisition order.
    """

    name: str
    arrange: Callable[[Sequence[Lot]], Pool]
    add: Callable[[Pool, Lot], Pool]
    take: Callable[[Pool, Decimal, Sequence[str]], Take]
    lots: Callable[[Pool], list[Lot]]

    def restore(self, pool: Pool, parts: Iterable[Lot]) -> Pool:
        """Put lots back where they stood by time of acquisition. O(n)."""
        return self.arrange(joined([*self.lots(pool), *parts]))


class Counter:
    """Counts elementary steps on lots, so that a test can check a complexity without a clock."""

    steps = 0


COUNT = Counter()


def joined(lots: Iterable[Lot]) -> list[Lot]:
    """Order lots by acquisition and join the parts of one lot."""
    result: list[Lot] = []
    for lot in sorted(lots, key=age):
        last = result[-1] if result else None
        if last is not None and age(last) == age(lot):
            result[-1] = resized(lot, last.quantity + lot.quantity, last.cost + lot.cost)
        else:
            result.append(lot)
    return result


def cut(lot: Lot, quantity: Decimal) -> tuple[Lot, Lot | None]:
    """Cut `quantity` off a lot: (part, rest), rest `None` if nothing is left."""
    if quantity >= lot.quantity:
        return lot, None
    cost = share(lot.cost, quantity, lot.quantity)
    return resized(lot, quantity, cost), resized(lot, lot.quantity - quantity, lot.cost - cost)


def resized(lot: Lot, quantity: Decimal, cost: Decimal) -> Lot:
    """Return the lot with another quantity and cost."""
    return Lot(lot.id, lot.acquired_at, quantity, cost, lot.venue, lot.sequence, lot.turn)


def age(lot: Lot) -> tuple[int, str, int, int, str]:
    """Return the order of acquisition: the canonical order of the facts that brought the lots."""
    return lot.acquired_at, lot.venue, lot.sequence, lot.turn, lot.id


def units(lots: Iterable[Lot]) -> Decimal:
    """Return the quantity of several lots."""
    quantity = ZERO
    for lot in lots:
        quantity += lot.quantity
    return quantity


def total(parts: Iterable[Lot]) -> Decimal:
    """Return the cost of several lots."""
    cost = ZERO
    for part in parts:
        cost += part.cost
    return cost
