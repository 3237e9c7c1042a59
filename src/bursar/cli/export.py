"""`bursar export`: take everything away, in a form that others read.

The golden journal has every statement and the terms, and imports into the same book again. What
the formats hold, and how exactly, is in `bursar.portfolio.exports`.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from bursar.cli.new import Method
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from bursar.portfolio import Portfolio
    from bursar.portfolio.exports import Asked

Format = Literal["golden", "csv", "json", "ndjson", "parquet", "beancount", "hledger"]
What = Literal["journal", "trades", "flows", "positions", "holdings", "lots"]
_WHOLE: Final = ("golden", "beancount", "hledger")


def export(
    *,
    format: Format | None = None,  # noqa: A002 (the option's name)
    what: What = "journal",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    method: Method | None = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Write the book, or one table of it, to stdout or to a file.

    A golden journal has every statement and the terms; importing it makes the same book again.
    beancount and hledger get double entry, with balances for them to check. See docs/EXPORTS.md.

    Args:
        format: golden, beancount, hledger: the whole book. csv, json, ndjson, parquet: one table.
            By default golden, or csv for another table than the journal.
        what: Which table.
        output: The file to write, whole or not at all. By default stdout; parquet needs a file.
        method: The cost rule of lots, beancount and hledger, by default the portfolio's own.

    """
    from bursar.errors import BadChoice
    from bursar.portfolio.exports import table, write_parquet

    chosen = format or ("json" if session.wants_json else "golden" if what == "journal" else "csv")
    if chosen in _WHOLE and what != "journal":
        raise BadChoice(f"{chosen} is the whole book; {what} can be csv, json, ndjson or parquet")
    if chosen == "parquet" and output is None:
        raise BadChoice("parquet is no text; name a file with --output")
    with session.open() as portfolio:
        is_valued = what in {"positions", "holdings"} or chosen in {"beancount", "hledger"}
        asked = _asked(session, portfolio, method, is_valued=is_valued)
        if output is None:
            _print(session, _lines(portfolio, what, chosen, asked), what, chosen)
            return 0
        with _opened(output) as file:
            if chosen == "parquet":
                write_parquet(table(portfolio, what, asked), file)
            else:
                file.writelines(line.encode() for line in _lines(portfolio, what, chosen, asked))
    session.screen.remark(f"Wrote {output}.")
    if session.wants_json:
        size = output.stat().st_size
        session.tell({"what": what, "format": chosen, "output": output, "bytes": size})
    return 0


def _asked(
    session: Session, portfolio: Portfolio, method: Method | None, *, is_valued: bool
) -> Asked:
    from bursar.ledger.terms import Method as Rule
    from bursar.portfolio.exports import Asked

    prices = session.marks(portfolio) if is_valued else None
    return Asked(prices, None if method is None else Rule(method))


def _print(session: Session, lines: Iterator[str], what: What, chosen: Format) -> None:
    if session.wants_json and chosen != "json":
        session.tell({"what": what, "format": chosen, "text": "".join(lines)})
    else:
        session.screen.make_way()
        sys.stdout.writelines(lines)


def _lines(portfolio: Portfolio, what: What, chosen: Format, asked: Asked) -> Iterator[str]:
    from bursar.ledger import golden
    from bursar.portfolio import exports

    match chosen:
        case "golden":
            told = golden.write(portfolio.terms, (row.entry() for row in portfolio.journal()))
            return (f"{line}\n" for line in told)
        case "beancount":
            return exports.beancount(exports.ledger_of(portfolio, asked))
        case "hledger":
            return exports.hledger(exports.ledger_of(portfolio, asked))
        case "csv":
            return exports.csv_lines(exports.table(portfolio, what, asked))
        case "ndjson":
            return exports.ndjson_lines(exports.table(portfolio, what, asked))
        case _:
            encoding = (sys.stdout.encoding or "").lower().replace("-", "")
            found = exports.table(portfolio, what, asked)
            return exports.json_lines(found, is_ascii=encoding != "utf8")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is written whole or not at all; a device or a pipe as it is."""
    from bursar.store.whole import whole

    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
    else:
        with whole(path) as file:
            yield file
