"""A model venue for the tests: it writes ledger rows with running balances, and states what it has.

The statement is summed up from what happened, never from the rows' balances.
"""

from decimal import Decimal

import msgspec

from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.entries import Movement, MovementKind, Source
from bursar.ledger.planning import folded, planned
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline
from bursar.reconcile import Holding, Statement, ours_of, reconcile
from bursar.value.marks import Mark, Marks

D = Decimal
ACCOUNT = "kraken:main"
START = instant.parse("2026-01-01T00:00:00Z")
HOUR = 3_600 * instant.SECOND
DAY = instant.DAY
POCKETS = {"S": "staked", "F": "auto-earn"}
K = MovementKind
PRICES = {"XBT": D(50000), "ETH": D(2500), "DOT": D(5), "EUR": D(1), "SOL": D(100)}


class Venue:
    """One account at a venue: rows with balances, and what lies there."""

    def __init__(self, account=ACCOUNT, at=START):
        self.account = account
        self.at = at
        self.rows = []
        self.has = {}
        self._balances = {}

    def later(self, nanoseconds=HOUR):
        self.at += nanoseconds
        return self

    @money
    def row(self, kind, code, amount, *, fee="0", group=None, name=None):
        """Write one row; the coins it moves are counted apart from its balance."""
        amount, fee = D(amount), D(fee)
        asset, _, suffix = code.partition(".")
        pocket = POCKETS[suffix] if suffix else None
        self._balances[code] = self._balances.get(code, D(0)) + amount - fee
        spot = asset, code, pocket
        self.has[spot] = self.has.get(spot, D(0)) + amount - fee
        written = Movement(
            id=f"{self.account}:{name or f'L{len(self.rows) + 1:04}'}",
            executed_at=self.at,
            account=self.account,
            source=Source.LEDGER,
            group=None if group is None else f"{self.account}:{group}",
            kind=kind,
            asset=asset,
            amount=amount,
            fee=fee,
            balance=self._balances[code],
            code=code,
            pocket=pocket,
        )
        self.rows.append(written)
        return written

    def deposit(self, code, amount, **told):
        return self.row(K.DEPOSIT, code, amount, **told)

    def withdraw(self, code, amount, **told):
        return self.row(K.WITHDRAWAL, code, f"-{amount}", **told)

    def reward(self, code, amount, **told):
        return self.row(K.REWARD, code, amount, **told)

    @money
    def trade(self, base, quantity, quote, amount, *, fee="0"):
        """Buy (quantity > 0) or sell for an amount of quote, which bears the fee."""
        quantity, amount = D(quantity), D(amount)
        name = f"T{len(self.rows) + 1:04}"
        paid = -amount if quantity > 0 else amount
        legs = [(quote, paid, D(fee)), (base, quantity, D(0))]
        return [self.row(K.TRADE, code, a, fee=f, group=name) for code, a, f in legs]

    def move(self, code, to_code, amount):
        """Move coins from one pocket to another, in two rows with nothing in common."""
        out = self.row(K.INTERNAL, code, f"-{amount}")
        self.later(26 * instant.SECOND)
        return [out, self.row(K.INTERNAL, to_code, amount)]

    def statement(self, *, pockets=True, at=None, **extra):
        """State what lies there; `extra` is added to an asset: `XBT="0.01"`."""
        held = dict(self.has)
        for asset, amount in extra.items():
            spot = asset, asset, None
            held[spot] = held.get(spot, D(0)) + D(amount)
        return Statement(
            account=self.account,
            as_of=(self.at + HOUR) if at is None else at,
            holdings=tuple(
                Holding(asset=asset, code=code, total=total, pocket=pocket if pockets else None)
                for (asset, code, pocket), total in sorted(
                    held.items(), key=lambda each: each[0][1]
                )
                if total
            ),
        )


def marks(at=START, prices=PRICES):
    return Marks(Mark(asset, "USD", price, "venue", at) for asset, price in prices.items())


def timeline_of(rows, terms=None):
    return folded(terms or Terms(), rows)


def found(statement, rows, *, line=None, whole=False, prices=PRICES, **how):
    """Reconcile a statement with the book that rows make."""
    made = line or timeline_of(rows)
    as_of = max(row.executed_at for row in rows) if statement is None else statement.as_of
    account = ACCOUNT if statement is None else statement.account
    ours = ours_of(made, account, as_of, is_whole=whole)
    return reconcile(statement, ours, marks=marks(as_of, prices), **how)


def accepted(rows, found, *, terms=None):
    """The timeline after every proposal was accepted."""
    line = Timeline(terms or Terms())
    line.land(planned(line, rows))
    line.land(planned(line, [entry for each in found.proposals for entry in each.entries]))
    return line


def without(rows, *gone):
    return [row for row in rows if row not in gone]


def changed(rows, row, **fields):
    return [msgspec.structs.replace(each, **fields) if each is row else each for each in rows]


def busy():
    """An account with a year of everything: 60 days of trades, rewards, moves, two currencies."""
    venue = Venue()
    venue.deposit("USD", "100000.0000")
    venue.later().deposit("EUR", "200000.0000")
    venue.later().deposit("DOT", "4000.0000000000")
    venue.later().move("DOT", "DOT.S", "1000.0000000000")
    for day in range(60):
        venue.later(6 * HOUR)
        drift = D(1) + D(day % 7) / 100
        bought = D("0.0123") + D(day) / 10000
        cost = (bought * PRICES["XBT"] * drift).quantize(D("0.0001"))
        fee = (cost * D("0.0026")).quantize(D("0.0001"))
        venue.trade("XBT", f"{bought:.10f}", "USD", cost, fee=fee)
        venue.later(6 * HOUR)
        got = (D(3) * PRICES["ETH"] * drift).quantize(D("0.0001"))
        if day % 3 == 0:
            charged = (got * D("0.0016")).quantize(D("0.0001"))
            venue.trade("ETH", "3.0000000000", "EUR", got, fee=charged)
        elif day % 9 == 1:
            venue.withdraw("XBT", "0.0050000000", fee="0.0000200000")
        venue.later(12 * HOUR)
        if day % 7 == 6:
            venue.reward("DOT.S", f"{D('2.31') + D(day) / 1000:.10f}")
    return venue


def of(venue, kind):
    return [row for row in venue.rows if row.kind is kind]


def only(result):
    (one,) = result.breaks
    return one


def shifts(one):
    return {(each.asset, each.amount) for each in one.shifts}


def closes(rows, result, statement):
    """Accepting every proposal leaves nothing amiss."""
    line = accepted(rows, result)
    return found(statement, rows, line=line).is_clean


def bare(rows):
    return [msgspec.structs.replace(row, balance=None) for row in rows]
