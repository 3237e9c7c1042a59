"""Postgres: what it does in its own way.

Who writes to a portfolio holds that portfolio's advisory lock until the transaction ends, so
writers stand in line; the expected version still says who was first. Making and changing tables
has a lock of the same kind. Every session waits for the disk at COMMIT (`synchronous_commit=on`)
unless what it writes may go, reads what is committed, and gives up waiting after a while. What the
server, the role or the address asks for beyond that is left alone.

Many rows go in by COPY, with the same result as by INSERT. A small commit waits for two answers:
BEGIN, lock and version go out as one message, the rows and COMMIT as another.

A server that goes away before COMMIT was sent has kept nothing; one that goes away after that may
have kept all. A row that is refused is answered as such, and COMMIT is then skipped. What the first
message does is undone where its answer is lost, so a connection found dead by it is replaced, once,
without anyone noticing.

Nothing here needs more than a role that may make tables in the schema that comes first in its
`search_path`. The driver is loaded when the first engine is made.

Errors: `StoreError` for a server that is too old or a database that is not in UTF8; `BadChoice` for
an address that is no use.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote
from weakref import WeakKeyDictionary

import sqlalchemy
from sqlalchemy import URL, Connection, Dialect, Engine, Table, create_engine, event, func, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import Insert

from bursar.errors import BadChoice, StoreError
from bursar.store.faults import CommitFailed, Fault
from bursar.store.rows import Values as Row
from bursar.store.rows import named, written
from bursar.store.sending import Answer, Values
from bursar.store.tables import METADATA, PORTFOLIOS

if TYPE_CHECKING:
    import psycopg

    from bursar.store.message import Message

DRIVER: Final = "postgresql+psycopg"
_SILENT: Final = logging.NullHandler()
ENCODING: Final = "UTF8"
FLOOR: Final = 14  # the oldest that is maintained, and the first whose NUMERIC knows infinity
COPY_ROWS: Final = 200

# Asked of libpq unless the address says otherwise. A host that has vanished is noticed in a minute.
_CONNECT: Final = {
    "connect_timeout": "5",
    "fallback_application_name": "bursar",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "client_encoding": "utf8",
}
# At a ROLLBACK the driver lets go of all prepared statements where it has any; ours are to stay.
_UNPREPARED: Final = {"prepare_threshold": None}
# Whoever set a time limit keeps it; whoever set a stronger guarantee keeps that. A plan kept from
# when a table was small would make an import crawl, so each statement gets a plan of its own.
_SETTINGS: Final = """
SELECT set_config(name, ours, false)
FROM (VALUES ('synchronous_commit', 'on'), ('lock_timeout', '5s'), ('statement_timeout', '1min'),
             ('idle_in_transaction_session_timeout', '10min'),
             ('plan_cache_mode', 'force_custom_plan')) AS wanted (name, ours)
WHERE current_setting(name) IN ('0', 'off', 'local', 'remote_write', 'auto')
"""
# One who writes holds others up, so it may do nothing for a shorter while than one who reads.
_LOCK: Final = """
SELECT pg_advisory_xact_lock(%(own)s::BIGINT),
       set_config(name, replace(current_setting(name), '10min', '1min'), true)
FROM (VALUES ('idle_in_transaction_session_timeout')) AS waiting (name)
"""
# Except where rows are only found by keys: there is one plan then, and to make it anew each time
# costs the server more than to follow it.
_KEYED: Final = """
SELECT set_config(name, ours, false)
FROM (VALUES ('enable_seqscan', 'off'),
             ('plan_cache_mode', 'force_generic_plan')) AS wanted (name, ours)
"""
_HASTENED: Final = "SELECT set_config('synchronous_commit', 'off', false)"
_WAITING: Final[WeakKeyDictionary[Any, "Message"]] = WeakKeyDictionary()
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
_FAULTS: Final = {
    "23505": Fault.TAKEN,
    "40001": Fault.BUSY,
    "40P01": Fault.BUSY,
    "53100": Fault.FULL,
    "55P03": Fault.BUSY,
    "57014": Fault.SLOW,
    "25P03": Fault.LOST,  # idle in a transaction for too long: the server hung up
    "57P01": Fault.LOST,
    "57P02": Fault.LOST,
    "57P03": Fault.LOST,
    "57P05": Fault.LOST,
    "42703": Fault.CORRUPT,  # a column or a table of ours went missing
    "42P01": Fault.CORRUPT,
    "XX001": Fault.CORRUPT,
    "XX002": Fault.CORRUPT,
}


def require_postgres(version: int) -> None:
    """Refuse a server that is too old; its version is as libpq states it.

    Raises:
        StoreError: with what is there and what is needed.
    """
    there = version // 10_000
    if there < FLOOR:
        raise StoreError(
            f"the server is Postgres {there}; {FLOOR} or newer is needed", there=there, needed=FLOOR
        )


def require_unicode(encoding: str | None) -> None:
    """Refuse a database that does not know every character, or does not look what they are.

    Raises:
        StoreError: with what is there and what is needed.
    """
    if encoding != ENCODING:
        raise StoreError(
            f"the database's encoding is {encoding}; {ENCODING} is needed, which keeps any letter."
            f" Make another database: createdb --encoding {ENCODING} --template template0 NAME",
            there=encoding,
            needed=ENCODING,
        )


def prepare(_url: URL, _create: bool) -> bool:  # noqa: FBT001 (one of a record of functions)
    """Find the place as it is: a database is made by whoever runs the server."""
    return True


def engine(url: URL) -> Engine:
    """Return an engine; what is secret goes to the driver and stands nowhere else.

    Raises:
        BadChoice: the address names another driver, or an option that libpq does not know.
    """
    # The driver warns of what it raises as well; who has set up no log needs it only once.
    logging.getLogger("psycopg").addHandler(_SILENT)
    made = create_engine(
        URL.create(DRIVER, url.username, None, _host(url), url.port, url.database),
        connect_args=_options(url) | _UNPREPARED,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_timeout=10,
        use_native_hstore=False,
    )

    @event.listens_for(made, "connect")
    def settle(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        try:
            require_postgres(connection.info.server_version)
            require_unicode(connection.info.parameter_status("server_encoding"))
        except StoreError:
            connection.close()
            raise
        connection.autocommit = True
        connection.execute(_SETTINGS)
        connection.autocommit = False

    return made


def upsert(table: Table) -> Insert:
    """Return an insert that takes the place of a row with the same key."""
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 (SQLite's users do without)

    statement = postgresql.insert(table)
    values = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


def lock(connection: Connection, name: str, then: tuple[str, Values] | None = None) -> Answer:
    """Wait until nobody else writes to what is so named; the transaction's end lets it go.

    The transaction begins with it, and what is asked `then` goes out with both.
    """
    with _driving(connection, _LOCK) as driver:
        message = _message(driver)
        if _is_idle(driver):
            message.add(_BEGIN, {})
        message.add(_LOCK, {"own": lock_key(name)})
        if then is not None:
            message.add(*then)
        return message.send()


def ready(connection: Connection) -> None:
    """Let plans be kept: who writes finds rows by their keys."""
    run(connection, _KEYED, [{}])


def hasten(connection: Connection) -> None:
    """Let COMMIT answer before the disk does, for as long as the session lasts."""
    run(connection, _HASTENED, [{}])


def ask(connection: Connection, text: str, values: Values) -> Answer:
    """Execute one statement, and return the rows that it gives."""
    with _driving(connection, text) as driver:
        if not _has_begun(driver):
            found: Answer = driver.execute(text, values).fetchall()
            return found
        message = _message(driver)
        if driver in _WAITING:  # what waits goes first, along with it
            message, _WAITING[driver] = _WAITING[driver], message
        message.add(text, values)
        return message.send()


def run(connection: Connection, text: str, each: Sequence[Values]) -> None:
    """Execute one statement for each of the values."""
    with _driving(connection, text) as driver:
        waiting = _WAITING.get(driver)
        if waiting is None and not _has_begun(driver):
            driver.cursor().executemany(text, each)
            return
        message = waiting or _message(driver)
        for values in each:
            message.add(text, values)
        if waiting is None:
            message.send()


def _message(driver: "psycopg.Connection[Any]") -> "Message":
    from bursar.store import message  # noqa: PLC0415 (SQLite's users do without)

    return message.Message(driver)


def _has_begun(driver: "psycopg.Connection[Any]") -> bool:
    """Tell whether a message stands where it is to: else the driver has to begin a transaction."""
    return driver.autocommit or not _is_idle(driver)


def _is_idle(driver: "psycopg.Connection[Any]") -> bool:
    import psycopg  # noqa: PLC0415 (SQLite's users do without)

    return driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


@contextmanager
def unanswered(connection: Connection, rows: int, *, is_last: bool = False) -> Iterator[None]:
    """Wait at the end for the answers to all that is sent inside; where rows are many, at once.

    Where nothing comes after it, COMMIT is the last that is sent.

    Raises:
        CommitFailed: what failed may have been COMMIT itself.
    """
    if rows >= COPY_ROWS:
        yield
        return
    with _driving(connection, "the statements of a commit") as driver:
        _WAITING[driver] = _message(driver)
        try:
            yield
        finally:
            message = _WAITING.pop(driver)
        _send(message, is_last=is_last)


def _send(message: "Message", *, is_last: bool) -> None:
    import psycopg  # noqa: PLC0415 (SQLite's users do without)

    if is_last:
        message.add("COMMIT", {})
    try:
        message.send()
    except psycopg.Error as error:
        if is_last and message.failed in {None, len(message.told) - 1}:
            raise CommitFailed("COMMIT", None, error, hide_parameters=True) from error
        raise


class _driving:  # noqa: N801 (as `faults.translated`)
    """Go to the driver without SQLAlchemy, and raise what SQLAlchemy would."""

    __slots__ = ("_connection", "_text")

    def __init__(self, connection: Connection, text: str) -> None:
        self._connection = connection
        self._text = text

    def __enter__(self) -> Any:  # noqa: ANN401 (psycopg's)
        return self._connection.connection.dbapi_connection  # also of one that left its pool

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        if error is None:
            return
        import psycopg  # noqa: PLC0415 (SQLite's users do without)

        if isinstance(error, psycopg.Error):
            lost = fault(error) is Fault.LOST
            raise DBAPIError(
                self._text, None, error, hide_parameters=True, connection_invalidated=lost
            ) from error


@lru_cache
def lock_key(name: str) -> int:
    """Return the number of the advisory lock for a name. It is the same for ever."""
    return int.from_bytes(sha256(f"bursar:{name}".encode()).digest()[:8], signed=True)


def insert(connection: Connection, table: Table, rows: Sequence[Row], *, replacing: bool) -> None:
    """Write rows, many of them by COPY.

    `replacing`: a row takes the place of one with its key, in the table or earlier in `rows`.
    """
    if len(rows) < COPY_ROWS:
        text = _inserting(connection.dialect, table, replacing=replacing)
        run(connection, text, named(written(rows, table, connection.dialect), table))
        return
    told: Iterable[Row] = written(rows, table, connection.dialect)
    if replacing:
        told = _cleared(connection, table, told)
    names = ", ".join(column.name for column in table.columns)
    statement = f"COPY {table.name} ({names}) FROM STDIN"
    with (
        _driving(connection, statement) as driver,
        driver.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in told:
            copy.write_row(row)


def trust(_connection: Connection) -> None:
    """Do nothing: a foreign key costs little here."""


@lru_cache
def _inserting(dialect: Dialect, table: Table, *, replacing: bool) -> str:
    statement = upsert(table) if replacing else sqlalchemy.insert(table)
    return str(statement.compile(dialect=dialect))


def fault(error: BaseException | None) -> Fault:
    """Read what the driver raises; without a code, it is the connection that failed."""
    import psycopg  # noqa: PLC0415 (SQLite's users do without)

    code = getattr(error, "sqlstate", None)
    if code is None:
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Fault.LOST if lost else Fault.OTHER
    return Fault.LOST if code.startswith("08") else _FAULTS.get(code, Fault.OTHER)


def unguard(connection: Connection) -> None:
    """Take the limit off how long a statement may run: a table may be large."""
    connection.exec_driver_sql("SET statement_timeout = 0")
    connection.commit()


def examine(connection: Connection) -> Sequence[str]:
    """Look for rows of no portfolio, which only somebody else can have made.

    The server looks at its pages itself as it reads them, where it has checksums.
    """
    own = select(PORTFOLIOS.c.name)
    counts = {
        table.name: select(func.count()).select_from(table).where(table.c.portfolio.not_in(own))
        for table in METADATA.sorted_tables
        if "portfolio" in table.columns
    }
    found = {name: connection.execute(count).scalar_one() for name, count in counts.items()}
    strays = ((name, count) for name, count in found.items() if count)
    return [f"{count} rows of {name} belong to no portfolio" for name, count in strays]


def guard(_connection: Connection) -> None:
    """Do nothing: foreign keys have held all the time."""


def _host(url: URL) -> str | None:
    return None if url.host is None else unquote(url.host)  # %2Ftmp is a folder with a socket


def _options(url: URL) -> dict[str, str]:
    from psycopg.pq import Conninfo  # noqa: PLC0415 (SQLite's users do without)

    if url.drivername not in {"postgresql", DRIVER}:
        raise BadChoice(f"bursar knows no driver {url.drivername!r}; write postgresql://")
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    if not known.issuperset(url.query):
        raise BadChoice("the address holds an option that Postgres does not know")
    asked = {
        name: value if isinstance(value, str) else ",".join(value)
        for name, value in url.query.items()
    }
    secret = {} if url.password is None else {"password": str(url.password)}
    return _CONNECT | asked | secret


def _cleared(connection: Connection, table: Table, rows: Iterable[Row]) -> Sequence[Row]:
    """Delete the rows whose keys come again; return the new ones, one for each key.

    They are as the driver takes them; a key is made of text and of whole numbers.
    """
    key = [column.name for column in table.primary_key]
    places = [place for place, column in enumerate(table.columns) if column.primary_key]
    last = {tuple(row[place] for place in places): row for row in rows}
    gone = ", ".join(f"gone_{name}" for name in key)
    arrived = tuple([*column] for column in zip(*last, strict=True))
    are_words = [isinstance(column[0], str) for column in arrived]
    same = " AND ".join(
        f"{table.name}.{name} = gone_{name}" + (' COLLATE "C"' if is_word else "")
        for name, is_word in zip(key, are_words, strict=True)
    )
    arrays = ", ".join("%s::text[]" if is_word else "%s::bigint[]" for is_word in are_words)
    gone = f"{table.name} USING unnest({arrays}) AS gone ({gone})"
    connection.exec_driver_sql(f"DELETE FROM {gone} WHERE {same}", arrived)  # noqa: S608
    return list(last.values())
