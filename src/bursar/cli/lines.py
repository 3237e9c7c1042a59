"""The lines of a table: page after page, each written as soon as it is laid out.

Rich lays a table out as a whole, which takes a second and ten megabytes for every 1,500 rows. Here
that is done a page at a time. Its columns are as wide as it needs and never narrower than those of
the page before, so points stay in line and memory does not grow with the rows. A table of one page
looks as Rich would have it; colours, encodings and what a terminal can do stay Rich's to know.

Errors: none.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from time import monotonic
from typing import Final

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

PAGE: Final = 1_000
GAP: Final = 2
_TAB: Final = 8
_WAIT_S: Final = 0.1
NAME_MIN: Final = 10  # a day stays whole; a figure that nobody can name says nothing


class Piece(msgspec.Struct, frozen=True, gc=False):
    """A cell: what it says, how many places that takes, and how many its point and what is behind.

    `text` is it with its style, where it has one; one that `is_several` lines has breaks in it.
    """

    plain: str
    wide: int
    tail: int = 0
    text: Text | None = None
    is_several: bool = False


class Layout:
    """How wide each column is: as wide as what was seen of it.

    Of a column that `is_aligned` the points are in line; the other figures end in line; what is no
    figure may go on under itself.
    """

    def __init__(
        self, titles: Sequence[str], is_figure: Sequence[bool], is_aligned: Sequence[bool]
    ) -> None:
        self.titles = [title.split("\n") for title in titles]
        self.is_figure, self.is_aligned = is_figure, is_aligned
        self.tails = [0] * len(titles)
        self._heads = [0] * len(titles)
        self._wide = [max(map(cell_len, lines)) for lines in self.titles]

    @property
    def widths(self) -> list[int]:
        """How wide each column has to be for nothing in it to go on under itself."""
        return [
            max(wide, head + tail)
            for wide, head, tail in zip(self._wide, self._heads, self.tails, strict=True)
        ]

    def pieces(self, row: Iterable[Text | str]) -> list[Piece]:
        """Measure the cells of a row, of which nothing may steer a terminal."""
        return [piece(cell, is_aligned=a) for cell, a in zip(row, self.is_aligned, strict=True)]

    def see(self, rows: Iterable[Sequence[Piece]]) -> None:
        """Make room for rows. O(cells)."""
        for place, column in enumerate(zip(*rows, strict=True)):
            if self.is_aligned[place]:
                self.tails[place] = max(self.tails[place], *[each.tail for each in column])
                heads = [each.wide - each.tail for each in column]
                self._heads[place] = max(self._heads[place], *heads)
            else:
                self._wide[place] = max(self._wide[place], *[each.wide for each in column])


def piece(cell: Text | str, *, is_aligned: bool = False) -> Piece:
    """Measure a cell."""
    if isinstance(cell, str):
        plain, text = cell, None
    else:
        plain, text = cell.plain, cell if cell.style or cell.spans else None
    if "\n" in plain or "\t" in plain:
        return _several(Text(plain) if text is None else text.copy())
    point = plain.find(".") if is_aligned else -1
    wide = len(plain) if plain.isascii() else cell_len(plain)
    return Piece(plain, wide, 0 if point < 0 else len(plain) - point, text)


def _several(text: Text) -> Piece:
    text.expand_tabs(_TAB)
    wide = max(map(cell_len, text.plain.split("\n")))
    return Piece(text.plain, wide, text=text, is_several=True)


def pages(
    console: Console,
    layout: Layout,
    rows: Iterable[Sequence[Piece]],
    *,
    total: Sequence[Piece] | None = None,
) -> Iterator[Segments]:
    """Yield what is to be printed: the head with the first page, and the total with the last.

    O(cells) in all, and O(cells of two pages) in memory.
    """
    if total is not None:
        layout.see([total])
    coming = iter(rows)
    page = list(islice(coming, PAGE))
    is_first = True
    while True:
        layout.see(page)
        following = list(islice(coming, PAGE))
        widths = _shared(layout, console.width)
        made: list[Segment] = _head(console, layout, widths) if is_first else []
        for row in page:
            made += _row(console, layout, widths, row)
        if not following:
            made += [] if total is None else _foot(console, layout, widths, total)
            yield Segments(made)
            return
        yield Segments(made)
        page, is_first = following, False


def batches(coming: Iterable[Iterable[Segment]]) -> Iterator[Segments]:
    """Yield lines, however long, as they come: many at once where they come fast."""
    page: list[Segment] = []
    shown_at = monotonic()
    for number, line in enumerate(coming, 1):
        page += line
        if not number % PAGE or monotonic() - shown_at > _WAIT_S:
            yield Segments(page)
            page, shown_at = [], monotonic()
    yield Segments(page)


def _shared(layout: Layout, width: int) -> list[int]:
    """Return the widths as far as a line has room: the widest names give way first."""
    widths = layout.widths
    while sum(widths) + GAP * (len(widths) - 1) > width:
        names = [n for n, each in enumerate(widths) if not layout.is_figure[n] and each > NAME_MIN]
        if not names:
            break
        widths[max(names, key=lambda place: widths[place])] -= 1
    return widths


def _head(console: Console, layout: Layout, widths: Sequence[int]) -> list[Segment]:
    dim = console.get_style("dim")
    made: list[Segment] = []
    height = max(map(len, layout.titles))
    for number in range(height):
        told = [[""] * (height - len(lines)) + lines for lines in layout.titles]
        cells = [
            lines[number].rjust(width) if is_figure else lines[number].ljust(width)
            for lines, width, is_figure in zip(told, widths, layout.is_figure, strict=True)
        ]
        made += [Segment((" " * GAP).join(cells), dim), Segment.line()]
    return [*made, *_rule(widths)]


def _rule(widths: Sequence[int]) -> list[Segment]:
    return [Segment("─" * (sum(widths) + GAP * (len(widths) - 1))), Segment.line()]


def _foot(
    console: Console, layout: Layout, widths: Sequence[int], total: Sequence[Piece]
) -> list[Segment]:
    return [*_rule(widths), *_row(console, layout, widths, total, console.get_style("bold"))]


def _row(
    console: Console,
    layout: Layout,
    widths: Sequence[int],
    row: Sequence[Piece],
    style: Style | None = None,
) -> list[Segment]:
    """Return a row, each name that is too wide going on under itself."""
    several = {
        place: _folded(console, each, widths[place])
        for place, each in enumerate(row)
        if each.wide > widths[place] or each.is_several
    }
    if not several:
        return _line(console, layout, widths, row, style)
    made: list[Segment] = []
    for number in range(max(map(len, several.values()))):
        cells = [
            (several[place][number : number + 1] or [_NOTHING])[0]
            if place in several
            else (_NOTHING if number else each)
            for place, each in enumerate(row)
        ]
        made += _line(console, layout, widths, cells, style)
    return made


_NOTHING: Final = Piece("", 0)


def _folded(console: Console, each: Piece, width: int) -> list[Piece]:
    text = Text(each.plain) if each.text is None else each.text
    return [piece(line) for line in text.wrap(console, width, overflow="fold")]


def _line(
    console: Console,
    layout: Layout,
    widths: Sequence[int],
    row: Sequence[Piece],
    style: Style | None,
) -> list[Segment]:
    """Return a line; what has no style of its own stands in one segment with its neighbours."""
    made: list[Segment] = []
    plain, gap = "", ""
    for place, each in enumerate(row):
        before = widths[place] - each.wide
        behind = 0
        if layout.is_aligned[place]:
            behind = layout.tails[place] - each.tail
        elif not layout.is_figure[place]:
            behind = before
        plain += gap + " " * (before - behind)
        if each.text is None:
            plain += each.plain
        else:
            made += [Segment(plain, style)] if plain else []
            made += _styled(console, each.text, style)
            plain = ""
        gap = " " * (behind + GAP)
    return [*made, Segment(plain + gap[GAP:], style), Segment.line()]


def _styled(console: Console, text: Text, style: Style | None) -> Iterable[Segment]:
    if text.spans:
        return Segment.apply_style(text.render(console), style)
    own = console.get_style(text.style)
    return (Segment(text.plain, own if style is None else style + own),)
