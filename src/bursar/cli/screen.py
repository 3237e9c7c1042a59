"""The screen: tables on stdout, remarks on stderr, as wide as the terminal and never cut.

A table that is too wide loses its least important columns first; then names go on under
themselves, and never vanish. Figures are never shortened or broken: rather a line is longer than
the terminal.
Nothing that a file says is taken for markup or reaches the terminal with control characters.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, zip_longest
from typing import Final

import msgspec
from rich.cells import cell_len
from rich.console import Console, JustifyMethod, RenderableType
from rich.rule import Rule
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from bursar.cli import lines
from bursar.cli.answers import printable
from bursar.cli.figures import Figures

Cell = str | Text
_GAP: Final = lines.GAP
_UNPIPED: Final = 120


class Column(msgspec.Struct, frozen=True):
    """A column: its title, whether it holds figures, whether their points line up, and its rank.

    Columns of the highest rank go first where there is no room; those of rank 0 stay.
    """

    title: str
    is_figure: bool = False
    is_aligned: bool = False
    rank: int = 0


def name(title: str, *, rank: int = 0) -> Column:
    """Make a column of names."""
    return Column(title, rank=rank)


def figure(title: str, *, rank: int = 0) -> Column:
    """Make a column of figures of equally many decimals."""
    return Column(title, is_figure=True, rank=rank)


def units(title: str, *, rank: int = 0) -> Column:
    """Make a column of figures of any number of decimals, their points in line."""
    return Column(title, is_figure=True, is_aligned=True, rank=rank)


class Screen:
    """Where a reader looks."""

    def __init__(self, *, is_exact: bool = False, is_quiet: bool = False) -> None:
        self.figures = Figures(is_exact)
        self.is_quiet = is_quiet
        self.remarks = _console(sys.stderr)
        self.resting: Callable[[], None] | None = None
        self._console = _console(sys.stdout)

    @property
    def console(self) -> Console:
        """What answers are written to; whatever moves on the terminal makes way for it first."""
        self.make_way()
        return self._console

    def make_way(self) -> None:
        """Let what moves on the terminal rest, so that an answer can be written there."""
        if self.resting is not None and self._console.is_terminal:
            self.resting()

    @property
    def width(self) -> int:
        """How many characters a line has."""
        return self._console.width

    def print(self, *things: RenderableType) -> None:
        """Show things, each from a new line."""
        for thing in things:
            self.console.print(Text(printable(thing)) if isinstance(thing, str) else thing)

    def raw(self, line: str) -> None:
        """Show a line as it is, however long."""
        self.console.print(Text(printable(line)), soft_wrap=True)

    def flow(self, coming: Iterable[Iterable[Segment]]) -> None:
        """Show lines, however long, as they come: many at once where they come fast."""
        for page in lines.batches(coming):
            self._show(page)

    def _show(self, page: Segments) -> None:
        self.console.print(page, crop=False, end="")

    def remark(self, text: str) -> None:
        """Say something beside the answer, on stderr."""
        if not self.is_quiet:
            self.remarks.print(Text(printable(text)), soft_wrap=True)

    def title(self, text: str, beside: str = "") -> None:
        """Show a heading, and what stands dim beside it."""
        line = Text(printable(text), style="bold")
        if beside:
            line.append(f"  {printable(beside)}", style="not bold dim")
        self.console.print(line)

    def section(self, number: str, title: str, command: str) -> None:
        """Show the heading of a part of a demonstration, and the command it is about."""
        heading = Text(f"{number}  {title}", style="bold")
        heading.append(f"   {command}", style="not bold dim")
        self.print("")
        self.console.print(Rule(heading, align="left", style="dim", characters="─"))
        self.print("")

    def list(
        self, rows: Iterable[Sequence[Cell]], *, justify: Sequence[JustifyMethod] = ()
    ) -> None:
        """Show rows without heads or lines; a long text goes on under its own beginning, and no
        word or figure is cut, however narrow the screen.
        """
        every = [[_text(cell) for cell in row] for row in rows]
        columns = zip_longest(*every, fillvalue=Text())
        widths = [max(map(_longest_word, column)) for column in columns]
        grid = Table.grid(padding=(0, _GAP))
        for place, width in enumerate(widths):
            how = justify[place] if place < len(justify) else "left"
            grid.add_column(justify=how, min_width=width)
        for row in every:
            grid.add_row(*row)
        needed = sum(width + _GAP for width in widths) - _GAP
        if needed > self.width:
            grid.width = needed
        self.console.print(grid, crop=False)

    def table(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Cell]],
        *,
        total: Sequence[Cell] | None = None,
    ) -> None:
        """Show rows under columns, and a total under them, page after page as they come."""
        for page in table(self.console, columns, rows, total=total):
            self._show(page)


def table(
    console: Console,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    total: Sequence[Cell] | None = None,
) -> Iterator[Segments]:
    """Yield the pages of a table that fits a console as long as its columns of rank 0 do, by what
    the first page needs. O(cells), and O(cells of a page) in memory.
    """
    whole = _layout(columns)
    coming = (whole.pieces(map(_harmless, row)) for row in rows)
    first = list(islice(coming, lines.PAGE))
    last = None if total is None else whole.pieces(map(_harmless, total))
    whole.see(first if last is None else [*first, last])
    kept = _fitting(columns, whole.widths, console.width)
    yield from lines.pages(
        console,
        _layout([columns[place] for place in kept]),
        ([row[place] for place in kept] for row in chain(first, coming)),
        total=None if last is None else [last[place] for place in kept],
    )


def _layout(columns: Sequence[Column]) -> lines.Layout:
    return lines.Layout(
        [each.title for each in columns],
        [each.is_figure for each in columns],
        [each.is_aligned for each in columns],
    )


def _fitting(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    kept = list(range(len(columns)))
    while sum(widths[place] + _GAP for place in kept) - _GAP > width:
        last = max(columns[place].rank for place in kept)
        if not last:
            break
        kept = [place for place in kept if columns[place].rank < last]
    return kept


def _longest_word(text: Text) -> int:
    return max(map(cell_len, text.plain.split()), default=0)


def _harmless(cell: Cell) -> Cell:
    return printable(cell) if isinstance(cell, str) else _text(cell)


def _text(cell: Cell) -> Text:
    if isinstance(cell, str):
        return Text(printable(cell))
    if not cell.plain.isprintable():
        return Text(printable(cell.plain), style=cell.style)
    return cell


class _Piped(Console):
    """A console that leaves a reader's early leaving to the one who runs the command."""

    def on_broken_pipe(self) -> None:
        """Pass it on: exit code 1, which rich would leave with, says something else here."""
        raise BrokenPipeError


def _console(file: object) -> Console:
    is_piped = not (hasattr(file, "isatty") and file.isatty())
    width = _UNPIPED if is_piped and "COLUMNS" not in os.environ else None
    return _Piped(
        file=file,  # type: ignore[arg-type]  # a text stream, sys.stdout or sys.stderr
        width=width,
        markup=False,
        highlight=False,
        emoji=False,
    )
