"""Where databases differ, and nowhere else.

A dialect is a record of plain functions. Another database joins by another record in `DIALECTS`.

SQLite: WAL with synchronous=FULL, so a commit that has returned survives a power cut; foreign keys
on, but in a whole group, which moves the head of the portfolio first; five seconds of patience;
every write takes the lock when it begins, so that it cannot fail half-way by finding that another
came first. A new file is for its owner alone; one that may not be written is looked at (`looking`).
Postgres is in `postgres`.

Errors: `StoreError` for a library that is too old, a folder that is not there or stands where the
file should; `StoreCorrupt` for an empty file where a book should be; `BadChoice` for a
database that is not supported.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from time import sleep
from typing import Final, Protocol

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy import Dialect as SqlDialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import Insert

from bursar.errors import BadChoice, StoreCorrupt, StoreError, StoreReadOnly
from bursar.store import postgres
from bursar.store.faults import Fault, Reader
from bursar.store.looking import Looking, may_write
from bursar.store.rows import Values as Row
from bursar.store.rows import written
from bursar.store.sending import Answer, Ask, Run, Values

WRITES: Final = "bursar_writes"
BUSY_MS: Final = 5000
CACHE_KIB: Final = 128 * 1024
"""How much of a file a connection may hold once it writes `MANY` rows.

A venue's ids are in no order, so rows touch every part of an index; what does not fit is written
and read again and again.
"""
MANY: Final = 200
WIDE: Final = 1024
"""How many rows of a whole group one statement writes; what is left over, the next power of two."""
SQLITE_FLOOR: Final = (3, 37, 0)  # STRICT tables


class Bulk(Protocol):
    """Writes rows, few or many, each in the way that suits their number."""

    def __call__(
        self,
        connection: Connection,
        table: Table,
        rows: Sequence[Row],
        /,
        *,
        replacing: bool,
    ) -> None:
        """Write them; `replacing` takes the place of rows of their keys."""
        ...


class Lock(Protocol):
    """Keeps others off, and asks."""

    def __call__(
        self, connection: Connection, name: str, /, then: tuple[str, Values] | None = None
    ) -> Answer:
        """Return what is answered to `then`."""
        ...


class Unanswered(Protocol):
    """Makes what surrounds statements that are answered together."""

    def __call__(
        self, connection: Connection, rows: int, /, *, is_last: bool = False
    ) -> AbstractContextManager[object]:
        """Return it."""
        ...


@dataclass(frozen=True)
class Dialect:
    """What one kind of database needs.

    `prepare` makes the place ready and tells whether there is one (it makes none unless told to).
    `lock` comes first in every transaction that writes: it keeps others off what is so named (a
    portfolio, or the tables) where beginning to write does not, and then asks what it is given.
    `ask` and `run` are the shortest ways for a statement that gives rows and one that gives none,
    `insert` that for rows, and `bulk` that inside a whole group, on a connection that was told to
    `trust` before it began: each row is of the portfolio whose head moved first, so none is asked
    for it. What is sent inside `unanswered`, about so many rows, need not be answered before the
    next is sent; what `is_last` in its transaction may take COMMIT along.
    `unguard` and `guard` go around a change of tables: foreign keys rest meanwhile, then are
    checked. `still` is the isolation in which all reads of a transaction see one moment; `None`
    where every transaction does. `alone` is that in which a statement needs no transaction around
    it; `None` where none needs one. `ready` is what a connection that writes is told first, if
    anything. `hasten` lets a connection's COMMITs, from then on, answer before the disk does, and
    `slow` takes that back, where that is cheap.
    `examine` asks the database what it finds wrong with its own files.
    """

    prepare: Callable[[URL, bool], bool]
    engine: Callable[[URL], Engine]
    upsert: Callable[[Table], Insert]
    lock: Lock
    ask: Ask
    run: Run
    insert: Bulk
    trust: Callable[[Connection], None]
    bulk: Bulk
    unanswered: Unanswered
    fault: Reader
    unguard: Callable[[Connection], None]
    guard: Callable[[Connection], None]
    examine: Callable[[Connection], Sequence[str]]
    hasten: Callable[[Connection], None]
    ready: Callable[[Connection], None] | None = None
    slow: Callable[[Connection], None] | None = None
    still: str | None = "REPEATABLE READ"
    alone: str | None = "AUTOCOMMIT"


def dialect_of(url: URL) -> Dialect:
    """Return the dialect of a database URL."""
    name = url.get_backend_name()
    if name not in DIALECTS:
        known = ", ".join(DIALECTS)
        raise BadChoice(f"{name!r} is no database that bursar keeps books in; one of {known}")
    return DIALECTS[name]


def writing(engine: Engine, dialect: Dialect) -> Connection:
    """Return a connection to write with, on which transactions begin where `lock` says so."""
    options = {} if dialect.alone is None else {"isolation_level": dialect.alone}
    connection = engine.connect().execution_options(**{WRITES: True}, **options)
    if dialect.ready is not None:
        dialect.ready(connection)
    return connection


def require_sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Refuse an SQLite that does not know STRICT tables.

    Raises:
        StoreError: with what is there and what is needed.
    """
    if version < SQLITE_FLOOR:
        there, needed = (".".join(map(str, v)) for v in (version, SQLITE_FLOOR))
        raise StoreError(
            f"this Python's sqlite3 is linked to SQLite {there}; {needed} or newer is needed. "
            "A newer Python build brings a newer one",
            there=there,
            needed=needed,
        )


def _prepare(url: URL, create: bool) -> bool:  # noqa: FBT001 (one of a record of functions)
    require_sqlite()
    path = Path(url.database or "")
    if path.is_dir():
        raise StoreError(f"{path} is a folder; name the file in it that keeps the book")
    if path.exists():
        if not create and path.is_file() and _stays_empty(path):
            raise StoreCorrupt(f"{path.name} is empty: there is no book in it, or none any more")
        return True
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} to keep {path.name} in")
    if create:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return create


def _stays_empty(path: Path) -> bool:
    """Tell whether a file has nothing in it, and nobody who has just made it goes on to fill it."""
    for _ in range(_LOOKS):
        if path.stat().st_size:
            return False
        sleep(_LOOK_MS / 1_000)
    return not path.stat().st_size


def _keep_log(cursor: DBAPICursor) -> None:
    """Have the file keep a log (WAL). Of several who ask that of a new file at once, SQLite turns
    some away without a wait; they wait as writers do, and ask again.
    """
    for _ in range(_ASKED_MAX):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        else:
            return
    cursor.execute("PRAGMA journal_mode=WAL")


def _engine(url: URL) -> Engine:
    # As it is meant now: whoever goes to another folder later still means this file.
    path = str(Path(url.database or "").absolute())
    if Path(path).is_file() and not may_write(Path(path)):
        return _looking_engine(url.set(database=path))
    engine = create_engine(url.set(database=path), hide_parameters=True)

    @event.listens_for(engine, "connect")
    def settle(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info[_FILE] = _identity(path)
        connection.isolation_level = None  # transactions begin where `begin` says so
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        _keep_log(cursor)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        _driver(connection).execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _looking_engine(url: URL) -> Engine:
    """Return an engine for a file that nobody here may write."""
    looking = Looking(Path(url.database or "").resolve())
    engine = create_engine(url, hide_parameters=True, creator=looking.connect)
    event.listen(engine, "engine_disposed", lambda _: looking.forget())

    @event.listens_for(engine, "connect")
    def settle(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITES):
            raise StoreReadOnly(
                f"{Path(url.database or '').name} can only be looked at: it, its folder or the file"
                " system may not be written"
            )
        _driver(connection).execute("BEGIN")

    return engine


def _upsert(table: Table) -> Insert:
    statement = sqlite.insert(table)
    values = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


def _lock(connection: Connection, _name: str, then: tuple[str, Values] | None = None) -> Answer:
    """Only ask: BEGIN IMMEDIATE has locked the whole file, if it is still the one at its place."""
    path, known = connection.engine.url.database or "", connection.info
    log = known.setdefault(_LOG, _identity(f"{path}-wal"))  # it is there once a write has begun
    if (_identity(path), _identity(f"{path}-wal")) != (known[_FILE], log):
        raise StoreError(
            f"{Path(path).name} or its -wal was moved, replaced or deleted since it was opened;"
            " nothing was written: close the book and open it again"
        )
    return () if then is None else _ask(connection, *then)


def _identity(path: str) -> tuple[int, int] | None:
    """Return what tells a file from every other; `None` where there is none."""
    try:
        told = os.stat(path)  # noqa: PTH116 (looked at by each commit)
    except FileNotFoundError:
        return None
    return told.st_dev, told.st_ino


def _hasten(connection: Connection) -> None:
    _driver(connection).execute("PRAGMA synchronous=NORMAL")


def _slow(connection: Connection) -> None:
    _driver(connection).execute("PRAGMA synchronous=FULL")


def _insert(connection: Connection, table: Table, rows: Sequence[Row], *, replacing: bool) -> None:
    """Hand the driver all rows at once, to a statement of one row.

    A statement of many rows keeps, for the case that one is refused, a copy of each page it
    touches; where keys come in no order that is nearly a page a row, and costs half as much again.
    """
    driver, dialect = _driver(connection), connection.dialect
    if len(rows) >= MANY:
        driver.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    statement = _inserting(dialect, table, replacing=replacing)
    driver.executemany(statement, written(rows, table, dialect))


def _bulk(connection: Connection, table: Table, rows: Sequence[Row], *, replacing: bool) -> None:
    """Hand the driver many rows with each statement, which then runs without Python's lock.

    One that is refused takes the transaction along, so no copy of a page has to be kept for it; it
    would be kept for a foreign key too.
    """
    driver, dialect = _driver(connection), connection.dialect
    driver.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    values, left = iter(written(rows, table, dialect)), len(rows)
    while left:
        count = min(WIDE, 1 << left.bit_length() - 1)
        statement = _inserting_many(dialect, table, count, replacing=replacing)
        driver.execute(statement, list(chain.from_iterable(islice(values, count))))
        left -= count


def _ask(connection: Connection, text: str, values: Values) -> Answer:
    return _driver(connection).execute(text, values).fetchall()


def _run(connection: Connection, text: str, each: Sequence[Values]) -> None:
    driver = _driver(connection)
    if len(each) == 1:  # of which some are no statement that could be executed for many
        driver.execute(text, each[0])
    else:
        driver.executemany(text, each)


def _unanswered(
    _connection: Connection,
    _rows: int,
    *,
    is_last: bool = False,  # noqa: ARG001 (nothing is saved by it)
) -> AbstractContextManager[object]:
    """Do nothing: there is no way to go."""
    return nullcontext()


def _driver(connection: Connection) -> sqlite3.Connection:
    driver: object = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection), "the engine was made for SQLite"
    return driver


@lru_cache
def _inserting(dialect: SqlDialect, table: Table, *, replacing: bool) -> str:
    statement = _upsert(table) if replacing else sqlite.insert(table)
    return str(statement.compile(dialect=dialect))


@lru_cache(maxsize=32)
def _inserting_many(dialect: SqlDialect, table: Table, count: int, *, replacing: bool) -> str:
    one = _inserting(dialect, table, replacing=replacing)
    row = f"({', '.join('?' * len(table.columns))})"
    head, values, tail = one.partition(row)
    assert (values, head[:11]) == (row, "INSERT INTO"), "a statement of one row"
    return head.replace("INSERT", "INSERT OR ROLLBACK", 1) + ", ".join([row] * count) + tail


def _fault(error: BaseException | None) -> Fault:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_ERROR and str(error).startswith("no such "):
        return Fault.CORRUPT  # a table or column of ours went missing
    if not isinstance(code, int):  # the driver's own: a text that is not UTF-8 any more
        return Fault.CORRUPT if "decode to UTF-8" in str(error) else Fault.OTHER
    if code in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}:
        return Fault.TAKEN
    if code == sqlite3.SQLITE_IOERR_CORRUPTFS:
        return Fault.CORRUPT
    return _FAULTS.get(code & 0xFF, Fault.OTHER)


def _unguard(connection: Connection) -> None:
    # The pragma does nothing inside a transaction, and `exec_driver_sql` would begin one.
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()


def _guard(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise StoreCorrupt(f"{len(broken)} rows belong to no portfolio; nothing was changed")


def _examine(connection: Connection) -> Sequence[str]:
    said = connection.exec_driver_sql(f"PRAGMA integrity_check({_FINDINGS_MAX})").scalars()
    lines = (line for told in said for line in told.splitlines())
    found = [f"the file: {line}" for line in lines if line != "ok" and "***" not in line]
    strays = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if strays:
        found.append(f"{len(strays)} rows belong to no portfolio, the first in {strays[0][0]}")
    return found


_FILE, _LOG = "bursar_file", "bursar_log"
_FINDINGS_MAX: Final = 5
_ASKED_MAX: Final = 50
_LOOKS: Final = 20
_LOOK_MS: Final = 100
_FAULTS: Final = {
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    sqlite3.SQLITE_FULL: Fault.FULL,
    sqlite3.SQLITE_IOERR: Fault.DISK,
    sqlite3.SQLITE_READONLY: Fault.CLOSED,
    sqlite3.SQLITE_CORRUPT: Fault.CORRUPT,
    sqlite3.SQLITE_NOTADB: Fault.CORRUPT,
}

DIALECTS: Final = {
    "sqlite": Dialect(
        still=None,
        alone=None,
        prepare=_prepare,
        engine=_engine,
        upsert=_upsert,
        lock=_lock,
        hasten=_hasten,
        slow=_slow,
        ask=_ask,
        run=_run,
        insert=_insert,
        trust=_unguard,
        bulk=_bulk,
        unanswered=_unanswered,
        fault=_fault,
        unguard=_unguard,
        guard=_guard,
        examine=_examine,
    ),
    "postgresql": Dialect(
        prepare=postgres.prepare,
        engine=postgres.engine,
        upsert=postgres.upsert,
        lock=postgres.lock,
        ready=postgres.ready,
        hasten=postgres.hasten,
        ask=postgres.ask,
        run=postgres.run,
        insert=postgres.insert,
        trust=postgres.trust,
        bulk=postgres.insert,
        unanswered=postgres.unanswered,
        fault=postgres.fault,
        unguard=postgres.unguard,
        guard=postgres.guard,
        examine=postgres.examine,
    ),
}
