"""Exports over HTTP: the book, or one table of it, as `bursar export` writes them.

An export is made in one go, so that it is of one version, into a file that is gone when it is
closed; what is small stays in memory. While it is made, other requests wait.

Errors: `BadChoice` for what cannot be had that way; `NotInstalled` for Parquet without polars.
"""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

from bursar.errors import BadChoice
from bursar.ledger import golden
from bursar.portfolio import exports
from bursar.portfolio.portfolio import Portfolio
from bursar.serve.asking import Param, Query

IN_MEMORY: Final = 8 << 20
_WHOLE: Final = ("golden", "beancount", "hledger")
_KINDS: Final = {
    "golden": "text/plain",
    "beancount": "text/plain",
    "hledger": "text/plain",
    "csv": "text/csv",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
MEDIA: Final = tuple(dict.fromkeys(_KINDS.values()))
"""What an export may be, as media types."""
PARAMS: Final = (
    Param("format", "how it is written", choices=tuple(_KINDS), default="golden"),
    Param("what", "which table", choices=tuple(exports.TABLES), default="journal"),
)


def kind_of(query: Query) -> str:
    """Return the media type of an export.

    Raises:
        BadChoice: the whole book was asked for in a form that is one table.
    """
    chosen, what = query.word("format"), query.word("what")
    if chosen in _WHOLE and what != "journal":
        raise BadChoice(f"{chosen} is the whole book; {what} can be csv, json, ndjson or parquet")
    return _KINDS[chosen] if chosen == "parquet" else f"{_KINDS[chosen]}; charset=utf-8"


def written(portfolio: Portfolio, query: Query) -> SpooledTemporaryFile[bytes]:
    """Write an export, and return it from its beginning."""
    made = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (whoever reads it closes it)
    chosen, what = query.word("format"), query.word("what")
    if chosen == "parquet":
        exports.write_parquet(exports.table(portfolio, what), cast("BinaryIO", made))
    else:
        made.writelines(line.encode() for line in _lines(portfolio, chosen, what))
    made.seek(0)
    return made


def chunks(made: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    """Yield an export piece by piece, and let go of it."""
    with made:
        while chunk := made.read(1 << 16):
            yield chunk


def _lines(portfolio: Portfolio, chosen: str, what: str) -> Iterator[str]:
    match chosen:
        case "golden":
            told = golden.write(portfolio.terms, (row.entry() for row in portfolio.journal()))
            return (f"{line}\n" for line in told)
        case "beancount":
            return exports.beancount(exports.ledger_of(portfolio, exports.Asked()))
        case "hledger":
            return exports.hledger(exports.ledger_of(portfolio, exports.Asked()))
        case "csv":
            return exports.csv_lines(exports.table(portfolio, what))
        case "ndjson":
            return exports.ndjson_lines(exports.table(portfolio, what))
        case _:
            return exports.json_lines(exports.table(portfolio, what), is_ascii=False)
