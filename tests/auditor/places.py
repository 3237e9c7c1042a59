"""Lots, places and debts of the naive bookkeeper, and the two roundings that the decisions name."""

from fractions import Fraction

ATOM = Fraction(1, 10**18)


def half_even(x):
    return round(x / ATOM) * ATOM


def exact(x):
    return Fraction(0) if x is None else Fraction(x)


def part_of(cost, taken, held):
    return cost if taken == held else min(half_even(cost * taken / held), cost)


class Lot:
    """What one fact brought into one place. `born` counts acquisitions in canonical order."""

    def __init__(self, born, name, quantity, cost):
        self.born, self.name, self.quantity, self.cost = born, name, quantity, cost

    def cut(self, quantity):
        """Cut off a part and return it; the rest stays here."""
        if quantity >= self.quantity:
            whole = Lot(self.born, self.name, self.quantity, self.cost)
            self.quantity = self.cost = Fraction(0)
            return whole
        cost = part_of(self.cost, quantity, self.quantity)
        self.quantity -= quantity
        self.cost -= cost
        return Lot(self.born, self.name, quantity, cost)


class Place:
    """Lots of one asset in one account (or the pool), and what was sold without being there."""

    def __init__(self):
        self.lots = []
        self.debts = []
        self.face = Fraction(0)  # only for cash

    @property
    def quantity(self):
        held = sum((lot.quantity for lot in self.lots), self.face)
        return held - sum(lot.quantity for lot in self.debts)

    @property
    def cost(self):
        held = sum((lot.cost for lot in self.lots), self.face)
        return held - sum(lot.cost for lot in self.debts)


class Taken:
    """What a disposal took: parts of lots, what was missing, and the proceeds waiting for it."""

    def __init__(self, parts, debt, cash=0):
        self.parts, self.debt, self.cash = parts, debt, Fraction(cash)
        self.cost = sum((part.cost for part in parts), self.cash)
        self.missing = debt.quantity if debt else Fraction(0)
        self.deferred = debt.cost if debt else Fraction(0)


def shares(total, weights):
    """Split atoms by weights: cut down, then one more to each of the largest remainders.

    What is finer than an atom in the total goes where the first of those went.
    """
    whole = sum(weights)
    raw = [total * weight / whole for weight in weights]
    cut = [each // ATOM * ATOM for each in raw]
    atoms = (total - sum(cut)) / ATOM
    order = sorted(range(len(raw)), key=lambda i: (cut[i] - raw[i], i))
    for i in order[: int(atoms)]:
        cut[i] += ATOM
    cut[order[0]] += total - sum(cut)
    return cut
