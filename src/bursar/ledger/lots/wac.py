"""Weighted average cost: the pool is one lot whose quantity and total cost are all there is.

Its id and time are those of the first acquisition since the pool was last empty. The book keeps a
pool of this rule in its own two numbers and comes here only for what is not an ordinary fill.
"""

from collections.abc import Sequence
from decimal import Decimal

from bursar.ledger.lots.base import COUNT, Lot, Pool, Rule, Take, cut, resized


def _arrange(lots: Sequence[Lot]) -> Pool:
    pool: Pool = None
    for lot in lots:
        pool = _add(pool, lot)
    return pool


def _add(pool: Pool, lot: Lot) -> Pool:
    COUNT.steps += 1
    if not isinstance(pool, Lot):
        return lot
    return resized(pool, pool.quantity + lot.quantity, pool.cost + lot.cost)


def _take(pool: Pool, quantity: Decimal, _lots: Sequence[str]) -> Take:
    COUNT.steps += 1
    assert isinstance(pool, Lot), "more taken than the pool holds"
    part, rest = cut(pool, quantity)
    return Take((part,), part.cost, rest)


def _lots(pool: Pool) -> list[Lot]:
    return [pool] if isinstance(pool, Lot) else []


WAC = Rule("wac", _arrange, _add, _take, _lots)
