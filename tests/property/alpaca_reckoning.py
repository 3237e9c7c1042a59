"""An account at Alpaca, reckoned in fractions from what happens to it, and the rows that tell it.

Not the highest cost first: lots that would tie there are told apart by what rounding left of them.
Nothing here is the program's own: an account trades, sells short, is split, renamed, merged for
money and shares, gets and gives shares, dividends and what was withheld, interest, fees; rows are
put right and canceled. `quantity` and `cost` are by symbol; lots leave by the rule, shorts are
covered oldest first.
"""

from decimal import Decimal
from fractions import Fraction

from bursar.ledger import instant
from bursar.venue.alpaca.rows import Row

RATIOS = ((2, 1), (3, 1), (3, 2), (1, 2), (1, 4), (1, 5), (1, 8))
BEGIN = instant.parse("2026-01-02T00:00:00Z")
NOON = 18 * instant.HOUR
# What a day begins with, what comes in, what is traded, what goes out.
ACTIONS, COMES, TRADES, GOES = range(4)
DEEDS = {
    "split": ACTIONS,
    "split and rename": ACTIONS,
    "rename": ACTIONS,
    "merge": ACTIONS,
    "dividend": ACTIONS,
    "interest": ACTIONS,
    "fee": ACTIONS,
    "put right": ACTIONS,
    "cancel": ACTIONS,
    "come": COMES,
    "spin off": COMES,
    "buy": TRADES,
    "sell": TRADES,
    "go": GOES,
}


def exact(number):
    return Decimal(number.numerator) / Decimal(number.denominator)


class Reckoning:
    """What an account comes to, and the rows that tell of it."""

    def __init__(self, chance, rule):
        self.chance, self.rule = chance, rule
        self.rows, self.lots = [], {}
        self.cash = self.realized = self.income = self.fees = Fraction(0)
        self.day, self.phase, self.acted, self.names = 0, ACTIONS, set(), 0

    @property
    def quantity(self):
        return {
            name: sum((each[0] for each in lots), Fraction(0)) for name, lots in self.lots.items()
        }

    @property
    def cost(self):
        return {
            name: sum((each[1] for each in lots), Fraction(0)) for name, lots in self.lots.items()
        }

    def live(self, deeds):
        self.pay(1_000_000, "CSD")
        for _ in range(deeds):
            deed = self.chance.choice(list(DEEDS))
            if DEEDS[deed] < self.phase or self.chance.random() < 0.4:
                self.day, self.acted = self.day + 1, set()
            self.phase = DEEDS[deed]
            held = sorted(name for name, count in self.quantity.items() if count)
            if deed in {"buy", "sell"}:
                self.trade(deed)
            elif held:
                self.happen(deed, self.chance.choice(held))

    def happen(self, deed, name):
        money = Fraction(self.chance.randint(1, 5000), 100)
        if deed in {"split", "split and rename", "rename", "merge"}:
            if name[0] not in self.acted:
                self.acted.add(name[0])
                self.act(deed, name)
        elif deed == "dividend":
            self.income += self.pay(money, "DIV", symbol=name, per_share=Decimal(1))
            self.income += self.pay(-money * 15 / 100, "DIVNRA", symbol=name)
        elif deed == "interest":
            self.income += self.pay(money * self.chance.choice((1, -1)), "INT")
        elif deed == "fee":
            self.fees -= self.pay(-money, self.chance.choice(("FEE", "DIVFEE")))
        elif deed == "put right":
            said = self.tell("DIV", symbol=name, amount=Decimal(7))
            self.income += self.pay(money, "DIV", symbol=name, id=said.id, status="correct")
        elif deed == "cancel":
            said = self.tell("CSW", amount=Decimal(-7))
            self.tell("CSW", id=said.id, amount=Decimal(-7), status="canceled")
        elif self.quantity[name] > 1:
            self.move(deed, name)

    def tell(self, kind, **fields):
        at = BEGIN + self.day * instant.DAY
        fields.setdefault("id", f"{self.chance.randint(0, 10**9)}::{len(self.rows)}")
        self.rows.append(Row(type=kind, **{"at": at, **fields}))
        return self.rows[-1]

    def pay(self, money, kind, **fields):
        self.tell(kind, amount=exact(Fraction(money)), **fields)
        self.cash += money
        return money

    def trade(self, side):
        name, count = self.chance.choice("ABC"), Fraction(self.chance.randint(1, 50))
        price, held = Fraction(self.chance.randint(100, 9999), 100), self.quantity.get(name, 0)
        signed = count if side == "buy" else -count
        if held * signed < 0 and count > abs(held):
            return
        at = BEGIN + self.day * instant.DAY + NOON + len(self.rows) * instant.SECOND
        word = "sell_short" if side == "sell" and held <= 0 else side
        self.tell("FILL", at=at, symbol=name, side=word, quantity=exact(count), price=exact(price))
        self.cash -= signed * price
        if held * signed >= 0:
            self.lots.setdefault(name, []).append([signed, signed * price])
        else:
            self.realized -= signed * price + self.take(name, -signed)

    def take(self, name, count):
        """Take units out, short ones where it is below zero, and return what they had cost."""
        lots, cost = self.lots[name], Fraction(0)
        if self.rule == "wac" and count > 0:
            held, spent = self.quantity[name], self.cost[name]
            cost = spent * count / held
            self.lots[name] = [[held - count, spent - cost]] if held != count else []
            return cost
        while count:
            lot = lots[0 if count < 0 or self.rule == "fifo" else -1]
            part = min(lot[0], count, key=abs)
            gone = lot[1] * part / lot[0]
            lot[:] = lot[0] - part, lot[1] - gone
            lots[:] = [each for each in lots if each[0]]
            cost, count = cost + gone, count - part
        return cost

    def act(self, deed, name):
        held = self.quantity[name]
        if deed == "merge":
            if held > 0:
                self.merge(name, held)
            return
        up, down = self.chance.choice(RATIOS) if "split" in deed else (1, 1)
        left, fresh, is_split_first = held * up / down, name, self.chance.random() < 0.5
        if len(str(exact(left))) > 14:
            return
        if "rename" in deed:
            fresh = self.fresh(name)
            self.pair("NC", (name, fresh), left if is_split_first else held)
        if "split" in deed:
            stated = name if fresh == name or is_split_first else fresh
            self.pair("SPLIT", (stated, stated), held, left)
        lots = self.lots.pop(name)
        self.lots[fresh] = [[count * up / down, cost] for count, cost in lots]
        if left > 0 and left % 1 and self.chance.random() < 0.6:
            money = Fraction(self.chance.randint(1, 5000), 100)
            self.pay(money, "CIL", symbol=fresh, quantity=-exact(left % 1))
            self.realized += money - self.take(fresh, left % 1)

    def pair(self, kind, names, old, new=None):
        new = old if new is None else new
        words = f" {self.names}" if kind == "NC" else ""
        self.tell(kind, symbol=names[0], quantity=-exact(old), description=f"REMOVE{words}")
        self.tell(kind, symbol=names[1], quantity=exact(new), description=f"ADD{words}")

    def merge(self, name, held):
        group = f"G{len(self.rows)}"
        self.tell("MA", symbol=name, quantity=-exact(held), group_id=group)
        worth, kind = Fraction(0), self.chance.choice(("money", "shares", "both"))
        if kind != "shares":
            worth += self.pay(Fraction(self.chance.randint(1, 90_000), 100), "MA", group_id=group)
        self.realized -= self.take(name, held)
        if kind != "money":
            worth += self.bring("MA", self.fresh(name), group_id=group)
        self.realized += worth

    def bring(self, kind, name, **fields):
        self.acted.add((name, "come"))
        count, price = self.chance.randint(1, 30), self.chance.randint(1, 50)
        self.tell(kind, symbol=name, quantity=Decimal(count), price=Decimal(price), **fields)
        self.lots.setdefault(name, []).append([Fraction(count), Fraction(count * price)])
        return Fraction(count * price)

    def move(self, deed, name):
        if deed == "go":
            self.tell("JNLS", symbol=name, quantity=Decimal(-1), price=Decimal(3))
            self.take(name, Fraction(1))
        elif deed == "come" and (name, deed) not in self.acted:  # of two, an id says which is first
            self.bring("JNLS", name)
        elif deed == "spin off":
            self.income += self.bring("SPIN", self.fresh(name))

    def fresh(self, name):
        self.names += 1
        return f"{name[0]}X{self.names}"
