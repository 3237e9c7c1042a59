"""Every kind of place that keeps portfolios, opened alike."""

from collections.abc import Callable
from contextlib import contextmanager

from bursar.store import MemoryStore, open_store
from bursar.store.steps import unwatched


class MemoryPlace:
    """Each portfolio is one object; opening it again finds the same."""

    def __init__(self):
        self._stores = {}

    def open(self, portfolio="main", *, terms=None, steps=unwatched):
        store = self._stores.setdefault(portfolio, MemoryStore(portfolio, terms=terms))
        store._steps = steps
        return store

    def close(self):
        pass


class Database:
    """A database at an address; each opening has connections of its own."""

    def __init__(self, address):
        self.address = address
        self._stores = []

    def open(self, portfolio="main", *, terms=None, steps=unwatched):
        store = open_store(self.address, portfolio, terms=terms, steps=steps)
        self._stores.append(store)
        return store

    def close(self):
        for store in self._stores:
            store.close()


PLACES: dict[str, Callable[[Callable], MemoryPlace | Database]] = {
    "memory": lambda _: MemoryPlace(),
    "sqlite": lambda fixture: Database(fixture("tmp_path") / "book.db"),
    "postgres": lambda fixture: Database(fixture("database")),
}


@contextmanager
def opened(kind, request):
    """Give a place of that kind to one test."""
    place = PLACES[kind](request.getfixturevalue)
    yield place
    place.close()
