"""History in Timescale, where a Postgres server has that extension: the same table, day by day.

The table of snapshots becomes a hypertable with a chunk for each UTC day, so that a day that is
pruned is a file that goes. Nothing else changes: the same statements read and write it, and give
the same rows. Beside it stands `snapshots_daily`, a continuous aggregate of each day, for whoever
reads the database with tools of his own; bursar reads the closes of days, as everywhere.

Invariants
- Cut off anywhere, it goes on the next time; done, it changes nothing.
- The policy of retention lets go of a day only after our own pruning has: it comes a day later, it
  is for a service that is away. The longest time that any portfolio here asked for counts.
- The aggregate is worked out anew for the last days only, which no portfolio may prune, so what it
  has of earlier ones stays. What was there before it is put into it first.

Errors: those of connecting. What the server cannot do is the reason of a `History`.
"""

import os
from collections.abc import Iterator
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from bursar.ledger import instant
from bursar.store.dialect import WRITES, Dialect
from bursar.store.faults import translated
from bursar.store.places import address, engine_of
from bursar.store.schema import TABLES
from bursar.store.tables import POSTGRES, SNAPSHOTS

NAME: Final = "timescaledb"
DAILY: Final = "snapshots_daily"
SEALED: Final = 17
"""How many characters of a stored snapshot are its seal."""

_DAYS_MIN: Final = 3  # what a policy looks at has two whole days in it
_TABLE: Final = f"'{SNAPSHOTS.name}'"
_LATE: Final = 1  # days that the policy lets go later than our own pruning


class History(msgspec.Struct, frozen=True):
    """How snapshots are kept: in a hypertable, or plainly, and why."""

    is_hyper: bool
    reason: str


def keep_history(place: str | os.PathLike[str], days: int) -> History:
    """Keep the snapshots of a database in Timescale if it has that, for at least so many days.

    Raises:
        BadChoice, StoreDown, StoreError: the database cannot be used.
    """
    url = address(place) if "://" in os.fspath(place) else None
    if url is None or url.get_backend_name() != POSTGRES:
        return History(is_hyper=False, reason="only Postgres has Timescale")
    engine, dialect = engine_of(url)
    try:
        with translated(dialect.fault), engine.connect() as connection:
            return _kept(connection.execution_options(**{WRITES: True}), dialect, days)
    finally:
        engine.dispose()


def _kept(connection: Connection, dialect: Dialect, days: int) -> History:
    with connection.begin():
        is_there = _first(connection, _AVAILABLE) is not None
        kept = _policy(connection) if is_there else None
    if not is_there or (kept is None and days < _DAYS_MIN):
        short = f"what is kept for under {_DAYS_MIN} days needs no {NAME}"
        return History(is_hyper=False, reason=short if is_there else f"the server has no {NAME}")
    span = (days + _LATE) * instant.DAY
    if kept is None or kept < span:
        try:
            _keep(connection, dialect, span, is_made=kept is not None)
        except DBAPIError as error:
            said = getattr(getattr(error.orig, "diag", None), "message_primary", None)
            if said is None:  # no answer at all: that is no refusal
                raise
            return History(is_hyper=False, reason=f"{NAME} refuses: {said}")
        kept = span
    return History(is_hyper=True, reason=f"kept for {kept // instant.DAY} days")


def _keep(connection: Connection, dialect: Dialect, span: int, *, is_made: bool) -> None:
    dialect.unguard(connection)  # a table may be large
    with connection.begin():
        dialect.lock(connection, TABLES)
        connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {NAME}")
        of = f'"{_first(connection, _SCHEMA)}"'
        for statement in () if is_made else making(of):
            connection.exec_driver_sql(statement)
    if not is_made:
        _fill(connection.engine, dialect, of)
    with connection.begin():
        dialect.lock(connection, TABLES)
        for statement in policies(of, span):
            connection.exec_driver_sql(statement)


def _fill(engine: Engine, dialect: Dialect, of: str) -> None:
    """Put into the aggregate the days that are over; a day that is not is read as it comes.

    The extension does so in transactions of its own.
    """
    today = f"bursar_now() / {instant.DAY} * {instant.DAY}"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as alone:
        dialect.unguard(alone)
        alone.exec_driver_sql(f"CALL {of}.refresh_continuous_aggregate('{DAILY}', NULL, {today})")


def making(of: str) -> Iterator[str]:
    """Yield what makes a hypertable of the snapshots, and the aggregate beside it.

    `of` is the schema where the extension's functions are, as SQL names it.
    """
    yield _NOW
    yield (
        f"SELECT {of}.create_hypertable({_TABLE}, {of}.by_range('time', {_ns(instant.DAY)}),"
        " create_default_indexes => false, if_not_exists => true, migrate_data => true)"
    )
    yield f"SELECT {of}.set_integer_now_func({_TABLE}, 'bursar_now', replace_if_exists => true)"
    yield aggregate(of)


def policies(of: str, span: int) -> Iterator[str]:
    """Yield what keeps the aggregate up to date, and lets go of snapshots older than a span."""
    yield (
        f"SELECT {of}.add_continuous_aggregate_policy('{DAILY}',"
        f" start_offset => {_ns(_DAYS_MIN * instant.DAY)}, end_offset => {_ns(instant.HOUR)},"
        " schedule_interval => INTERVAL '1 hour', if_not_exists => true)"
    )
    yield f"SELECT {of}.remove_retention_policy({_TABLE}, if_exists => true)"
    yield f"SELECT {of}.add_retention_policy({_TABLE}, drop_after => {_ns(span)})"


def aggregate(of: str) -> str:
    """Return what makes the aggregate of each day: its last snapshot, and how equity stood.

    `low` and `high` are of complete equity, all that is held, as in the close of a day.
    """
    body = f"substr(body, {SEALED + 1})::jsonb"
    equity = f"({body} ->> 'equity_base')::numeric"
    whole = (
        f"CASE WHEN coalesce({body} -> 'unvalued', {body} -> 'excluded_unvalued') IS NULL"
        f" THEN {equity}"
        f" + coalesce(({body} ->> 'excluded_value')::numeric, 0) END"
    )
    day = f"{of}.time_bucket({_ns(instant.DAY)}, time)"
    return f"""
CREATE MATERIALIZED VIEW IF NOT EXISTS {DAILY}
WITH ({NAME}.continuous, {NAME}.materialized_only = false) AS
SELECT portfolio, {day} AS day, count(*) AS snapshots, max(time) AS time,
       {of}.last({equity}, time) AS equity_base, min({whole}) AS low, max({whole}) AS high,
       {of}.last(body, time) AS body
FROM {SNAPSHOTS.name} GROUP BY portfolio, {day} WITH NO DATA
"""  # noqa: S608 (names of ours)


def _policy(connection: Connection) -> int | None:
    """Return for how long a policy keeps snapshots, if there is one."""
    if _first(connection, _SCHEMA) is None:
        return None
    kept = _first(connection, _KEPT)
    return None if kept is None else int(str(kept))


def _first(connection: Connection, statement: str) -> object:
    return connection.exec_driver_sql(statement).scalar()


def _ns(span: int) -> str:
    return f"BIGINT '{span}'"


_AVAILABLE: Final = f"SELECT 1 FROM pg_available_extensions WHERE name = '{NAME}'"  # noqa: S608
_SCHEMA: Final = f"""
SELECT replace(nspname, '"', '""')
FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
WHERE extname = '{NAME}'
"""  # noqa: S608 (names of ours)
_KEPT: Final = f"""
SELECT config ->> 'drop_after' FROM timescaledb_information.jobs
WHERE proc_name = 'policy_retention' AND hypertable_schema = current_schema()
  AND hypertable_name = '{SNAPSHOTS.name}'
"""  # noqa: S608
_NOW: Final = """
CREATE OR REPLACE FUNCTION bursar_now() RETURNS BIGINT LANGUAGE SQL STABLE
AS 'SELECT (extract(epoch FROM now()) * 1000000)::bigint * 1000'
"""
