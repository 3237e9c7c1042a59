"""Positions, kept while the book and its worths change: one is made anew where it rests on others.

Two things make a position. What the book says of its pair is kept with the very cells it sums up;
what marks say of it, with the very worths. While the same pairs are traded and the same assets are
held, a commit touches the pairs whose cells are other objects, and a mark those whose worths are.
Anything else is rare, and then every pair is read anew.

Invariant: `of` returns what `traded` and `valued_pairs` would, in the very text.

Errors: none.
"""

from operator import is_

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
    """A position, and all that it rests on: its pair, the path to the quote, and what is worth
    something there.
    """

    line: Traded
    path: Path | Missing
    names: tuple[str, ...]
    worths: tuple[AssetWorth | None, ...]
    margins: tuple[MarginWorth, ...]
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

    @money
    def of(self, book: Book, worths: Worths) -> list[SpotPosition]:
        """Return the positions of a book at its worths, by name.

        O(cells + pairs) to see what has changed, and O(that).
        """
        self._follow(book, worths)
        priced = priced_by(book, worths, options=self._options)
        return [self._position(priced, line) for line in self._lines.values()]

    def _follow(self, book: Book, worths: Worths) -> None:
        """Bring the lines up to the book."""
        cells, known = dict(book.cells.items()), self._cells
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
        cells = cells_by_pair(self._cells)
        for pair in sorted(pairs):
            line, base = self._lines.get(pair), traded_base(pair, cells)
            if line is None or line.base != base:
                return False
            made = added_up(book, line, cells, options=self._options, marks=marks)
            self._lines[pair] = made
        self.summed += len(pairs)
        return True

    def _position(self, priced: Priced, line: Traded) -> SpotPosition:
        """Return the position in a pair: the one that is kept, if it rests on the same."""
        path, known = self._path(priced, line.quote), self._kept.get(line.pair)
        if (
            known is not None
            and known.line is line
            and known.path is path
            and _stands(known, priced)
        ):
            return known.position
        self.made += 1
        names = priced.worths.marks.name(line.base), *line.owns
        worths = tuple(map(priced.worths.assets.get, names))
        margins = tuple(priced.margins_of(line))
        made = _Kept(line, path, names, worths, margins, position(priced, line))
        if worths[0] is None:  # its value may rest on any mark
            self._kept.pop(line.pair, None)
        else:
            self._kept[line.pair] = made
        return made.position

    def _path(self, priced: Priced, quote: str) -> Path | Missing:
        """Return the path to a quote, the same object while it reads the same."""
        found, known = priced.path_to(quote), self._paths.get(quote)
        if known is None or (found is not known and repr(found) != repr(known)):
            known = self._paths[quote] = found
        priced.paths[quote] = known
        return known


def _stands(known: _Kept, priced: Priced) -> bool:
    """Tell whether everything that a position rests on is the object that it was."""
    assets, margins = priced.worths.assets, priced.margins_of(known.line)
    for name, worth in zip(known.names, known.worths, strict=True):
        if assets.get(name) is not worth:
            return False
    if not known.margins and not margins:
        return True
    return len(margins) == len(known.margins) and all(map(is_, margins, known.margins))
