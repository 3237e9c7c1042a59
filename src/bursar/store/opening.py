"""Opening a portfolio: find its database, bring the tables up to date, find or make the portfolio.

Errors: `PortfolioNotFound` where nothing may be made, `BadChoice` for another base currency, and
what `schema` and `dialect` refuse.
"""

import os
import time
from typing import Final

from sqlalchemy import URL, Connection, Engine, insert, select

from bursar.errors import PortfolioNotFound, StoreCorrupt, StoreError
from bursar.ledger import instant
from bursar.ledger.journal import GENESIS
from bursar.ledger.terms import Terms
from bursar.store import checks, schema, texts
from bursar.store.dialect import WRITES, Dialect
from bursar.store.faults import placed, translated
from bursar.store.memory import MemoryStore
from bursar.store.places import address, engine_of, masked
from bursar.store.sql import SqlStore
from bursar.store.steps import Steps, unwatched
from bursar.store.tables import JOURNAL, PORTFOLIOS

MEMORY: Final = ":memory:"


def open_store(
    url_or_path: str | os.PathLike[str],
    portfolio: str = "main",
    *,
    terms: Terms | None = None,
    create: bool = True,
    steps: Steps = unwatched,
) -> SqlStore | MemoryStore:
    """Open a portfolio in an SQLite file, in a Postgres database, or in memory.

    The place is `book.db`, `sqlite:///book.db`, `postgresql://user@host/database` or `:memory:`.

    `terms` are for a new portfolio (default `Terms()`). For one that is there, only their base
    currency is looked at: it must be the same.

    Raises:
        PortfolioNotFound: there is none, and `create` is false. Nothing was made.
        BadChoice: another base currency, a bad name, an address that cannot be read.
        StoreCorrupt: it is damaged, or its file is empty and `create` is false.
        SchemaNewer, StoreBusy, StoreDown, StoreError: the database cannot be used.
    """
    checks.require_name(portfolio)
    if os.fspath(url_or_path) == MEMORY:
        return MemoryStore(portfolio, terms=terms, steps=steps)
    url = address(url_or_path)
    engine, dialect = engine_of(url)
    try:
        require_tables(engine, dialect, url, create=create)
        with translated(dialect.fault):
            _enter(engine, dialect, portfolio, terms, create=create)
    except StoreError as error:
        engine.dispose()
        raise placed(error, masked(url)) from error.__cause__
    except BaseException:
        engine.dispose()
        raise
    return SqlStore(engine, dialect, portfolio, steps=steps)


def require_tables(engine: Engine, dialect: Dialect, url: URL, *, create: bool) -> None:
    """Refuse a place where there is no database and none may be made."""
    if not (dialect.prepare(url, create) and schema.ensure(engine, dialect, create=create)):
        raise PortfolioNotFound(f"there is no book at {masked(url)}")


def _enter(
    engine: Engine, dialect: Dialect, portfolio: str, terms: Terms | None, *, create: bool
) -> None:
    with engine.connect() as connection:
        has_rows = _has_rows(connection, portfolio)  # before the head, which is made first
        base = _base(connection, portfolio)
        others = connection.execute(select(PORTFOLIOS.c.name).order_by(PORTFOLIOS.c.name).limit(9))
        names = ", ".join(others.scalars())
    if base is None and has_rows:
        raise StoreCorrupt(f"the journal of portfolio {portfolio!r} is here, its head is gone")
    if base is None and not create:
        raise PortfolioNotFound(
            f"there is no portfolio {portfolio!r} here, {f'only: {names}' if names else 'nor any'}",
            portfolio=portfolio,
        )
    if base is None:
        base = _make(engine, dialect, portfolio, terms or Terms())
    checks.require_base(base, terms)


def _make(engine: Engine, dialect: Dialect, portfolio: str, terms: Terms) -> str:
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        dialect.lock(connection, portfolio)
        base = _base(connection, portfolio)
        if base is not None:  # another process was faster
            return base
        row = {
            "name": portfolio,
            "base": terms.base,
            "terms": texts.sealed(texts.terms(terms), portfolio),
            "version": 0,
            "seq": 0,
            "hash": GENESIS,
            "created_at": instant.of_clock(time.time_ns()),
        }
        connection.execute(insert(PORTFOLIOS), row)
        return terms.base


def _base(connection: Connection, portfolio: str) -> str | None:
    found = select(PORTFOLIOS.c.base).where(PORTFOLIOS.c.name == portfolio)
    return connection.execute(found).scalar()


def _has_rows(connection: Connection, portfolio: str) -> bool:
    found = select(JOURNAL.c.seq).where(JOURNAL.c.portfolio == portfolio).limit(1)
    return connection.execute(found).first() is not None
