"""Corporate actions, and all else, of one instant: the book is that of a reckoning in fractions.

A story is lived here in the order in which things were, and told under ids by chance, in any order
and in any parts. What a name can tell of that order is that it is led to before it is split, split
before it is exchanged for, and so on (`ledger.order`), so a story does nothing else.
"""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import describe, instant, planning
from bursar.ledger.entries import CashFlow, Conversion, Fill, FlowKind, Leg, Rename, Side, Split
from bursar.ledger.planning import planned
from bursar.ledger.terms import Method, Terms
from bursar.ledger.timeline import Timeline
from bursar.measure.coins import Coins, in_order

CHANCE = st.randoms(use_true_random=False)
ACCOUNT = "alpaca:main"
BOUGHT = instant.parse("2026-01-05T10:00:00Z")
DAY = instant.parse("2026-02-27T01:00:00Z")
NAMES = ("A", "B", "C", "D", "E")
BEGUN, SPLIT, TAKEN, GIVEN, ENDED = range(5)
NEAR = Fraction(1, 10**12)
RATIOS = ((2, 1), (4, 1), (5, 2), (1, 2), (1, 4), (1, 20), (1, 1))


class Story:
    """What is held of each name, lot by lot, [when, units, cost], and the statements of it."""

    def __init__(self, chance, method):
        self.chance, self.is_pool = chance, method is Method.WAC
        self.held: dict[str, list[list]] = {name: [] for name in NAMES}
        self.told, self.last = [], {}
        self.ids = chance.sample(range(100, 999), 60)
        self.realized = Fraction(0)

    def tell(self, made, at=DAY, **fields):
        name = f"{ACCOUNT}:{self.ids.pop()}"
        self.told.append(made(id=name, account=ACCOUNT, executed_at=at, **fields))

    def add(self, name, at, units, cost):
        self.held[name].append([at, Fraction(units), Fraction(cost)])

    def part(self, name):
        """Return some units that were there before the day, as a decimal; none, perhaps."""
        old = sum((units for at, units, _ in self.held[name] if at < DAY), Fraction(0))
        return decimal(old * self.chance.randint(1, 4) / 16)

    def take(self, name, wanted):
        """Take units out, the oldest first or of all alike, and return what they cost."""
        left, cost = Fraction(wanted), Fraction(0)
        if self.is_pool:
            share = left / sum(units for _, units, _ in self.held[name])
            for lot in self.held[name]:
                cost += lot[2] * share
                lot[1:] = lot[1] * (1 - share), lot[2] * (1 - share)
            return cost
        for lot in sorted(self.held[name]):
            gone = min(left, lot[1])
            if gone:
                paid = lot[2] * gone / lot[1]
                lot[1:] = lot[1] - gone, lot[2] - paid
                left, cost = left - gone, cost + paid
        assert not left
        return cost

    def may(self, *uses):
        """Tell whether each name may be used so, after what was done with it; and note it."""
        if any(self.last.get(name, BEGUN) > use for name, use in uses):
            return False
        if any(use == ENDED == self.last.get(name) for name, use in uses):
            return False
        self.last.update(uses)
        return True

    def buy(self, name, at):
        units, paid = Decimal(self.chance.randint(1, 99)), Decimal(self.chance.randint(1, 500))
        self.add(name, at, units, paid)
        fields = {"base": name, "quote": "USD", "quantity": units, "amount": paid}
        self.tell(Fill, at, side=Side.BUY, **fields)

    def split(self):
        name, (after, before) = self.chance.choice(NAMES), self.chance.choice(RATIOS)
        if self.may((name, SPLIT)):
            for lot in self.held[name]:
                lot[1] = lot[1] * after / before
            self.tell(Split, asset=name, numerator=Decimal(after), denominator=Decimal(before))

    def rename(self):
        old, new = self.chance.sample(NAMES, 2)
        if self.may((old, ENDED), (new, BEGUN)):
            self.held[new] += self.held[old]
            self.held[old] = []
            self.tell(Rename, asset=old, to_asset=new)

    def exchange(self):
        old, new = self.chance.sample(NAMES, 2)
        units = self.part(old)
        if units and self.may((old, GIVEN), (new, TAKEN)):
            came, worth = Decimal(self.chance.randint(1, 99)), Decimal(self.chance.randint(1, 500))
            self.realized += Fraction(worth) - self.take(old, units)
            self.add(new, DAY, came, worth)
            legs = {"given": (Leg(old, units, worth),), "taken": (Leg(new, came, worth),)}
            self.tell(Conversion, **legs)

    def spin_off(self, at):
        name, units = self.chance.choice(NAMES), Decimal(self.chance.randint(1, 99))
        worth = Decimal(self.chance.randint(1, 500))
        self.add(name, at, units, worth)
        fields = {"asset": name, "amount": units, "value": worth}
        self.tell(CashFlow, at, kind=FlowKind.DIVIDEND, **fields)

    def sell(self, at):
        name = self.chance.choice(NAMES)
        units, got = self.part(name), Decimal(self.chance.randint(1, 500))
        if units:
            self.realized += Fraction(got) - self.take(name, units)
            fields = {"base": name, "quote": "USD", "quantity": units, "amount": got}
            self.tell(Fill, at, side=Side.SELL, **fields)

    def send(self, at):
        name = self.chance.choice(NAMES)
        units = self.part(name)
        if units:
            self.take(name, units)
            self.tell(CashFlow, at, kind=FlowKind.WITHDRAWAL, asset=name, amount=-units)

    def live(self):
        """Live a day: what happens in it, and how often."""
        chance = self.chance
        for hour, name in enumerate(chance.sample(NAMES, chance.randint(1, 4))):
            self.buy(name, BOUGHT + hour * instant.HOUR)
        swaps, at = [self.exchange] * chance.randint(0, 3), DAY
        if chance.random() < 0.8:
            self.split()  # exchanges beside an action are among them; alone, they come later
            acts = [chance.choice((self.split, self.rename)) for _ in range(chance.randint(0, 6))]
            acts, swaps = chance.sample(acts + swaps, len(acts) + len(swaps)), []
            for act in acts:
                act()
            at += chance.randint(0, 1)  # what comes in may be told just behind the actions
        for _ in range(chance.randint(0, 2)):
            self.spin_off(at)
        for _ in range(chance.randint(0, 2)):
            self.buy(chance.choice(NAMES), at)
        for act in swaps:
            act()
        for _ in range(chance.randint(0, 2)):
            self.sell(at)
        for _ in range(chance.randint(0, 2)):
            self.send(at)
        return self

    def lots(self, name):
        """Return the lots of a name, those of one moment as one."""
        return by_time(lot for lot in self.held[name] if any(lot[1:]))


def decimal(value):
    """Return a fraction as a decimal if it has few places, else nothing."""
    near = Decimal(value.numerator) / value.denominator
    return near if Fraction(near) == value and near.normalize().as_tuple().exponent > -14 else 0


def taken_in(chance, terms, told):
    line, told = Timeline(terms), chance.sample(told, len(told))
    while told:
        count = chance.randint(1, 4)
        batch, told = told[:count], told[count:]
        line.land(planned(line, batch))
    return line


@given(CHANCE, st.sampled_from((Method.FIFO, Method.WAC)))
def test_a_day_of_actions_comes_to_what_a_reckoning_in_fractions_does(chance, method):
    story, terms = Story(chance, method).live(), Terms(base="USD", method=method)
    line = taken_in(chance, terms, story.told)
    assert list(line) == list(planning.folded(terms, story.told))
    for name in NAMES:
        units, cost = (sum(lot[place] for lot in story.held[name]) for place in (1, 2))
        held = line.book.held(ACCOUNT, name)
        assert Fraction(held.quantity) == units, name
        assert abs(Fraction(held.cost) - cost) < NEAR, name
        assert not held.owed
        if method is Method.FIFO:
            assert_same_lots(line.book.lots(ACCOUNT, name), story.lots(name))
    realized = sum(cell.realized for cell in line.book.cells.values())
    assert abs(Fraction(realized) - story.realized) < NEAR


def by_time(lots):
    """Add up the lots of each microsecond: units, and cost."""
    found: dict[int, tuple[Fraction, Fraction]] = {}
    for at, units, cost in lots:
        known = found.get(at // instant.MICROSECOND, (Fraction(0), Fraction(0)))
        found[at // instant.MICROSECOND] = known[0] + Fraction(units), known[1] + Fraction(cost)
    return found


def assert_same_lots(lots, expected):
    found = by_time((lot.acquired_at, lot.quantity, lot.cost) for lot in lots)
    assert found.keys() == expected.keys()
    for at, (units, cost) in found.items():
        assert units == expected[at][0]
        assert abs(cost - expected[at][1]) < NEAR


@given(CHANCE)
def test_as_many_coins_are_followed_as_the_book_holds(chance):
    story, terms = Story(chance, Method.FIFO).live(), Terms(base="USD", method=Method.FIFO)
    line = taken_in(chance, terms, story.told)
    records, _ = describe.retold(terms, line)
    stored = sorted(records, key=lambda each: (each.time, each.trade_id, each.kind))
    coins = Coins({f"{name}/USD": name for name in NAMES}, cash=terms.cash)
    list(coins.follow(in_order(stored)))
    followed = {place[1]: stake.quantity for place, stake in coins.open.items() if stake.quantity}
    held = {name: line.book.held(ACCOUNT, name).quantity for name in NAMES}
    assert followed == {name: quantity for name, quantity in held.items() if quantity}
