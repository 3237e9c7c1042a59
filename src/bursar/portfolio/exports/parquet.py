"""Tables as Parquet, exact: numbers are Decimal(38, 18), times UTC nanoseconds, words a list.

The columns do not depend on what is in them, so files of different books can be read together. A
number that does not fit (over 20 integer or 18 fractional digits) is refused by name, never cut.

polars is loaded here, when it is asked for, and nowhere else.

Errors: `BadChoice` without polars; `OutOfBounds` with the column, the row and the number.
"""

from collections.abc import Sequence
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, Final

from bursar.errors import BadChoice, OutOfBounds
from bursar.exact import FRACTION_DIGITS, INTEGER_DIGITS, trimmed
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
    for column, values in zip(table.columns, held, strict=True):
        _require_fit(column, values)
    made: pl.DataFrame = library.DataFrame(
        [
            library.Series(column.name, values, dtype=_dtype(library, column.kind), strict=True)
            for column, values in zip(table.columns, held, strict=True)
        ]
    )
    made.write_parquet(file)
    return made.height


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


def _require_fit(column: Column, values: Sequence[Cell]) -> None:
    for number, value in enumerate(values, 1):
        if isinstance(value, Decimal) and not _fits(value):
            raise OutOfBounds(
                f"{column.name} of row {number} is {trimmed(value)}; Parquet holds {INTEGER_DIGITS}"
                f" integer and {FRACTION_DIGITS} fractional digits. ndjson and csv hold all",
                field=column.name,
                row=number,
            )


def _fits(value: Decimal) -> bool:
    whole, _, fraction = trimmed(value.copy_abs()).partition(".")
    return len(whole) <= INTEGER_DIGITS and len(fraction) <= FRACTION_DIGITS
