"""Restoring a backup to where no book is yet: proved first, then written in one transaction, read
back, and only then there.

A file is made beside its place and takes its name when it is whole. On a server the transaction
does the same; tables that were made for it may stay, empty.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

import msgspec
from sqlalchemy import URL, Connection, insert, select

from bursar.errors import BadChoice, StoreCorrupt, StoreError
from bursar.ledger import instant, journal, projection
from bursar.ledger.journal import GENESIS
from bursar.ports import Progress
from bursar.store import schema, texts, writes
from bursar.store.backup.fold import Derived, derived
from bursar.store.backup.lines import End, Header, Memo, Message, Opened, Reel, Shot
from bursar.store.backup.manifest import Kept, Manifest
from bursar.store.backup.read import Backup, read_backup, rows_of
from bursar.store.backup.take import records_of
from bursar.store.dialect import WRITES, Dialect
from bursar.store.faults import translated
from bursar.store.opening import MEMORY
from bursar.store.places import address, engine_of, masked
from bursar.store.tables import CELLS, OUTBOX, PORTFOLIOS, SNAPSHOTS
from bursar.store.whole import BESIDE, require_absent, settle
from bursar.store.writes import Place

_CHUNK = 500
_T = TypeVar("_T")


def restore_backup(
    file: str | os.PathLike[str],
    to: str | os.PathLike[str],
    *,
    refold: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """Make a book of a backup, where there is none, and say what is in it.

    To `:memory:` it proves the backup and writes nothing.

    Raises:
        BackupDamaged: the backup is not whole. Nothing was written.
        BadChoice: a book is there already. Nothing was written.
    """
    in_memory = os.fspath(to) == MEMORY
    url = None if in_memory else _free(to)
    found = read_backup(Path(file), refold=refold, progress=progress)
    if url is not None:
        with _fresh(url) as place:
            _fill(place, found)
    return found.manifest


def _free(to: str | os.PathLike[str]) -> URL:
    """Refuse a place with a book in it before the work of reading begins."""
    url = address(to)
    engine, dialect = engine_of(url)
    try:
        is_there = dialect.prepare(url, False)  # noqa: FBT003 (one of a record of functions)
        if _is_file(url):
            for end in ("", *BESIDE):  # SQLite would read what is left there into the new book
                require_absent(Path(f"{url.database}{end}"))
        if not is_there:
            return url
        with translated(dialect.fault), engine.connect() as connection:
            _require_empty(connection, url)
    finally:
        engine.dispose()
    return url


def _require_empty(connection: Connection, url: URL) -> None:
    if schema.revision(connection) is not None:
        name = connection.execute(select(PORTFOLIOS.c.name).limit(1)).scalar()
        if name is not None:
            raise BadChoice(f"portfolio {name!r} is in {masked(url)} already; nothing was restored")


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


@contextmanager
def _fresh(url: URL) -> Iterator[URL]:
    """Yield where to write: a server's database itself, or a file that is named in the end."""
    if not _is_file(url):
        yield url
        return
    path = Path(url.database or "")
    folder = Path(mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    made = folder / path.name
    try:
        yield url.set(database=str(made))
        _require_alone(made)
        settle(made, path)
    finally:
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()


def _require_alone(made: Path) -> None:
    """Refuse a file whose last pages are still in a log beside it, which would stay behind.

    SQLite brings them in when it closes a file, and where it cannot, it closes without a word.
    """
    if any(each != made for each in made.parent.iterdir()):
        raise StoreError("the new book's log could not be brought in; is there room on the disk?")


def _fill(url: URL, found: Backup) -> None:
    # Worked out before the transaction, which then only writes.
    books = {name: derived(timeline) for name, timeline in found.books.items()}
    engine, dialect = engine_of(url)
    try:
        dialect.prepare(url, True)  # noqa: FBT003 (one of a record of functions)
        schema.ensure(engine, dialect)
        with translated(dialect.fault), engine.connect() as connection:
            writer = connection.execution_options(**{WRITES: True})
            with writer.begin():
                for name in sorted(books):
                    dialect.lock(writer, name)
                _require_empty(writer, url)
                _write(writer, dialect, found.path, books)
                for kept in found.manifest.portfolios:
                    _read_back(writer, kept, books[kept.portfolio])
    finally:
        engine.dispose()


def _write(
    connection: Connection, dialect: Dialect, path: Path, books: Mapping[str, Derived]
) -> None:
    """Go through the lines a second time, now into tables; then write what they come to."""
    reel = Reel(path)
    reel.one(Header)
    for opened in reel.take(Opened):
        connection.execute(insert(PORTFOLIOS), _opened(opened))
        place = Place(connection, dialect, opened.name)
        for rows in _batches(rows_of(reel)):
            writes.journal(place, rows)
        for shots in _batches(reel.take(Shot)):
            writes.upsert(place, SNAPSHOTS, [_shot(opened.name, shot) for shot in shots])
        for sent in _batches(reel.take(Message)):
            connection.execute(insert(OUTBOX), [_message(opened.name, each) for each in sent])
        for memos in _batches(reel.take(Memo)):
            writes.memos(place, {memo.name: memo.text for memo in memos})
        if opened.version:
            writes.memos(place, projection.OWN)
        book = books[opened.name]
        writes.cells(place, book.cells)
        writes.trades(place, book.trades)
        writes.flows(place, book.flows)
    reel.one(End)


def _opened(opened: Opened) -> dict[str, object]:
    base = texts.to_terms(opened.terms).base
    sealed = texts.sealed(opened.terms, opened.name)
    return {"base": base, **msgspec.structs.asdict(opened), "terms": sealed}


def _shot(portfolio: str, shot: Shot) -> dict[str, object]:
    taken = texts.to_snapshot(shot.body).timestamp
    sealed = texts.sealed(shot.body, portfolio, instant.from_datetime(taken))
    return {"portfolio": portfolio, "time": taken, "body": sealed}


def _message(portfolio: str, sent: Message) -> dict[str, object]:
    where = (sent.number, sent.version, sent.id, sent.topic, sent.created_at)
    sealed = texts.sealed(sent.body, portfolio, *where)
    return {"portfolio": portfolio, **msgspec.structs.asdict(sent), "body": sealed}


def _batches(lines: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(lines)
    while batch := list(islice(left, _CHUNK)):
        yield batch


def _read_back(connection: Connection, kept: Kept, book: Derived) -> None:
    """Read what was written, before it stands: the journal's chain, and the projection.

    Raises:
        StoreCorrupt: the database does not give back what it was given.
    """
    seq, head = 0, GENESIS
    for row in journal.check(records_of(connection, kept.portfolio)):
        seq, head = row.seq, row.hash
    own = select(CELLS.c.name, CELLS.c.body).where(CELLS.c.portfolio == kept.portfolio)
    cells = {row.name: row.body for row in connection.execute(own)}
    if (seq, head) != (kept.seq, kept.hash) or cells != book.cells:
        raise StoreCorrupt(f"the new book of {kept.portfolio} is not what was written to it")
