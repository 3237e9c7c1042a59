"""What is short and what covers it, in two accounts, reckoned in fractions; and the facts of it.

`SHORT` may sell what it does not have, `LONG` owes what it lacks and covers nothing. Lots are
[born, units, cost], what is owed is [units, proceeds]. A pool is one place of both accounts.
"""

from decimal import Decimal
from fractions import Fraction

from bursar.ledger import instant
from bursar.ledger.entries import CashFlow, Fee, Fill, FlowKind, Side, Split, Transfer

SHORT, LONG = "alpaca:main", "kraken:bot"
BEGIN = instant.parse("2026-01-02T00:00:00Z")
RATIOS = ((2, 1), (1, 2), (5, 2), (1, 4))
MOST = 5  # splits: units stay exact
DEEDS = ("buy", "sell", "buy", "sell", "come", "go", "transfer", "split")


class Reckoning:
    """Lives a story of one share, and keeps its books."""

    def __init__(self, chance, rule, *, is_pooled):
        self.chance, self.rule, self.is_pooled = chance, rule, is_pooled
        self.lots, self.owed, self.told = {}, {}, []
        self.held = {SHORT: Fraction(0), LONG: Fraction(0)}
        self.realized = self.contributed = Fraction(0)

    def live(self, deeds):
        for _ in range(deeds):
            account = self.chance.choice((SHORT, SHORT, LONG))
            getattr(self, self.chance.choice(DEEDS))(account)

    def place(self, account):
        return "*" if self.is_pooled else account

    def cost(self, account):
        place = self.place(account)
        lots = sum((lot[2] for lot in self.lots.get(place, [])), Fraction(0))
        return lots - sum((debt[1] for debt in self.owed.get(place, [])), Fraction(0))

    def tell(self, made, account, **fields):
        number = len(self.told)
        name = f"{account}:{self.chance.choice('axz')}{number}"
        at = BEGIN + number * instant.HOUR
        self.told.append(made(id=name, account=account, executed_at=at, **fields))
        return number

    def some(self):
        return Decimal(self.chance.randint(1, 40)) / 4

    def trade(self, account, side):
        units, paid, fee = self.some(), self.some(), self.chance.choice((0, 0, 1))
        fees = (Fee("USD", Decimal(fee)),) if fee else ()
        pair = {"base": "ABC", "quote": "USD", "quantity": units, "amount": paid}
        born = self.tell(Fill, account, side=side, fees=fees, **pair)
        self.realized -= fee
        return born, Fraction(units), Fraction(paid)

    def buy(self, account):
        self.put(account, *self.trade(account, Side.BUY))

    def sell(self, account):
        _, units, paid = self.trade(account, Side.SELL)
        parts, lacking = self.take(account, units, paid)
        self.realized += paid * (1 - lacking / units) - sum(lot[2] for lot in parts)

    def come(self, account):
        units, basis = self.some(), self.some()
        fields = {"asset": "ABC", "amount": units, "basis": basis, "value": basis}
        born = self.tell(CashFlow, account, kind=FlowKind.DEPOSIT, **fields)
        self.contributed += Fraction(basis)
        self.put(account, born, Fraction(units), Fraction(basis))

    def go(self, account):
        units = self.some()
        fields = {"asset": "ABC", "amount": -units, "value": -units}
        self.tell(CashFlow, account, kind=FlowKind.WITHDRAWAL, **fields)
        parts, _ = self.take(account, Fraction(units), Fraction(0))
        self.contributed -= sum(lot[2] for lot in parts)

    def transfer(self, account):
        units, there = self.some(), LONG if account == SHORT else SHORT
        born = self.tell(Transfer, account, asset="ABC", quantity=units, to_account=there)
        parts, lacking = self.take(account, Fraction(units), Fraction(0))
        for part in (*parts, [born, lacking, Fraction(0)]):
            self.put(there, *part)

    def split(self, _):
        if sum(isinstance(fact, Split) for fact in self.told) > MOST:
            return
        up, down = self.chance.choice(RATIOS)
        ratio = {"numerator": Decimal(up), "denominator": Decimal(down)}
        self.tell(Split, "*", asset="ABC", **ratio)
        for lot in (lot for lots in self.lots.values() for lot in lots):
            lot[1] *= Fraction(up, down)
        for debt in (debt for owed in self.owed.values() for debt in owed):
            debt[0] *= Fraction(up, down)
        self.held = {account: held * up / down for account, held in self.held.items()}

    def put(self, account, born, units, cost):
        """Bring a lot in; where the account may be short it covers what is owed, oldest first."""
        self.held[account] += units
        place = self.place(account)
        owed, lots = self.owed.setdefault(place, []), self.lots.setdefault(place, [])
        while owed and units and account == SHORT:
            both = min(owed[0][0], units)
            proceeds, spent = owed[0][1] * both / owed[0][0], cost * both / units
            owed[0][:] = owed[0][0] - both, owed[0][1] - proceeds
            owed[:] = [debt for debt in owed if debt[0]]
            units, cost = units - both, cost - spent
            self.realized += proceeds - spent
        if units:
            lots.append([born, units, cost])
            lots.sort(key=lambda lot: lot[0])

    def take(self, account, units, proceeds):
        """Take units out by the rule: (parts of lots, how many are owed)."""
        self.held[account] -= units
        place, left, parts = self.place(account), units, []
        lots = self.lots.setdefault(place, [])
        if self.rule == "wac" and lots:
            born, sums = lots[0][0], [sum(lot[i] for lot in lots) for i in (1, 2)]
            lots[:] = [[born, *sums]]
        for lot in lots[::-1] if self.rule == "lifo" else list(lots):
            part = min(lot[1], left)
            if part:
                gone = lot[2] * part / lot[1]
                parts.append([lot[0], part, gone])
                lot[1:], left = [lot[1] - part, lot[2] - gone], left - part
        lots[:] = [lot for lot in lots if lot[1]]
        if left:
            self.owed.setdefault(place, []).append([left, proceeds * left / units])
        return parts, left
