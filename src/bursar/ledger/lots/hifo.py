"""Highest cost first: a leftist heap, immutable, ordered by cost per unit.

Unit costs are compared by cross-multiplication, so no division rounds them together; of equal ones
the earlier lot goes first. Joining two heaps walks their right spines, which are at most log2(n +
1) long: O(log n) worst case per lot added or taken.
"""

from collections.abc import Sequence
from decimal import Decimal

from bursar.ledger.lots.base import COUNT, Lot, Pool, Rule, Take, age, cut, total

_Heap = tuple[int, Lot, "_Heap", "_Heap"] | None


def _arrange(lots: Sequence[Lot]) -> Pool:
    heap: _Heap = None
    for lot in lots:
        heap = _join(heap, (1, lot, None, None))
    return heap


def _add(pool: Pool, lot: Lot) -> Pool:
    return _join(_heap(pool), (1, lot, None, None))


def _take(pool: Pool, quantity: Decimal, _lots: Sequence[str]) -> Take:
    heap = _heap(pool)
    parts: list[Lot] = []
    while quantity:
        assert heap is not None, "more taken than the pool holds"
        _, lot, left, right = heap
        heap = _join(left, right)
        part, rest = cut(lot, quantity)
        if rest is not None:
            heap = _join(heap, (1, rest, None, None))
        parts.append(part)
        quantity -= part.quantity
    return Take(tuple(parts), total(parts), heap)


def _lots(pool: Pool) -> list[Lot]:
    found: list[Lot] = []
    waiting = [_heap(pool)]
    while waiting:
        heap = waiting.pop()
        if heap is not None:
            found.append(heap[1])
            waiting += heap[2:]
    return sorted(found, key=age)


def _join(one: _Heap, other: _Heap) -> _Heap:
    spine: list[tuple[Lot, _Heap]] = []
    while one is not None and other is not None:
        COUNT.steps += 1
        if _before(other[1], one[1]):
            one, other = other, one
        spine.append((one[1], one[2]))
        one = one[3]
    heap = one if other is None else other
    for lot, left in reversed(spine):
        heap = _node(lot, left, heap)
    return heap


def _node(lot: Lot, left: _Heap, right: _Heap) -> _Heap:
    if _rank(left) < _rank(right):
        left, right = right, left
    return _rank(right) + 1, lot, left, right


def _rank(heap: _Heap) -> int:
    return 0 if heap is None else heap[0]


def _before(one: Lot, other: Lot) -> bool:
    ours, theirs = one.cost * other.quantity, other.cost * one.quantity
    if ours != theirs:
        return ours > theirs
    return age(one) < age(other)


def _heap(pool: Pool) -> _Heap:
    return pool if isinstance(pool, tuple) else None


HIFO = Rule("hifo", _arrange, _add, _take, _lots)
