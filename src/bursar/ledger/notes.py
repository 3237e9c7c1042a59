"""Notes: statements about facts rather than facts. Tags, links, voids, and the prices of assets.

A note may arrive before what it speaks of; it waits. What a note says is applied when its target
is known, so the order of arrival does not matter. Of several tags for one fill the most
authoritative wins, field by field; among equals the later one, then the one whose id sorts first.

A note is itself undone by a reversal of its id: a link, a tag or a price then says nothing, and of
a reversal what it undid stands again, and so on for as long as the chain is.

Errors: none.
"""

from collections.abc import Callable, Iterable, MutableMapping
from typing import TypeVar

import msgspec

from bursar.exact import ZERO, ratio18
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Fee,
    Fill,
    Link,
    MarginFill,
    Price,
    Reversal,
    Tag,
    Transfer,
)
from bursar.ledger.facts import Fact, trade_of
from bursar.ledger.journal import merge
from bursar.ledger.layer import Layer
from bursar.ledger.names import canonical
from bursar.ledger.prices import Prices

Note = Tag | Link | Reversal | Price
_N = TypeVar("_N", bound=Tag | Link | Reversal)
_Kept = MutableMapping[str, tuple[_N, ...]]


class Notes:
    """All notes of a portfolio, by the fact they speak of."""

    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        self._tags: _Kept[Tag] = {}
        self._tag_ids: _Kept[Tag] = {}
        self._reversals: _Kept[Reversal] = {}
        self._reversal_ids: _Kept[Reversal] = {}
        self._links: _Kept[Link] = {}
        self._link_ids: _Kept[Link] = {}

    def fork(self) -> "Notes":
        """Return notes that read through to these and keep their own additions."""
        child = Notes(self.prices.fork())
        child._tags = Layer(self._tags)
        child._tag_ids = Layer(self._tag_ids)
        child._reversals = Layer(self._reversals)
        child._reversal_ids = Layer(self._reversal_ids)
        child._links = Layer(self._links)
        child._link_ids = Layer(self._link_ids)
        return child

    def add(self, note: Note) -> None:
        """Take in a note; the same one again changes nothing."""
        match note:
            case Tag():
                _keep(self._tags, note.target, note)
                _keep(self._tag_ids, note.id, note)
            case Reversal():
                _keep(self._reversals, note.target, note)
                _keep(self._reversal_ids, note.id, note)
                for name in self.spoken_of(note):
                    self.prices.void(name, is_void=self.is_undone(name))
            case Link():
                _keep(self._link_ids, note.id, note)
                for end in (note.withdrawal, note.deposit):
                    _keep(self._links, end, note)
            case _:
                self.prices.add(note)

    @property
    def is_silent(self) -> bool:
        """Tell whether no note but prices speaks of any fact."""
        return not (self._tag_ids or self._reversal_ids or self._link_ids)

    def decide(self, name: str) -> bool:
        """Tell whether a link or a reversal speaks of that id, so that it may not stand."""
        return name in self._reversals or name in self._links or name in self._link_ids

    def told(self) -> list[Note]:
        """Return every note, each kind by its target."""
        tags = [tag for name in sorted(self._tags) for tag in self._tags[name]]
        return [*tags, *self.undone(), *self.linked(), *self.prices.every()]

    def undone(self) -> list[Reversal]:
        """Return every reversal, by its target."""
        return [each for name in sorted(self._reversals) for each in self._reversals[name]]

    def linked(self) -> list[Link]:
        """Return every link, by its id."""
        return [link for name in sorted(self._link_ids) for link in self._link_ids[name]]

    def reversal(self, name: str) -> Reversal | None:
        """Return the hand reversal of a fact; a void one before others, then the first by id."""
        known = [note for note in self._of(name) if not self.is_undone(note.id)]
        return min(known, key=_first, default=None)

    def is_undone(self, name: str) -> bool:
        """Tell whether a reversal that still stands names that id.

        Reversals of reversals are followed to the last one. One that leads back to where it began
        counts once.
        """
        if not self._of(name):  # as of most
            return False
        undone: set[str] = set()
        for each in reversed(_reached(name, lambda known: {note.id for note in self._of(known)})):
            if {note.id for note in self._of(each)} - undone - {name}:
                undone.add(each)
        return name in undone

    def spoken_of(self, reversal: Reversal) -> list[str]:
        """Return all that a reversal decides of: its target, the target's target, and so on."""

        def targets_of(name: str) -> set[str]:
            own: tuple[Reversal, ...] = self._reversal_ids.get(name, ())
            return {note.target for note in own}

        return _reached(reversal.target, targets_of)

    def links(self, name: str) -> tuple[Link, ...]:
        """Return every link that the fact is an end of."""
        return self._links.get(name, ())

    def tags(self, name: str) -> list[Tag]:
        """Return the tags of a fact that still stand, the weightiest first."""
        told: tuple[Tag, ...] = self._tags.get(name, ())
        standing = [tag for tag in told if not self.is_undone(tag.id)]
        return sorted(standing, key=lambda tag: (-tag.source, -tag.executed_at, tag.id))

    def link(self, name: str, fits: Callable[[Link], bool] | None = None) -> Link | None:
        """Return the link that the fact is an end of; of several the one whose id sorts first.

        Told what `fits`, it passes over what does not: that joins nothing, and is in no one's way.
        """
        told = sorted({link.id for link in self.links(name) if not self.is_undone(link.id)})
        stated = [link for link in map(self._stated, told) if link and name in targets(link)]
        return next((link for link in stated if fits is None or fits(link)), None)

    def related(self, names: Iterable[str]) -> set[str]:
        """Return these facts and all that notes tie to them, however far."""
        reached = set(names)
        kept = (self._tag_ids, self._reversals, self._reversal_ids, self._links, self._link_ids)
        spoken = [each for each in kept if next(iter(each), None) is not None]
        waiting = [name for name in reached if any(name in each for each in spoken)]
        while waiting:
            fresh = self._tied(waiting.pop()) - reached
            waiting += fresh
            reached |= fresh
        return reached

    def _tied(self, name: str) -> set[str]:
        links = (*self.links(name), *self._links_named(name))
        spoken: tuple[Tag | Reversal, ...] = (
            *self._tag_ids.get(name, ()),
            *self._reversal_ids.get(name, ()),
        )
        return {
            *(end for link in links for end in _ends(link)),
            *(note.id for note in self._of(name)),
            *(note.target for note in spoken),
        }

    def _of(self, name: str) -> tuple[Reversal, ...]:
        return self._reversals.get(name, ())

    def link_of(self, name: str, fits: Callable[[Link], bool]) -> Link | None:
        """Return the link of that id, if both of its ends take it."""
        link = self._stated(name)
        if link is None:
            return None
        ends = {self.link(link.withdrawal, fits), self.link(link.deposit, fits)}
        return link if ends == {link} else None

    def _stated(self, name: str) -> Link | None:
        """Return what the most authoritative source says of a link, all its statements joined."""
        told = self._links_named(name)
        if not told:
            return None
        best = max(link.source for link in told)
        joint = merge(link for link in told if link.source is best)
        assert isinstance(joint, Link), "statements of one source agree in kind"
        return joint

    def _links_named(self, name: str) -> tuple[Link, ...]:
        return self._link_ids.get(name, ())

    def tagged(self, fact: Fact) -> Fact:
        """Return the fact with the strategy and regime that its tags tell.

        What a leveraged trade settled in another coin is a part of it: tags of the trade are of it,
        behind its own.
        """
        if not isinstance(fact, Fill | MarginFill):
            return fact
        names = fact.id, trade_of(fact.id) or fact.id
        known = [name for name in dict.fromkeys(names) if name in self._tags]
        ranked = [tag for name in known for tag in self.tags(name)]
        if not ranked:
            return fact
        told = [tag.strategy for tag in ranked if tag.strategy is not None]
        regimes = [tag.regime for tag in ranked if tag.regime is not None]
        return msgspec.structs.replace(
            fact,
            strategy=told[0] if told else fact.strategy,
            regime=regimes[0] if regimes else fact.regime,
        )


def targets(note: AnyEntry) -> tuple[str, ...]:
    """Return the ids of the facts that a note speaks of."""
    match note:
        case Tag() | Reversal():
            return (note.target,)
        case Link():
            return (note.withdrawal, note.deposit)
        case _:
            return ()


def linked(
    link: Link,
    withdrawal: Fact | None,
    deposit: Fact | None,
    cash: frozenset[str] = frozenset(),
) -> Transfer | None:
    """Join the two ends of a transfer; `None` unless both are there, fit, and were not taken back
    by the venue.

    The coins leave at the withdrawal's time, or at the deposit's if that is earlier. What left and
    did not arrive is the fee, worth its part of what was stated of the withdrawal, if it was.
    """
    if not isinstance(withdrawal, CashFlow) or not isinstance(deposit, CashFlow):
        return None
    sent, came = -withdrawal.amount, deposit.amount
    if withdrawal.reversed_by is not None or deposit.reversed_by is not None:
        return None
    if canonical(withdrawal.asset) != canonical(deposit.asset) or not ZERO < came <= sent:
        return None
    lost = sent - came
    fees = (Fee(withdrawal.asset, lost),) if lost else ()
    first = min(withdrawal, deposit, key=lambda flow: flow.executed_at)
    return Transfer(
        id=link.id,
        executed_at=first.executed_at,
        account=withdrawal.account,
        source=withdrawal.source,
        sequence=first.sequence,
        rows=(withdrawal.id, deposit.id),
        note=link.note,
        asset=withdrawal.asset,
        quantity=came,
        to_account=deposit.account,
        to_asset=None if deposit.asset == withdrawal.asset else deposit.asset,
        fees=_together(parts_of(withdrawal, (*fees, *withdrawal.fees), cash)),
        to_fees=parts_of(deposit, deposit.fees, cash),
        rates=withdrawal.rates,
    )


def parts_of(flow: CashFlow, fees: Iterable[Fee], cash: frozenset[str]) -> tuple[Fee, ...]:
    """Return the fees of a flow; those in its own coin are worth what was stated of that coin."""
    value, amount = flow.value, flow.amount
    if value is None or not amount or flow.asset in cash:
        return tuple(fees)
    return tuple(
        Fee(fee.asset, fee.amount, ratio18(value, fee.amount, amount))
        if fee.value is None and fee.asset == flow.asset
        else fee
        for fee in fees
    )


def _first(reversal: Reversal) -> tuple[bool, str, int, int]:
    """Order reversals; of one that was told again, the finest time of the best source counts."""
    return not reversal.void, reversal.id, -reversal.source, -reversal.executed_at


def _together(fees: Iterable[Fee]) -> tuple[Fee, ...]:
    sums: dict[str, Fee] = {}
    for fee in fees:
        known = sums.get(fee.asset)
        sums[fee.asset] = fee if known is None else _joined(known, fee)
    return tuple(sums.values())


def _joined(one: Fee, other: Fee) -> Fee:
    """Add fees of one asset up; the worth of both is known only if that of each is."""
    is_known = one.value is not None and other.value is not None
    value = (one.value or ZERO) + (other.value or ZERO) if is_known else None
    return Fee(one.asset, one.amount + other.amount, value)


def _keep(kept: MutableMapping[str, tuple[_N, ...]], name: str, note: _N) -> None:
    told: tuple[_N, ...] = kept.get(name, ())
    if note not in told:
        kept[name] = (*told, note)


def _reached(first: str, step: Callable[[str], set[str]]) -> list[str]:
    """Return a name and all that steps lead to from it, each once, the nearest first."""
    reached, seen = [first], {first}
    for each in reached:
        fresh = sorted(step(each) - seen)
        reached += fresh
        seen.update(fresh)
    return reached


def _ends(link: Link) -> tuple[str, str, str]:
    return link.id, link.withdrawal, link.deposit
