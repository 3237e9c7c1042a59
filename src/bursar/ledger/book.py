"""The book: what is held where, what it cost, and what was made on it. `fold` says how facts
change it.

The state is a handful of mappings from
small keys to immutable values, so `fork` costs nothing: a fork reads through to its parent and
keeps only what it changes, and `land` puts the changed keys back. A refused or discarded change
has touched nothing.

    holdings   (place, asset)                          → Holding      quantity and total cost, with
    lots
    cells      (account, asset, pair, strategy, regime) → Cell         size, realised, fees: all
    PnL views sum these
    fees       (account, pair, asset)                  → FeeTotal     what was charged, and its
    worth
    flows      (account, kind, asset, strategy)        → FlowTotal    capital, income, expenses
    margins    (account, pair)                         → Margin       leveraged positions
    balances   (account, asset)                        → Decimal      only where lots are pooled
    pockets    (account, asset, pocket)                → Decimal      coins outside the main pocket
    sleeves    strategy                                → Decimal      capital moved between
    strategies
    gaps       (asset, flag)                           → int          facts that rest on something
    unknown

Beside it stands `latest`, the instant of the last fact: a book may reach beyond now.

Invariants (checked by `audit` on every commit)
- Σ cost of holdings = contributed + realised + income − expenses, to the last digit.
- Base currency and pegs are held at face: their cost is their quantity.
- A disposal of more than is held leaves the missing part `owed`: a lot of negative quantity at its
  proceeds, which realises nothing until the acquisition is known.
- Fees are expensed when they happen: they are inside realised, and reported again as a memo.

Errors: `Oversold` where an account is strict. Nothing has changed then.
"""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar

from bursar.errors import Oversold
from bursar.exact import ZERO, money, negated
from bursar.ledger.entries import Flag
from bursar.ledger.layer import Layer
from bursar.ledger.lots import RULES, Lot, Pool, Take
from bursar.ledger.lots.base import cut, joined, resized, total, units
from bursar.ledger.lots.specific import SPECIFIC
from bursar.ledger.names import canonical
from bursar.ledger.state import (
    Cell,
    CellKey,
    FeeTotal,
    FlowTotal,
    Holding,
    HoldingKey,
    Line,
    Margin,
    Moved,
    Removal,
)
from bursar.ledger.terms import FactSource, Method, Scope, Terms

POOL: Final = "*"
_K = TypeVar("_K")
_V = TypeVar("_V")
_NOTHING: Final = Holding(ZERO, ZERO)
_BLANK: Final = Cell()
_NO_FEE: Final = FeeTotal()
_NO_FLOW: Final = FlowTotal()


class Book:
    """The state that facts fold into. Numbers may be read only inside the money context."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.cash = terms.cash
        self.rule = RULES[terms.method]
        self.is_wac = terms.method is Method.WAC
        self.is_pooled = terms.scope is Scope.POOLED
        self.holdings: MutableMapping[HoldingKey, Holding] = {}
        self.cells: MutableMapping[CellKey, Cell] = {}
        self.fees: MutableMapping[tuple[str, str, str], FeeTotal] = {}
        self.flows: MutableMapping[tuple[str, str, str, str], FlowTotal] = {}
        self.margins: MutableMapping[tuple[str, str], Margin] = {}
        self.balances: MutableMapping[HoldingKey, Decimal] = {}
        self.pockets: MutableMapping[tuple[str, str, str], Decimal] = {}
        self.sleeves: MutableMapping[str, Decimal] = {}
        self.gaps: MutableMapping[tuple[str, str], int] = {}
        self.undo: MutableMapping[str, Moved | None] = {}
        self.latest = 0
        self.lines: list[Line] | None = None
        self.strict = {a.name for a in terms.accounts if a.source is FactSource.MANUAL}
        self._by_hand: dict[str, bool] = {}
        self.shorts = {a.name for a in terms.accounts if a.may_short}

    def fork(self) -> "Book":
        """Return a book that reads through to this one and keeps its own changes. O(1)."""
        child, own = Book.__new__(Book), vars(self)
        vars(child).update(own, lines=None, **{name: Layer(own[name]) for name in STATE})
        return child

    def land(self, child: "Book") -> None:
        """Take over what a fork of this book has changed. O(keys changed)."""
        for name in STATE:
            own = getattr(child, name).own
            if own:
                getattr(self, name).update(own)
        self.latest = child.latest

    def copy(self) -> "Book":
        """Return an independent book of the same state. O(keys): the values are shared."""
        twin = Book(self.terms)
        for name in STATE:
            setattr(twin, name, dict(getattr(self, name)))
        twin.latest = self.latest
        return twin

    def place(self, account: str, asset: str) -> HoldingKey:
        """Return where an account's lots of an asset are kept: a pool has it by its one name."""
        if self.is_pooled and asset not in self.cash:
            return (POOL, canonical(asset))
        return (account, asset)

    @property
    def spellings(self) -> Iterable[HoldingKey]:
        """Return the accounts and the names by which each has or had an asset."""
        return self.balances if self.is_pooled else self.holdings

    def named(self, place: HoldingKey) -> HoldingKey:
        """Return a place by the name that its asset has in the book, unless it has several."""
        names = {held for _, held in self.balances if canonical(held) == place[1]}
        return (place[0], names.pop()) if place[0] == POOL and len(names) == 1 else place

    def held(self, account: str, asset: str) -> Holding:
        """Return a holding, empty where there is none."""
        return self.holdings.get(self.place(account, asset), _NOTHING)

    def available(self, account: str, asset: str) -> Decimal:
        """Return what lots are there to be taken (what is owed does not reduce it)."""
        holding = self.held(account, asset)
        return holding.quantity + units(holding.owed)

    def owned(self, account: str, asset: str) -> Decimal:
        """Return what the account itself has of an asset, of its own lots or of the pool."""
        if self.is_pooled and asset not in self.cash:
            return self.balances.get((account, asset), ZERO)
        return self.held(account, asset).quantity

    def require(self, account: str, needs: Iterable[tuple[str, Decimal]]) -> None:
        """Refuse what a strict account does not have, before anything is changed."""
        if not self.is_strict(account):
            return
        wanted: dict[str, Decimal] = {}
        for asset, quantity in needs:
            if asset not in self.cash:
                wanted[asset] = wanted.get(asset, ZERO) + quantity
        for asset, quantity in wanted.items():
            # Of a pool a short sale elsewhere may have taken the lots of what an account still has.
            there = max(self.available(account, asset), self.owned(account, asset))
            if quantity > 0 and quantity > there:
                raise Oversold(
                    f"{account} holds {there:f} {asset}; {quantity:f} are to leave",
                    account=account,
                    asset=asset,
                    held=there,
                    wanted=quantity,
                )

    def acquire(self, account: str, asset: str, lot: Lot) -> Decimal:
        """Take in a lot and return what that realises (a peg's difference, a covered short)."""
        if not lot.quantity:
            return -lot.cost
        key = self.place(account, asset)
        holding = self.holdings.get(key, _NOTHING)
        self._balance(account, asset, lot.quantity)
        if asset in self.cash:
            quantity = holding.quantity + lot.quantity
            self.holdings[key] = Holding(quantity, quantity)
            return lot.quantity - lot.cost
        if holding.owed and account in self.shorts:
            return self._cover(key, holding, lot)
        self.holdings[key] = Holding(
            holding.quantity + lot.quantity,
            holding.cost + lot.cost,
            None if self.is_wac else self.rule.add(holding.pool, lot),
            holding.owed,
        )
        return ZERO

    def remove(
        self, account: str, asset: str, owed: Lot, lots: Sequence[str] = (), *, own: bool = False
    ) -> Removal:
        """Take `owed.quantity` out and say which lots it came from and what they cost.

        What is not there stays owed, at the share of `owed.cost` (the proceeds) that belongs to
        it. With `own` the named lots go first under every rule.
        """
        quantity = owed.quantity
        key = self.place(account, asset)
        holding = self.holdings.get(key, _NOTHING)
        self._balance(account, asset, -quantity)
        if asset in self.cash:
            left = holding.quantity - quantity
            self.holdings[key] = Holding(left, left)
            return Removal((), quantity)
        there = self.available(account, asset)
        taken = min(quantity, there)
        take = self._take(holding, taken, lots, own=own)
        debt = (cut(owed, quantity - taken)[0],) if taken < quantity else ()
        self.holdings[key] = Holding(
            holding.quantity - quantity,
            holding.cost - take.cost - total(debt),
            take.pool,
            holding.owed + debt,
        )
        return Removal(take.parts, take.cost, quantity - taken, total(debt))

    def restore(
        self, account: str, asset: str, removal: Removal, owed: Lot | None = None
    ) -> Decimal:
        """Put back what was removed, there or in another place; return the cost that this adds.

        `owed` names the fact whose missing part comes back too: out of its debt, or where that was
        covered in the meantime, as coins that cost nothing.
        """
        key = self.place(account, asset)
        holding = self.holdings.get(key, _NOTHING)
        if asset in self.cash:
            quantity = units(removal.parts) or removal.cost
            self._balance(account, asset, quantity)
            self.holdings[key] = Holding(holding.quantity + quantity, holding.quantity + quantity)
            return quantity
        parts = list(removal.parts)
        if owed is not None and removal.missing:
            lifted, kept = _lifted(holding.owed, owed.id, removal.missing)
            back, proceeds = units(lifted), total(lifted)
            holding = Holding(holding.quantity + back, holding.cost + proceeds, holding.pool, kept)
            self._balance(account, asset, back)
            self.holdings[key] = holding
            if removal.missing > back:
                parts.append(resized(owed, removal.missing - back, ZERO))
            return proceeds + self._rejoin(account, asset, holding, parts)
        return self._rejoin(account, asset, holding, parts)

    def replace(self, account: str, asset: str, lots: Sequence[Lot]) -> None:
        """Set the lots of a holding anew; what is owed stays."""
        key = self.place(account, asset)
        holding = self.holdings.get(key, _NOTHING)
        quantity = units(lots) - units(holding.owed)
        self._balance(account, asset, quantity - holding.quantity)
        self.holdings[key] = Holding(
            quantity,
            total(lots) - total(holding.owed),
            None if self.is_wac else self.rule.arrange(joined(lots)),
            holding.owed,
        )

    @money
    def lots(self, account: str, asset: str) -> list[Lot]:
        """Return the open lots of a holding in order of acquisition; one pooled lot under wac."""
        holding = self.held(account, asset)
        if not self.is_wac:
            return self.rule.lots(holding.pool)
        there = self.available(account, asset)
        return [Lot("pool", 0, there, holding.cost + total(holding.owed))] if there else []

    def debts(self, account: str, asset: str) -> list[Lot]:
        """Return what is short or owed, as lots below zero: quantity, and proceeds as cost."""
        owed = self.held(account, asset).owed
        return [resized(lot, negated(lot.quantity), negated(lot.cost)) for lot in owed]

    def credit(self, key: CellKey, change: Cell) -> None:
        """Add a change to a cell of the PnL."""
        cell = self.cells.get(key, _BLANK)
        self.cells[key] = Cell(
            cell.size + change.size,
            cell.realized + change.realized,
            cell.fees + change.fees,
            cell.trades + change.trades,
            cell.peg + change.peg,
        )

    def charge(self, account: str, pair: str, asset: str, change: FeeTotal) -> None:
        """Add to the fees of a pair."""
        key = (account, pair, asset)
        known = self.fees.get(key, _NO_FEE)
        self.fees[key] = FeeTotal(
            known.amount + change.amount,
            known.value + change.value,
            known.unknown + change.unknown,
        )

    def count(self, key: tuple[str, str, str, str], change: FlowTotal) -> None:
        """Add to the flows of a kind: `key` is (account, kind, asset, strategy)."""
        known = self.flows.get(key, _NO_FLOW)
        self.flows[key] = FlowTotal(
            known.amount + change.amount,
            known.booked + change.booked,
            known.value + change.value,
            known.count + change.count,
            known.unknown + change.unknown,
        )

    def note(self, asset: str, flag: Flag) -> None:
        """Count one more fact about an asset that rests on something unknown."""
        key = (asset, flag.value)
        self.gaps[key] = self.gaps.get(key, 0) + 1

    def is_strict(self, account: str) -> bool:
        """Tell whether an account cannot spend what it does not have."""
        return (self.terms.strict or self._is_by_hand(account)) and account not in self.shorts

    def _is_by_hand(self, account: str) -> bool:
        """Tell whether an account is kept by hand, which those of the venue `manual` are."""
        if account in self.strict or not account.startswith(FactSource.MANUAL.value):
            return account in self.strict
        known = self._by_hand.get(account)
        if known is None:
            known = self.terms.account(account).source is FactSource.MANUAL
            self._by_hand[account] = known
        return known

    def _balance(self, account: str, asset: str, change: Decimal) -> None:
        if self.is_pooled:
            key = (account, asset)
            self.balances[key] = self.balances.get(key, ZERO) + change

    def _take(self, holding: Holding, quantity: Decimal, lots: Sequence[str], *, own: bool) -> Take:
        if not quantity:
            return Take((), ZERO, holding.pool)
        if self.is_wac:
            debt = holding.owed
            there = holding.quantity + units(debt)
            pool: Pool = Lot("pool", 0, there, holding.cost + total(debt))
            take = self.rule.take(pool, quantity, ())
            return Take(take.parts, take.cost, None)
        if own and lots:
            return self._take_own(holding.pool, quantity, lots)
        return self.rule.take(holding.pool, quantity, lots)

    def _take_own(self, pool: Pool, quantity: Decimal, lots: Sequence[str]) -> Take:
        """Take the named lots, and by the rule what is not left of them."""
        held = self.rule.lots(pool)
        there = min(quantity, units(lot for lot in held if lot.id in lots))
        named = SPECIFIC.take(tuple(held), there, lots)
        left = self.rule.arrange(SPECIFIC.lots(named.pool))
        if there == quantity:
            return Take(named.parts, named.cost, left)
        more = self.rule.take(left, quantity - there, ())
        return Take(named.parts + more.parts, named.cost + more.cost, more.pool)

    def _rejoin(self, account: str, asset: str, holding: Holding, parts: list[Lot]) -> Decimal:
        """Let lots join a holding by their age, after they have covered what a short owes."""
        key = self.place(account, asset)
        self._balance(account, asset, units(parts))
        if holding.owed and account in self.shorts:
            before = holding.cost
            for part in parts:
                self._cover(key, self.holdings.get(key, _NOTHING), part)
            return self.holdings[key].cost - before if parts else ZERO
        self.holdings[key] = Holding(
            holding.quantity + units(parts),
            holding.cost + total(parts),
            None if self.is_wac else self.rule.restore(holding.pool, parts),
            holding.owed,
        )
        return total(parts)

    def _cover(self, key: HoldingKey, holding: Holding, lot: Lot) -> Decimal:
        """Let a lot close short lots, oldest first; what is left joins the pool by its age."""
        owed = list(holding.owed)
        proceeds, cost = ZERO, ZERO
        rest: Lot | None = lot
        while owed and rest is not None:
            closed, still = cut(owed.pop(0), rest.quantity)
            spent, rest = cut(rest, closed.quantity)
            proceeds, cost = proceeds + closed.cost, cost + spent.cost
            if still is not None:
                owed.insert(0, still)
        pool = holding.pool
        if rest is not None and not self.is_wac:
            pool = self.rule.restore(pool, [rest])
        self.holdings[key] = Holding(
            holding.quantity + lot.quantity,
            holding.cost + proceeds + (lot.cost - cost),
            pool,
            tuple(owed),
        )
        return proceeds - cost


def own_changes(mapping: Mapping[_K, _V]) -> Mapping[_K, _V]:
    """Return what a fork itself has changed of a mapping, without what it reads through to."""
    return mapping.own if isinstance(mapping, Layer) else mapping


def _lifted(
    owed: tuple[Lot, ...], name: str, quantity: Decimal
) -> tuple[tuple[Lot, ...], tuple[Lot, ...]]:
    """Lift up to `quantity` of one fact's debts: (lifted, kept)."""
    lifted: list[Lot] = []
    kept: list[Lot] = []
    for lot in owed:
        if lot.id != name or not quantity:
            kept.append(lot)
            continue
        part, rest = cut(lot, quantity)
        lifted.append(part)
        kept += [rest] if rest is not None else []
        quantity -= part.quantity
    return tuple(lifted), tuple(kept)


STATE: Final = (
    "holdings",
    "cells",
    "fees",
    "flows",
    "margins",
    "balances",
    "pockets",
    "sleeves",
    "gaps",
    "undo",
)
