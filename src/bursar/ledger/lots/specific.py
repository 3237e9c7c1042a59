"""Specific identification: a sale names its lots; the rest goes first in, first out."""

from collections.abc import Sequence
from decimal import Decimal

from bursar.ledger.lots.base import COUNT, Lot, Pool, Rule, Take, cut, total


def _arrange(lots: Sequence[Lot]) -> Pool:
    return tuple(lots)


def _add(pool: Pool, lot: Lot) -> Pool:
    COUNT.steps += 1
    return (*_held(pool), lot)


def _take(pool: Pool, quantity: Decimal, lots: Sequence[str]) -> Take:
    held = _held(pool)
    wanted = {name: place for place, name in enumerate(lots)}
    order = sorted(range(len(held)), key=lambda i: (wanted.get(held[i].id, len(wanted)), i))
    left: dict[int, Lot | None] = {}
    parts: list[Lot] = []
    for i in order:
        if not quantity:
            break
        part, left[i] = cut(held[i], quantity)
        parts.append(part)
        quantity -= part.quantity
        COUNT.steps += 1
    assert not quantity, "more taken than the pool holds"
    rest = (left.get(i, lot) for i, lot in enumerate(held))
    return Take(tuple(parts), total(parts), tuple(lot for lot in rest if lot is not None))


def _lots(pool: Pool) -> list[Lot]:
    return list(_held(pool))


def _held(pool: Pool) -> tuple[Lot, ...]:
    return pool if isinstance(pool, tuple) else ()


SPECIFIC = Rule("specific", _arrange, _add, _take, _lots)
