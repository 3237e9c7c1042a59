"""Every kind of place that keeps portfolios, opened alike."""

from bursar.store import MemoryStore, open_store
from bursar.store.steps import unwatched


class MemoryPlace:
    """Each portfolio is one object; opening it again finds the same."""

    def __init__(self, folder):
        self._stores = {}

    def open(self, portfolio="main", *, terms=None, steps=unwatched):
        store = self._stores.setdefault(portfolio, MemoryStore(portfolio, terms=terms))
        store._steps = steps
        return store

    def close(self):
        pass


class SqlitePlace:
    """One file; each opening has connections of its own."""

    def __init__(self, folder):
        self.path = folder / "book.db"
        self._stores = []

    def open(self, portfolio="main", *, terms=None, steps=unwatched):
        store = open_store(self.path, portfolio, terms=terms, steps=steps)
        self._stores.append(store)
        return store

    def close(self):
        for store in self._stores:
            store.close()


PLACES = (MemoryPlace, SqlitePlace)
