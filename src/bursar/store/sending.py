"""Statements sent as the text that SQLAlchemy has made of them once.

Core looks up its cache, binds and wraps each time that a statement is sent, which costs more than
a small statement does itself. What every commit sends goes this way: the text is kept, and each
dialect hands it to its driver in the shortest way.

Errors: `KeyError` for a value that is not given; the driver's own, which `translated` reads.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any] | Sequence[Any]
Run = Callable[[Connection, str, Values], Sequence[Sequence[Any]]]
"""Executes a text with its values, and returns the rows that it gives."""


def send(
    connection: Connection, run: Run, statement: ClauseElement, values: Mapping[str, Any]
) -> Sequence[Sequence[Any]]:
    """Execute a statement that is made once and kept; `values` are as the driver takes them."""
    text, names = _compiled(statement, connection.dialect)
    taken = dict(values) if names is None else tuple(values[name] for name in names)
    return run(connection, text, taken)


@lru_cache(maxsize=64)
def _compiled(statement: ClauseElement, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """Return a statement's text, and the order of its values where they have no names."""
    made = statement.compile(dialect=dialect)
    assert isinstance(made, SQLCompiler), "a statement that can be executed"
    return str(made), None if made.positiontup is None else tuple(made.positiontup)
