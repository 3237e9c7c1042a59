"""What the naive bookkeeper says of openings: there are enough of them, and none is too large.

He looks at every balance after every fact. Where an account's history may begin late, none goes
below zero but that of a name which a rename had emptied (or what became of such a debt). And an
opening is too large if, wherever renames carried it, there was always something left.

Where a venue states balances an opening may be larger; lots that are set by hand are no part of
this.
"""

from fractions import Fraction

from tests.auditor.places import exact

NEAR = Fraction(1, 10**12)


class Founding:
    def __init__(self, auditor, opens):
        self.auditor, self.opens = auditor, opens
        self.begun, self.everywhere, self.emptied, self.apart = set(), set(), set(), set()
        self.where, self.units, self.least = {}, {}, {}
        self.faults = []

    def read(self, facts):
        for fact in facts:
            self.auditor.read([fact])
            kind = type(fact).__name__
            if kind == "CashFlow" and fact.kind.value == "opening" and not fact.rows:
                self.open(fact)
            elif fact.account != "*":
                self.begin(fact, {fact.account, getattr(fact, "to_account", fact.account)})
            if kind == "Rename" and fact.quantity is None:
                self.rename(fact)
            elif kind == "Split":
                self.split(fact)
            elif kind == "StagedChange":
                self.apart |= {(fact.account, lot.asset) for lot in fact.lots}
            self.look(fact)
        return self

    def begin(self, fact, accounts):
        """What was renamed everywhere in the instant of a first fact came after the openings."""
        for account in accounts - self.begun:
            for at, asset in self.everywhere:
                if at == fact.executed_at:
                    self.emptied.add((account, asset))
        self.begun |= accounts

    def open(self, fact):
        if fact.pocket is None:
            place = (fact.account, fact.asset)
            self.where[fact.id] = place
            self.units[fact.id] = exact(fact.amount)
            self.least[fact.id] = None

    def rename(self, fact):
        if fact.account == "*":
            self.everywhere.add((fact.executed_at, fact.asset))
        for account in self.begun if fact.account == "*" else (fact.account,):
            old, new = (account, fact.asset), (account, fact.to_asset)
            if old in self.emptied and self.auditor.stock.balances[new] < 0:
                self.emptied.add(new)
            if old in self.apart:
                self.apart.add(new)
            self.emptied.add(old)
            for name, place in self.where.items():
                if place == old:
                    self.where[name] = new

    def split(self, fact):
        factor = exact(fact.numerator) / exact(fact.denominator)
        for name, (account, asset) in self.where.items():
            if asset == fact.asset and fact.account in {"*", account}:
                self.units[name] *= factor
                if self.least[name] is not None:
                    self.least[name] *= factor

    def look(self, fact):
        balances = self.auditor.stock.balances
        for place, units in balances.items():
            is_founded = self.opens(place[0]) and place not in self.emptied | self.apart
            if units < -NEAR and is_founded and place[1] not in self.auditor.cash:
                self.faults.append(("below zero", fact.id, place, units))
        for name, place in self.where.items():
            left = balances[place]
            known = self.least[name]
            self.least[name] = left if known is None else min(known, left)

    def too_large(self, stated):
        """Yield the openings of which some could be left out, of assets without balances."""
        for name, least in self.least.items():
            place = self.where[name]
            if least > NEAR and place not in stated and place not in self.apart:
                yield ("too large", name, place, least)
