"""What a journal comes to: everything about a portfolio that need not be carried."""

from collections.abc import Iterable

import msgspec

from bursar.ledger import describe, journal, projection
from bursar.ledger.book import Book
from bursar.ledger.fold import traced
from bursar.ledger.journal import GENESIS, Record
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline


class Folded(msgspec.Struct, frozen=True):
    """A journal read to its end, its chain verified, and the facts in it folded."""

    seq: int
    hash: str
    timeline: Timeline

    @property
    def digest(self) -> str:
        """A hash of the whole book, lots included."""
        return projection.digest(self.timeline.book)

    @property
    def cells(self) -> dict[str, str]:
        """The projection, as a store keeps it."""
        return projection.cells(self.timeline.book)

    def records(self) -> tuple[list[RealizedPnLRecord], list[CashFlowRecord]]:
        """Return the trade and flow records that the facts give."""
        book = Book(self.timeline.terms)
        told = ((fact, traced(book, fact)) for fact in self.timeline)
        return describe.records(told, book.cash)


def folded(terms: Terms, rows: Iterable[Record]) -> Folded:
    """Verify the chain of a whole journal and fold it.

    Raises:
        StoreCorrupt: at the first row that does not follow from the one before it.
    """
    timeline, told = Timeline(terms), []
    seq, head = 0, GENESIS
    for row in journal.check(rows):
        seq, head = row.seq, row.hash
        told.append(row.entry())
    timeline.land(timeline.plan(told))
    return Folded(seq, head, timeline)
