"""Tables as Parquet, exact: the columns of `frames`, by way of polars.

Errors: `NotInstalled` without polars; `OutOfBounds` with the column, the row and the number.
"""

from typing import BinaryIO

from bursar.portfolio.exports.frames import polars_frame
from bursar.portfolio.exports.tables import Table


def write_parquet(table: Table, file: BinaryIO) -> int:
    """Write a table and return how many rows it has. All of it is held in memory meanwhile.

    Raises:
        NotInstalled: polars is not here.
        OutOfBounds: a number does not fit. Nothing was written.
    """
    made = polars_frame(table.columns, table.rows)
    made.write_parquet(file)
    return made.height
