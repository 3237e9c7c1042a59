"""Where a database is: reading the address that a user gives, and never showing its secrets.

Errors: `BadChoice` for an address that cannot be read or a database that is not supported.
"""

import os
import re
from typing import Final

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from bursar.errors import BadChoice
from bursar.store.dialect import Dialect, dialect_of

_SQLITE: Final = {"sqlite", "sqlite+pysqlite"}
_ALMOST: Final = re.compile(r"\s*postgres[a-z+0-9]*:(?!//)", re.IGNORECASE)


def address(url_or_path: str | os.PathLike[str]) -> URL:
    """Read a plain path or a database URL."""
    text = os.fspath(url_or_path)
    if "\0" in text:
        raise BadChoice("the place of the book has a NUL in it")
    if _ALMOST.match(text):  # as a path, it would be shown, password and all
        raise BadChoice("a Postgres address begins with postgresql://")
    if "://" not in text:
        return URL.create("sqlite", database=text)
    scheme, _, place = text.partition("://")
    if not scheme.startswith("sqlite") and "@" in "".join(re.split("[/?#]", place, maxsplit=1)[1:]):
        raise BadChoice("write %40 %2F %3F %23 for the @ / ? # of a password")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Their message repeats the address, password and all.
        raise BadChoice("the database address cannot be read; is it scheme://place?") from None
    if url.drivername == "postgres":  # as some hosts write it
        return url.set(drivername="postgresql")
    if url.get_backend_name() == "sqlite" and url.query:
        raise BadChoice("an SQLite address takes no options")
    if url.get_backend_name() == "sqlite" and (url.drivername not in _SQLITE or url.host):
        raise BadChoice("an SQLite address is sqlite:///book.db, with three slashes")
    return url


def masked(url_or_path: URL | str | os.PathLike[str]) -> str:
    """Return an address as it may be shown: without its password and its options; a file by path,
    which need not be text that an address could have.
    """
    try:
        url = url_or_path if isinstance(url_or_path, URL) else address(url_or_path)
    except BadChoice:
        return "***"
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return url.set(query={}).render_as_string(hide_password=True)


def engine_of(url: URL) -> tuple[Engine, Dialect]:
    """Return an engine for an address, with its dialect; nothing is connected yet.

    Raises:
        BadChoice: it names no database, or none that bursar keeps books in.
    """
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        # SQLite would make one of its own, and lose all of it when it is closed.
        raise BadChoice("the place of the book names no file; write book.db or sqlite:///book.db")
    dialect = dialect_of(url)
    return dialect.engine(url), dialect
