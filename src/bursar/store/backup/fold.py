"""What a journal comes to: everything about a portfolio that need not be carried."""

from collections.abc import Iterable

import msgspec

from bursar.ledger import describe, journal, projection
from bursar.ledger.entries import AnyEntry
from bursar.ledger.journal import GENESIS, Record
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord
from bursar.ledger.timeline import Timeline


class Chain(msgspec.Struct, frozen=True):
    """A journal read to its end and verified: its last row, that row's hash, and what was told."""

    seq: int
    hash: str
    told: list[AnyEntry]


class Derived(msgspec.Struct, frozen=True):
    """What a store keeps beside the journal, worked out anew."""

    cells: dict[str, str]
    trades: list[RealizedPnLRecord]
    flows: list[CashFlowRecord]


def verified(rows: Iterable[Record]) -> Chain:
    """Verify the chain of a whole journal.

    Raises:
        StoreCorrupt: at the first row that does not follow from the one before it.
    """
    seq, head = 0, GENESIS
    told: list[AnyEntry] = []
    for row in journal.check(rows):
        seq, head = row.seq, row.hash
        told.append(row.entry())
    return Chain(seq, head, told)


def derived(timeline: Timeline) -> Derived:
    """Return the projection and the records of a portfolio, as a store keeps them."""
    trades, flows = describe.retold(timeline.terms, timeline)
    return Derived(projection.cells(timeline.book), trades, flows)
