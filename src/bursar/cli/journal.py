"""`bursar journal`: every statement as a line of the golden language, with its verdict."""

from __future__ import annotations

from collections import deque
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from bursar.cli.counts import Whole, whole
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.segment import Segment

    from bursar.ledger.entries import AnyEntry
    from bursar.ledger.journal import Record

    Row = tuple[Record, AnyEntry, str]

Kind = Literal[
    "movement",
    "fill",
    "margin",
    "flow",
    "transfer",
    "sleeve",
    "conversion",
    "rename",
    "split",
    "staged",
    "link",
    "price",
    "tag",
    "reversal",
]


def journal(
    *,
    tail: Annotated[int | None, Parameter(name=["--tail", "-n"], converter=whole)] = None,
    after: Whole = 0,
    grep: str | None = None,
    kind: Kind | None = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Show the journal: what was told, in the order in which it was learned.

    Args:
        tail: Only the last so many.
        after: Only rows with a higher number.
        grep: Only lines with this text in them, upper or lower case.
        kind: Only statements of this kind.

    """
    session.require_count("--tail", tail)
    with session.open() as portfolio:
        if tail is not None and {grep, kind, session.at} == {None}:  # every row is shown
            after = max(after, portfolio.desk.head.seq - tail)
        found: Iterable[Row] = _wanted(portfolio.journal(after), grep, kind)
        if tail is not None:
            found = deque(found, maxlen=tail)
        if session.wants_json:
            session.tell({"rows": (told(*row) for row in found)})
            return 0
        coming = iter(found)
        first = list(islice(coming, 1))
        session.screen.flow(map(_shown, chain(first, coming)))
    if not first and tail != 0:
        session.screen.remark("No entries.")
    return 0


def _shown(row: Row) -> tuple[Segment, Segment]:
    from rich.segment import Segment

    from bursar.cli.answers import printable

    record, _, line = row
    told = f"{record.seq:>6}  {record.outcome.value:<8}  {line}"
    return Segment(printable(told)), Segment.line()


def told(record: Record, entry: AnyEntry, line: str) -> dict[str, object]:
    """Return a journal row as JSON has it."""
    from bursar.ledger import instant

    return {
        "seq": record.seq,
        "verdict": record.outcome,
        "kind": kind_of(entry),
        "id": entry.id,
        "executed_at": instant.show(entry.executed_at),
        "recorded_at": instant.show(record.recorded_at),
        "line": line,
        "hash": record.hash,
    }


def kind_of(entry: AnyEntry) -> str:
    """Return the name of a statement's kind."""
    return str(entry.__struct_config__.tag)


def _wanted(records: Iterable[Record], grep: str | None, kind: str | None) -> Iterator[Row]:
    from bursar.ledger import golden

    text = None if grep is None else grep.casefold()
    for record in records:
        entry = record.entry()
        if kind is not None and kind_of(entry) != kind:
            continue
        line = golden.write_line(entry)
        if text is None or text in line.casefold():
            yield record, entry, line
