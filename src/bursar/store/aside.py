"""What goes beside the commits, on a connection that is kept for it: questions of one statement,
and notes that do not wait for the disk.

To take a connection out of a pool, see that it is alive, begin, ask and end costs a server four
answers more than the one that is wanted. What a writer asks and notes down before each commit goes
this way. The connection never goes back to the pool, since its COMMITs promise less.

Errors: the driver's own, which `translated` reads.
"""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import ClauseElement, Engine
from sqlalchemy.exc import DBAPIError

from bursar.store import writes
from bursar.store.dialect import Dialect, writing
from bursar.store.sending import Answer
from bursar.store.writes import Place

_T = TypeVar("_T")


class Aside:
    """One portfolio's small questions and notes, one after another, from any thread."""

    def __init__(self, engine: Engine, dialect: Dialect, portfolio: str) -> None:
        self._engine = engine
        self._dialect = dialect
        self._portfolio = portfolio
        self._lock = Lock()
        self._place: Place | None = None

    def ask(self, statement: ClauseElement, values: Mapping[str, Any]) -> Answer:
        """Return the rows that a statement gives."""
        return self._do(lambda place: place.ask(statement, values))

    def note(self, memos: Mapping[str, str | None]) -> None:
        """Keep memos, all or none. The death of this process does not undo that; that of the
        machine may.
        """
        self._do(lambda place: _noted(place, memos))

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._drop()

    def _do(self, work: Callable[[Place], _T]) -> _T:
        """Do it. A connection that was kept and is found dead is replaced, once: what is done here
        may be done twice.
        """
        with self._lock:
            was_kept = self._place is not None
            try:
                return self._done(work)
            except DBAPIError as error:
                if not (was_kept and error.connection_invalidated):
                    raise
            return self._done(work)

    def _done(self, work: Callable[[Place], _T]) -> _T:
        place = self._place = self._place or self._made()
        try:
            return work(place)
        except BaseException:  # an interrupt too: it may have left a transaction open
            self._drop()
            raise

    def _made(self) -> Place:
        connection = writing(self._engine, self._dialect)
        self._dialect.hasten(connection)
        return Place(connection, self._dialect, self._portfolio)

    def _drop(self) -> None:
        place, self._place = self._place, None  # first: it may be broken in on too
        if place is not None:
            place.connection.invalidate()
            place.connection.close()


def _noted(place: Place, memos: Mapping[str, str | None]) -> None:
    transaction = place.connection.begin()
    with place.dialect.unanswered(place.connection, len(memos)):
        writes.memos(place, memos)
    transaction.commit()  # where it does not come to this, the connection goes
