"""Random Kraken exports: ledgers.csv and trades.csv of one account, as one account would have them.

`story` gives rows in order of time; `written` and `somehow` put some of them into a file.
"""

import csv
from decimal import Decimal
from io import StringIO

from bursar.ledger import instant

LEDGER = [
    "txid",
    "refid",
    "time",
    "type",
    "subtype",
    "aclass",
    "asset",
    "wallet",
    "amount",
    "fee",
    "balance",
]
TRADE = [
    "txid",
    "ordertxid",
    "pair",
    "time",
    "type",
    "price",
    "cost",
    "fee",
    "vol",
    "margin",
    "misc",
    "ledgers",
]
MONEY = "ZEUR"
COINS = ("XXBT", "XETH", "SOL", "DOT")
_START = instant.parse("2024-01-01T00:00:00Z")


class Account:
    """Balances, and the rows that have moved them."""

    def __init__(self, chance, *, by_wallet):
        self.chance = chance
        self.by_wallet = by_wallet
        self.at = _START
        self.rows = []
        self.trades = []
        self.undone = []
        self.balances = {}
        for code in (MONEY, *COINS):  # an export may begin in the middle
            if chance.random() < 0.3:
                self.balances[code, "spot / main" if by_wallet else ""] = Decimal(50)

    def pass_time(self):
        self.at += self.chance.choice([0, 0, 1, 1, 30, 3600, 90_000]) * instant.SECOND

    def row(self, kind, code, amount, fee=0, *, ref=None, sub="", wallet="spot / main"):
        amount, fee = Decimal(amount), Decimal(fee)
        key = code, wallet if self.by_wallet else ""
        self.balances[key] = self.balances.get(key, Decimal(0)) + amount - fee
        name = f"L{len(self.rows):05}-{self.chance.randrange(10**6):06}"
        ref = ref or f"Q{len(self.rows):05}"
        when = instant.show(self.at).replace("T", " ").removesuffix("Z")
        cells = (name, ref, when, kind, sub, "currency", code, wallet, amount, fee)
        self.rows.append(dict(zip(LEDGER, (*cells, self.balances[key]), strict=True)))
        return self.rows[-1]

    def number(self, most=20):
        return Decimal(self.chance.randint(1, most * 100)) / 100

    def deposit(self):
        self.row("deposit", self.chance.choice([MONEY, MONEY, *COINS]), self.number(500))

    def withdraw(self):
        code, amount = self.chance.choice([MONEY, *COINS]), self.number(5)
        row = self.row("withdrawal", code, -amount, "0.01")
        if self.chance.random() < 0.5:
            self.undone.append((row["refid"], code, amount))

    def come_back(self):
        if self.undone:
            ref, code, amount = self.undone.pop(self.chance.randrange(len(self.undone)))
            self.row("withdrawal", code, amount, "-0.01", ref=ref)

    def trade(self):
        coin, units, cost = self.chance.choice(COINS), self.number(), self.number(100)
        sign, ref = self.chance.choice([1, 1, -1]), f"T{len(self.rows):05}-AAAAA"
        kinds = ("trade", "trade") if self.chance.random() < 0.8 else ("spend", "receive")
        legs = [(MONEY, -sign * cost, "0.1"), (coin, sign * units, 0)]
        at, booked = self.at, []
        for kind, (code, amount, fee) in zip(kinds, legs, strict=True):
            booked.append(self.row(kind, code, amount, fee, ref=ref))
            if self.chance.random() < 0.1:
                self.at += instant.SECOND
        if kinds[0] == "trade":
            self.trades.append(self.told(ref, coin, (sign, units, cost), at, booked))

    def told(self, ref, coin, amounts, at, booked):
        sign, units, cost = amounts
        when = instant.show(at).replace("T", " ").removesuffix("Z") + ".1234"
        side = "buy" if sign > 0 else "sell"
        ids = ",".join(row["txid"] for row in booked)
        what = (ref, f"O{ref}", f"{coin.removeprefix('X')}/EUR", when, side)
        paid = (round(cost / units, 5), cost, "0.1", units, "0", "", ids)
        return dict(zip(TRADE, (*what, *paid), strict=True))

    def reward(self):
        self.row("earn", "DOT", "0.01", sub="reward")

    def stake(self):
        ref = f"S{len(self.rows):05}"
        self.row("transfer", "DOT", "-1", sub="spottostaking", ref=ref)
        if self.by_wallet:
            self.row("earn", "DOT", "1", sub="allocation", ref=ref, wallet="earn / flexible")
        else:
            self.row("transfer", "DOT.S", "1", sub="stakingfromspot", wallet="spot / main")

    def convert(self):
        old, new = self.chance.sample(COINS, 2)
        self.row("transfer", old, "-1", sub="delistingconversion")
        self.at += self.chance.choice([0, 1, 2, 4000]) * instant.SECOND
        self.row("transfer", new, "3", sub="delistingconversion")

    def surprise(self):
        self.row("novelty", self.chance.choice(COINS), self.chance.choice(["1", "-1"]))


def story(chance, length):
    """An account after that many deeds."""
    account = Account(chance, by_wallet=chance.random() < 0.3)
    account.deposit()
    deeds = [account.trade] * 6 + [account.withdraw, account.come_back, account.deposit]
    deeds += [account.reward, account.stake]
    deeds += [account.convert, account.surprise] if chance.random() < 0.3 else []
    for _ in range(length):
        account.pass_time()
        chance.choice(deeds)()
    return account


def written(rows, columns, ends="\n"):
    """A file of these rows."""
    text = StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().replace("\n", ends)  # the writer itself takes no odd ones


def somehow(chance, rows, columns):
    """A file of these rows in one of the ways in which it may be written, now and then faulty."""
    rows = list(reversed(rows)) if chance.random() < 0.4 else list(rows)
    if rows:
        blemish(chance, rows)
    without = [name for name in columns if name not in {"balance", "wallet"}]
    kept = columns if chance.random() < 0.9 else without
    return written(rows, kept, chance.choice(["\n", "\n", "\r\n"]))


def blemish(chance, rows):
    """Mostly nothing; or a row is missing, told again, in the wrong place, or no row at all."""
    what, place = chance.randrange(13), chance.randrange(len(rows))
    match what:
        case 0:
            del rows[place]
        case 1:
            rows.insert(chance.randrange(len(rows)), rows.pop(place))
        case 2:
            rows[place] = {**rows[place], "fee": "much"}
        case 3 | 4:
            change = {} if what == 3 else {"fee": "0.7"}
            rows.insert(chance.randint(0, len(rows)), {**rows[place], **change})
        case _:
            pass
