"""Strategy books: what each strategy owns of the accounts it trades in, and what that cost.

The idea: a strategy's sleeve in an account is folded like an account of its own, by the same fold.
Every fact goes to the sleeve of the strategy that did it, and to `manual` where none did: deposits,
transfers, rewards and hand trades. Capital moves between sleeves by sleeve transfers, as cash. A
sleeve that gives coins it does not have takes them at cost, with their lots, from `manual` first
and then from the other strategies by name; each time is recorded as a `Loan`, and is capital that
moved, never PnL. Renames and splits meet every sleeve of the account. A leveraged position is one,
as at the venue: it stays in the sleeve of the strategy that opened it until it is closed.

Invariants
- Of every asset, cash and coins, the sleeves of an account hold together what the account holds, to
  the last digit, at every moment.
- Σ cost of a strategy = contributed + made, where made = realised + income − expenses.
- Sleeves keep own lots, so they may together have realised more or less than the account has; what
  cost and realised differ by is `cross_strategy`, and is the same on both sides of the books.

Errors: none of its own; the facts are those that the book has taken already.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO, money, ratio18
from bursar.ledger import audit, instant
from bursar.ledger.book import POOL, Book
from bursar.ledger.entries import (
    MANUAL,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    MarginFill,
    Rename,
    Reversal,
    Side,
    SleeveTransfer,
    Split,
    StagedChange,
    Transfer,
)
from bursar.ledger.facts import Fact
from bursar.ledger.fold import apply
from bursar.ledger.fold.booking import dispose, realize
from bursar.ledger.lots import Lot
from bursar.ledger.margins import deliver
from bursar.ledger.state import NO_PAIR
from bursar.ledger.terms import Scope, Terms

_APART: Final = "\x1f"
_KEYED: Final = ("holdings", "cells", "fees", "flows", "margins", "pockets")
_Needs = list[tuple[str, Decimal]]


class Loan(msgspec.Struct, frozen=True):
    """Coins that one strategy took from another's sleeve, at their cost, to give them away."""

    at: int
    account: str
    asset: str
    quantity: Decimal
    cost: Decimal
    from_strategy: str
    to_strategy: str
    fact: str


class DayClose(msgspec.Struct, frozen=True):
    """A strategy at the end of a UTC day (by number) on which it did something, at cost."""

    strategy: str
    day: int
    contributed: Decimal
    made: Decimal


class StrategyBooks:
    """Every strategy's sleeves, side by side in one book."""

    def __init__(self, terms: Terms) -> None:
        own = msgspec.structs.replace(terms, scope=Scope.ACCOUNT, strict=False, accounts=())
        self.book = Book(own)
        self.loans: list[Loan] = []
        self.terms = terms
        self._closed: list[DayClose] = []
        self._shorts = {account.name for account in terms.accounts if account.may_short}
        self._sleeves: dict[str, set[str]] = {}
        self._targets: dict[str, str] = {}
        self._touched: set[str] = set()
        self._parts: dict[str, Book] | None = None
        self._day = 0

    def strategies(self) -> list[str]:
        """Return every strategy that has a sleeve, by name, `manual` among them."""
        return sorted({strategy for known in self._sleeves.values() for strategy in known})

    def of(self, strategy: str) -> Book:
        """Return a strategy's sleeves as a book, under the names of their accounts; for reading.

        O(keys of all) for the first that is asked for after a fact, O(1) for the others.
        """
        if self._parts is None:
            self._parts = self._parted()
        return self._parts.get(strategy) or Book(self.book.terms)

    def _parted(self) -> dict[str, Book]:
        parts: dict[str, Book] = {}
        for name in _KEYED:
            for key, value in getattr(self.book, name).items():
                whose, _, account = key[0].rpartition(_APART)
                if whose not in parts:
                    parts[whose] = Book(self.book.terms)
                    parts[whose].latest = self.book.latest
                getattr(parts[whose], name)[(account, *key[1:])] = value
        return parts

    @money
    def made(self, strategy: str) -> Decimal:
        """Return what a strategy realised and earned, less what it was charged."""
        return self._close(strategy).made

    @money
    def contributed(self, strategy: str) -> Decimal:
        """Return the capital that a strategy holds at cost, without what it made."""
        return self._close(strategy).contributed

    @money
    def follow(self, facts: Iterable[Fact]) -> "StrategyBooks":
        """Take in priced facts in canonical order, after those before; close days that are over."""
        for fact in facts:
            day = fact.executed_at // instant.DAY
            if day != self._day:
                self._closed += self._standing()
                self._touched.clear()
                self._day = day
            self._take(fact)
        return self

    @property
    def closes(self) -> list[DayClose]:
        """Where strategies stood at the end of each day on which they did something.

        The last day is as it stands.
        """
        return [*self._closed, *self._standing()]

    def _standing(self) -> list[DayClose]:
        return [self._close(strategy) for strategy in sorted(self._touched)]

    def _close(self, strategy: str) -> DayClose:
        totals = audit.totals(self.of(strategy))
        made = totals.made
        return DayClose(strategy, self._day, totals.cost - made, made)

    def _take(self, fact: Fact) -> None:
        self._parts = None
        match fact:
            case SleeveTransfer():
                self._move_capital(fact)
            case Rename(quantity=Decimal() as quantity):
                self._rename(fact, quantity)
            case Rename() | Split():
                self._rescale(fact)
            case Transfer():
                self._supply(fact, MANUAL, [(fact.asset, fact.quantity), *_charged(fact.fees)])
                sleeve = self._sleeve(fact.account, MANUAL)
                there = self._sleeve(fact.to_account, MANUAL)
                apply(self.book, msgspec.structs.replace(fact, account=sleeve, to_account=there))
            case _:
                if isinstance(fact, Fill) and fact.delivers:
                    fact = self._delivered(fact)
                strategy = self._owner(fact)
                self._supply(fact, strategy, self._leaving(fact))
                sleeve = self._sleeve(fact.account, strategy)
                apply(self.book, msgspec.structs.replace(fact, account=sleeve))

    def _owner(self, fact: Fact) -> str:
        match fact:
            case MarginFill():
                return self._leveraged(fact) or fact.strategy or MANUAL
            case Fill():
                return fact.strategy or MANUAL
            case CashFlow():
                self._targets[fact.id] = fact.strategy or MANUAL
                return fact.strategy or MANUAL
            case Reversal():
                return self._targets.get(fact.target, MANUAL)
            case StagedChange():
                named = {line.strategy or MANUAL for line in fact.lines}
                return named.pop() if len(named) == 1 else MANUAL
            case _:
                return MANUAL

    def _leveraged(self, fact: Fill | MarginFill) -> str | None:
        """Return whose sleeve the open position of a pair is in: there is one, as at the venue."""
        pair = f"{fact.base}/{fact.quote}"
        if isinstance(fact, MarginFill) and fact.pair is not None:
            pair = fact.pair
        for strategy in sorted(self._sleeves.get(fact.account, ())):
            position = self.book.margins.get((f"{strategy}{_APART}{fact.account}", pair))
            if position is not None and position.quantity:
                return strategy
        return None

    def _delivered(self, fill: Fill) -> Fill:
        """Close the position that a fill settles, whosever it is; what is left is plain."""
        owner = self._leveraged(fill)
        if owner is not None:
            sleeve = self._sleeve(fill.account, owner)
            deliver(self.book.margins, msgspec.structs.replace(fill, account=sleeve))
        return msgspec.structs.replace(fill, delivers=False)

    def _leaving(self, fact: Fact) -> _Needs:
        """What a fact takes away, and (negative) what it brings."""
        match fact:
            case Fill():
                sign = 1 if fact.side is Side.SELL else -1
                moved = (fact.base, sign * fact.quantity), (fact.quote, -sign * _amount(fact))
                return [*moved, *_charged(fact.fees)]
            case MarginFill():
                return [(fact.quote, -(fact.settled or ZERO)), *_charged(fact.fees)]
            case CashFlow():
                return [(fact.asset, -fact.amount), *_charged(fact.fees)]
            case Conversion():
                given = [(leg.asset, leg.quantity) for leg in fact.given]
                taken = [(leg.asset, -leg.quantity) for leg in fact.taken]
                return [*given, *taken, *_charged(fact.fees)]
            case _:
                return self._undone(fact) if isinstance(fact, Reversal) else self._edited(fact)

    def _undone(self, reversal: Reversal) -> _Needs:
        moved = self.book.undo.get(reversal.target)
        return [] if moved is None else [(moved.flow.asset, moved.flow.amount)]

    def _edited(self, fact: Fact) -> _Needs:
        """Edited lots may lie in any sleeve: all lots of their asset come together first."""
        assert isinstance(fact, StagedChange)
        lines = [(line.asset, -line.quantity) for line in fact.lines]
        edited = sorted({lot.asset for lot in fact.lots})
        return [*lines, *((asset, self._everywhere(fact.account, asset)) for asset in edited)]

    def _supply(self, fact: Fact, strategy: str, needs: _Needs) -> None:
        """Bring the coins that a sleeve is to give and does not have, from those that have them."""
        wanted: dict[str, Decimal] = {}
        for asset, quantity in needs:
            if asset not in self.book.cash:
                wanted[asset] = wanted.get(asset, ZERO) + quantity
        for asset, quantity in wanted.items():
            missing = quantity - self._available(fact.account, strategy, asset)
            for giver in self._givers(fact.account, strategy) if missing > 0 else ():
                part = min(missing, self._available(fact.account, giver, asset))
                if part > 0:
                    self._lend(fact, asset, part, (giver, strategy))
                    missing -= part

    def _givers(self, account: str, strategy: str) -> Iterator[str]:
        others = self._sleeves.get(account, set()) - {strategy}
        yield from sorted(others, key=lambda name: (name != MANUAL, name))

    def _lend(self, fact: Fact, asset: str, quantity: Decimal, way: tuple[str, str]) -> None:
        source, target = (self._sleeve(fact.account, strategy) for strategy in way)
        before = self.book.held(source, asset).cost
        move = Transfer(
            id=f"{fact.id}/{asset}",
            executed_at=fact.executed_at,
            account=source,
            to_account=target,
            asset=asset,
            quantity=quantity,
        )
        apply(self.book, move)
        cost = before - self.book.held(source, asset).cost
        place = (fact.executed_at, fact.account, asset, quantity, cost)
        self.loans.append(Loan(*place, *way, fact.id))

    def _rename(self, fact: Rename, left: Decimal) -> None:
        """Rename a quantity: what is `manual`'s first, then what the others have, by name."""
        for strategy in (MANUAL, *self._givers(fact.account, MANUAL)):
            part = min(self._available(fact.account, strategy, fact.asset), left)
            if part > 0:
                self._rename_in(fact, strategy, part)
                left -= part
        if left:  # nobody has it: it is made up for once it is known where it came from
            self._rename_in(fact, MANUAL, left)

    def _rename_in(self, fact: Rename, strategy: str, quantity: Decimal) -> None:
        sleeve = self._sleeve(fact.account, strategy)
        apply(self.book, msgspec.structs.replace(fact, account=sleeve, quantity=quantity))

    def _rescale(self, fact: Rename | Split) -> None:
        """Rename or split in every sleeve; what rounding each of them left over is `manual`'s."""
        accounts = sorted(self._sleeves) if fact.account == POOL else [fact.account]
        for account in accounts:
            before = self._held(account, fact.asset)
            for strategy in sorted(self._sleeves.get(account, ())):
                sleeve = self._sleeve(account, strategy)
                apply(self.book, msgspec.structs.replace(fact, account=sleeve))
            if isinstance(fact, Split) and fact.asset not in self.book.cash:
                due = ratio18(before, fact.numerator, fact.denominator)
                self._round_off(fact, account, due - self._held(account, fact.asset))

    def _round_off(self, fact: Split, account: str, atoms: Decimal) -> None:
        sleeve = self._sleeve(account, MANUAL)
        lot = Lot(fact.id, fact.executed_at, abs(atoms), ZERO)
        if atoms > 0:
            gained = self.book.acquire(sleeve, fact.asset, lot)
        else:
            gained, _ = dispose(self.book, sleeve, fact.asset, lot)
        realize(self.book, (sleeve, fact.asset, NO_PAIR, MANUAL, ""), gained, "rounding")

    def _held(self, account: str, asset: str) -> Decimal:
        known = self._sleeves.get(account, ())
        names = (f"{strategy}{_APART}{account}" for strategy in known)
        return sum((self.book.held(name, asset).quantity for name in names), ZERO)

    def _move_capital(self, fact: SleeveTransfer) -> None:
        move = Transfer(
            id=fact.id,
            executed_at=fact.executed_at,
            account=self._sleeve(fact.account, fact.from_strategy),
            to_account=self._sleeve(fact.account, fact.to_strategy),
            asset=fact.asset or self.book.terms.base,
            quantity=fact.amount,
        )
        apply(self.book, move)

    def _everywhere(self, account: str, asset: str) -> Decimal:
        known = self._sleeves.get(account, ())
        return sum((self._available(account, each, asset) for each in known), ZERO)

    def _available(self, account: str, strategy: str, asset: str) -> Decimal:
        return self.book.available(f"{strategy}{_APART}{account}", asset)

    def _sleeve(self, account: str, strategy: str) -> str:
        """Return the name under which a sleeve is folded; it may sell short where its account may.

        The strategy stands first: an account kept by hand is known by how its name begins, and no
        sleeve is to be strict.
        """
        name = f"{strategy}{_APART}{account}"
        self._sleeves.setdefault(account, set()).add(strategy)
        self._touched.add(strategy)
        if account in self._shorts:
            self.book.shorts.add(name)
        return name


def strategy_books(facts: Iterable[Fact], terms: Terms) -> StrategyBooks:
    """Return the strategies' books after all facts, which are priced and in canonical order."""
    return StrategyBooks(terms).follow(facts)


def _amount(fill: Fill) -> Decimal:
    return fill.amount or ZERO


def _charged(fees: Iterable[Fee]) -> _Needs:
    return [(fee.asset, fee.amount) for fee in fees if fee.amount > 0]
