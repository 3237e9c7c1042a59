"""The judges of a world. They look at what is stored, and trust no desk.

After every commit: the chain, one version a commit, one message a version, each key once, and the
money identity, summed in fractions from the stored cells. At the end: the stored book is the fold
of the journal, every desk holds the same, every order stands in the journal as often as its giver
was told, and quantities are what truly happened.

A judge from outside may have the last word: it is given the terms, the true facts in canonical
order, and the book, and returns what it finds wrong.

Errors: `Wrong`.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

from bursar.desk import Desk
from bursar.errors import BadChoice
from bursar.ledger import journal, projection
from bursar.ledger.book import Book
from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fill,
    MarginFill,
    Rename,
    Reversal,
    Side,
    Split,
)
from bursar.ledger.facts import Fact
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.ports import Commit, Head, PortfolioStore, Progress, Reading
from bursar.sim.orders import Order, State
from bursar.sim.story import Wrong

Judge = Callable[[Terms, Sequence[Fact], Book], Iterable[str]]
_SHOWN: Final = 3


class Witness:
    """Looks at every commit that lands in one store."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._keys: set[str] = set()
        self._cells: dict[str, Fraction] = {}
        self._gap = Fraction(0)
        self._head = (0, 0, journal.GENESIS)

    def see(self, store: PortfolioStore, commit: Commit, head: Head) -> None:
        """Judge a commit that has just landed."""
        version, seq, digest = self._head
        for row in journal.check(commit.records, head=digest, seq=seq):
            if row.key in self._keys:
                raise Wrong(f"{self.name}: key {row.key} is in the journal twice")
            self._keys.add(row.key)
        if store.head() != head or head.version != version + 1:
            raise Wrong(f"{self.name}: after commit {version + 1} the store is at {store.head()}")
        numbers = [(row.number, row.version) for row in store.outbox(version)]
        if numbers != [(head.version, head.version)]:
            raise Wrong(f"{self.name}: commit {head.version} left the messages {numbers}")
        self._head = (head.version, head.seq, head.hash)
        for name, body in commit.cells.items():
            new = Fraction(0) if body is None else _share(name, body)
            self._gap += new - self._cells.get(name, Fraction(0))
            self._cells[name] = new
        if self._gap:
            raise Wrong(f"{self.name}: commit {head.version} leaves the books open by {self._gap}")


def final(name: str, desks: Sequence[Desk], truth: Sequence[Fact]) -> Book:
    """Judge a portfolio whose world has come to rest, and return its book."""
    proof = Portfolio(desks[0], _no_files).verify()
    if not proof.is_sound:
        raise Wrong(f"{name}: {'; '.join(proof.faults)}")
    for desk in desks:
        if projection.digest(desk.timeline.book) != proof.digest:
            raise Wrong(f"{name}: a desk's book is not the fold of the journal")
    timeline = desks[0].whole()
    known, true = set(timeline.facts), {fact.id for fact in truth}
    if known != true:
        made_up, missing = sorted(known - true)[:_SHOWN], sorted(true - known)[:_SHOWN]
        raise Wrong(f"{name}: never happened {made_up}, missing {missing}")
    book = timeline.book
    _require_quantities(name, truth, book)
    return book


def orders(name: str, store: PortfolioStore, given: Iterable[Order]) -> list[CashFlow]:
    """Judge what became of orders, and return what stands of them in the journal."""
    standing: dict[str, list[CashFlow]] = {}
    for row in store.records():
        entry = row.entry()
        if isinstance(entry, CashFlow) and entry.note is not None:
            standing.setdefault(entry.note, []).append(entry)
    for order in given:
        note, state = order.entry.note or "", order.state
        count = len(standing.get(note, ()))
        if count not in {State.ACKNOWLEDGED: (1,), State.REFUSED: (0,)}.get(state, (0, 1)):
            raise Wrong(f"{name}: {note} was {state.value} and is there {count} times")
    return [entry for entries in standing.values() for entry in entries]


def _share(name: str, body: str) -> Fraction:
    """Return what a stored cell adds to cost − (contributed + realised + income − expenses)."""
    section, *key = json.loads(name)
    value = json.loads(body)
    match section:
        case "holdings":
            return Fraction(value["cost"])
        case "cells":
            return -Fraction(value["realized"])
        case "flows":
            return Fraction(value["booked"]) * (1 if key[1] == "fee" else -1)
        case _:
            return Fraction(0)


def _require_quantities(name: str, truth: Iterable[Fact], book: Book) -> None:
    """Count every coin from the true facts, in fractions, and compare with what the book holds."""
    held, there = defaultdict[str, Fraction](Fraction), defaultdict[str, Fraction](Fraction)
    known: dict[str, Fact] = {}
    for fact in truth:
        known[fact.id] = fact
        if isinstance(fact, Split):
            held[fact.asset] *= Fraction(fact.numerator) / Fraction(fact.denominator)
        if isinstance(fact, Rename):
            held[fact.to_asset] += held.pop(fact.asset, Fraction(0))
        for asset, change in _changes(fact, known):
            held[asset] += change
    for (_, asset), holding in book.holdings.items():
        there[asset] += Fraction(holding.quantity)
    for asset in sorted({*held, *there}):
        if held[asset] != there[asset]:
            raise Wrong(f"{name}: holds {there[asset]} {asset}, in truth {held[asset]}")


def _changes(fact: Fact, known: Mapping[str, Fact]) -> list[tuple[str, Fraction]]:
    """Return how a fact changes what is held of each asset."""
    moved: list[tuple[str, Fraction]] = []
    match fact:
        case Fill():
            sign = 1 if fact.side is Side.BUY else -1
            moved = [
                (fact.base, sign * Fraction(fact.quantity)),
                (fact.quote, -sign * Fraction(fact.amount or Decimal(0))),
            ]
        case MarginFill():
            moved = [(fact.quote, Fraction(fact.settled or Decimal(0)))]
        case CashFlow():
            moved = [(fact.asset, Fraction(fact.amount))]
        case Conversion():
            moved = [(leg.asset, -Fraction(leg.quantity)) for leg in fact.given]
            moved += [(leg.asset, Fraction(leg.quantity)) for leg in fact.taken]
        case Reversal():
            back = _changes(known[fact.target], known)
            moved = [(asset, -change) for asset, change in back]
        case _:
            pass  # places, names and counts: what is held stays
    return moved + [(fee.asset, -Fraction(fee.amount)) for fee in getattr(fact, "fees", ())]


def _no_files(
    path: Path,
    account: str | None,  # noqa: ARG001 (as every reader has it)
    progress: Progress | None,  # noqa: ARG001 (the same)
) -> Reading:
    raise BadChoice(f"no world reads {path}")
