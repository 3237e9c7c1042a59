"""Following lots: what a fact changed about them, without looking at those that it left alone.

The cost rule of a book is a record of functions, so a rule can be wrapped: it does what it did, and
its pools keep a log of what was added and taken. Reading the log costs as much as was changed. Only
where a pool was arranged anew (coins moved, were split or given back) are all of its lots compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from bursar.exact import ZERO
from bursar.ledger.lots import Lot, Pool, Rule, Take
from bursar.ledger.lots.base import age

Age = tuple[int, str, int, int, str]
"""What a lot is known by: its acquisition's place in canonical order."""


class Stake(msgspec.Struct, frozen=True):
    """How much of a lot there is, and what that cost."""

    units: Decimal = ZERO
    cost: Decimal = ZERO

    def plus(self, units: Decimal, cost: Decimal) -> "Stake":
        """Return the stake with that much more, or less."""
        return Stake(self.units + units, self.cost + cost)


class _Step(msgspec.Struct, frozen=True):
    """One change of a pool; `is_start` where all of its lots were arranged anew."""

    parts: tuple[Lot, ...]
    sign: int
    before: "_Step | None"
    is_start: bool = False


class _Logged(msgspec.Struct, frozen=True):
    """A pool of the rule, and what was done to it since it was last `forgotten`."""

    pool: Pool
    last: _Step | None


def followed(rule: Rule) -> Rule:
    """Return a rule that does the same and keeps a log in its pools."""

    def add(pool: Pool, lot: Lot) -> Pool:
        known = _logged(pool)
        return _Logged(rule.add(known.pool, lot), _Step((lot,), 1, known.last))

    def take(pool: Pool, quantity: Decimal, lots: Sequence[str]) -> Take:
        known = _logged(pool)
        taken = rule.take(known.pool, quantity, lots)
        left = _Logged(taken.pool, _Step(taken.parts, -1, known.last))
        return Take(taken.parts, taken.cost, left)

    def arrange(lots: Sequence[Lot]) -> Pool:
        return _Logged(rule.arrange(lots), _Step((), 1, None, is_start=True))

    def lots(pool: Pool) -> list[Lot]:
        return rule.lots(_logged(pool).pool)

    return Rule(rule.name, arrange, add, take, lots)


def forgotten(pool: Pool) -> Pool:
    """Return a pool without its log."""
    return _Logged(_logged(pool).pool, None)


def logged(pool: Pool) -> Mapping[Age, Stake] | None:
    """Return what was added to each lot since the log began; `None` if all was arranged anew."""
    changed: dict[Age, Stake] = {}
    step = _logged(pool).last
    while step is not None:
        if step.is_start:
            return None
        for lot in step.parts:
            known = changed.get(age(lot), Stake())
            changed[age(lot)] = known.plus(step.sign * lot.quantity, step.sign * lot.cost)
        step = step.before
    return changed


def stakes(lots: Iterable[Lot]) -> dict[Age, Stake]:
    """Return what there is of each lot; those of one age count as one."""
    found: dict[Age, Stake] = {}
    for lot in lots:
        found[age(lot)] = found.get(age(lot), Stake()).plus(lot.quantity, lot.cost)
    return found


def _logged(pool: Pool) -> _Logged:
    return pool if isinstance(pool, _Logged) else _Logged(pool, None)
