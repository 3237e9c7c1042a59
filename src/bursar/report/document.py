"""What a report is made of before it is drawn: sections of figures, tables, drawings and lines.

HTML and PDF are two ways to set the same document, so neither can say what the other does not. A
cell has its text as a reader wants it and, in `exact`, every digit of the same number.

Errors: none.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ONE, Rounding, quantise, show, trimmed
from bursar.ledger import instant
from bursar.measure.measured import Measured

NOTHING: Final = "—"
_CENTS: Final = 2
_PRICED: Final = 6
_DEAR: Final = 1000


class Cell(msgspec.Struct, frozen=True):
    """A figure or a word. `tone` is gain, loss, unknown or nothing; `heat` is 0 to 9.

    `why` says what a figure that is not known lacks.
    """

    text: str
    exact: str | None = None
    tone: str = ""
    heat: int = 0
    why: str = ""


class Figure(msgspec.Struct, frozen=True):
    """One figure under its name, with a remark."""

    label: str
    cell: Cell
    note: str = ""


class Column(msgspec.Struct, frozen=True):
    """A column: its name, and whether it holds words."""

    name: str
    is_text: bool = False


class Figures(msgspec.Struct, frozen=True, tag="figures"):
    """Figures side by side."""

    items: tuple[Figure, ...]


class Table(msgspec.Struct, frozen=True, tag="table"):
    """A table. `note` says what it leaves out; a dense one is a heatmap."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    note: str = ""
    is_dense: bool = False


class Drawing(msgspec.Struct, frozen=True, tag="drawing"):
    """A drawing as SVG, wide and narrow, and what it shows in words; `name` may stand over it."""

    wide: str
    narrow: str
    says: str
    name: str = ""
    legend: tuple[tuple[str, str], ...] = ()


class Lines(msgspec.Struct, frozen=True, tag="lines"):
    """Sentences, one a line."""

    lines: tuple[str, ...]
    is_warning: bool = False


Block = Figures | Table | Drawing | Lines


class Section(msgspec.Struct, frozen=True):
    """A section: a title, a sentence under it, and blocks."""

    id: str
    title: str
    note: str
    blocks: tuple[Block, ...]


class Document(msgspec.Struct, frozen=True):
    """All of a report. `hero` is the figure at its head."""

    title: str
    subtitle: str
    hero: Figure
    sections: tuple[Section, ...]
    foot: str


def word(text: object, *, tone: str = "") -> Cell:
    """Write a word."""
    return Cell(str(text) if text not in (None, "") else NOTHING, tone=tone)


def money(value: Decimal | None, *, why: str = "") -> Cell:
    """Write an amount to the cent."""
    if value is None:
        return unknown(why)
    return Cell(_minus(show(value, places=_CENTS)), trimmed(value))


def gain(value: Decimal | None, *, why: str = "") -> Cell:
    """Write an amount that is good above zero and bad below: the sign says it without colour."""
    return _signed(value, "", why)


def percent(value: Measured | Decimal | None) -> Cell:
    """Write a percentage that has no good side."""
    figure, why = _known(value)
    if figure is None:
        return unknown(why)
    return Cell(_minus(f"{show(figure, places=_CENTS)} %"), trimmed(figure))


def gain_percent(value: Measured | Decimal | None) -> Cell:
    """Write a percentage that is good above zero."""
    figure, why = _known(value)
    return _signed(figure, " %", why)


def plain(value: Measured) -> Cell:
    """Write a number that is of nothing."""
    if value.value is None:
        return unknown(value.reason)
    return Cell(_minus(show(value.value, places=_CENTS)), trimmed(value.value))


def measured(value: Measured) -> Cell:
    """Write an amount that may not be known."""
    return money(value.value, why=value.reason)


def quantity(value: Decimal | None) -> Cell:
    """Write units, every digit."""
    if value is None:
        return unknown("")
    text = trimmed(value)
    return Cell(_minus(show(Decimal(text))), text)


def price(value: Decimal | None) -> Cell:
    """Write a price, cut for the eye to what is worth reading."""
    if value is None:
        return Cell(NOTHING)
    places = _CENTS if abs(value) >= _DEAR else _PRICED
    rounded = quantise(value, ONE.scaleb(-places), Rounding.HALF_EVEN)
    return Cell(show(Decimal(trimmed(rounded or value))), trimmed(value))


def count(value: int) -> Cell:
    """Write how many."""
    return Cell(f"{value:,}", str(value))


def minute(at: int | None) -> Cell:
    """Write a time to the minute, UTC."""
    if at is None:
        return Cell(NOTHING)
    return Cell(instant.show(at)[:16].replace("T", " "), instant.show(at))


def day(at: int | None) -> Cell:
    """Write a day, UTC."""
    return Cell(NOTHING) if at is None else Cell(instant.day(at), instant.show(at))


def unknown(why: str) -> Cell:
    """Write that something is not known."""
    return Cell("unknown", tone="unknown", why=why)


def heated(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Give cells of figures the warmth of their size: the largest of them is the warmest."""
    told = tuple(cells)
    sizes = [abs(Decimal(each.exact)) for each in told if each.exact is not None]
    top = max(sizes, default=Decimal(0))
    return tuple(
        msgspec.structs.replace(each, heat=int(abs(Decimal(each.exact)) * 8 // top) + 1)
        if each.exact is not None and top and Decimal(each.exact)
        else each
        for each in told
    )


def _signed(value: Decimal | None, unit: str, why: str) -> Cell:
    if value is None:
        return unknown(why)
    text = show(value, places=_CENTS)
    tone = "gain" if value > 0 else "loss" if value < 0 else ""
    sign = "+" if value > 0 else "-" if value < 0 and not text.startswith("-") else ""
    return Cell(_minus(f"{sign}{text}{unit}"), trimmed(value), tone)


def _known(value: Measured | Decimal | None) -> tuple[Decimal | None, str]:
    return (value.value, value.reason) if isinstance(value, Measured) else (value, "")


def _minus(text: str) -> str:
    """Write a minus as wide as a plus."""
    return text.replace("-", "−")
