"""Positions, kept while the book and its worths change: one is made anew where it rests on others.

Two things make a position. What the book says of its pair is kept with the very cells it sums up;
what marks say of it, with the very worths. While the same pairs are traded and the same assets are
held, a commit touches the pairs whose cells are other objects, and a mark those whose worths are.
Anything else is rare, and then every pair is read anew.

Invariant: `of` returns what `traded` and `valued_pairs` would, in the very text.

Errors: none.
"""

from collections.abc import Mapping

import msgspec

from bursar.exact import money
from bursar.ledger.book import Book
from bursar.ledger.records import SpotPosition
from bursar.ledger.state import Cell, CellKey
from bursar.ledger.terms import Terms
from bursar.value.convert import Missing, Path
from bursar.value.marks import Marks
from bursar.value.pnl import traded_pair
from bursar.value.positions import (
    Priced,
    Traded,
    Worths,
    added_up,
    cells_by_pair,
    position,
    priced_by,
    traded,
    traded_base,
)
from bursar.value.worth import AssetWorth, MarginWorth, Options

_Read = tuple[Terms, dict[str, tuple[str, bool]], set[str]]
"""What the choice of pairs rests on: terms, the names of what is held, the pairs' names."""


class _Kept(msgspec.Struct, frozen=True, gc=False):
    """A position, and what it rests on: its pair, the path to the quote, and the assets, by their
    one names, that are worth something there.
    """

    line: Traded
    path: Path | Missing
    names: tuple[str, ...]
    position: SpotPosition


class RunningPositions:
    """The positions of a book that is watched. `summed` and `made` count pairs and positions."""

    def __init__(self, options: Options) -> None:
        self.summed = self.made = 0
        self._options = options
        self._read: _Read | None = None
        self._cells: dict[CellKey, Cell] = {}
        self._lines: dict[str, Traded] = {}
        self._paths: dict[str, Path | Missing] = {}
        self._kept: dict[str, _Kept] = {}
        self._assets: Mapping[str, AssetWorth] = {}
        self._leveraged: Mapping[str, list[MarginWorth]] = {}

    @money
    def of(self, book: Book, worths: Worths) -> list[SpotPosition]:
        """Return the positions of a book at its worths, by name.

        O(cells + pairs) to see what has changed, and O(that).
        """
        self._follow(book, worths)
        priced = priced_by(book, worths, options=self._options)
        self._let_go(priced)
        lines = self._lines.values()
        return [(self._kept.get(line.pair) or self._made(priced, line)).position for line in lines]

    def _let_go(self, priced: Priced) -> None:
        """Keep the positions alone of which all that they rest on is the object that it was."""
        kept, lines, assets = self._kept, self._lines, priced.worths.assets
        moved = {name for name, worth in self._assets.items() if assets.get(name) is not worth}
        moved |= assets.keys() - self._assets.keys()
        before, now = self._leveraged, priced.leveraged
        turned = {
            pair
            for pair in before.keys() | now.keys()
            if [*map(id, before.get(pair, ()))] != [*map(id, now.get(pair, ()))]
        }
        quotes = {known.line.quote for known in kept.values()}
        paths = {quote: self._path(priced, quote) for quote in sorted(quotes)}
        self._kept = {
            pair: known
            for pair, known in kept.items()
            if known.line is lines[pair]
            and known.path is paths[known.line.quote]
            and pair not in turned
            and moved.isdisjoint(known.names)
        }
        self._assets, self._leveraged = assets, now

    def _follow(self, book: Book, worths: Worths) -> None:
        """Bring the lines up to the book."""
        cells, known = dict(book.cells), self._cells
        held = {name: (each.asset, each.is_cash) for name, each in worths.assets.items()}
        ground = book.terms, held, {key[2] for key in cells}
        is_same, self._read, self._cells = ground == self._read, ground, cells
        if is_same:
            changed = {key[2] for key, cell in cells.items() if known.get(key) is not cell}
            changed |= {key[2] for key in known.keys() - cells.keys()}
            if not changed or self._add_up(book, set(map(traded_pair, changed)), worths.marks):
                return
        lines = traded(book, worths, options=self._options)
        self._lines, self._kept = {line.pair: line for line in lines}, {}
        self.summed += len(lines)

    def _add_up(self, book: Book, pairs: set[str], marks: Marks) -> bool:
        """Add up the cells of these pairs anew; tell whether they are of the kind they were."""
        # A cell without a pair is no part of a line, so its name need not be looked at.
        own = {key: cell for key, cell in self._cells.items() if key[2] in pairs}
        cells = cells_by_pair(own)
        for pair in sorted(pairs):
            line, base = self._lines.get(pair), traded_base(pair, cells)
            if line is None or line.base != base:
                return False
            made = added_up(book, line, cells, options=self._options, marks=marks)
            self._lines[pair] = made
        self.summed += len(pairs)
        return True

    def _made(self, priced: Priced, line: Traded) -> _Kept:
        """Make a position, and keep it unless its value may rest on any mark."""
        self.made += 1
        names = priced.worths.marks.name(line.base), *line.owns
        made = _Kept(line, self._path(priced, line.quote), names, position(priced, line))
        if priced.worth_of(line) is not None:
            self._kept[line.pair] = made
        return made

    def _path(self, priced: Priced, quote: str) -> Path | Missing:
        """Return the path to a quote, the same object while it reads the same."""
        found, known = priced.path_to(quote), self._paths.get(quote)
        if known is None or (found is not known and repr(found) != repr(known)):
            known = self._paths[quote] = found
        priced.paths[quote] = known
        return known
