"""Frames: a table as the data frame of another library, exact.

    portfolio.table("lots").to_polars()            Decimal(38, 18), times UTC in nanoseconds
    portfolio.table("lots").to_pandas()            the same types, which are Arrow's
    pyarrow.table(portfolio.table("lots"))         and whatever else takes an Arrow stream

The columns do not depend on what is in them, so tables of different books fit together. A number
that does not fit (over 20 integer or 18 fractional digits) is refused by name, never cut.

polars and pandas are loaded here, when they are asked for, and nowhere else.

Errors: `NotInstalled` without the library; `OutOfBounds` with the column, the row and the number.
"""

from collections.abc import Iterable
from decimal import Decimal
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.errors import BrokenInvariant, NotInstalled, OutOfBounds
from bursar.exact import FRACTION_DIGITS, INTEGER_DIGITS, round18, trimmed
from bursar.ledger import instant, markup
from bursar.portfolio.exports.tables import Asked, Cell, Column, Kind, table
from bursar.portfolio.portfolio import Portfolio

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

SHOWN: Final = 20
_DIGITS: Final = INTEGER_DIGITS + FRACTION_DIGITS


class Frame(msgspec.Struct, frozen=True):
    """A table that was read: to be looked at and handed over as often as one likes."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Frame({self.name}: {len(self)} rows of {', '.join(c.name for c in self.columns)})"

    def to_polars(self) -> "pl.DataFrame":
        """Return a polars frame.

        Raises:
            NotInstalled: polars is not here.
            OutOfBounds: a number does not fit its column.
        """
        return polars_frame(self.columns, self.rows)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a pandas frame whose columns are Arrow's, so a number keeps every digit.

        Raises:
            NotInstalled: polars, pandas or pyarrow is not here.
            OutOfBounds: a number does not fit its column.
        """
        pandas, _arrow = _library("pandas", "frames"), _library("pyarrow", "frames")
        found = self.to_polars()
        level = _library("polars", "frames").CompatLevel.oldest()
        made: pd.DataFrame = found.to_arrow(compat_level=level).to_pandas(
            types_mapper=pandas.ArrowDtype
        )
        return made

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the table over as an Arrow stream, in a PyCapsule."""
        return self.to_polars().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        """Show the first rows in a notebook."""
        shown = [
            [_text(column.kind, cell) for column, cell in zip(self.columns, row, strict=True)]
            for row in self.rows[:SHOWN]
        ]
        numbers = [n for n, c in enumerate(self.columns) if c.kind in {Kind.NUMBER, Kind.COUNT}]
        left = len(self) - len(shown)
        return markup.table(
            [column.name for column in self.columns],
            shown,
            numbers=numbers,
            caption=f"{self.name}, {len(self)} rows" + (f"; {left} more below" if left else ""),
        )


def frame(portfolio: Portfolio, name: str, asked: Asked) -> Frame:
    """Read a table.

    Raises:
        BadChoice: there is no such table.
    """
    found = table(portfolio, name, asked)
    return Frame(found.name, found.columns, tuple(found.rows))


def polars_frame(columns: Iterable[Column], rows: Iterable[tuple[Cell, ...]]) -> "pl.DataFrame":
    """Put rows into a polars frame."""
    library, known = _library("polars", "export"), tuple(columns)
    held: list[list[Cell]] = [[] for _ in known]
    for row in rows:
        for values, value in zip(held, row, strict=True):
            values.append(value)
    made: pl.DataFrame = library.DataFrame(
        [_series(library, column, values) for column, values in zip(known, held, strict=True)]
    )
    return made


def _series(library: ModuleType, column: Column, values: list[Cell]) -> "pl.Series":
    kept = [_fitting(column, row, value) for row, value in enumerate(values, 1)]
    made: pl.Series = library.Series(
        column.name, kept, dtype=_dtype(library, column.kind), strict=True
    )
    if column.kind is Kind.NUMBER and made.to_list() != kept:
        raise BrokenInvariant(f"the numbers of {column.name} would not leave as they are")
    return made


def _dtype(library: ModuleType, kind: Kind) -> object:
    match kind:
        case Kind.TEXT:
            return library.String
        case Kind.NUMBER:
            return library.Decimal(_DIGITS, FRACTION_DIGITS)
        case Kind.COUNT:
            return library.Int64
        case Kind.TIME:
            return library.Datetime("ns", "UTC")
        case Kind.WORDS:
            return library.List(library.String)


def _fitting(column: Column, row: int, value: Cell) -> Cell:
    """Return a cell as polars may have it; digits past the 18th decimal are zeros, or too many."""
    if not isinstance(value, Decimal):
        return value
    whole, _, fraction = trimmed(value.copy_abs()).partition(".")
    if len(whole) > INTEGER_DIGITS or len(fraction) > FRACTION_DIGITS:
        raise OutOfBounds(
            f"{column.name} of row {row} is {trimmed(value)}; a column holds {INTEGER_DIGITS}"
            f" integer and {FRACTION_DIGITS} fractional digits. ndjson and csv hold all",
            field=column.name,
            row=row,
        )
    return round18(value)


def _library(name: str, extra: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError:
        raise NotInstalled(
            f'this needs {name}: pip install "bursar[{extra}]"; ndjson and csv need nothing more'
        ) from None


def _text(kind: Kind, cell: Cell) -> str | None:
    match cell:
        case Decimal():
            return trimmed(cell)
        case tuple():
            return ", ".join(cell)
        case int() if kind is Kind.TIME:
            return instant.show(cell)
        case None:
            return None
        case _:
            return str(cell)
