"""Tracing: a difference parted into the places it comes from.

    stated − booked = Σ gaps between rows + what differs after the last row
                      + what the venue had before the first row and the book did not
                      − Σ what entries moved that no row backs

Each term is a `Part`, so the parts of an asset add up to its difference, except for what the book
covers by an opening. An entry that no row backs explains the gap in whose time it lies: then
neither is a part, or only what is left of the two. One that is too many in any asset explains
nothing in the others: it is taken back whole.

Errors: none.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger.entries import (
    MAIN,
    TRANSIT,
    CashFlow,
    Movement,
    Rename,
    Reversal,
    Source,
    Split,
    StagedChange,
    Transfer,
)
from bursar.ledger.facts import Fact
from bursar.ledger.margins import Margins
from bursar.ledger.names import canonical
from bursar.ledger.openings import deltas, is_opening, positioned
from bursar.reconcile.breaks import Part, Place, Where
from bursar.reconcile.compare import Sides
from bursar.reconcile.locate import Trail, effect, follow
from bursar.reconcile.ours import Ours
from bursar.reconcile.patterns import quantum_of
from bursar.reconcile.statement import Statement

_Key = tuple[str, str, str | None]


class Excess(msgspec.Struct, frozen=True):
    """What an entry moved of an asset beyond what the venue's rows say.

    `pocket` is told of a move between pockets alone.
    """

    entry: str
    asset: str
    amount: Decimal
    at: int
    pocket: str | None = None


class Assumed(msgspec.Struct, frozen=True):
    """A quantity of an asset that the book takes for granted: an opening."""

    asset: str
    quantity: Decimal
    entry: str


class Traced(msgspec.Struct, frozen=True):
    """The parts of all differences by asset, the chains they were read from, what is assumed."""

    parts: tuple[Part, ...]
    trails: tuple[Trail, ...]
    assumed: tuple[Assumed, ...]


@money
def trace(statement: Statement, ours: Ours) -> Traced:
    """Part every difference between a statement and the book. O(rows log rows + facts)."""
    sides = Sides(statement, ours)
    trails = follow(ours.rows)
    assumed = openings(ours)
    told = ours.is_chained
    odd = excess(ours) if told else []
    names = {*sides.assets, *(trail.asset for trail in trails), *(each.asset for each in odd)}
    rows_of: dict[str, list[Movement]] = {}
    for row in ours.rows if told else ():
        rows_of.setdefault(canonical(row.asset), []).append(row)

    def parted(apart: frozenset[str]) -> Iterator[Part]:
        for asset in sorted(names):
            own = [trail for trail in trails if trail.asset == asset]
            if not told or (asset in rows_of and not own):
                yield from _unlocated(asset, sides, statement)
                continue
            ledger = _Ledger(asset, sides, statement, own, ours)
            here = [each for each in odd if each.asset == asset]
            yield from ledger.parts(here, assumed, apart=apart)

    apart: frozenset[str] = frozenset()
    parts = tuple(parted(apart))
    while torn := _torn(parts, odd, ours) - apart:
        apart |= torn
        parts = tuple(parted(apart))
    return Traced(parts, tuple(trails), tuple(assumed))


def openings(ours: Ours) -> list[Assumed]:
    """Return what the book takes for granted in the account."""
    return [
        Assumed(canonical(fact.asset), fact.amount, fact.id)
        for fact in ours.facts
        if isinstance(fact, CashFlow) and is_opening(fact) and fact.amount
    ]


def _torn(parts: Iterable[Part], odd: Iterable[Excess], ours: Ours) -> frozenset[str]:
    """Return the entries without any row of the venue that are too many in one asset, and explain
    something in another.
    """
    loose = {(part.facts[0], part.asset) for part in parts if part.place.where is Where.FACT}
    names = {name for name, _ in loose}
    torn = {e.entry for e in odd if e.entry in names and (e.entry, e.asset) not in loose}
    if not torn:
        return frozenset()
    rows = {row.id for row in ours.rows}
    return frozenset(f.id for f in ours.facts if f.id in torn and rows.isdisjoint(f.rows))


def excess(ours: Ours) -> list[Excess]:
    """Return what entries moved that no row backs, and rows that no entry counts, by time."""
    rows = {row.id: row for row in ours.rows}
    moved: dict[_Key, Decimal] = {}
    times: dict[str, int] = {}
    margins: Margins = {}
    facts = {fact.id: positioned(margins, fact) for fact in ours.facts}
    left = dict(rows)
    for fact in facts.values():
        if is_opening(fact):
            continue
        if isinstance(fact, Rename | Split) and not deltas(fact):  # they move what their rows say
            for name in fact.rows:
                left.pop(name, None)
            continue
        times[fact.id] = fact.executed_at
        for asset, pocket, amount in _moved(fact, ours, facts):
            _add(moved, (fact.id, canonical(asset), pocket), amount)
        for row in [left.pop(name) for name in fact.rows if name in left]:
            _add(moved, (fact.id, canonical(row.asset), None), -effect(row))
    for row in left.values():
        times[row.id] = row.executed_at
        _add(moved, (row.id, canonical(row.asset), None), -effect(row))
    found = [
        Excess(name, asset, amount, times[name], pocket)
        for (name, asset, pocket), amount in moved.items()
        if amount
    ]
    return sorted(found, key=lambda each: (each.at, each.entry, each.asset, each.pocket or ""))


def _moved(
    fact: Fact, ours: Ours, facts: dict[str, Fact]
) -> Iterable[tuple[str, str | None, Decimal]]:
    """Return what a fact moved in the account; what is between two pockets is not in it."""
    if isinstance(fact, Reversal):
        target = facts.get(fact.target)
        undone = () if target is None else _moved(target, ours, facts)
        return [(asset, pocket, -amount) for asset, pocket, amount in undone]
    if isinstance(fact, StagedChange):
        lines = [(line.asset, None, line.quantity) for line in fact.lines]
        return [*lines, (ours.book.terms.base, None, fact.cash - fact.fees)]
    moved: list[tuple[str, str | None, Decimal]] = [
        (place[1], None, amount) for place, amount in deltas(fact) if place[0] == ours.account
    ]
    if isinstance(fact, Transfer) and fact.to_account == fact.account:
        # The parts of a trade that lies in a pocket are placed there by the fold itself.
        by_hand = not fact.rows and fact.source is not Source.LEDGER
        for pocket, amount in ((fact.pocket, -fact.quantity), (fact.to_pocket, fact.quantity)):
            if pocket != TRANSIT and (by_hand or TRANSIT in {fact.pocket, fact.to_pocket}):
                moved.append((fact.asset, (pocket or MAIN) if by_hand else None, amount))
    return moved


def _add(sums: dict[_Key, Decimal], key: _Key, amount: Decimal) -> None:
    sums[key] = sums.get(key, ZERO) + amount


def _unlocated(asset: str, sides: Sides, statement: Statement) -> list[Part]:
    """Return the difference whole, or by pocket where only those differ.

    A pocket that the book names and the venue never does may be a part of the main one there.
    """
    quantum = quantum_of([each.total for each in statement.holdings if _is(each.asset, asset)])
    place = Place(Where.NOWHERE, until=statement.as_of)
    whole = sides.line(asset).difference
    if whole:
        return [Part(asset, whole, place, quantum)]
    pockets = [line for line in sides.pockets(asset) if line.difference]
    if any(line.booked and line.pocket not in sides.named for line in pockets):
        return []
    return [Part(asset, line.difference, place, quantum, line.pocket) for line in pockets]


def _is(name: str, asset: str) -> bool:
    return canonical(name) == asset


class _Ledger:
    """One asset of an account whose rows state balances."""

    def __init__(
        self,
        asset: str,
        sides: Sides,
        statement: Statement,
        trails: Sequence[Trail],
        ours: Ours,
    ) -> None:
        self.asset = asset
        self.sides = sides
        self.trails = trails
        self.as_of = statement.as_of
        self.is_whole = ours.is_whole
        rows = [row for trail in trails for row in trail.rows]
        self.first = min(rows, key=_when, default=None)
        told = [each.total for each in statement.holdings if _is(each.asset, asset)]
        told += [each for row in rows for each in (row.amount, row.fee)]
        self.quantum = quantum_of(told)

    def parts(
        self, odd: Sequence[Excess], assumed: Sequence[Assumed], *, apart: Collection[str]
    ) -> list[Part]:
        """Return the parts of the difference: what no entry explains, and entries unexplained.

        Those that stand `apart` explain nothing.
        """
        gaps = [*self._inner(), *self._ends()]
        opened = [each for each in assumed if each.asset == self.asset]
        gaps = _joined_at_the_end(gaps)
        difference = self.sides.line(self.asset).difference
        start = difference - _total(gaps) + _moves(odd)
        left, loose = _explained(gaps, [each for each in odd if each.entry not in apart])
        start, loose = self._begun(start, loose)
        if loose and not _total(left) + start - _moves(loose):
            loose = [each for each in loose if each.pocket and self.sides.knows_pockets]
            left, start = (left, start) if loose else ([], ZERO)
        loose += [each for each in odd if each.entry in apart]
        found = [*left, *(self._beside(each) for each in loose)]
        is_covering = start < 0 and bool(opened) and bool(found)
        if start and not is_covering:
            found.append(self._start(start, is_assumed=bool(opened) and start < 0))
        return [*self._opened(opened), *found]

    def _inner(self) -> list[Part]:
        return [
            Part(
                asset=self.asset,
                amount=gap.amount,
                place=_between(gap.before, gap.after),
                quantum=self.quantum,
                pocket=trail.pocket,
                before=gap.before,
                after=gap.after,
                stray=gap.stray,
            )
            for trail in self.trails
            for gap in trail.gaps
        ]

    def _ends(self) -> list[Part]:
        """Return what differs after the last rows: by pocket, where chains and statement tell."""
        by_pocket = self.sides.knows_pockets and all(trail.pocket for trail in self.trails)
        if not by_pocket:
            stated = self.sides.line(self.asset).stated
            return self._end(stated, self.trails, None)
        stated_in = self.sides.stated_in(self.asset)
        names = sorted({*stated_in, *(trail.pocket or MAIN for trail in self.trails)})
        found: list[Part] = []
        for name in names:
            own = [trail for trail in self.trails if trail.pocket == name]
            found += self._end(stated_in.get(name, ZERO), own, name)
        return found

    def _end(self, stated: Decimal, trails: Sequence[Trail], pocket: str | None) -> list[Part]:
        off = stated - sum((trail.last for trail in trails), ZERO)
        if not off:
            return []
        last = max((trail.rows[-1] for trail in trails), key=_when, default=None)
        place = Place(
            Where.END,
            before=None if last is None else last.id,
            since=None if last is None else last.executed_at,
            until=self.as_of,
        )
        return [Part(self.asset, off, place, self.quantum, pocket, before=last)]

    def _begun(self, start: Decimal, odd: list[Excess]) -> tuple[Decimal, list[Excess]]:
        """Let entries from before the first row explain what was there then."""
        if not start or self.first is None:
            return start, odd
        early = [each for each in odd if each.at <= self.first.executed_at]
        if early and _moves(early) == start:
            return ZERO, [each for each in odd if each not in early]
        return start, odd

    def _opened(self, opened: Sequence[Assumed]) -> list[Part]:
        """Return what chains had before their first row, as far as an opening covers it."""
        entries = tuple(each.entry for each in opened)
        found = []
        for trail in self.trails if opened else ():
            if trail.first > 0:
                row = trail.rows[0]
                place = Place(Where.START, after=row.id, until=row.executed_at)
                found.append(
                    Part(
                        asset=self.asset,
                        amount=trail.first,
                        place=place,
                        quantum=self.quantum,
                        pocket=trail.pocket,
                        after=row,
                        facts=entries,
                        is_covered=True,
                        is_hint=not self.is_whole,
                    )
                )
        return found

    def _start(self, amount: Decimal, *, is_assumed: bool) -> Part:
        """Return what the book has at the beginning otherwise than the venue's first row.

        Where an opening is too large, that is not the row's doing.
        """
        first = self.first
        place = Place(
            Where.START,
            after=None if first is None else first.id,
            until=None if first is None else first.executed_at,
        )
        after = None if is_assumed else first
        return Part(self.asset, amount, place, self.quantum, after=after)

    def _beside(self, odd: Excess) -> Part:
        place = Place(Where.FACT, after=odd.entry, since=odd.at, until=odd.at)
        return Part(self.asset, -odd.amount, place, self.quantum, odd.pocket, facts=(odd.entry,))


def _explained(gaps: Sequence[Part], odd: Sequence[Excess]) -> tuple[list[Part], list[Excess]]:
    """Let entries that no row backs explain the gaps in whose time they lie."""
    loose, left = list(odd), []
    for part in gaps:
        own = _explaining(part, loose)
        loose = [each for each in loose if each not in own]
        rest = part.amount - _moves(own)
        if rest:
            told = tuple(each.entry for each in own)
            left.append(msgspec.structs.replace(part, amount=rest, facts=told))
    return left, loose


def _explaining(part: Part, loose: Sequence[Excess]) -> list[Excess]:
    """Return the entries of its time: one that is all of it, or all together, or of its sign."""
    near = [
        each
        for each in loose
        if _is_within(each.at, part.place) and part.pocket in {None, each.pocket or part.pocket}
    ]
    alone = [each for each in near if each.amount == part.amount][:1]
    if alone or _moves(near) == part.amount:
        return alone or near
    return [each for each in near if (each.amount > 0) is (part.amount > 0)]


def _moves(odd: Iterable[Excess]) -> Decimal:
    return sum((each.amount for each in odd), ZERO)


def _joined_at_the_end(parts: Sequence[Part]) -> list[Part]:
    """Let a last row that does not belong be one part with what differs after it."""
    found = list(parts)
    for end in [part for part in parts if part.place.where is Where.END]:
        last = end.before
        gap = next((part for part in parts if last is not None and part.after == last), None)
        if gap is None or last is None or gap.stray is not None:
            continue
        if gap.amount + end.amount == -effect(last):
            found.remove(end)
            found[found.index(gap)] = msgspec.structs.replace(
                gap, amount=gap.amount + end.amount, stray=last
            )
    return found


def _between(before: Movement, after: Movement) -> Place:
    return Place(Where.ROWS, before.id, after.id, before.executed_at, after.executed_at)


def _is_within(at: int, place: Place) -> bool:
    return (place.since is None or place.since <= at) and (place.until is None or at <= place.until)


def _total(parts: Iterable[Part]) -> Decimal:
    return sum((part.amount for part in parts), ZERO)


def _when(row: Movement) -> tuple[int, int, str]:
    return row.executed_at, row.sequence, row.id
