"""First in, first out: a queue as two stacks, so that a pool can be shared and never copied.

`front` holds the oldest lots, next one outermost; `back` holds the newest, last one outermost.
When the front is empty the back is turned over. Each lot is turned over once: O(1) amortised.
"""

from collections.abc import Sequence
from decimal import Decimal

from bursar.ledger.lots.base import COUNT, Lot, Pool, Rule, Take, cut, total

_Stack = tuple[Lot, "_Stack"] | None
_Queue = tuple[_Stack, _Stack]


def _arrange(lots: Sequence[Lot]) -> Pool:
    front: _Stack = None
    for lot in reversed(lots):
        front = (lot, front)
    return front, None


def _add(pool: Pool, lot: Lot) -> Pool:
    front, back = _queue(pool)
    COUNT.steps += 1
    return front, (lot, back)


def _take(pool: Pool, quantity: Decimal, _lots: Sequence[str]) -> Take:
    front, back = _queue(pool)
    parts: list[Lot] = []
    while quantity:
        if front is None:
            front, back = _turned(back), None
        assert front is not None, "more taken than the pool holds"
        lot, front = front
        part, rest = cut(lot, quantity)
        if rest is not None:
            front = (rest, front)
        parts.append(part)
        quantity -= part.quantity
        COUNT.steps += 1
    return Take(tuple(parts), total(parts), (front, back))


def _lots(pool: Pool) -> list[Lot]:
    front, back = _queue(pool)
    return _unwound(front) + _unwound(back)[::-1]


def _queue(pool: Pool) -> _Queue:
    return pool if isinstance(pool, tuple) else (None, None)


def _turned(back: _Stack) -> _Stack:
    front: _Stack = None
    while back is not None:
        lot, back = back
        front = (lot, front)
        COUNT.steps += 1
    return front


def _unwound(stack: _Stack) -> list[Lot]:
    lots: list[Lot] = []
    while stack is not None:
        lot, stack = stack
        lots.append(lot)
    return lots


FIFO = Rule("fifo", _arrange, _add, _take, _lots)
