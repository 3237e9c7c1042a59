"""Reading a timeline back from a store: from its checkpoint, or from the first row.

Every row that is read is verified against the one before it; `require_stored` compares the book
that comes out with the stored projection. What lies behind a checkpoint is not read; the checkpoint
itself is bound to the journal row that it goes on after.

Errors: `StoreCorrupt` where a row, the checkpoint or the projection does not hold.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from bursar.errors import Behind, StoreCorrupt
from bursar.ledger import checkpoint, journal, projection
from bursar.ledger.checkpoint import Recalled
from bursar.ledger.entries import AnyEntry, Reversal
from bursar.ledger.facts import group_of
from bursar.ledger.journal import Outcome, Record
from bursar.ledger.notes import Note
from bursar.ledger.planning import planned
from bursar.ledger.timeline import Timeline
from bursar.ports import Head, PortfolioStore, Progress, StoredCheckpoint

_TOLD_EVERY = 1_000


def read(
    store: PortfolioStore,
    head: Head,
    *,
    kept: StoredCheckpoint | None = None,
    progress: Progress | None = None,
) -> Timeline:
    """Read the timeline of a store that stands at `head`, from a checkpoint if one is given."""
    start = None if kept is None else checkpoint.decode(kept.body)
    if kept is None or start is None:
        rows, last = journal.check(store.records()), (0, journal.GENESIS)
    else:
        rows, last = _rows_ahead(store, kept), (kept.seq, kept.hash)
    noted = frozenset() if start is None else frozenset(filter(_is_only_said, start.notes))
    spoken = {note.id for note in noted}
    told: list[AnyEntry] = []
    for row in rows:
        last = row.seq, row.hash
        entry = row.entry()
        # Told again in other words, a note that the checkpoint has stays as it is.
        is_noted = entry in noted or (row.outcome is Outcome.CONFLICT and entry.id in spoken)
        if start is None or not (start.is_behind(entry.executed_at) or is_noted):
            told.append(entry)
        if progress is not None and row.seq % _TOLD_EVERY == 0:
            progress("reading the journal", row.seq, head.seq)
    _require_head(last, head)
    timeline = Timeline(head.terms, start)
    try:
        timeline.land(planned(timeline, told))
    except Behind:  # a note has come since that speaks of what is behind, or waits for it
        return read(store, head, progress=progress)
    return timeline


def require_stored(store: PortfolioStore, timeline: Timeline) -> None:
    """Compare the stored projection with the book of a timeline.

    Raises:
        StoreCorrupt: it is another.
    """
    if store.load_state() != projection.cells(timeline.book):
        raise StoreCorrupt("the stored projection is not the fold of the journal")


def since(store: PortfolioStore, known: Head, head: Head) -> Iterator[AnyEntry]:
    """Yield what the journal was told after a known head, up to another, each row verified.

    Raises:
        StoreCorrupt: a row does not verify, the terms are others, or no rows lead from one to the
        other.
    """
    if head.terms != known.terms:
        raise StoreCorrupt("the terms have changed")
    last = known.seq, known.hash
    for row in journal.check(store.records(known.seq), head=known.hash, seq=known.seq):
        if row.seq > head.seq:
            break
        last = row.seq, row.hash
        yield row.entry()
    _require_head(last, head)


def recalled(store: PortfolioStore, timeline: Timeline, told: Iterable[AnyEntry]) -> Recalled:
    """Fetch what was said, behind a timeline's checkpoint, of the facts and groups of `told`."""
    if timeline.is_whole:
        return Recalled()
    groups: dict[str, tuple[AnyEntry, ...]] = {}
    homes: dict[str, str] = {}
    conflicts = set()
    facts = {entry.id for entry in told}
    for row in store.recall(sorted(facts), sorted(facts | {group_of(entry) for entry in told})):
        entry = row.entry()
        here = timeline.groups.get(timeline.homes.get(entry.id, entry.id), ())
        if row.outcome is Outcome.CONFLICT:
            conflicts.add(row.key)
        elif entry not in here:
            home = homes.setdefault(entry.id, group_of(entry))
            groups[home] = (*groups.get(home, ()), entry)
    return Recalled(groups, homes, frozenset(conflicts - timeline.conflicts.keys()))


def _rows_ahead(store: PortfolioStore, kept: StoredCheckpoint) -> Iterator[Record]:
    """Return the rows after a checkpoint's, each verified as it is read."""
    if not kept.seq:
        return journal.check(store.records())
    rows = store.records(kept.seq - 1)
    first = next(rows, None)
    if first is None or (first.seq, first.hash) != (kept.seq, kept.hash):
        raise StoreCorrupt(
            f"journal row {kept.seq} is not the one that the checkpoint goes on after",
            seq=kept.seq,
        )
    bound = journal.check([first], head=first.previous, seq=first.seq - 1)
    rest = journal.check(rows, head=first.hash, seq=first.seq)
    return (row for row in chain(bound, rest) if row.seq > kept.seq)


def _is_only_said(note: Note) -> bool:
    """Tell whether a note is nothing more; a reversal in time is a fact as well."""
    return not isinstance(note, Reversal) or note.void


def _require_head(last: tuple[int, str], head: Head) -> None:
    if last != (head.seq, head.hash):
        raise StoreCorrupt(
            f"the journal ends at row {last[0]}; the portfolio says {head.seq}", seq=last[0]
        )
