"""The screen: tables on stdout, remarks on stderr, as wide as the terminal and never cut.

A table that is too wide loses its least important columns first; then names go on under
themselves, and never vanish. Figures are never shortened or broken: rather a line is longer than
the terminal.
Nothing that a file says is taken for markup or reaches the terminal with control characters.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final

import msgspec
from rich import box
from rich.cells import cell_len
from rich.console import Console, JustifyMethod, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bursar.cli.answers import printable
from bursar.cli.figures import Figures

Cell = str | Text
_GAP: Final = 2
_UNPIPED: Final = 120
_NAME: Final = 10  # a day stays whole; a figure that nobody can name says nothing
_RULE: Final = box.Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")


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
        self.console = _console(sys.stdout)
        self.remarks = _console(sys.stderr)

    @property
    def width(self) -> int:
        """How many characters a line has."""
        return self.console.width

    def print(self, *things: RenderableType) -> None:
        """Show things, each from a new line."""
        for thing in things:
            self.console.print(Text(printable(thing)) if isinstance(thing, str) else thing)

    def raw(self, line: str) -> None:
        """Show a line as it is, however long."""
        self.console.print(Text(printable(line)), soft_wrap=True)

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
        """Show rows under columns, and a total under them."""
        made = table(columns, rows, total=total, width=self.width)
        needed = sum((each.min_width or 0) + _GAP for each in made.columns) - _GAP
        if needed > self.width:
            made.width = needed
        self.console.print(made, crop=False)


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    total: Sequence[Cell] | None = None,
    width: int,
) -> Table:
    """Make a table that fits a width as long as its columns of rank 0 do."""
    every = [[_text(cell) for cell in row] for row in rows]
    every += [] if total is None else [[_text(cell) for cell in total]]
    stacked = [[row[place] for row in every] for place in range(len(columns))]
    written = [
        _aligned(column, cells) if column.is_aligned else (column.title, cells)
        for column, cells in zip(columns, stacked, strict=True)
    ]
    widths = [
        max(_wide(title), *(cell_len(cell.plain) for cell in cells), 0) for title, cells in written
    ]
    kept = _fitting(columns, widths, width)
    made = Table(
        box=_RULE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim"
    )
    for place in kept:
        is_right = columns[place].is_figure and not columns[place].is_aligned
        made.add_column(
            Text(written[place][0]),
            justify="right" if is_right else "left",
            overflow="fold",
            no_wrap=columns[place].is_figure,
            min_width=widths[place] if columns[place].is_figure else min(widths[place], _NAME),
        )
    for index in range(len(every)):
        is_last = total is not None and index == len(every) - 1
        cells = [written[place][1][index] for place in kept]
        if is_last:
            made.add_section()
        made.add_row(*cells, style="bold" if is_last else None)
    return made


def _fitting(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    kept = list(range(len(columns)))
    while sum(widths[place] + _GAP for place in kept) - _GAP > width:
        last = max(columns[place].rank for place in kept)
        if not last:
            break
        kept = [place for place in kept if columns[place].rank < last]
    return kept


def _aligned(column: Column, cells: Sequence[Text]) -> tuple[str, list[Text]]:
    """Pad figures on both sides so that their points stand in one line."""
    pieces = [cell.plain.partition(".") for cell in cells]
    tails = [len(point + fraction) for _, point, fraction in pieces]
    longest = max(tails, default=0)
    right = [longest - tail for tail in tails]
    wide = max((cell_len(c.plain) + pad for c, pad in zip(cells, right, strict=True)), default=0)
    wide = max(wide, _wide(column.title))
    padded = []
    for cell, after in zip(cells, right, strict=True):
        text = cell.copy()
        text.pad_right(after)
        text.pad_left(wide - cell_len(text.plain))
        padded.append(text)
    return column.title.rjust(wide), padded


def _wide(title: str) -> int:
    return max(cell_len(line) for line in title.split("\n"))


def _longest_word(text: Text) -> int:
    return max(map(cell_len, text.plain.split()), default=0)


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
