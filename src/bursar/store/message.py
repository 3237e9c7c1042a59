"""Statements for a Postgres connection that go out as one message and are answered together.

The driver's own pipeline sends each statement by itself and wakes the server for each, which costs
more than most of them do. Here all are queued first, as prepared statements, and sent at once.

A message that names no transaction is one: all of it happens, or nothing. What comes after a
statement that fails is skipped.

This loads the driver, so it is itself loaded only where there is a Postgres.

Errors: the driver's own, of the first statement that failed; `Message.failed` says which one that
was. A connection that is lost without a word from the server has not said which.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.waiting import Ready, Wait

from bursar.store.sending import Answer, Values

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

_PLACE: Final = re.compile(r"%\((\w+)\)s")
_PREPARED: Final[WeakKeyDictionary[psycopg.Connection[Any], dict[bytes, bytes]]] = (
    WeakKeyDictionary()
)
_NUMBERS: Final = count(1)


class Message:
    """Statements on their way. Fill it, then send it once."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self.driver = driver
        self._reader = Transformer(driver)
        self._told: list[tuple[bytes, list[Any]]] = []
        self.failed: int | None = None

    @property
    def told(self) -> list[str]:
        """The statements that it holds."""
        return [text.decode() for text, _ in self._told]

    def add(self, text: str, values: Values) -> None:
        """Add a statement whose values have names."""
        assert isinstance(values, Mapping), "the values have names"
        numbered, names = _numbered(text)
        given = [values[name] for name in names]
        dumped = self._reader.dump_sequence(given, [PyFormat.TEXT] * len(given))
        self._told.append((numbered, list(dumped)))

    def send(self) -> Answer:
        """Send them all, and return the rows that the last one gives."""
        if not self._told:
            return ()
        connection = self.driver.pgconn
        owners: list[int] = []
        names: dict[bytes, bytes] = {}
        results: list[PGresult] = []
        lost: psycopg.Error | None = None
        connection.enter_pipeline_mode()
        try:
            names = self._queue(connection, owners)
            self.driver.wait(_answered(connection, results))
        except psycopg.Error as error:
            lost = error
        if connection.status != ConnStatus.BAD:
            connection.exit_pipeline_mode()
        self._require_good(owners, results)
        if lost is not None:
            raise lost
        _PREPARED[self.driver] = names
        self._reader.set_pgresult(results[-1])
        rows: Answer = self._reader.load_rows(0, results[-1].ntuples, tuple)
        return rows

    def _queue(self, connection: "PGconn", owners: list[int]) -> dict[bytes, bytes]:
        """Queue all statements, each prepared before it is sent for the first time.

        Return the names of all that are prepared then; `owners` says whose each answer is.
        """
        names = dict(_PREPARED.get(self.driver, ()))
        for number, (text, values) in enumerate(self._told):
            if text not in names:
                names[text] = f"bursar_{next(_NUMBERS)}".encode()
                connection.send_prepare(names[text], text)
                owners.append(number)
            connection.send_query_prepared(names[text], values)
            owners.append(number)
        connection.pipeline_sync()
        return names

    def _require_good(self, owners: Sequence[int], results: Sequence["PGresult"]) -> None:
        """Raise what the first statement failed with; what the server did not say names none."""
        for number, result in zip(owners, results, strict=False):
            if result.status == ExecStatus.FATAL_ERROR:
                error = error_from_result(result, self.driver.info.encoding)
                self.failed = None if error.sqlstate is None else number
                raise error


def _answered(
    connection: "PGconn", results: list["PGresult"]
) -> Generator[Wait, Ready | int, None]:
    """Send what is queued, and collect what is answered."""
    while connection.flush():
        if (yield Wait.RW) & Ready.R:
            connection.consume_input()
    while True:
        while connection.is_busy():
            yield Wait.R
            connection.consume_input()
        result = connection.get_result()
        if result is not None and result.status == ExecStatus.PIPELINE_SYNC:
            return
        if result is not None:  # else all of a statement has been answered
            results.append(result)
        elif connection.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the connection was lost")


@lru_cache(maxsize=256)
def _numbered(text: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a statement with its places numbered, and the names of the values in that order."""
    names = tuple(_PLACE.findall(text))
    numbers = count(1)
    told = _PLACE.sub(lambda _: f"${next(numbers)}", text)
    return told.replace("%%", "%").encode(), names
