"""`bursar export`: take everything away, in a form that others read.

The golden journal has every statement and the terms, and imports into the same book again. In CSV,
a text that a spreadsheet could take for a formula gets a leading apostrophe; numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import os
import sys
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

from bursar.cli.answers import json_text
from bursar.cli.answers import told as jsonable
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bursar.portfolio import Portfolio

Format = Literal["golden", "csv", "json"]
What = Literal["journal", "trades", "flows", "holdings"]
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")


def export(
    *,
    format: Format | None = None,  # noqa: A002 (the option's name)
    what: What = "journal",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Write the journal, the trades, the flows or the holdings, to stdout or to a file.

    A golden journal has every statement and the terms; importing it makes the same book again.

    Args:
        format: golden for the journal, csv or json for all; by default golden, or csv.
        what: What to write.
        output: The file to write, whole or not at all. By default stdout.

    """
    from bursar.errors import BadChoice

    chosen = format or ("json" if session.wants_json else "golden" if what == "journal" else "csv")
    if chosen == "golden" and what != "journal":
        raise BadChoice(f"{what} cannot be written as golden; as csv or json", value=what)
    with session.open() as portfolio:
        text = _text(session, portfolio, what, chosen)
    if output is not None:
        _write(output, text)
        session.screen.remark(f"Wrote {output}.")
    _tell(session, {"what": what, "format": chosen}, text, output)
    return 0


def _tell(session: Session, told: dict[str, object], text: str, output: Path | None) -> None:
    if output is None and (told["format"] == "json" or not session.wants_json):
        sys.stdout.write(text)
    elif session.wants_json:
        at = {"text": text} if output is None else {"output": output, "bytes": len(text.encode())}
        session.tell({**told, **at})


def _text(session: Session, portfolio: Portfolio, what: What, chosen: str) -> str:
    if chosen == "golden":
        return "".join(f"{line}\n" for line in _golden(portfolio))
    rows = list(_rows(session, portfolio, what))
    if chosen == "json":
        return json_text({what: rows}) + "\n"
    return csv_text(rows)


def _golden(portfolio: Portfolio) -> Iterator[str]:
    from bursar.ledger import golden

    return golden.write(portfolio.terms, (row.entry() for row in portfolio.journal()))


def _rows(session: Session, portfolio: Portfolio, what: What) -> Iterator[dict[str, object]]:
    match what:
        case "journal":
            from bursar.cli.journal import told
            from bursar.ledger import golden

            for record in portfolio.journal():
                entry = record.entry()
                yield told(record, entry, golden.write_line(entry))
        case "trades":
            for trade in portfolio.trades():
                yield {name: getattr(trade, name) for name in trade.__struct_fields__}
        case "flows":
            from bursar.cli.flows import reversed_by
            from bursar.cli.flows import told as flow_told

            flows = portfolio.flows()
            undone = reversed_by(portfolio, flows)
            yield from (flow_told(each, undone.get(each.id)) for each in flows)
        case "holdings":
            yield from _holdings(session, portfolio)


def _holdings(session: Session, portfolio: Portfolio) -> Iterator[dict[str, object]]:
    from bursar.ledger import instant

    for each in portfolio.valuation(session.marks(portfolio)).assets:
        mark = each.mark
        yield {
            "asset": each.asset,
            "quantity": each.quantity,
            "cost": each.known_cost,
            "mark": None if mark is None else mark.price,
            "mark_pair": None if mark is None else mark.pair,
            "mark_source": None if mark is None else mark.source,
            "mark_at": None if mark is None else instant.show(mark.at),
            "value": each.value,
            "unrealized": each.unrealized,
            "share_pct": each.share_pct,
            "flags": each.flags,
        }


def csv_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Write rows as CSV that a spreadsheet takes for data only."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    for row in rows:
        writer.writerow([cell(value) for value in row.values()])
    return made.getvalue()


def cell(value: object) -> str:
    """Write one cell: a number as it is, a text so that it is no formula."""
    if value is None:
        return ""
    if isinstance(value, Decimal | int):
        return str(jsonable(value))
    if isinstance(value, tuple | list):
        value = " ".join(str(each) for each in value)
    text = str(jsonable(value))
    return f"'{text}" if text.startswith(_RISKY) else text


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all; a device or a pipe is written to as it is."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    folder = path.parent
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
