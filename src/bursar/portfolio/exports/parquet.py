"""Tables as Parquet, exact: numbers are Decimal(38, 18), times UTC nanoseconds, words a list.

The columns do not depend on what is in them, so files of different books can be read together. A
number that does not fit (over 20 integer or 18 fractional digits) is refused by name, never cut.

polars is loaded here, when it is asked for, and nowhere else.

Errors: `BadChoice` without polars; `OutOfBounds` with the column, the row and the number.
"""

from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, Final

from bursar.errors import BadChoice, BrokenInvariant, OutOfBounds
from bursar.exact import FRACTION_DIGITS, INTEGER_DIGITS, round18, trimmed
from bursar.portfolio.exports.tables import Cell, Column, Kind, Table

if TYPE_CHECKING:
    import polars as pl

_DIGITS: Final = INTEGER_DIGITS + FRACTION_DIGITS


def write_parquet(table: Table, file: BinaryIO) -> int:
    """Write a table and return how many rows it has. All of it is held in memory meanwhile.

    Raises:
        BadChoice: polars is not installed.
        OutOfBounds: a number does not fit. Nothing was written.
    """
    library = _polars()
    held: list[list[Cell]] = [[] for _ in table.columns]
    for row in table.rows:
        for values, value in zip(held, row, strict=True):
            values.append(value)
    made: pl.DataFrame = library.DataFrame(
        [
            _series(library, column, values)
            for column, values in zip(table.columns, held, strict=True)
        ]
    )
    made.write_parquet(file)
    return made.height


def _series(library: ModuleType, column: Column, values: list[Cell]) -> "pl.Series":
    kept = [_fitting(column, row, value) for row, value in enumerate(values, 1)]
    made: pl.Series = library.Series(
        column.name, kept, dtype=_dtype(library, column.kind), strict=True
    )
    if column.kind is Kind.NUMBER and made.to_list() != kept:
        raise BrokenInvariant(f"the numbers of {column.name} would not leave as they are")
    return made


def _polars() -> ModuleType:
    try:
        import polars as pl  # noqa: PLC0415 (an extra, and heavy)
    except ImportError:
        raise BadChoice(
            "Parquet needs polars; install bursar[export], or choose ndjson or csv"
        ) from None
    return pl


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
            f"{column.name} of row {row} is {trimmed(value)}; Parquet holds {INTEGER_DIGITS}"
            f" integer and {FRACTION_DIGITS} fractional digits. ndjson and csv hold all",
            field=column.name,
            row=row,
        )
    return round18(value)
