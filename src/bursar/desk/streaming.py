"""Any number of statements that come in order of time, committed as one, in bounded memory.

They are cut into chunks at the ends of seconds. Each chunk is staged, judged, folded and committed
like any other change; all become durable together, or none. After each, the timeline is trimmed,
so that memory holds a chunk and the facts that stay ahead of a checkpoint.

Rules
- Every chunk changes only what has come with this stream: facts that stood before are behind it.
  So nothing that was ever published is restated, and the reviews of the chunks add up.
- No statement contradicts or refines another: of such, the order in which they were told decides.
- What was said of a name before is fetched from the store if the name may have been told: in a
  journal that was empty, a filter of fixed size tells most names that were not.

Errors: `Behind` for statements that are no such stream; whoever has them all at hand may commit
them at once instead. Whatever is raised, the desk is where it was.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from bursar.desk import reading
from bursar.desk.desk import Desk, Receipt, Review
from bursar.errors import Behind
from bursar.ledger import instant, journal
from bursar.ledger.checkpoint import Recalled
from bursar.ledger.entries import AnyEntry
from bursar.ledger.facts import group_of
from bursar.ledger.journal import Outcome
from bursar.ledger.timeline import Expected, Plan

CHUNK: Final = 10_000
"""How many statements are staged at a time."""

_FILTER_BITS: Final = 1 << 27
_UNAWAITED: Final = Expected()


def submit_in_order(
    desk: Desk,
    entries: Iterable[AnyEntry],
    *,
    expected: Expected = _UNAWAITED,
    progress: Callable[[int], None] | None = None,
) -> Receipt:
    """Commit statements that come in order of time, all of them or none.

    `expected` is known of them beforehand; `progress` hears how many are done. O(statements).

    Raises:
        Behind: they reach back: behind a checkpoint, or before facts that stood already.
        Oversold, StoreError: as `Desk.commit`.
    """
    with desk.together():
        tally = _Tally(desk, expected)
        for chunk in chunks(entries, CHUNK):
            tally.submit(chunk)
            if progress is not None:
                progress(tally.done)
        tally.require_all_came()
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

    def __init__(self, desk: Desk, expected: Expected) -> None:
        self.done = 0
        self._desk = desk
        self._standing = len(desk.timeline)
        self._awaited = set(desk.timeline.expect(expected))
        self._told = _Told() if not desk.head.seq else None
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
        if any(each.key not in (None, journal.key(each.entry)) for each in plan.ruled):
            raise Behind("a statement adds to another, or contradicts it")
        # What has come with the same stream was never published, so it cannot be restated.
        silent = msgspec.structs.replace(plan, restated=[])
        receipt = desk.commit(msgspec.structs.replace(staged, plan=silent))
        self._count(silent, receipt.review)
        desk.trim()
        self.done += len(chunk)

    def require_all_came(self) -> None:
        """Refuse a stream that has not told what was expected of it."""
        if self._awaited:
            raise Behind(f"{min(self._awaited)} was expected and has not come")

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
        return reading.recalled(self._desk.store, self._desk.timeline, told)

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
    """Which names may have been told: wrong now and then where it says so, never where not."""

    def __init__(self) -> None:
        self._bits = bytearray(_FILTER_BITS // 8)

    def perhaps(self, chunk: Iterable[AnyEntry]) -> list[AnyEntry]:
        """Return the statements that may speak of what earlier chunks have told, and note these."""
        names = {name: hash(name) for entry in chunk for name in (entry.id, group_of(entry))}
        known = {name for name, digest in names.items() if self._has(digest)}
        for digest in names.values():
            self._note(digest)
        if not known:
            return []
        return [entry for entry in chunk if entry.id in known or group_of(entry) in known]

    def _has(self, digest: int) -> bool:
        one, other = digest % _FILTER_BITS, (digest >> 27) % _FILTER_BITS
        bits = self._bits
        return bool(bits[one >> 3] >> (one & 7) & 1 and bits[other >> 3] >> (other & 7) & 1)

    def _note(self, digest: int) -> None:
        one, other = digest % _FILTER_BITS, (digest >> 27) % _FILTER_BITS
        self._bits[one >> 3] |= 1 << (one & 7)
        self._bits[other >> 3] |= 1 << (other & 7)


def _second(entry: AnyEntry) -> int:
    return entry.executed_at // instant.SECOND
