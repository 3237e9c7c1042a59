"""The evidence: what the rules of classification look at, and how a break is made of parts."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Final

from bursar.exact import ZERO, trimmed
from bursar.ledger.entries import CashFlow, Fill, Flag, FlowKind, Movement, MovementKind
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.ledger.openings import deltas
from bursar.reconcile.breaks import Break, Kind, Part, Place, Shift, Where
from bursar.reconcile.compare import Limits, worth_of
from bursar.reconcile.locate import Trail, effect
from bursar.reconcile.ours import Ours
from bursar.reconcile.patterns import FEES_MIN, Worths
from bursar.value.marks import FEE_CREDITS, Marks

DIGITS: Final = 12
NEAREST: Final = 50


class Evidence:
    """What is known beside the parts: rows, facts, chains, marks, limits."""

    def __init__(
        self, ours: Ours, trails: Sequence[Trail], marks: Marks, limits: Limits, as_of: int
    ) -> None:
        self.ours = ours
        self.trails = trails
        self.marks = marks
        self.limits = limits
        self.as_of = as_of
        self.worths = Worths(ours.facts, ours.book, marks)

    @cached_property
    def rows(self) -> dict[str, Movement]:
        """The venue's rows by id."""
        return {row.id: row for row in self.ours.rows}

    @cached_property
    def facts(self) -> dict[str, Fact]:
        """The facts of the account by id."""
        return {fact.id: fact for fact in self.ours.facts}

    @cached_property
    def owners(self) -> dict[str, Fact]:
        """The fact that each row is a part of, by the row's id."""
        return {row: fact for fact in self.ours.facts for row in fact.rows}

    @cached_property
    def by_asset(self) -> dict[str, list[Movement]]:
        """The rows of each asset, by time."""
        found: dict[str, list[Movement]] = {}
        for row in self.ours.rows:
            found.setdefault(canonical(row.asset), []).append(row)
        return found

    @cached_property
    def unpaired(self) -> list[CashFlow]:
        """The legs of trades whose other leg is not here."""
        flows = (fact for fact in self.ours.facts if isinstance(fact, CashFlow))
        return [flow for flow in flows if flow.kind is FlowKind.UNPAIRED]

    @cached_property
    def half_moves(self) -> list[Movement]:
        """The rows of internal moves whose other half is not here."""
        waiting: dict[tuple[str, Decimal], list[Movement]] = {}
        for row in self.ours.rows:
            if row.kind is MovementKind.INTERNAL and effect(row):
                asset = canonical(row.asset)
                partners = waiting.get((asset, -effect(row)))
                if partners:
                    partners.pop(0)
                else:
                    waiting.setdefault((asset, effect(row)), []).append(row)
        return [row for key in sorted(waiting) for row in waiting[key]]

    @cached_property
    def _sorted(self) -> dict[tuple[str, MovementKind], list[Movement]]:
        """The rows of each asset and kind, by time."""
        found: dict[tuple[str, MovementKind], list[Movement]] = {}
        for row in sorted(self.ours.rows, key=lambda each: (each.executed_at, each.id)):
            found.setdefault((canonical(row.asset), row.kind), []).append(row)
        return found

    @cached_property
    def _held(self) -> dict[str, tuple[list[int], list[Decimal]]]:
        """What the account has of each asset: after which instant, how much. O(facts)."""
        found: dict[str, tuple[list[int], list[Decimal]]] = {}
        for fact in self.ours.facts:
            moved = [each for each in deltas(fact) if each[0][0] == self.ours.account]
            for (_, asset), change in moved:
                times, amounts = found.setdefault(canonical(asset), ([], []))
                amounts.append((amounts[-1] if amounts else ZERO) + change)
                times.append(fact.executed_at)
        return found

    def held(self, asset: str, at: int) -> Decimal:
        """Return what the book has of an asset just before an instant."""
        times, amounts = self._held.get(asset, ([], []))
        place = bisect_left(times, at)
        return amounts[place - 1] if place else ZERO

    def rewards(self, part: Part) -> list[Movement]:
        """Return the rewards nearest to a part, of the code in which it lies, by time."""
        row = part.before or part.after
        near = self._near(part, MovementKind.REWARD)
        return [each for each in near if row is None or _code(each) == _code(row)]

    def charged(self, part: Part, row: Movement) -> list[Movement]:
        """Return the rows nearest to a part that bear a fee, of one asset and kind with a row."""
        return [each for each in self._near(part, row.kind) if each.fee and each.id != row.id]

    def trade_of(self, row: Movement) -> Fill | None:
        """Return the execution that a row is of, as the venue's trade history tells it."""
        fact = self.owners.get(row.id)
        return None if fact is None else self.ours.trades.get(fact.id)

    def is_only_charged(self, asset: str) -> bool:
        """Tell whether an asset goes as a fee alone: fee credits, or what never went otherwise."""
        if asset in FEE_CREDITS:
            return True
        gone = [row for row in self.by_asset.get(asset, ()) if effect(row) < 0]
        return len(gone) >= FEES_MIN and not any(row.amount for row in gone)

    def _near(self, part: Part, kind: MovementKind) -> list[Movement]:
        rows = self._sorted.get((part.asset, kind), [])
        at = part.place.until or self.as_of
        place = bisect_left(rows, at, key=lambda each: each.executed_at)
        return rows[max(place - NEAREST, 0) : place + NEAREST]

    def is_disputed(self, row: Movement) -> bool:
        """Tell whether one source told the row's fact in different words."""
        fact = self.owners.get(row.id)
        return fact is not None and Flag.CONFLICTED in fact.flags

    def withdrawals(self, until: int) -> list[CashFlow]:
        """Return what was taken out of the account and not put back, as far as an instant."""
        return [
            fact
            for fact in self.ours.facts
            if isinstance(fact, CashFlow)
            and fact.amount < 0
            and fact.reversed_by is None
            and fact.executed_at <= until
        ]

    def worth(self, asset: str, amount: Decimal) -> Decimal | None:
        """Return what an amount is worth now, if a mark tells."""
        return worth_of(asset, amount, self.ours.book, self.marks)

    def broken(
        self,
        kind: Kind,
        parts: Sequence[Part],
        reason: str,
        *,
        evidence: Iterable[str] = (),
        target: str | None = None,
    ) -> Break:
        """Make a break of parts that are one event; its place is that of the first."""
        shifts = tuple(self._shifts(parts))
        place = parts[0].place if len(parts) == 1 else _common([part.place for part in parts])
        told = [name for part in parts for name in (part.place.before, part.place.after)]
        told += [name for part in parts for name in part.facts]
        every = (*(name for name in told if name is not None), *evidence)
        return Break(
            id=name_of(self.ours.account, place, shifts),
            kind=kind,
            shifts=shifts,
            place=place,
            reason=reason,
            evidence=tuple(dict.fromkeys(every)),
            target=target,
            is_covered=all(part.is_covered for part in parts),
            started=next((part.after for part in parts if part.is_covered), None),
        )

    def _shifts(self, parts: Sequence[Part]) -> list[Shift]:
        sums: dict[tuple[str, str | None], Decimal] = {}
        for part in parts:
            key = part.asset, part.pocket
            sums[key] = sums.get(key, ZERO) + part.amount
        return [
            Shift(asset, amount, pocket, self.worth(asset, amount))
            for (asset, pocket), amount in sums.items()
            if amount
        ]


def name_of(account: str, place: Place, shifts: Iterable[Shift]) -> str:
    """Return the id of a break: it follows from account, located rows and amounts."""
    said = [account, place.before or "", place.after or ""]
    for shift in sorted(shifts, key=lambda each: (each.asset, each.pocket or "")):
        said += [shift.asset, shift.pocket or "", trimmed(shift.amount)]
    return f"{account}:drift-{sha256('|'.join(said).encode()).hexdigest()[:DIGITS]}"


def _common(places: Sequence[Place]) -> Place:
    """Return the first place, its time narrowed to what all have in common."""
    since = max((p.since for p in places if p.since is not None), default=None)
    until = min((p.until for p in places if p.until is not None), default=None)
    first = next((p for p in places if p.where is not Where.END), places[0])
    return Place(first.where, first.before, first.after, since, until)


def _code(row: Movement) -> str:
    return row.code or row.asset
