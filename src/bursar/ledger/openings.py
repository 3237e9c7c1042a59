"""Openings: what an account must have held before its recorded history begins.

An export may start in the middle. The opening of an asset is the smallest quantity that keeps every
prefix of the account's history at or above zero, or what the first recorded balance says was there
before, if that is larger. It is derived from the facts, never stated, so it is recomputed whenever
they change, and it does not depend on the order in which they came.

Base currency and pegs may be negative; they get an opening only from a stated balance.

A place that nobody tells of (a futures wallet) is opened on its own: what came out of it beyond
what had gone in was there before. Money too, since such a place lends none.

`Prefixes` follows the balances fact by fact, so facts at the end cost only themselves.

Errors: none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from bursar.exact import ATOM, ONE, ZERO, divide, ratio18
from bursar.ledger import instant, pockets
from bursar.ledger.entries import (
    TRANSIT,
    CashFlow,
    Conversion,
    Fill,
    Flag,
    FlowKind,
    MarginFill,
    Movement,
    Rename,
    Reversal,
    Side,
    Source,
    Split,
    StagedChange,
    Transfer,
)
from bursar.ledger.facts import Fact
from bursar.ledger.journal import merge
from bursar.ledger.layer import Layer

Place = tuple[str, str]
Scale = tuple[Decimal, Decimal]
_FirstKey = tuple[str, str, str, bool]


class Balance(msgspec.Struct, frozen=True, gc=False):
    """One balance on its way: where it is, how low it went (in first units), and its scale.

    The scale is a pair: so many units now for so many first ones. `began` is what it was before the
    facts of one instant and sequence that moved it last (`tie`).
    """

    now: Decimal = ZERO
    lowest: Decimal = ZERO
    scale: Scale = (ONE, ONE)
    tie: tuple[int, int] = (-1, 0)
    began: Decimal = ZERO


_NOTHING: Final = Balance()
_UNSEEN: Final = "out of sight"
_EVERY: Final = "*"
_MOST: Final = 10**30


_SELL: Final = Side.SELL


class Walked(msgspec.Struct, frozen=True):
    """Running balances taken down: each mapping as its pairs of key and value."""

    balances: tuple[tuple[Place, Balance], ...] = ()
    began: tuple[tuple[str, int], ...] = ()
    explained: tuple[tuple[tuple[str, Place], tuple[Decimal, Scale]], ...] = ()
    flows: tuple[tuple[str, tuple[tuple[Place, Decimal], ...]], ...] = ()


class Prefixes:
    """The running balances of every account, without openings, and how low they ever went.

    What stood there before a first ledger row, and before all that may be simultaneous with it, is
    kept, since a stated balance calls for an opening only beyond what earlier facts explain.
    """

    def __init__(self, base: str, cash: frozenset[str]) -> None:
        self._base = base
        self._cash = cash
        self._balances: MutableMapping[Place, Balance] = {}
        self._began: MutableMapping[str, int] = {}
        self._explained: MutableMapping[tuple[str, Place], tuple[Decimal, Scale]] = {}
        self._flows: MutableMapping[str, tuple[tuple[Place, Decimal], ...]] = {}

    @classmethod
    def resumed(cls, base: str, cash: frozenset[str], walked: Walked) -> "Prefixes":
        """Return balances as they were taken down."""
        prefixes = cls(base, cash)
        prefixes._balances.update(walked.balances)
        prefixes._began.update(walked.began)
        prefixes._explained.update(walked.explained)
        prefixes._flows.update(walked.flows)
        return prefixes

    def walked(self) -> Walked:
        """Take the balances down. O(places)."""
        return Walked(
            tuple(sorted(self._balances.items())),
            tuple(sorted(self._began.items())),
            tuple(sorted(self._explained.items())),
            tuple(sorted(self._flows.items())),
        )

    def fork(self) -> "Prefixes":
        """Return prefixes that read through to these and keep their own changes."""
        child = Prefixes(self._base, self._cash)
        child._balances = Layer(self._balances)
        child._began = Layer(self._began)
        child._explained = Layer(self._explained)
        child._flows = Layer(self._flows)
        return child

    def flat(self) -> "Prefixes":
        """Return an independent copy. O(places)."""
        twin = Prefixes(self._base, self._cash)
        twin._balances = dict(self._balances)
        twin._began = dict(self._began)
        twin._explained = dict(self._explained)
        twin._flows = dict(self._flows)
        return twin

    def land(self, child: "Prefixes") -> None:
        """Take over what a fork of these has changed."""
        for name in ("_balances", "_began", "_explained", "_flows"):
            getattr(self, name).update(getattr(child, name).own)

    def follow(self, facts: Iterable[Fact], firsts: frozenset[str]) -> "Prefixes":
        """Take facts in canonical order, openings left out, and return self. O(facts).

        `firsts` are the rows before which the balance is to be kept.
        """
        for fact in facts:
            if type(fact) is Fill or not is_opening(fact):
                self._follow(fact, firsts)
        return self

    def beyond(self, row: str, place: Place, prior: Decimal) -> Decimal:
        """Return what stood before a first row beyond what facts explain, in first units."""
        explained, scale = self._explained.get((row, place), (ZERO, _NOTHING.scale))
        return -_first_units(explained - prior, scale)

    def due(self, stated: dict[Place, Decimal]) -> list[CashFlow]:
        """Return the openings that the history calls for, unpriced."""
        places = {place for place, held in self._balances.items() if held.lowest < 0}
        inside: dict[Place, Decimal] = {}
        for place, quantity in stated.items():
            account, pocket = pockets.parted(place)
            if pocket is not None:
                whole = account, place[1]
                inside[whole] = inside.get(whole, ZERO) + quantity
        found = []
        for place in sorted(places | stated.keys()):
            lowest = self._balances.get(place, _NOTHING).lowest + inside.get(place, ZERO)
            quantity = max(-lowest, stated.get(place, ZERO))
            began = self._began.get(_account(place))
            if quantity > 0 and began is not None:
                found.append(opening(place, quantity, began))
        return found

    def _follow_fill(self, fill: Fill) -> None:
        """Do what `_follow` does with a fill that no first row is a part of; most are charged in
        their quote.
        """
        account, base, quote = fill.account, fill.base, fill.quote
        tie = fill.executed_at, fill.sequence
        self._began.setdefault(account, fill.executed_at)
        came, went = fill.quantity, -(fill.amount or ZERO)
        if fill.side is _SELL:
            came, went = -came, -went
        is_plain = base != quote
        for fee in fill.fees:
            went -= fee.amount
            is_plain = is_plain and fee.asset == quote
        if not is_plain:
            for place, change in _net(deltas(fill)):
                self._move(place, change, tie)
            return
        self._move((account, base), came, tie)
        self._move((account, quote), went, tie)

    def _follow(self, fact: Fact, firsts: frozenset[str]) -> None:
        if isinstance(fact, Fill) and firsts.isdisjoint(fact.rows):
            self._follow_fill(fact)
            return
        firsts = firsts.intersection(fact.rows)
        for account in (fact.account, getattr(fact, "to_account", fact.account)):
            self._began.setdefault(account, fact.executed_at)
        if isinstance(fact, Rename) and fact.quantity is None:
            self._rename(fact)
        elif isinstance(fact, Split):
            self._split(fact)
        else:
            if isinstance(fact, Transfer) and fact.unseen:
                self._go_unseen(fact)
            moved = [*self._deltas(fact), *pockets.moved(fact)]
            if isinstance(fact, CashFlow) and fact.reversed_by is not None:
                self._flows[fact.id] = tuple(moved)
            tie = fact.executed_at, fact.sequence
            for place, change in _net(moved):
                self._move(place, change, tie)
                for row in firsts:
                    held = self._balances[place]
                    self._explained[row, place] = held.began, held.scale

    def _go_unseen(self, fact: Transfer) -> None:
        """Follow the place out of sight; what it had to be opened with is held from here on."""
        tie, place = (fact.executed_at, fact.sequence), (fact.account, fact.asset)
        unseen = (_unseen(fact.account), fact.asset)
        before = self._balances.get(unseen) or self._unmoved(unseen)
        came = fact.pocket == TRANSIT
        self._move(unseen, -fact.quantity if came else fact.quantity, tie)
        after = self._balances[unseen]
        self._move(place, ratio18(before.lowest - after.lowest, *after.scale), tie)

    def _move(self, place: Place, change: Decimal, tie: tuple[int, int]) -> None:
        held = self._balances.get(place) or self._unmoved(place)
        now, lowest = held.now + change, held.lowest
        began = held.began if held.tie == tie else held.now
        if now < 0 and (
            (place[1] not in self._cash and pockets.parted(place)[1] is None) or _is_unseen(place)
        ):
            lowest = min(lowest, _first_units(now, held.scale))
        self._balances[place] = Balance(now, lowest, held.scale, tie, began)

    def _unmoved(self, place: Place) -> Balance:
        """Return the balance of a place that nothing moved yet: it was split with its account."""
        whole = self._balances.get((_account(place), place[1]), _NOTHING)
        return Balance(scale=whole.scale)

    def _rename(self, fact: Rename) -> None:
        """What is there goes on under the new name; what had to be opened with is part of it."""
        for place in self._places(fact.account, fact.asset):
            held = self._balances[place]
            floor = ratio18(held.lowest, *held.scale)
            self._balances[place] = Balance(floor, held.lowest, held.scale)
            tie = fact.executed_at, fact.sequence
            self._move((place[0], fact.to_asset), held.now - floor, tie)

    def _split(self, fact: Split) -> None:
        """Count anew what is there, and what an account may yet turn out to have begun with."""
        begun = self._began if fact.account == _EVERY else (fact.account,)
        unmoved = {(account, fact.asset) for account in begun if account != _EVERY}
        for place in sorted(unmoved.union(self._places(fact.account, fact.asset))):
            held = self._balances.get(place) or self._unmoved(place)
            self._balances[place] = Balance(
                ratio18(held.now, fact.numerator, fact.denominator),
                held.lowest,
                _scaled(held.scale, fact),
            )

    def _places(self, account: str, asset: str) -> list[Place]:
        return sorted(
            place
            for place in self._balances
            if place[1] == asset and account in {_EVERY, pockets.parted(place)[0]}
        )

    def _deltas(self, fact: Fact) -> list[tuple[Place, Decimal]]:
        if isinstance(fact, Reversal):
            return [(place, -change) for place, change in self._flows.get(fact.target, ())]
        if isinstance(fact, StagedChange):
            moved = [((fact.account, line.asset), line.quantity) for line in fact.lines]
            return [*moved, ((fact.account, self._base), fact.cash - fact.fees)]
        return deltas(fact)


class Firsts:
    """The first ledger rows of each asset code, by account: what its balance was before.

    All rows of the first second are kept, since a finer time may yet put them in another order; and
    apart from them those that are claimed, since a claim that is taken back says nothing.
    """

    def __init__(self) -> None:
        self._rows: MutableMapping[_FirstKey, tuple[Movement, ...]] = {}

    def fork(self) -> "Firsts":
        """Return firsts that read through to these and keep their own."""
        child = Firsts()
        child._rows = Layer(self._rows)
        return child

    def land(self, child: "Firsts") -> None:
        """Take over what a fork of these has seen."""
        self._rows.update(child.seen())

    def seen(self) -> Mapping[_FirstKey, tuple[Movement, ...]]:
        """Return the first rows by account, asset and code, and whether they are claims; of a fork,
        those it has seen itself.
        """
        return self._rows.own if isinstance(self._rows, Layer) else self._rows

    def knows(self, row: Movement) -> bool:
        """Tell whether any row of that row's code was seen."""
        return _first_key(row) in self._rows

    def assets(self, account: str) -> frozenset[str]:
        """Return the assets of an account of which a row has stated a balance, pockets left out."""
        return frozenset(
            asset
            for (name, asset, _, _), rows in self._rows.items()
            if name == account and not pockets.is_beginning(rows[0])
        )

    def see(self, row: Movement) -> None:
        """Look at a statement of a row."""
        if row.balance is None:
            return
        key = _first_key(row)
        known = self._rows.get(key)
        if known is None:
            self._rows[key] = (row,)
            return
        if row.executed_at - known[0].executed_at >= instant.SECOND:  # as most are
            return
        second, first = row.executed_at // instant.SECOND, known[0].executed_at // instant.SECOND
        if second < first:
            self._rows[key] = (row,)
        elif second == first and row not in known:
            self._rows[key] = (*known, row)

    def rows(self) -> Iterable[Movement]:
        """Yield the statements of the first rows."""
        return (row for key in sorted(self._rows) for row in self._rows[key])

    def ids(self) -> frozenset[str]:
        """Return the rows that may be the first of their code."""
        return frozenset(row.id for rows in self._rows.values() for row in rows)

    def before(self, prefixes: Prefixes, is_void: Callable[[str], bool]) -> dict[Place, Decimal]:
        """Return what was there before the first rows, beyond what earlier facts explain.

        Of several codes of one asset, what earlier facts explain belongs to the first. What was
        claimed to lie there, by a row that moves nothing, gives way to any row of the venue's own,
        earlier or later: that one says itself what was there before it.
        """
        codes: dict[tuple[str, str, str], dict[str, list[Movement]]] = {}
        for (account, asset, code, is_claim), rows in self._rows.items():
            for row in rows:
                if not (is_claim and is_void(row.id)):
                    told = codes.setdefault((account, asset, code), {})
                    told.setdefault(row.id, []).append(row)
        firsts: dict[Place, list[Movement]] = {}
        priors: dict[Place, Decimal] = {}
        for told in codes.values():
            merged = [row for row in map(merge, told.values()) if isinstance(row, Movement)]
            counted = [row for row in merged if not _only_claims(row)] or merged
            first = min(counted, key=_when)
            place = pockets.place_of(first)
            firsts.setdefault(place, []).append(first)
            together = [row for row in counted if row.executed_at == first.executed_at]
            priors[place] = priors.get(place, ZERO) + _prior(first, together)
        sums = {
            place: prefixes.beyond(min(found, key=_when).id, place, priors[place])
            for place, found in firsts.items()
        }
        return {place: quantity for place, quantity in sums.items() if quantity > 0}


def opening(place: Place, quantity: Decimal, first_at: int) -> CashFlow:
    """Make the derived fact: just before the account's first entry, with an assumed basis."""
    account, asset = _account(place), place[1]
    return CashFlow(
        id=f"opening:{pockets.shown(place)}:{asset}",
        executed_at=first_at - 1,
        account=account,
        kind=FlowKind.OPENING,
        asset=asset,
        amount=quantity,
        flags=(Flag.ASSUMED_BASIS,),
        pocket=TRANSIT if _is_unseen(place) else pockets.parted(place)[1],
    )


def is_opening(fact: Fact) -> bool:
    """Tell whether a fact is a derived opening."""
    return isinstance(fact, CashFlow) and Flag.ASSUMED_BASIS in fact.flags


def deltas(fact: Fact) -> list[tuple[Place, Decimal]]:
    """Return how a fact changes balances, place by place. Names and counts are not moved here."""
    account = fact.account
    match fact:
        case Fill():
            sign = 1 if fact.side is Side.BUY else -1
            moved = [
                ((account, fact.base), sign * fact.quantity),
                ((account, fact.quote), -sign * (fact.amount or ZERO)),
            ]
        case CashFlow():
            moved = [((account, fact.asset), fact.amount)]
        case MarginFill():
            moved = [((account, fact.quote), fact.settled or ZERO)]
        case Conversion():
            moved = [((account, leg.asset), -leg.quantity) for leg in fact.given]
            moved += [((account, leg.asset), leg.quantity) for leg in fact.taken]
        case Transfer():
            moved = [
                ((account, fact.asset), -fact.quantity),
                ((fact.to_account, fact.to_asset or fact.asset), fact.quantity),
            ]
            moved += [((fact.to_account, fee.asset), -fee.amount) for fee in fact.to_fees]
        case Rename(quantity=Decimal() as quantity):
            return [((account, fact.asset), -quantity), ((account, fact.to_asset), quantity)]
        case _:
            return []
    return moved + [((account, fee.asset), -fee.amount) for fee in fact.fees]


def _unseen(account: str) -> str:
    return f"{account}:{_UNSEEN}"


def _is_unseen(place: Place) -> bool:
    return place[0].endswith(f":{_UNSEEN}")


def _account(place: Place) -> str:
    return pockets.parted(place)[0].removesuffix(f":{_UNSEEN}")


def _net(moved: Iterable[tuple[Place, Decimal]]) -> Iterable[tuple[Place, Decimal]]:
    sums: dict[Place, Decimal] = {}
    for place, change in moved:
        sums[place] = sums.get(place, ZERO) + change
    return sums.items()


def _scaled(scale: Scale, split: Split) -> Scale:
    """Return a scale after a split, in lowest terms; one of very many digits is rounded."""
    now, first = scale[0] * split.numerator, scale[1] * split.denominator
    found = Fraction(now) / Fraction(first)
    if max(found.numerator, found.denominator) >= _MOST:
        return max(ratio18(ONE, now, first), ATOM), ONE
    return Decimal(found.numerator), Decimal(found.denominator)


def _first_units(now: Decimal, scale: Scale) -> Decimal:
    """Return a shortfall in the units of the account's beginning, rounded so that it suffices."""
    if scale == _NOTHING.scale:
        return now
    quotient, remainder = divide(now * scale[1], scale[0], places=18)
    return quotient - ATOM if remainder < 0 else quotient


def _first_key(row: Movement) -> _FirstKey:
    return row.account, row.asset, pockets.code_of(row), row.source is Source.CLAIM


def _only_claims(row: Movement) -> bool:
    """Tell whether a row claims what lay there, and nothing of how it came."""
    return row.source is Source.CLAIM and not row.amount and not row.fee


def _prior(first: Movement, together: Sequence[Movement]) -> Decimal:
    """Return the balance before the rows of a first instant.

    It is what they begin with and do not come back to, whatever order those have that were told
    one after the other; where that is not one balance, what was there before the first of them.
    """
    left = Counter(row.balance or ZERO for row in together)
    begun = Counter(map(_before, together)) - left
    return next(iter(begun)) if len(begun) == 1 else _before(first)


def _before(row: Movement) -> Decimal:
    return (row.balance or ZERO) - row.amount + row.fee


def _when(row: Movement) -> tuple[int, int, str]:
    return row.executed_at, row.sequence, row.id
