"""Statements sent as the text that SQLAlchemy has made of them once.

Core looks up its cache, binds and wraps each time that a statement is sent, which costs more than
a small statement does itself. What every commit sends goes this way: the text is kept, and each
dialect hands it to its driver in the shortest way.

Errors: `KeyError` for a value that is not given; the driver's own, which `translated` reads.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any] | Sequence[Any]
Answer = Sequence[Sequence[Any]]
"""The rows that a statement gives."""
Ask = Callable[[Connection, str, Values], Answer]
"""Executes a text with its values, and returns the rows that it gives."""
Question = Callable[[ClauseElement, Mapping[str, Any]], Answer]
"""Sends a statement of that kind where it is to be asked, and returns the rows that it gives."""
Run = Callable[[Connection, str, Sequence[Values]], None]
"""Executes a text that gives no rows, once for each of the values."""


def ask(
    connection: Connection, way: Ask, statement: ClauseElement, values: Mapping[str, Any]
) -> Answer:
    """Execute a statement that is made once and kept; `values` are as the driver takes them."""
    return way(connection, *worded(connection, statement, values))


def worded(
    connection: Connection, statement: ClauseElement, values: Mapping[str, Any]
) -> tuple[str, Values]:
    """Return such a statement as the driver takes it."""
    text, names = _compiled(statement, connection.dialect)
    return text, _taken(values, names)


def send(
    connection: Connection, way: Run, statement: ClauseElement, each: Iterable[Mapping[str, Any]]
) -> None:
    """Execute a statement of that kind that gives no rows, once for each of the values."""
    text, names = _compiled(statement, connection.dialect)
    way(connection, text, [_taken(values, names) for values in each])


def _taken(values: Mapping[str, Any], names: tuple[str, ...] | None) -> Values:
    return dict(values) if names is None else tuple([values[name] for name in names])


@lru_cache(maxsize=64)
def _compiled(statement: ClauseElement, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """Return a statement's text, and the order of its values where they have no names."""
    made = statement.compile(dialect=dialect)
    assert isinstance(made, SQLCompiler), "a statement that can be executed"
    return str(made), None if made.positiontup is None else tuple(made.positiontup)
