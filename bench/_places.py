"""Where a bench keeps its books: a folder of SQLite files, and a Postgres if there is one."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.servers import postgres


def databases() -> Iterator[tuple[str, Any]]:
    """Yield each database's name, and what gives the place of a new book in it."""
    yield "SQLite", _files()
    if postgres.binaries() is not None:
        yield "Postgres", _server()
    else:
        print("Postgres: none found, not measured")


@contextmanager
def _files() -> Iterator[Callable[[], str]]:
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(1_000))
        yield lambda: str(Path(folder) / f"{next(numbers)}.db")


@contextmanager
def _server() -> Iterator[Callable[[], str]]:
    with postgres.cluster(postgres.DURABLE) as cluster, ExitStack() as databases:
        server = postgres.Server(cluster.url, postgres.OWNER)
        yield lambda: databases.enter_context(server.database(empty=True))
