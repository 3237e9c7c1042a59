"""Questions of one statement, asked on a connection that is kept for them.

To take a connection out of a pool, see that it is alive, begin, ask, and end costs a server four
answers more than the one that is wanted. What a writer asks before each commit goes this way.

Errors: the driver's own, which `translated` reads.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

from sqlalchemy import ClauseElement, Connection, Engine
from sqlalchemy.exc import DBAPIError

from bursar.store.dialect import Dialect
from bursar.store.sending import ask


class Asker:
    """Asks one question after another, each a transaction of its own, from any thread."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._lock = Lock()
        self._connection: Connection | None = None

    def ask(self, statement: ClauseElement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return the rows that a statement gives. A connection found dead is replaced, once."""
        with self._lock:
            was_kept = self._connection is not None
            try:
                return self._asked(statement, values)
            except DBAPIError as error:
                if not (was_kept and error.connection_invalidated):
                    raise
            return self._asked(statement, values)

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._drop()

    def _asked(
        self, statement: ClauseElement, values: Mapping[str, Any]
    ) -> Sequence[Sequence[Any]]:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._engine.connect()
            if self._dialect.alone is not None:
                connection.execution_options(isolation_level=self._dialect.alone)
        try:
            return ask(connection, self._dialect.ask, statement, values)
        except (DBAPIError, sqlite3.Error):
            self._drop()
            raise

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
