"""Openings: what an account must have held before its recorded history begins.

An export may start in the middle. The opening of an asset is the smallest quantity that keeps every
prefix of the account's history at or above zero, or what the first recorded balance says was there
before, if that is larger. It is derived from the facts, never stated, so it is recomputed whenever
they change, and it does not depend on the order in which they came.

What it is carried to by splits and renames counts there; what is sold under a name that a rename
has emptied calls for none (`founding`).

Base currency and pegs may be negative; they get an opening only from a stated balance.

A pocket that only keeps coins (a savings product) is opened on its own, money too, by what it lacks
at the end of an instant: which of two moves of one second came first nobody knows.

A place that nobody tells of (a futures wallet) is opened on its own: what came out of it beyond
what had gone in was there before. Money too, since such a place lends none.

`Prefixes` follows the balances fact by fact, so facts at the end cost only themselves.

Errors: none.
"""

from collections.abc import Iterable, MutableMapping
from decimal import Decimal
from typing import Final

import msgspec
from msgspec.structs import replace

from bursar.exact import ZERO, ratio18
from bursar.ledger import instant, pockets
from bursar.ledger.entries import (
    TRANSIT,
    CashFlow,
    Conversion,
    Fill,
    Flag,
    FlowKind,
    MarginFill,
    Rename,
    Reversal,
    Side,
    Split,
    StagedChange,
    Transfer,
)
from bursar.ledger.facts import Fact
from bursar.ledger.founding import (
    AT_FIRST,
    EVEN,
    Lack,
    Origin,
    Origins,
    Place,
    Scale,
    at_first,
    carried,
    first_units,
    founded,
    scaled,
)
from bursar.ledger.layer import Layer
from bursar.ledger.margins import Margins, deliver, reposition
from bursar.ledger.state import Margin


class Balance(msgspec.Struct, frozen=True, gc=False):
    """One balance on its way: where it is, how low it went (in first units), and its scale.

    The scale is a pair: so many units now for so many first ones. `began` is what it was before the
    facts of one instant and sequence that moved it last (`tie`). First units are those of when the
    `origins` in it were last changed by a rename; none are named while they are only its own.
    `owed` came along from where nothing founded it: it stands beside, and nothing covers it.
    """

    now: Decimal = ZERO
    lowest: Decimal = ZERO
    scale: Scale = EVEN
    tie: tuple[int, int] = (-1, 0)
    began: Decimal = ZERO
    origins: Origins = ()
    owed: Decimal = ZERO


_NOTHING: Final = Balance()
_UNSEEN: Final = "out of sight"
_EVERY: Final = "*"
_Explained = tuple[Decimal, Scale, Origins]


_SELL: Final = Side.SELL


class Walked(msgspec.Struct, frozen=True):
    """Running balances taken down: each mapping as its pairs of key and value."""

    balances: tuple[tuple[Place, Balance], ...] = ()
    began: tuple[tuple[str, int], ...] = ()
    explained: tuple[tuple[tuple[str, Place], _Explained], ...] = ()
    flows: tuple[tuple[str, tuple[tuple[Place, Decimal], ...]], ...] = ()
    lacks: tuple[tuple[Place, tuple[Lack, ...]], ...] = ()
    margins: tuple[tuple[tuple[str, str], Margin], ...] = ()


_KEPT: Final = Walked.__struct_fields__


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
        self._explained: MutableMapping[tuple[str, Place], _Explained] = {}
        self._flows: MutableMapping[str, tuple[tuple[Place, Decimal], ...]] = {}
        self._lacks: MutableMapping[Place, tuple[Lack, ...]] = {}
        self._margins: Margins = {}
        self.everywhere: tuple[Rename | Split, ...] = ()

    @classmethod
    def resumed(cls, base: str, cash: frozenset[str], walked: Walked) -> "Prefixes":
        """Return balances as they were taken down."""
        prefixes = cls(base, cash)
        for name in _KEPT:
            getattr(prefixes, f"_{name}").update(getattr(walked, name))
        return prefixes

    def walked(self) -> Walked:
        """Take the balances down. O(places).

        What happened everywhere is left out: it counts for facts of its own instant alone.
        """
        kept = (getattr(self, f"_{name}").items() for name in _KEPT)
        return Walked(*(tuple(sorted(each, key=lambda pair: pair[0])) for each in kept))

    def fork(self) -> "Prefixes":
        """Return prefixes that read through to these and keep their own changes."""
        return self._twin(is_fork=True)

    def flat(self) -> "Prefixes":
        """Return an independent copy. O(places)."""
        return self._twin(is_fork=False)

    def _twin(self, *, is_fork: bool) -> "Prefixes":
        twin = Prefixes(self._base, self._cash)
        for name in _KEPT:
            own = getattr(self, f"_{name}")
            setattr(twin, f"_{name}", Layer(own) if is_fork else dict(own))
        twin.everywhere = self.everywhere
        return twin

    def land(self, child: "Prefixes") -> None:
        """Take over what a fork of these has changed."""
        for name in _KEPT:
            getattr(self, f"_{name}").update(getattr(child, f"_{name}").own)
        self.everywhere = child.everywhere

    def follow(self, facts: Iterable[Fact], firsts: frozenset[str]) -> "Prefixes":
        """Take facts in canonical order, openings left out, and return self. O(facts).

        `firsts` are the rows before which the balance is to be kept.
        """
        for fact in facts:
            if type(fact) is Fill and not fact.delivers:  # as most are
                self._follow(fact, firsts)
            elif not is_opening(fact):
                self._follow(positioned(self._margins, fact), firsts)
        return self

    def beyond(self, row: str, place: Place, prior: Decimal) -> Lack:
        """Return what stood before a first row beyond what facts explain, in first units."""
        explained, scale, origins = self._explained.get((row, place), (ZERO, EVEN, ()))
        missing = -first_units(explained - prior, scale)
        return Lack(place, missing, origins or _own(place))

    def due(self, stated: Iterable[Lack]) -> list[CashFlow]:
        """Return the openings that the history calls for, unpriced."""
        short = [
            *(lack for lacks in self._lacks.values() for lack in lacks),
            *(_lack(place, held) for place, held in self._lowest() if held.lowest < 0),
        ]
        found = []
        for (place, since), quantity in sorted(founded(short, stated).items()):
            began = self._began.get(_account(place))
            if began is not None:
                found.append(opening(place, quantity, began, since))
        return found

    def _lowest(self) -> Iterable[tuple[Place, Balance]]:
        return ((place, _ended(place, held)) for place, held in self._balances.items())

    def _follow_fill(self, fill: Fill) -> None:
        """Do what `_follow` does with a fill that no first row is a part of; most are charged in
        their quote.
        """
        account, base, quote = fill.account, fill.base, fill.quote
        tie = fill.executed_at, fill.sequence
        if account not in self._began:
            self._begin(account, fill.executed_at)
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
            if account not in self._began and account != _EVERY:
                self._begin(account, fact.executed_at)
        if isinstance(fact, Split) or (isinstance(fact, Rename) and fact.quantity is None):
            self._reshape(fact, tuple(self._began) if fact.account == _EVERY else (fact.account,))
            if fact.account == _EVERY:
                self.everywhere = (*self._at_once(fact.executed_at), fact)
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
                    began = held.began - held.owed
                    self._explained[row, place] = began, held.scale, held.origins

    def _begin(self, account: str, at: int) -> None:
        """Begin an account; what is so everywhere from that instant on is so after its openings."""
        self._began[account] = at
        for fact in self._at_once(at):
            self._reshape(fact, (account,))

    def _at_once(self, at: int) -> tuple[Rename | Split, ...]:
        return tuple(each for each in self.everywhere if each.executed_at == at)

    def _go_unseen(self, fact: Transfer) -> None:
        """Follow the place out of sight; what it had to be opened with is held from here on."""
        tie, place = (fact.executed_at, fact.sequence), (fact.account, fact.asset)
        unseen = (_unseen(fact.account), fact.asset)
        before = self._balances.get(unseen) or self._unmoved(unseen)
        came = fact.pocket == TRANSIT
        self._move(unseen, -fact.quantity if came else fact.quantity, tie)
        after = self._balances[unseen]
        if at_first(after.origins or _own(unseen)):
            self._move(place, ratio18(before.lowest - after.lowest, *after.scale), tie)

    def _move(self, place: Place, change: Decimal, tie: tuple[int, int]) -> None:
        held = self._balances.get(place) or self._unmoved(place)
        now, lowest = held.now + change, held.lowest
        began = held.began if held.tie == tie else held.now
        if held.now < 0 and held.tie[0] != tie[0]:
            lowest = _ended(place, held).lowest
        if now < 0 and (
            (place[1] not in self._cash and pockets.parted(place)[1] is None) or _is_unseen(place)
        ):
            lowest = min(lowest, first_units(now, held.scale))
        kept = held.origins, held.owed
        self._balances[place] = Balance(now, lowest, held.scale, tie, began, *kept)

    def _unmoved(self, place: Place) -> Balance:
        """Return the balance of a place that nothing moved yet: it went with its account."""
        whole = self._balances.get((_account(place), place[1]), _NOTHING)
        return Balance(scale=whole.scale, origins=whole.origins)

    def _reshape(self, fact: Rename | Split, accounts: Iterable[str]) -> None:
        """Change what accounts hold, and what they may yet turn out to have begun with."""
        within = dict.fromkeys(accounts)
        places = {place for place in self._balances if place[1] == fact.asset}
        places = {place for place in places if _account(place) in within}
        places.update((account, fact.asset) for account in within)
        standing = [(place, self._balances.get(place)) for place in sorted(places)]
        found = [(place, held or self._unmoved(place)) for place, held in standing]
        if isinstance(fact, Split):
            for place, held in found:
                self._balances[place] = _split(held, fact)
            return
        new = [(place[0], fact.to_asset) for place in sorted(places)]
        there = [self._balances.get(place) or self._unmoved(place) for place in new]
        for (place, held), into, known in zip(found, new, there, strict=True):
            self._join(fact, (place, held), (into, known))

    def _join(
        self, fact: Rename, left: tuple[Place, Balance], there: tuple[Place, Balance]
    ) -> None:
        """Empty a place into another: what was held, and what may have been from the beginning."""
        left, there = ((place, _ended(place, each)) for place, each in (left, there))
        (old, gone), (new, held) = left, there
        at, tie = fact.executed_at, (fact.executed_at, fact.sequence)
        for place, each in (left, there):
            if each.lowest < 0:
                self._lacks[place] = (*self._lacks.get(place, ()), _lack(place, each))
        lowest = _opened(old, gone) + _opened(new, held)
        began = held.began if held.tie == tie else held.now
        origins = carried(held.origins or _own(new), held.scale, at)
        origins += carried(gone.origins or _own(old), gone.scale, at)
        self._balances[old] = Balance(origins=(Origin(old[1], at),))
        debts = _owed(new, held), _owed(old, gone)
        now, owed = held.now + gone.now + sum(debts), held.owed + gone.owed + sum(debts)
        began += debts[0]
        self._balances[new] = Balance(now, lowest, EVEN, tie, began, origins, owed)

    def _deltas(self, fact: Fact) -> list[tuple[Place, Decimal]]:
        if isinstance(fact, Reversal):
            return [(place, -change) for place, change in self._flows.get(fact.target, ())]
        if isinstance(fact, StagedChange):
            moved = [((fact.account, line.asset), line.quantity) for line in fact.lines]
            return [*moved, ((fact.account, self._base), fact.cash - fact.fees)]
        return deltas(fact)


def opening(place: Place, quantity: Decimal, first_at: int, since: int = AT_FIRST) -> CashFlow:
    """Make the derived fact: just before the account's first entry, with an assumed basis.

    One of a name that had been emptied stands just behind the rename, also by the microseconds of
    the records: of one instant, what comes would come before what is renamed.
    """
    behind = since - since % instant.MICROSECOND + instant.MICROSECOND
    account, asset = _account(place), place[1]
    name = f"opening:{pockets.shown(place)}:{asset}"
    return CashFlow(
        id=name if since == AT_FIRST else f"{name}:{since}",
        executed_at=first_at - 1 if since == AT_FIRST else behind,
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


def positioned(margins: Margins, fact: Fact) -> Fact:
    """Follow leveraged positions; what a fill of one settled is what that gives, if no venue stated
    it, and comes or goes like all else.
    """
    if isinstance(fact, Fill) and fact.delivers:
        deliver(margins, fact)
    if not isinstance(fact, MarginFill):
        return fact
    given = reposition(margins, fact).pnl
    return fact if fact.settled is not None else replace(fact, settled=given)


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


def _ended(place: Place, held: Balance) -> Balance:
    """Return a balance as the last instant that moved it left it: a pocket that only keeps coins
    is looked at then.
    """
    low = first_units(held.now, held.scale) if held.now < 0 else ZERO
    if low >= held.lowest or not pockets.only_keeps(place):
        return held
    return replace(held, lowest=low)


def _net(moved: Iterable[tuple[Place, Decimal]]) -> Iterable[tuple[Place, Decimal]]:
    sums: dict[Place, Decimal] = {}
    for place, change in moved:
        sums[place] = sums.get(place, ZERO) + change
    return sums.items()


def _own(place: Place) -> Origins:
    return (Origin(place[1]),)


def _lack(place: Place, held: Balance) -> Lack:
    return Lack(place, -held.lowest, held.origins or _own(place))


def _opened(place: Place, held: Balance) -> Decimal:
    """Return what a place out of sight was opened with, below zero: it is known elsewhere."""
    is_known = _is_unseen(place) and at_first(held.origins or _own(place))
    return ratio18(held.lowest, *held.scale) if is_known else ZERO


def _owed(place: Place, held: Balance) -> Decimal:
    """Return what was taken out of a balance that nothing founds beyond what was there."""
    is_founded = held.lowest == 0 or at_first(held.origins or _own(place))
    return ZERO if is_founded else -ratio18(held.lowest, *held.scale)


def _split(held: Balance, fact: Split) -> Balance:
    now = ratio18(held.now, fact.numerator, fact.denominator)
    scale = scaled(held.scale, (fact.numerator, fact.denominator))
    owed = ratio18(held.owed, fact.numerator, fact.denominator)
    return Balance(now, held.lowest, scale, origins=held.origins, owed=owed)
