"""What portfolios a database holds: read off its tables, without folding any of them.

Errors: `PortfolioNotFound` where there is no database, and what `schema` and `dialect` refuse.
"""

import os
from typing import Any

import msgspec
from sqlalchemy import Row, and_, select

from bursar.errors import StoreError
from bursar.store import texts
from bursar.store.faults import legible, placed, translated
from bursar.store.opening import MEMORY, require_tables
from bursar.store.places import address, engine_of, masked
from bursar.store.tables import JOURNAL, PORTFOLIOS


class Listed(msgspec.Struct, frozen=True):
    """One portfolio of a database; instants are UTC nanoseconds.

    `version` counts its commits, `entries` its journal rows; `committed_at` is `None` before the
    first commit.
    """

    name: str
    base: str
    method: str
    scope: str
    version: int
    entries: int
    created_at: int
    committed_at: int | None


def list_portfolios(url_or_path: str | os.PathLike[str]) -> list[Listed]:
    """List the portfolios of a database by name. O(portfolios).

    Raises:
        PortfolioNotFound: there is no database.
        SchemaNewer, StoreCorrupt, StoreBusy, StoreError: it cannot be used.
    """
    if os.fspath(url_or_path) == MEMORY:
        return []
    url = address(url_or_path)
    engine, dialect = engine_of(url)
    last = and_(JOURNAL.c.portfolio == PORTFOLIOS.c.name, JOURNAL.c.seq == PORTFOLIOS.c.seq)
    found = (
        select(PORTFOLIOS, JOURNAL.c.recorded_at)
        .select_from(PORTFOLIOS.outerjoin(JOURNAL, last))
        .order_by(PORTFOLIOS.c.name)
    )
    try:
        require_tables(engine, dialect, url, create=False)
        with translated(dialect.fault), engine.connect() as connection:
            rows = connection.execute(found).all()
    except StoreError as error:
        raise placed(error, masked(url)) from error.__cause__
    finally:
        engine.dispose()
    return [_listed(row) for row in rows]


def _listed(row: Row[Any]) -> Listed:
    with legible(f"the head of portfolio {row.name!r}"):
        terms = texts.to_terms(texts.unsealed(row.terms, row.name))
    return Listed(
        name=row.name,
        base=row.base,
        method=terms.method.value,
        scope=terms.scope.value,
        version=row.version,
        entries=row.seq,
        created_at=row.created_at,
        committed_at=row.recorded_at,
    )
