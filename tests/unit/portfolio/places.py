"""A portfolio in memory whose clock goes when it is told to."""

from pathlib import Path

from bursar.desk import Desk
from bursar.ledger import golden, instant
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.ports import Progress
from bursar.store import MemoryStore
from bursar.venue import files

NOON = instant.parse("2026-06-01T12:00:00Z")
MINUTE = 60 * instant.SECOND


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, at=NOON):
        self.at = at

    def now(self):
        return self.at

    def set(self, text):
        self.at = instant.parse(text)


def opened(*lines, terms=None, clock=None):
    """A portfolio in memory, with what the lines of a golden journal say."""

    def read(path: Path, account: str | None, progress: Progress | None) -> files.FileReading:
        options = files.Options(quote=portfolio.terms.base, golden=golden.read)
        assert progress is None
        return files.read(path, account, options=options)

    desk = Desk(MemoryStore(terms=terms or Terms(base="EUR")), clock or Clock())
    portfolio = Portfolio(desk, read)
    if lines:
        portfolio.record(*golden.read(list(lines)))
    return portfolio
