"""The naive bookkeeper's stock: every place with its lots and debts, searched anew each time."""

from collections import defaultdict
from fractions import Fraction

from tests.auditor.places import Lot, Place, Taken, exact

ONE_NAME = {"BTC": "XBT"}  # of a coin in a pool


class Stock:
    def __init__(self, *, cash, method, pooled, shorts):
        self.cash, self.method = set(cash), method
        self.pooled, self.shorts = pooled, set(shorts)
        self.places = defaultdict(Place)
        self.balances = defaultdict(Fraction)

    def place(self, account, asset):
        if self.pooled and asset not in self.cash:
            return self.places["*", ONE_NAME.get(asset, asset)]
        return self.places[account, asset]

    def put(self, where, lots):
        """Bring lots in; what they settle of a debt is realised. Returns what was realised."""
        account, asset = where
        place = self.place(account, asset)
        self.balances[where] += sum(lot.quantity for lot in lots)
        if asset in self.cash:
            gain = sum((lot.quantity - lot.cost for lot in lots), Fraction(0))
            place.face += sum(lot.quantity for lot in lots)
            return gain
        gain = Fraction(0)
        for lot in lots:
            if not lot.quantity:
                gain -= lot.cost
                continue
            gain += self.cover(account, place, lot)
            if lot.quantity:
                self.join(place, lot)
        return gain

    def cover(self, account, place, lot):
        gain = Fraction(0)
        while account in self.shorts and place.debts and lot.quantity:
            closed = place.debts[0].cut(lot.quantity)
            spent = lot.cut(closed.quantity)
            gain += closed.cost - spent.cost
            if not place.debts[0].quantity:
                place.debts.pop(0)
        return gain

    def join(self, place, lot):
        if self.method == "wac" and place.lots:
            place.lots[0].quantity += lot.quantity
            place.lots[0].cost += lot.cost
            return
        for known in place.lots:
            if known.name == lot.name:
                known.quantity += lot.quantity
                known.cost += lot.cost
                return
        place.lots.append(Lot(lot.born, lot.name, lot.quantity, lot.cost))
        place.lots.sort(key=lambda each: each.born)

    def take(self, fact, where, quantity, proceeds=0, *, named=(), own=False):
        """Take out by the rule. What is not there becomes a debt at its share of the proceeds."""
        place, quantity = self.place(*where), exact(quantity)
        self.balances[where] -= quantity
        if where[1] in self.cash:
            place.face -= quantity
            return Taken([], None, quantity)
        parts, missing = [], quantity
        for lot in self.ordered(place.lots, named, own=own):
            if missing:
                parts.append(lot.cut(missing))
                missing -= parts[-1].quantity
        place.lots = [lot for lot in place.lots if lot.quantity]
        if not missing:
            return Taken(parts, None)
        owed = Lot(0, fact.id, quantity, exact(proceeds)).cut(missing)
        place.debts.append(owed)
        return Taken(parts, owed)

    def ordered(self, lots, named, *, own):
        lots = sorted(lots, key=lambda lot: lot.born)
        if self.method == "lifo":
            lots.reverse()
        elif self.method == "hifo":
            lots.sort(key=lambda lot: -lot.cost / lot.quantity)
        if self.method == "specific" or own:
            wanted = list(named)
            last = len(wanted)
            lots.sort(key=lambda lot: wanted.index(lot.name) if lot.name in wanted else last)
        return lots

    def owned(self, account, asset):
        if self.pooled and asset not in self.cash:
            return self.balances.get((account, asset), Fraction(0))
        return self.places[account, asset].quantity

    def lift_debts(self, account, asset):
        """Take the debts out of an account's own place; a pool's debts stay with the pool."""
        place = self.place(account, asset)
        if self.pooled:
            return []
        debts, place.debts = place.debts, []
        self.balances[account, asset] += sum(debt.quantity for debt in debts)
        return debts

    def lay_debts(self, account, asset, debts):
        self.place(account, asset).debts += debts
        self.balances[account, asset] -= sum(debt.quantity for debt in debts)

    def accounts_with(self, account, asset):
        if account != "*":
            return [account]
        pooled = self.pooled and asset not in self.cash
        known = self.balances if pooled else self.places
        return sorted({place for place, held in known if held == asset})

    def everything_of(self, account, asset):
        """Whether nobody but the account, or the accounts, of a fact has anything of a pool."""
        if not self.pooled or asset in self.cash:
            return False
        return account == "*" or not any(
            units
            for (owner, held), units in self.balances.items()
            if held == asset and owner != account
        )
