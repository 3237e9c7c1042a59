"""Which revision a database's tables are of, and bringing them to the one this version needs.

The revision stands in the table `bursar_schema`. A new database gets its tables at once; an older
one goes forward through `migrations/`; a newer one is not opened. Each change of tables is one
transaction: killed inside, it leaves the old state, and the next opening does it again.

Errors: `SchemaNewer`; `StoreError` where somebody else's tables are; `StoreCorrupt` where nothing
says which revision ours are of; `BadChoice` at the first revision.
"""

from typing import Final

from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from bursar.errors import BadChoice, SchemaNewer, StoreCorrupt, StoreError, StoreReadOnly
from bursar.store.dialect import WRITES, Dialect
from bursar.store.faults import translated
from bursar.store.places import address, engine_of
from bursar.store.tables import METADATA, SCHEMA

TABLES: Final = ""  # what is locked while tables change; no portfolio is called so
REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005")
LATEST: Final = REVISIONS[-1]
OLDER: Final = "an older bursar made it, and it is brought up to date before it is read"


def ensure(engine: Engine, dialect: Dialect, *, create: bool = True) -> bool:
    """Bring the tables to the latest revision; make them where there are none and `create` is true.

    Returns whether there are tables now.

    Raises:
        SchemaNewer: a newer bursar wrote them.
        StoreReadOnly: an older one did, and nothing may be written.
        StoreError: the database holds something else.
    """
    with translated(dialect.fault), engine.connect() as connection:
        found = revision(connection)
    if found is None:
        if create:
            with translated(dialect.fault), engine.connect() as connection:
                _make(connection.execution_options(**{WRITES: True}), dialect)
        return create
    if found not in REVISIONS:
        raise _newer(found)
    if found != LATEST:
        try:
            _migrate(engine, dialect, LATEST)
        except StoreReadOnly as error:
            raise StoreReadOnly(f"{error.message}; {OLDER}", found=found, known=LATEST) from error
    return True


def step_back(url: str) -> str:
    """Take a database one revision back, for an older bursar; return the revision it is of then.

    Raises:
        BadChoice: it is of the first one, before which there is no book.
    """
    engine, dialect = engine_of(address(url))
    try:
        with translated(dialect.fault), engine.connect() as connection:
            found = revision(connection)
        place = REVISIONS.index(found) if found in REVISIONS else 0
        if place == 0:
            raise BadChoice(f"revision {found} cannot be taken back", found=found)
        _migrate(engine, dialect, REVISIONS[place - 1])
        return REVISIONS[place - 1]
    finally:
        engine.dispose()


def outgrown(engine: Engine) -> SchemaNewer | None:
    """Return what to say where a newer bursar has changed the tables meanwhile; else nothing."""
    try:
        with engine.connect() as connection:
            found = connection.execute(select(SCHEMA.c.version_num)).scalar()
    except SQLAlchemyError:  # what was refused in the first place says more
        return None
    return None if found is None or found in REVISIONS else _newer(found)


def _newer(found: str) -> SchemaNewer:
    return SchemaNewer(
        f"the tables are of revision {found}, this bursar knows up to {LATEST}; upgrade it",
        found=found,
        known=LATEST,
    )


def revision(connection: Connection) -> str | None:
    """Return the revision of the tables, `None` where there are none at all.

    Raises:
        StoreCorrupt: there are bursar's tables, of no revision.
        StoreError: there are other tables.
    """
    tables = inspect(connection)
    if tables.has_table(SCHEMA.name):
        found = connection.execute(select(SCHEMA.c.version_num)).scalars().all()
        if len(found) != 1 or not isinstance(found[0], str):
            raise StoreCorrupt(f"{SCHEMA.name} does not say which revision the tables are of")
        return found[0]
    names = set(tables.get_table_names())
    if names & METADATA.tables.keys():
        if inspect(connection).has_table(SCHEMA.name):  # all were made between the two questions
            return revision(connection)
        raise StoreCorrupt(f"{SCHEMA.name} is gone: which revision are the tables of?")
    if names:
        raise StoreError("the database holds tables that are not bursar's; choose another one")
    return None


def _make(connection: Connection, dialect: Dialect) -> None:
    with connection.begin():
        dialect.lock(connection, TABLES)
        if revision(connection) is None:  # else another process was faster
            METADATA.create_all(connection, checkfirst=False)
            SCHEMA.create(connection)
            connection.execute(insert(SCHEMA), {"version_num": LATEST})


def _migrate(engine: Engine, dialect: Dialect, target: str) -> None:
    # Alembic takes long to import, and only a database of another revision needs it.
    from bursar.store import migrate  # noqa: PLC0415

    with translated(dialect.fault), engine.connect() as connection:
        connection.detach()  # foreign keys rest on it: it must not serve anyone else
        dialect.unguard(connection)
        with connection.execution_options(**{WRITES: True}).begin():
            dialect.lock(connection, TABLES)
            migrate.run(connection, target)
            dialect.guard(connection)
