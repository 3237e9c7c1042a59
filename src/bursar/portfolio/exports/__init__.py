"""What leaves bursar for other programs: tables, and double entry.

The idea: a table is a stream of rows whose columns say what they hold, and each writer of tables
turns that into text without holding all of it; only Parquet, which is written by columns, does.
Double entry is what the facts did to the book, fact by fact, as legs that add up to nothing;
beancount and hledger are two spellings of it.

    tables ──▶ spelled      CSV, JSON, NDJSON
       └─────▶ frames       polars, pandas, Arrow: Decimal(38, 18), exact or refused
                  └─▶ parquet
    legs ────▶ beancount ─┐
       └─────▶ hledger ───┴▶ names

Invariants
- A number leaves with every digit; nothing is rounded on the way out.
- What another program cannot express stands beside it as a comment; nothing is dropped in silence.

Errors: `OutOfBounds` for a number that a column cannot hold; `NotInstalled` without polars.
"""

from bursar.portfolio.exports.beancount import beancount
from bursar.portfolio.exports.double import Ledger, ledger_of
from bursar.portfolio.exports.frames import Frame, frame
from bursar.portfolio.exports.hledger import hledger
from bursar.portfolio.exports.parquet import write_parquet
from bursar.portfolio.exports.spelled import csv_lines, json_lines, ndjson_lines
from bursar.portfolio.exports.tables import TABLES, Asked, Column, Kind, Table, table

__all__ = [
    "TABLES",
    "Asked",
    "Column",
    "Frame",
    "Kind",
    "Ledger",
    "Table",
    "beancount",
    "csv_lines",
    "frame",
    "hledger",
    "json_lines",
    "ledger_of",
    "ndjson_lines",
    "table",
    "write_parquet",
]
