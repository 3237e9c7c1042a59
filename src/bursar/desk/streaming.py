"""Any number of statements that come in order of time, committed as one, in bounded memory.

They are cut into chunks at the ends of seconds. Each chunk is staged, judged, folded and committed
like any other change; all become durable together, or none. After each, the timeline is trimmed,
so that memory holds a chunk and the facts that stay ahead of a checkpoint. While the store writes
one chunk, in a thread of its own, the next is worked out over it; if it cannot be written, all of
them are undone anyway.

Rules
- Every chunk changes only what has come with this stream: facts that stood before are behind it.
  So nothing that was ever published is restated, and the reviews of the chunks add up.
- No statement contradicts or refines another: of such, the order in which they were told decides.
- What was said of a name before is fetched from the store if the name may have been told: in a
  journal that was empty, a filter of fixed size tells most names that were not.

Errors: `Behind` for statements that are no such stream; whoever has them all at hand may commit
them at once instead. Whatever is raised, the desk is where it was.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from bursar.desk import reading
from bursar.desk.carrying import Carrier, carrier
from bursar.desk.desk import Desk, Receipt
from bursar.desk.telling import Review
from bursar.errors import Behind
from bursar.ledger import instant
from bursar.ledger.checkpoint import Checkpoint, Recalled
from bursar.ledger.course import Plan
from bursar.ledger.entries import AnyEntry
from bursar.ledger.facts import group_of
from bursar.ledger.journal import Outcome
from bursar.ledger.timeline import Expected

CHUNK: Final = 10_000
"""How many statements are staged at a time."""

_FILTER_BITS: Final = 1 << 27
_FILTER_MASK: Final = _FILTER_BITS - 1
_UNAWAITED: Final = Expected()


def submit_in_order(
    desk: Desk,
    entries: Iterable[AnyEntry],
    *,
    expected: Expected = _UNAWAITED,
    progress: Callable[[int], None] | None = None,
) -> Receipt:
    """Commit statements that come in order of time, all of them or none.

    `expected` is known of them beforehand; `progress` hears how many are done. Other writers are
    kept off from the beginning on, with all that they have done taken up. O(statements).

    Raises:
        Behind: they reach back: behind a checkpoint, or before facts that stood already.
        Oversold, StoreError: as `Desk.commit`.
    """
    with unswept(), carrier() as carried, desk.together(carrier=carried):
        carried.ask(desk.catch_up)
        tally = _Tally(desk, expected, carried)
        for chunk in chunks(entries, CHUNK):
            tally.submit(chunk)
            if progress is not None:
                progress(tally.done)
        tally.require_all_came()
        tally.keep_checkpoint()
    return Receipt(desk.head.version, tally.review())


def chunks(entries: Iterable[AnyEntry], size: int) -> Iterator[tuple[AnyEntry, ...]]:
    """Cut statements into chunks of about that size, each of whole seconds."""
    chunk: list[AnyEntry] = []
    for entry in entries:
        if len(chunk) >= size and _second(entry) > _second(chunk[-1]):
            yield tuple(chunk)
            chunk = []
        chunk.append(entry)
    if chunk:
        yield tuple(chunk)


class _Tally:
    """What the chunks have come to so far."""

    def __init__(self, desk: Desk, expected: Expected, carried: Carrier) -> None:
        self.done = 0
        self._desk = desk
        self._carried = carried
        self._standing = len(desk.timeline)
        self._awaited = set(desk.timeline.expect(expected))
        self._told = None if desk.head.seq else _Told(are_distinct=expected.are_distinct)
        self._checkpoint: Checkpoint | None = None
        self._recorded = self._duplicates = 0
        self._conflicts: list[str] = []
        self._flags: Counter[str] = Counter()

    def submit(self, chunk: tuple[AnyEntry, ...]) -> None:
        """Commit a chunk, and let go of what lies behind it."""
        desk = self._desk
        staged = desk.stage_ahead(chunk, self._recalled(chunk))
        plan = staged.plan
        if desk.timeline.behind + plan.course.position < self._standing:
            raise Behind("a fact changes that stood before")
        if plan.amends:
            raise Behind("a statement adds to another, or contradicts it")
        # What has come with the same stream was never published, so it cannot be restated.
        silent = msgspec.structs.replace(plan, restated=[])
        drafted = desk.draft(msgspec.structs.replace(staged, plan=silent))
        if drafted.commit is not None:
            self._carried.hand(lambda: desk.send(drafted))
            desk.land(drafted, desk.after(drafted.commit))
        self._count(silent, drafted.staged.review)
        self._checkpoint = desk.trim() or self._checkpoint
        self.done += len(chunk)

    def require_all_came(self) -> None:
        """Refuse a stream that has not told what was expected of it."""
        if self._awaited:
            raise Behind(f"{min(self._awaited)} was expected and has not come")

    def keep_checkpoint(self) -> None:
        """Store the last checkpoint that a chunk was trimmed at; those before it serve nobody."""
        made = self._checkpoint
        if made is not None:
            self._carried.ask(lambda: self._desk.keep(made))

    def review(self) -> Review:
        """Return what all chunks together have done."""
        return Review(
            recorded=self._recorded,
            duplicates=self._duplicates,
            conflicts=tuple(self._conflicts),
            facts_added=len(self._desk.timeline) - self._standing,
            facts_changed=0,
            restated=(),
            flags={flag: count for flag, count in self._flags.items() if count},
        )

    def _recalled(self, chunk: tuple[AnyEntry, ...]) -> Recalled:
        told = chunk if self._told is None else self._told.perhaps(chunk)
        store, timeline = self._desk.store, self._desk.timeline
        if not told or timeline.is_whole:
            return Recalled()
        return self._carried.ask(lambda: reading.recalled(store, timeline, told))

    def _count(self, plan: Plan, review: Review) -> None:
        self._recorded += review.recorded
        self._duplicates += review.duplicates
        self._conflicts += review.conflicts
        for ruled in plan.ruled if self._awaited else ():
            if ruled.verdict.outcome is Outcome.RECORDED:
                self._awaited.discard(ruled.entry.id)
        self._flags.update(flag.value for fact in plan.course.added for flag in fact.flags)
        self._flags.subtract(flag.value for fact in plan.course.removed for flag in fact.flags)


class _Told:
    """Which names may have been told: wrong now and then where it says so, never where not.

    Of statements that are all distinct only their groups are looked at.
    """

    def __init__(self, *, are_distinct: bool) -> None:
        self._bits = bytearray(_FILTER_BITS // 8)
        self._are_distinct = are_distinct

    def perhaps(self, chunk: Iterable[AnyEntry]) -> list[AnyEntry]:
        """Return the statements that may speak of what earlier chunks have told, and note these."""
        names = {entry.group or entry.id for entry in chunk}
        if not self._are_distinct:
            names.update([entry.id for entry in chunk])
        known = self._noted(names)
        if not known:
            return []
        return [entry for entry in chunk if entry.id in known or group_of(entry) in known]

    def _noted(self, names: Iterable[str]) -> set[str]:
        """Note names, and return those that may have been noted before."""
        bits, known = self._bits, set()
        for name in names:
            digest = hash(name)
            one, other = digest & _FILTER_MASK, digest >> 27 & _FILTER_MASK
            here, there = 1 << (one & 7), 1 << (other & 7)
            if bits[one >> 3] & here and bits[other >> 3] & there:
                known.add(name)
            else:
                bits[one >> 3] |= here
                bits[other >> 3] |= there
        return known


@contextmanager
def unswept() -> Iterator[None]:
    """Keep the collector of cycles from looking, again and again, through what holds none.

    It sees every record that is alive and finds nothing to free; what goes, goes by its count.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _second(entry: AnyEntry) -> int:
    return entry.executed_at // instant.SECOND
