"""The connection of a store that writes: one transaction at a time, under a lock, from any thread.

After a failed COMMIT it is thrown away, since nobody knows what state it is in. One that died of a
server's restart is replaced when the next transaction begins. A group is a transaction that its
thread holds open; what is written meanwhile is a part of it.

Errors: `StoreError`s, as `faults` reads them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, local

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError

from bursar.errors import BursarError, StoreError
from bursar.store.dialect import Dialect, writing
from bursar.store.faults import translated
from bursar.store.sending import Answer, ask, worded
from bursar.store.writes import Asked, Place

_MARK, _RETURN, _RELEASE = (
    (f"{word} bursar",) for word in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
)


class Writer:
    """One portfolio's writing connection, made when it is first wanted."""

    def __init__(
        self, engine: Engine, dialect: Dialect, portfolio: str, faults: translated
    ) -> None:
        self._engine = engine
        self._dialect = dialect
        self._portfolio = portfolio
        self._faults = faults
        self._lock = Lock()
        self._connection: Connection | None = None
        self._grouping = local()
        self._is_closed = False
        self._process = os.getpid()

    @property
    def group(self) -> Place | None:
        """The group that this thread has open."""
        place: Place | None = getattr(self._grouping, "place", None)
        return place

    def require_open(self) -> None:
        """Refuse to go on with a store that was closed, or that another process has opened.

        Asked before the lock too: one that was held at a fork is never let go of.
        """
        if self._is_closed:
            raise StoreError("the store was closed; open it again")
        if self.is_carried_over:
            raise StoreError("the store was opened before a fork; open it again in this process")

    @property
    def is_carried_over(self) -> bool:
        """Tell whether it is that of the process that this one was forked from."""
        return self._process != os.getpid()

    def connected(self) -> Connection:
        """Return the connection."""
        if self._connection is None:
            self._connection = writing(self._engine, self._dialect)
        return self._connection

    def ask_hastily(self, asked: Asked, slow: Callable[[Connection], None]) -> Answer:
        """Ask what writes in a transaction of its own, for which the disk is not waited. What this
        connection has read of the file stays good, as it would not had another one written.
        """
        self.require_open()
        with self._lock:
            self.require_open()
            connection = self.connected()
            try:
                self._dialect.hasten(connection)
                answer = ask(connection, self._dialect.ask, *asked)
                slow(connection)
            except BaseException:  # it must not go on to write commits that the disk may not have
                self._drop()
                raise
            return answer

    @contextmanager
    def standing_by(self) -> Iterator[None]:
        """Keep others from writing, without a transaction."""
        self.require_open()
        with self._lock:
            self.require_open()
            yield

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Let go of the connection for good, and of what else is let go of inside."""
        with self._lock:
            self._is_closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            yield

    @contextmanager
    def grouped(self, *, is_whole: bool) -> Iterator[None]:
        """Let what is written inside become durable together, or not at all."""
        outer = self.group
        with self.writing(is_whole=is_whole) as place:
            self._grouping.place = place
            try:
                yield
            finally:
                self._grouping.place = outer

    @contextmanager
    def writing(self, *, is_whole: bool = False) -> Iterator[Place]:
        """Write in a transaction, or as a part of the group that this thread has open."""
        group = self.group
        if group is not None:
            with self._inside(group):
                yield group
            return
        with self.transaction(is_whole=is_whole) as (place, _):
            yield place

    @contextmanager
    def transaction(
        self, asked: Asked | None = None, *, is_whole: bool = False
    ) -> Iterator[tuple[Place, Answer]]:
        """Begin a transaction, with a question that goes along, and end it.

        The connection is kept where it is known that none is open on it. An interrupt may come as
        soon as one has begun, and others would wait for ever for the lock that it holds.
        """
        self.require_open()
        with self._lock:
            self.require_open()
            is_over = False
            try:
                try:
                    with self._faults:
                        connection, transaction, answer = self._begun(asked, is_whole=is_whole)
                except BursarError:
                    is_over = True
                    raise
                place = Place(connection, self._dialect, self._portfolio, is_whole=is_whole)
                try:
                    with self._faults:
                        yield place, answer
                except BaseException:
                    self._abandon(connection)
                    is_over = True
                    raise
                self._finish(transaction)
                is_over = True
            finally:
                # A whole group trusts what comes, and holds more of the file than others need.
                if is_whole or not is_over:
                    self._drop()

    @contextmanager
    def part_of(self, group: Place, rows: int) -> Iterator[None]:
        """Write about so many rows as a part of a group: what fails is taken back alone, and the
        group goes on.

        A part of a whole group has no way back of its own, which would cost a copy of every page
        that it touches. Where the database has taken back everything, as SQLite does when it is
        full, nothing more may be written.
        """
        try:
            with (
                self._faults,
                self._dialect.unanswered(group.connection, rows),
            ):
                group.run(*([] if group.is_whole else _MARK))
                yield
                group.run(*([] if group.is_whole else _RELEASE))
        except BaseException:
            self._take_back(group)
            raise

    def _take_back(self, group: Place) -> None:
        """Take back the part of a group that failed; or all of it, where it has no parts."""
        if group.is_whole:
            self._abandon(group.connection)
            return
        try:
            with self._faults:
                group.run(*_RETURN, *_RELEASE)
        except BursarError:
            group.connection.invalidate()

    @contextmanager
    def _inside(self, group: Place) -> Iterator[None]:
        """Write what is no commit as a part of a group; each statement is answered at once."""
        with self._faults:
            inner = group.connection.begin_nested()
        try:
            with self._faults:
                yield
        except BaseException:
            try:
                inner.rollback()
            except DBAPIError:
                group.connection.invalidate()
            raise
        with self._faults:
            inner.commit()

    def _begun(
        self, asked: Asked | None, *, is_whole: bool
    ) -> tuple[Connection, RootTransaction, Answer]:
        try:
            return self._locked(asked, is_whole=is_whole)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._locked(asked, is_whole=is_whole)  # nothing was written through the old one

    def _locked(
        self, asked: Asked | None, *, is_whole: bool
    ) -> tuple[Connection, RootTransaction, Answer]:
        connection = self.connected()
        if is_whole:
            self._dialect.trust(connection)
        transaction = connection.begin()
        try:
            then = None if asked is None else worded(connection, *asked)
            answer = self._dialect.lock(connection, self._portfolio, then)
        except BaseException as error:
            self._abandon(connection)
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                self._drop()
            raise
        return connection, transaction, answer

    def _finish(self, transaction: RootTransaction) -> None:
        try:
            with translated(self._dialect.fault, committing=True):
                transaction.commit()
        except BaseException:
            self._drop()
            raise

    def _abandon(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except DBAPIError:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None  # first: it may be broken in on too
        if connection is not None:
            connection.invalidate()
            connection.close()
