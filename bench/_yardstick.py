"""The yardstick: what the arithmetic alone costs, in plain dicts and nothing else.

The same decimals are added, multiplied and rounded by the same rule as in the book, on the same
records. What bursar takes beyond this is what makes it a ledger.
"""

from collections import deque
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from _fills import Run

from bursar.ledger.entries import Fill, Side

_ZERO, _ATOM = Decimal(0), Decimal("1e-18")
_CONTEXT = Context(prec=100, rounding=ROUND_HALF_EVEN, traps=[])


def average() -> Run:
    """Weighted average cost: quantity, cost and realised PnL per coin, fees and cash in all."""
    held: dict[str, list[Decimal]] = {}
    sums = [_ZERO, _ZERO]

    def take(fills: list[Fill]) -> None:
        with localcontext(_CONTEXT):
            for fill in fills:
                quantity, value, fee = fill.quantity, fill.value or _ZERO, fill.fees[0].amount
                state = held.setdefault(fill.base, [_ZERO, _ZERO, _ZERO])
                if fill.side is Side.BUY:
                    state[0] += quantity
                    state[1] += value
                    state[2] -= fee
                    sums[0] -= value + fee
                else:
                    cost = state[1]
                    if quantity != state[0]:
                        cost = (cost * quantity / state[0]).quantize(_ATOM)
                    state[0] -= quantity
                    state[1] -= cost
                    state[2] += value - cost - fee
                    sums[0] += value - fee
                sums[1] += fee

    return Run(list, take, lambda: _total([state[2] for state in held.values()]))


def queue() -> Run:
    """First in, first out: a queue of lots per coin."""
    held: dict[str, deque[tuple[Decimal, Decimal]]] = {}
    sums = [_ZERO, _ZERO, _ZERO]

    def take(fills: list[Fill]) -> None:
        with localcontext(_CONTEXT):
            for fill in fills:
                quantity, value, fee = fill.quantity, fill.value or _ZERO, fill.fees[0].amount
                lots = held.setdefault(fill.base, deque())
                sums[2] += fee
                if fill.side is Side.BUY:
                    lots.append((quantity, value))
                    sums[0] -= value + fee
                    sums[1] -= fee
                else:
                    sums[0] += value - fee
                    sums[1] += value - fee - _cost(lots, quantity)

    return Run(list, take, lambda: sums[1])


def _cost(lots: deque[tuple[Decimal, Decimal]], quantity: Decimal) -> Decimal:
    taken = _ZERO
    while quantity:
        size, cost = lots.popleft()
        if quantity < size:
            part = (cost * quantity / size).quantize(_ATOM)
            lots.appendleft((size - quantity, cost - part))
            return taken + part
        quantity -= size
        taken += cost
    return taken


def _total(numbers: list[Decimal]) -> Decimal:
    with localcontext(_CONTEXT):
        return sum(numbers, _ZERO)
