"""Last in, first out: a stack of nested pairs, newest lot outermost. O(1) per lot touched."""

from collections.abc import Sequence
from decimal import Decimal

from bursar.ledger.lots.base import COUNT, Lot, Pool, Rule, Take, cut, total

_Stack = tuple[Lot, "_Stack"] | None


def _arrange(lots: Sequence[Lot]) -> Pool:
    stack: _Stack = None
    for lot in lots:
        stack = (lot, stack)
    return stack


def _add(pool: Pool, lot: Lot) -> Pool:
    COUNT.steps += 1
    return (lot, pool)


def _take(pool: Pool, quantity: Decimal, _lots: Sequence[str]) -> Take:
    stack = _stack(pool)
    parts: list[Lot] = []
    while quantity:
        assert stack is not None, "more taken than the pool holds"
        lot, stack = stack
        part, rest = cut(lot, quantity)
        if rest is not None:
            stack = (rest, stack)
        parts.append(part)
        quantity -= part.quantity
        COUNT.steps += 1
    return Take(tuple(parts), total(parts), stack)


def _lots(pool: Pool) -> list[Lot]:
    stack, lots = _stack(pool), []
    while stack is not None:
        lot, stack = stack
        lots.append(lot)
    return lots[::-1]


def _stack(pool: Pool) -> _Stack:
    return pool if isinstance(pool, tuple) else None


LIFO = Rule("lifo", _arrange, _add, _take, _lots)
