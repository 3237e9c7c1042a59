"""Taking a backup: one transaction is read, line by line, into one file.

On SQLite a reader of a write-ahead log sees the moment at which it began and stops nobody; on a
server a transaction of repeatable reads does the same. Whatever is committed meanwhile is not in
the backup. The chain is verified on the way; the journal is folded when the transaction is over, so
that it holds nothing up for longer than reading takes.
"""

import os
import time
from collections.abc import Iterable, Iterator
from hashlib import file_digest
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, Table, select

from bursar.errors import BadChoice, PortfolioNotFound, SchemaNewer, StoreCorrupt
from bursar.ledger import instant, projection
from bursar.ledger.journal import Record
from bursar.ledger.planning import folded
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline
from bursar.ports import Progress
from bursar.store import schema, texts, writes
from bursar.store.backup.fold import Chain, verified
from bursar.store.backup.lines import (
    FORMAT,
    Header,
    Line,
    Memo,
    Message,
    Opened,
    Row,
    Scribe,
    Shot,
)
from bursar.store.backup.manifest import Kept, Manifest
from bursar.store.dialect import Dialect
from bursar.store.faults import legible, translated
from bursar.store.opening import MEMORY
from bursar.store.places import address, engine_of, masked
from bursar.store.tables import JOURNAL, MEMOS, OUTBOX, PORTFOLIOS, SNAPSHOTS
from bursar.store.whole import whole

_CHUNK = 500
_TELL_EVERY = 1_000
_SEALED = "0004"  # the revision from which on texts are sealed
_MEMOS = "0005"  # the one from which on there are memos
_OPENED = "name terms version seq hash created_at"
_ROW = "seq key outcome recorded_at body previous hash"
_SHOT = "time body"
_MEMO = "name portfolio body"
_MESSAGE = "number version id topic body created_at"


def take_backup(
    book: str | os.PathLike[str],
    file: str | os.PathLike[str],
    *,
    portfolio: str | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """Write all portfolios of a book, or the named one, into one file, and say what is in it.

    Raises:
        BadChoice: the file is there already and may not be replaced.
        PortfolioNotFound: there is no such book or portfolio.
        StoreCorrupt: a journal does not verify. No file is written.
    """
    if os.fspath(book) == MEMORY:
        raise BadChoice("a book in memory is nowhere else; there is nothing to back up")
    url, path = address(book), Path(file)
    engine, dialect = engine_of(url)
    header = Header(FORMAT, _version(), instant.of_clock(time.time_ns()))
    try:
        if not dialect.prepare(url, False):  # noqa: FBT003 (a record of functions)
            raise PortfolioNotFound(f"there is no book at {masked(book)}")
        with whole(path, replace=replace) as out, translated(dialect.fault):
            scribe = Scribe(out)
            scribe.write(header)
            found = _read(engine, dialect, portfolio, Told(scribe, progress))
            kept = tuple(each.kept(folded(each.terms, each.chain.told)) for each in found)
            scribe.end(kept)
    finally:
        engine.dispose()
    return manifest_of(path, header, kept)


class Found(msgspec.Struct, frozen=True):
    """One portfolio as it was read, from a book or from a backup."""

    opened: Opened
    terms: Terms
    chain: Chain
    snapshots: int
    messages: int
    memos: int

    def kept(self, timeline: Timeline) -> Kept:
        """Return what the end line says of it, once it is folded."""
        return Kept(
            portfolio=self.opened.name,
            base=self.terms.base,
            version=self.opened.version,
            seq=self.chain.seq,
            hash=self.chain.hash,
            digest=projection.digest(timeline.book),
            snapshots=self.snapshots,
            messages=self.messages,
            memos=self.memos,
        )


class Plain(msgspec.Struct, frozen=True):
    """How the tables of a revision are read. In all that is read here they are alike, but for what
    came later.
    """

    is_sealed: bool
    has_memos: bool

    def __call__(self, text: str, *place: str | int) -> str:
        """Return the text that a store keeps at a place, without its seal."""
        return texts.unsealed(text, *place) if self.is_sealed else text


def manifest_of(path: Path, header: Header, kept: tuple[Kept, ...]) -> Manifest:
    """Return what a file that is whole says of itself."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return Manifest(header.taken_at, header.made_by, kept, path.stat().st_size, digest)


class Told:
    """Where lines go, and who is told how far it is."""

    def __init__(self, scribe: Scribe, progress: Progress | None) -> None:
        self._scribe = scribe
        self._progress = progress

    def write(self, line: Line) -> None:
        """Write a line."""
        self._scribe.write(line)

    def passed(self, rows: Iterable[Record], total: int) -> Iterator[Record]:
        """Write rows and pass them on."""
        for row in rows:
            self.write(Row(row.seq, row.key, row.outcome, row.recorded_at, row.body, row.hash))
            if self._progress is not None and row.seq % _TELL_EVERY == 0:
                self._progress("reading the journal", row.seq, total)
            yield row

    def each(self, lines: Iterable[Line]) -> int:
        """Write lines and count them."""
        count = 0
        for line in lines:
            self.write(line)
            count += 1
        return count


def records_of(connection: Connection, portfolio: str) -> Iterator[Record]:
    """Yield the journal rows of a portfolio as this transaction sees them, some at a time."""
    return map(writes.record, _rows(connection, JOURNAL, _ROW, portfolio))


def _read(engine: Engine, dialect: Dialect, portfolio: str | None, told: Told) -> tuple[Found, ...]:
    with engine.connect() as connection:
        still = {} if dialect.still is None else {"isolation_level": dialect.still}
        with connection.execution_options(**still).begin():
            plain = _plain(connection)
            found = _named(connection, portfolio, plain)
            return tuple(_portfolio(connection, told, each, plain) for each in found)


def _version() -> str:
    try:
        return version("bursar")
    except PackageNotFoundError:  # run from its source alone
        return "unknown"


def _plain(connection: Connection) -> Plain:
    """Return how these tables are read; refuse those of a newer bursar."""
    found = schema.revision(connection)
    if found is None:
        raise PortfolioNotFound("the database is empty; there is no book in it")
    if found not in schema.REVISIONS:
        raise SchemaNewer(f"the tables are of revision {found}; upgrade bursar", found=found)
    return Plain(is_sealed=found >= _SEALED, has_memos=found >= _MEMOS)


def _named(connection: Connection, portfolio: str | None, plain: Plain) -> list[Opened]:
    with legible("the head of a portfolio"):
        found = [
            Opened(r.name, plain(r.terms, r.name), r.version, r.seq, r.hash, r.created_at)
            for r in connection.execute(_select(PORTFOLIOS, _OPENED))
        ]
    wanted = [each for each in found if portfolio in (None, each.name)]
    if portfolio is not None and not wanted:
        names = ", ".join(each.name for each in found)
        raise PortfolioNotFound(
            f"there is no portfolio {portfolio!r} here, {f'only: {names}' if names else 'nor any'}",
            portfolio=portfolio,
        )
    return wanted


def _portfolio(connection: Connection, told: Told, opened: Opened, plain: Plain) -> Found:
    """Write the lines of one portfolio, and verify its chain."""
    told.write(opened)
    chain = verified(told.passed(records_of(connection, opened.name), opened.seq))
    require_head(chain, opened)
    name = opened.name
    with legible("a snapshot"):
        shots = told.each(
            Shot(plain(row.body, name, instant.from_datetime(row.time)))
            for row in _rows(connection, SNAPSHOTS, _SHOT, name)
        )
    with legible("a message"):
        sent = told.each(
            Message(*place[:4], plain(row.body, name, *place), row.created_at)
            for row in _rows(connection, OUTBOX, _MESSAGE, name)
            for place in ((row.number, row.version, row.id, row.topic, row.created_at),)
        )
    memos = told.each(
        Memo(row.name, writes.memo(row.portfolio, row.name, row.body))
        for row in (_rows(connection, MEMOS, _MEMO, name) if plain.has_memos else ())
    )
    return Found(opened, texts.to_terms(opened.terms), chain, shots, sent, memos)


def require_head(found: Chain, opened: Opened) -> None:
    """Refuse a journal that ends elsewhere than its portfolio says.

    Raises:
        StoreCorrupt: with both ends.
    """
    if (found.seq, found.hash) != (opened.seq, opened.hash):
        raise StoreCorrupt(
            f"the journal of {opened.name} ends at row {found.seq}; the portfolio says"
            f" {opened.seq}",
            seq=found.seq,
        )


def _rows(connection: Connection, table: Table, names: str, portfolio: str) -> Iterator[Any]:
    found = _select(table, names).where(table.c.portfolio == portfolio)
    yield from connection.execution_options(yield_per=_CHUNK).execute(found)


def _select(table: Table, names: str) -> Select[Any]:
    """Select columns by name, in order of the first: tables of any revision have these."""
    columns = [table.c[name] for name in names.split()]
    return select(*columns).order_by(columns[0])
