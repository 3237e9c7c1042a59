"""Legs: what each fact did to the book, as double entry.

A fact is folded and the book is compared with what it was: what came and went in each place, lot
by lot; what was realised, charged, contributed, earned and spent. So every kind of fact is
expressed by one rule, under every cost rule, and its legs add up to nothing because the books
close.

A leg's amount has the sign of double entry: assets and expenses grow by plus, income and capital
by minus.

Errors: `BrokenInvariant` if the legs of a fact did not add up to nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from bursar.errors import BrokenInvariant
from bursar.exact import ZERO, money, trimmed
from bursar.ledger.audit import SIDES, Side
from bursar.ledger.book import Book, own_changes
from bursar.ledger.facts import Fact
from bursar.ledger.fold import traced
from bursar.ledger.state import HoldingKey
from bursar.ledger.terms import Terms
from bursar.portfolio.exports.following import (
    Age,
    Stake,
    followed,
    forgotten,
    logged,
    stakes,
)


class Face(msgspec.Struct, frozen=True):
    """Base currency or a peg: worth its count."""

    account: str
    asset: str
    units: Decimal


class Change(msgspec.Struct, frozen=True):
    """One lot of one place before and after; `is_owed` where the units are missing, not there."""

    account: str
    asset: str
    lot: Age
    before: Stake
    after: Stake
    is_owed: bool = False

    @property
    @money
    def cost(self) -> Decimal:
        """What this adds to the cost of what is held."""
        added = self.after.cost - self.before.cost
        return -added if self.is_owed else added


class Worth(msgspec.Struct, frozen=True):
    """Base currency on an account of capital, income or expenses: `("Income", "Reward")`."""

    path: tuple[str, ...]
    amount: Decimal


Leg = Face | Change | Worth


class Posted(msgspec.Struct, frozen=True):
    """A fact with its legs, and what double entry cannot say of it."""

    fact: Fact
    legs: tuple[Leg, ...]
    remarks: tuple[str, ...] = ()


def posted(terms: Terms, facts: Iterable[Fact]) -> Iterator[Posted]:
    """Yield facts, which stand in canonical order, with their legs. One pass, one book."""
    stock = _Stock(terms)
    for fact in facts:
        yield stock.post(fact)


@money
def closing(book: Book) -> tuple[Worth, ...]:
    """Return what the accounts of capital, income and expenses stand at in the end."""
    empty = Book(book.terms)
    return (*_realized(empty, book), *_flows_by_path(empty, book))


def _flows_by_path(empty: Book, book: Book) -> tuple[Worth, ...]:
    sums: dict[tuple[str, ...], Decimal] = {}
    for leg in _flows(empty, book):
        sums[leg.path] = sums.get(leg.path, ZERO) + leg.amount
    return tuple(Worth(path, amount) for path, amount in sums.items())


class _Stock:
    """The book as facts are posted, and every lot in it."""

    def __init__(self, terms: Terms) -> None:
        self._book = Book(terms)
        self._rule = followed(self._book.rule)
        self._book.rule = self._rule
        self._stakes: dict[HoldingKey, dict[Age, Stake]] = {}

    @money
    def post(self, fact: Fact) -> Posted:
        """Fold a fact and return its legs."""
        book, fork = self._book, self._book.fork()
        fork.rule = self._rule
        traced(fork, fact)
        legs: list[Leg] = []
        for key in own_changes(fork.holdings):
            legs += _face(book, fork, key) if key[1] in book.cash else self._lots(fork, key)
        legs += _realized(book, fork)
        legs += _flows(book, fork)
        off = sum((_amount(leg) for leg in legs), ZERO)
        if off:
            raise BrokenInvariant(f"the legs of {fact.id} are off by {off:f}", id=fact.id)
        remarks = tuple(_remarks(fork))
        book.land(fork)
        return Posted(fact, tuple(legs), remarks)

    def _lots(self, fork: Book, key: HoldingKey) -> Iterator[Change]:
        """Yield what changed about the lots of a place, and about what is owed there."""
        holding, known = fork.holdings[key], self._stakes.setdefault(key, {})
        added = None if fork.is_wac else logged(holding.pool)
        if added is None:
            now = stakes(fork.lots(*key))
            changed = {lot: now.get(lot, Stake()) for lot in {*known, *now}}
        else:
            changed = {
                lot: known.get(lot, Stake()).plus(more.units, more.cost)
                for lot, more in added.items()
            }
        yield from _changes(key, known, changed, is_owed=False)
        known.update(changed)
        for lot in [lot for lot, stake in changed.items() if not stake.units]:
            del known[lot]
        before = stakes(self._book.holdings[key].owed) if key in self._book.holdings else {}
        owed = stakes(holding.owed)
        now = {lot: owed.get(lot, Stake()) for lot in {*before, *owed}}
        yield from _changes(key, before, now, is_owed=True)
        if not fork.is_wac:
            fork.holdings[key] = msgspec.structs.replace(holding, pool=forgotten(holding.pool))


def _changes(
    key: HoldingKey, before: Mapping[Age, Stake], now: Mapping[Age, Stake], *, is_owed: bool
) -> Iterator[Change]:
    for lot, stake in sorted(now.items()):
        old = before.get(lot, Stake())
        if old != stake:
            yield Change(*key, lot, old, stake, is_owed)


def _face(book: Book, fork: Book, key: HoldingKey) -> Iterator[Face]:
    units = fork.held(*key).quantity - book.held(*key).quantity
    if units:
        yield Face(*key, units)


def _amount(leg: Leg) -> Decimal:
    match leg:
        case Face():
            return leg.units
        case Change():
            return leg.cost
        case Worth():
            return leg.amount


def _realized(book: Book, fork: Book) -> Iterator[Worth]:
    """Yield what was realised, by asset, and the fees inside it on their own account."""
    made: dict[str, Decimal] = {}
    charged = ZERO
    for key, cell in own_changes(fork.cells).items():
        known = book.cells.get(key)
        fees = cell.fees - (known.fees if known else ZERO)
        realized = cell.realized - (known.realized if known else ZERO)
        made[key[1]] = made.get(key[1], ZERO) + realized + fees
        charged += fees
    for asset, amount in made.items():
        if amount:
            yield Worth(("Income", "Realized", asset), -amount)
    if charged:
        yield Worth(("Expenses", "Fees", "Trading"), charged)


def _flows(book: Book, fork: Book) -> Iterator[Worth]:
    for key, flow in own_changes(fork.flows).items():
        known = book.flows.get(key)
        booked = flow.booked - (known.booked if known else ZERO)
        if booked:
            kind, side = key[1], SIDES[key[1]]
            if side is Side.EXPENSE:
                yield Worth(("Expenses", "Fees", "Account"), booked)
            else:
                root = "Income" if side is Side.INCOME else "Equity"
                yield Worth((root, kind.replace("_", "-").title()), -booked)


def _remarks(fork: Book) -> Iterator[str]:
    """Say what the fact changed that no leg tells."""
    for (account, pair), margin in own_changes(fork.margins).items():
        size, notional = trimmed(margin.quantity), trimmed(margin.notional)
        before = f"; {trimmed(margin.unseen)} closed, opening unknown" if margin.unseen else ""
        yield f"leveraged position {pair} in {account}: {size}, entered at {notional}{before}"
    for (account, asset, pocket), units in own_changes(fork.pockets).items():
        yield f"pocket {pocket} of {account}: {trimmed(units)} {asset}"
    for strategy, amount in own_changes(fork.sleeves).items():
        yield f"sleeve {strategy}: {trimmed(amount)}"
    for (account, asset), units in own_changes(fork.balances).items():
        yield f"of the pool, {account} has {trimmed(units)} {asset}"
