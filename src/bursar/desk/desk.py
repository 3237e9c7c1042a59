"""The desk of one portfolio: its timeline in memory, its store, and the way between them."""

# long: one writer, one class; what it is made of stands in modules beside it
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.desk import moves, reading, refolding, telling
from bursar.desk.carrying import Carrier
from bursar.desk.metrics import NONE as NO_COUNTS
from bursar.desk.metrics import Counts
from bursar.desk.refolding import Refold
from bursar.desk.telling import Review
from bursar.errors import (
    BadChoice,
    Behind,
    BrokenInvariant,
    OutcomeUnknown,
    StaleVersion,
    StoreBusy,
    StoreCorrupt,
    StoreDown,
    StoreError,
)
from bursar.ledger import audit, checkpoint, describe, journal, projection
from bursar.ledger.checkpoint import Checkpoint, Recalled
from bursar.ledger.course import Plan
from bursar.ledger.cutting import checkpoint_behind
from bursar.ledger.entries import AnyEntry
from bursar.ledger.journal import Record
from bursar.ledger.planning import planned
from bursar.ledger.timeline import Timeline
from bursar.ports import (
    NO_MEMOS,
    Clock,
    Commit,
    Head,
    PortfolioStore,
    Progress,
    StoredCheckpoint,
    Wait,
)

KEPT_AHEAD: Final = 1_000
"""How many facts stay ahead of a checkpoint, so that one a little late does not reach behind it."""

_NONE: Final = (-1, 0)
_NOWHERE: Final = -1
"""The version of a desk that something broke in on while it took over what was written."""

# How long to wait before each further question about a lost answer: seven seconds in all.
_PAUSES_MS: Final = (50, 100, 200, 400, 800, 1_600, 1_950, 1_950)


class Staged(msgspec.Struct, frozen=True):
    """A drafted change, the version it was drafted on, and the timeline it was drafted over."""

    plan: Plan
    version: int
    told: tuple[AnyEntry, ...]
    timeline: Timeline

    @property
    def review(self) -> Review:
        """What committing it would do."""
        return telling.review_of(self.plan)


class Beside(msgspec.Struct, frozen=True):
    """What a commit keeps beside the change: memos, and what its message tells besides.

    With `each`, every statement is a version of its own, as if it had been committed alone: its
    row, chained already, and what its message tells. `announced` is the memo that it must find.
    """

    memos: Mapping[str, str | None] = NO_MEMOS
    told: Mapping[str, object] = MappingProxyType({})
    each: tuple[tuple[Record, Mapping[str, object]], ...] = ()
    announced: str | None = None


NOTHING: Final = Beside()


class Drafted(msgspec.Struct, frozen=True):
    """A staged change, and what is to be written of it; `None` for nothing."""

    staged: Staged
    commit: Commit | None


class Receipt(msgspec.Struct, frozen=True):
    """What a commit did. `version` is the portfolio's after it."""

    version: int
    review: Review


class Desk:
    """The only writer of one portfolio. Not for use from several threads at once.

    `wait` lets time pass while a database server comes back; without it, the desk asks only once.
    While a batch is open, `waiting` writes what waits in it, which comes before all that is staged.
    """

    def __init__(
        self,
        store: PortfolioStore,
        clock: Clock,
        *,
        progress: Progress | None = None,
        wait: Wait | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.progress = progress
        self.wait = wait
        self.halted: str | None = None
        self.uncounted = NO_COUNTS
        self.counted: tuple[str, Counts] | None = None
        self.unresolved: dict[str, int] = {}
        self.running: object | None = None  # the transactions' own
        self.is_crowded = False  # likewise: others were first of late
        self.waiting: Callable[[], None] | None = None
        self._kept = _NONE
        self.damage: str | None = None
        self.refolded: Refold | None = None  # what became of a book of an older bursar
        self.reload()

    def reload(self) -> None:
        """Take up where the store stands: from its checkpoint, or else from the first row.

        The rows read are verified and folded, and the book they give is compared with the stored
        projection. What lies behind a checkpoint is not read; `portfolio.verify` does that.
        What another bursar folded is folded anew, from the first row.

        Raises:
            StoreCorrupt: a row does not verify, or the projection is not what the rows come to.
            SchemaNewer: a newer bursar folded it.
        """
        head = self.store.head()
        is_own = refolding.is_own(self.store, head)
        try:
            timeline = self._read(head, self.store.checkpoint() if is_own else None, is_own=is_own)
            if not is_own:
                head, self.refolded = refolding.refold(self.store, head, timeline, self.clock.now())
        except StaleVersion:
            self.reload()
            return
        except StoreCorrupt as error:
            if self.store.head().version == head.version:
                self.halt(error.message)
                raise
            self.reload()
            return
        # Both or neither: planning on an old timeline under a new version would write nonsense.
        self.head, self.timeline = head, timeline
        self.halted = self.damage
        start = timeline.start
        self._kept = _NONE if start is None else (start.time, start.facts)

    def catch_up(self, head: Head | None = None) -> None:
        """Take up what others have committed since: only those rows are read, verified and folded.

        `head` is where the store has been found to stand.

        Raises:
            StoreCorrupt: as `reload`, which is where anything unforeseen leads.
        """
        head = self.store.head() if head is None else head
        if head == self.head:
            return
        if self.head.version == _NOWHERE or not refolding.is_own(self.store, head):
            self.reload()
            return
        try:
            plan = planned(self.timeline, reading.since(self.store, self.head, head))
        except (Behind, StoreCorrupt):
            self.reload()
        else:
            self._take_over(plan, head)

    def whole(self) -> Timeline:
        """Return the timeline with every fact in it; the first time this reads the journal.

        Raises:
            StoreCorrupt: as `reload`.
            StaleVersion: another writer was first; `reload`.
        """
        if not self.timeline.is_whole:
            try:
                whole = self._read(self.head, None)
                whole.turns = self.timeline.turns  # more is known of the same past
                self.timeline = whole
            except StoreCorrupt as error:
                now = self.store.head().version
                if now != self.head.version:
                    raise StaleVersion(
                        f"the portfolio is at version {now}, this desk is at {self.head.version};"
                        " reload",
                        expected=self.head.version,
                        actual=now,
                    ) from error
                self.halt(error.message)
                raise
        return self.timeline

    def _read(self, head: Head, kept: StoredCheckpoint | None, *, is_own: bool = True) -> Timeline:
        timeline = reading.read(self.store, head, kept=kept, progress=self.progress)
        if is_own:
            reading.require_stored(self.store, timeline)
        return timeline

    def halt(self, damage: str) -> None:
        """Write nothing any more: the store is damaged. No `reload` lifts this."""
        self.damage = self.halted = self.damage or damage

    def stage(self, entries: Iterable[AnyEntry]) -> Staged:
        """Judge statements and work out what they would change. Nothing changes.

        Raises:
            Oversold: a strict account would spend what it does not have.
            StaleVersion, StoreCorrupt: from `whole`, where they reach behind the checkpoint.
        """
        told = tuple(entries)
        self._go_first()
        try:
            return self.stage_ahead(told, reading.recalled(self.store, self.timeline, told))
        except Behind:
            plan = planned(self.whole(), told, trace=True)
        return Staged(plan, self.head.version, told, self.timeline)

    def _go_first(self) -> None:
        if self.head.version == _NOWHERE:
            self.reload()
        if self.waiting is not None:
            self.waiting()

    def stage_ahead(self, told: tuple[AnyEntry, ...], earlier: Recalled) -> Staged:
        """Stage statements on what is in memory; `earlier` is what `reading.recalled` has found.

        Raises:
            Behind: they reach behind the checkpoint.
        """
        plan = planned(self.timeline, told, trace=True, recalled=earlier)
        return Staged(plan, self.head.version, told, self.timeline)

    def commit(self, staged: Staged, beside: Beside = NOTHING) -> Receipt:
        """Write a staged change in one transaction and take it over, with what is kept beside it.

        Where enough has come since the last checkpoint, there is a new one.

        Raises:
            StaleVersion: another writer was first; `reload`, stage again.
            BrokenInvariant: the books would not close. Nothing is written, and nothing more will
            be.
            StoreCorrupt: the store is damaged, or was found to be. Nothing more will be written.
        """
        receipt = self.record(staged, beside)
        if receipt.version > staged.version:
            self.keep_checkpoint()
        return receipt

    def record(self, staged: Staged, beside: Beside = NOTHING) -> Receipt:
        """Do what `commit` does but for the checkpoint, which is then for the caller to keep."""
        drafted = self.draft(staged, beside)
        head = self.send(drafted)
        self.land(drafted, head)
        return Receipt(head.version, drafted.staged.review)

    def draft(self, staged: Staged, beside: Beside = NOTHING) -> Drafted:
        """Check a staged change and work out all that is to be written. Errors: as `commit`."""
        if self.damage is not None:
            raise StoreCorrupt(f"writing has stopped, the book is damaged: {self.damage}")
        if self.halted is not None:
            raise BrokenInvariant(f"writing has stopped: {self.halted}")
        self._require_current(staged.version)
        if staged.timeline is not self.timeline:  # the whole journal was read in between
            staged = self.stage(staged.told)
        if staged.plan.is_empty:
            return Drafted(staged, None)
        self._require_closed(staged.plan)
        return Drafted(staged, self._commit(staged, beside))

    def send(self, drafted: Drafted) -> Head:
        """Have it written, and return the new head. It waits, and may do so in another thread:
        nothing of the timeline is read here or changed. Errors: as `commit`.
        """
        if drafted.commit is None:
            return self.head
        try:
            return self.store.commit(drafted.commit)
        except OutcomeUnknown:
            return self._outcome(drafted.commit)
        except StoreCorrupt as error:
            self.halt(error.message)
            raise

    def after(self, commit: Commit) -> Head:
        """Return the head that a commit leaves."""
        last, terms = commit.records[-1], commit.terms or self.head.terms
        return Head(version=commit.version, seq=last.seq, hash=last.hash, terms=terms)

    def land(self, drafted: Drafted, head: Head) -> None:
        """Take over what has been written, unless `catch_up` was faster."""
        commit = drafted.commit
        if commit is None or self.head.version != commit.expected_version:
            return
        self._take_over(drafted.staged.plan, head)
        back = commit.reaches_back_to
        if back is not None and back <= self._kept[0]:
            self._kept = _NONE  # the commit has taken it away

    def _take_over(self, plan: Plan, head: Head) -> None:
        """Let the timeline be what was written, and the head with it: both or neither.

        An interrupt may leave the timeline half changed. What was planned on that would be nonsense
        under a version that is right; so meanwhile there is none, and then all is read anew.
        """
        self.head = msgspec.structs.replace(head, version=_NOWHERE)
        try:
            self.timeline.land(plan)
        except BaseException:
            self._stand_where_the_store_does()
            raise
        self.head = head

    def submit(self, entries: Iterable[AnyEntry]) -> Receipt:
        """Stage and commit in one go."""
        return self.commit(self.stage(entries))

    @contextmanager
    def together(self, *, carrier: Carrier | None = None) -> Iterator[None]:
        """Make the commits inside durable together, or none: then the desk is where it was.

        Where they are one thing in parts, what fails is the end of it: such a group is whole, and
        a `carrier` carries it.

        Raises:
            OutcomeUnknown, StoreFull: from the end of the block, as `commit`.
            BadChoice: a batch is open.
        """
        if self.waiting is not None:
            raise BadChoice("a batch of this portfolio is open; end it first")
        before = self.head, self.timeline, self._kept
        self.timeline = self.timeline.apart()
        try:
            group = self.store.grouped(is_whole=carrier is not None)
            with group if carrier is None else carrier.within(group):
                yield
        except BaseException as error:
            if not self._stands(error):
                self.head, self.timeline, self._kept = before
                self.timeline.turns.turn()  # what was read meanwhile is undone
            elif isinstance(error, OutcomeUnknown):
                return
            raise

    def _stands(self, error: BaseException) -> bool:
        """Tell whether what was committed together has landed although its block failed so."""
        if isinstance(error, OutcomeUnknown):
            return self.has_landed(self.head.seq, self.head.hash)
        if not isinstance(error, Exception):  # an interrupt, perhaps of COMMIT itself
            with suppress(StoreError), self.store.grouped():
                return self.has_landed(self.head.seq, self.head.hash)
        return False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other writers off, with all that they have done taken up. What is committed inside
        becomes durable at the end, or none of it.

        Raises:
            StoreBusy: another one keeps us off.
            OutcomeUnknown, StoreFull: from the end of the block, as `commit`.
        """
        try:
            with self.store.grouped():
                self.catch_up()
                yield
        except BaseException as error:
            lost = isinstance(error, OutcomeUnknown)
            if lost and self.has_landed(self.head.seq, self.head.hash):
                return
            self._stand_where_the_store_does()
            raise

    def _stand_where_the_store_does(self) -> None:
        """Forget what was taken over and undone. While the database is away, nothing is known to
        stand, and whoever stages next tries again.
        """
        known = self.head
        self.head = msgspec.structs.replace(known, version=_NOWHERE)
        with suppress(StoreError):
            if self.store.head() == known:
                self.head = known
            else:
                self.reload()

    def _commit(self, staged: Staged, beside: Beside) -> Commit:
        plan = staged.plan
        if beside.each:
            rows = [row for row, _ in beside.each]
        else:
            at = self.clock.now()
            rows = journal.chain(plan.recorded, head=self.head.hash, seq=self.head.seq, at=at)
        parts = [([row], told) for row, told in beside.each] or [(rows, beside.told)]
        moved = moves.between(self.timeline.book, plan)
        *earlier, (message, at) = telling.messages(parts, self.head.version, plan.restated, moved)
        trades, flows = describe.records(plan.lines, self.timeline.terms)
        gone = {fact.id for fact in plan.course.removed}
        if not plan.course.is_append:
            gone |= {fact.id for fact, _ in plan.lines}
        return Commit(
            expected_version=staged.version,
            records=tuple(rows),
            cells=self._cells(plan),
            outbox=message,
            recorded_at=at,
            earlier=tuple(earlier),
            trades=tuple(trades),
            flows=tuple(flows),
            dropped_trades=tuple(sorted(gone)),
            dropped_flows=tuple(sorted(gone)),
            reaches_back_to=_earliest(plan),
            memos=beside.memos if self.head.version else {**beside.memos, **checkpoint.OWN},
            announced=beside.announced,
        )

    def trim(self) -> Checkpoint | None:
        """Let go of what lies behind a checkpoint, if there is a place for one; return that."""
        made = checkpoint_behind(self.timeline, KEPT_AHEAD)
        if made is not None:
            self.timeline.trim(made)
        return made

    def keep(self, made: Checkpoint) -> None:
        """Store a checkpoint of this timeline.

        The commits before it have happened, so nothing that goes wrong here is a failure of them.
        """
        with suppress(StoreError):  # a shortcut: the journal is no worse without it
            seq, digest = self.store.row_before(made.time)
            kept = StoredCheckpoint(made.time, seq, digest, checkpoint.encode(made))
            if self.store.save_checkpoint(kept, self.head.version):
                self._kept = made.time, made.facts

    def keep_checkpoint(self, *, more_comes: bool = False) -> None:
        """Store a checkpoint where enough facts have come since the last one.

        While `more_comes` as many must have come as there were: one costs as much as all that it
        holds, so all of them together cost no more than the last two.
        """
        time, facts = self._kept
        due = max(2 * KEPT_AHEAD, facts) if more_comes else 2 * KEPT_AHEAD
        if len(self.timeline) - facts < due:
            return
        made = checkpoint_behind(self.timeline, KEPT_AHEAD)
        if made is None:  # no second ends where no group spans it: look again in a while
            self._kept = time, facts + KEPT_AHEAD // 4
            return
        self.keep(made)

    def _cells(self, plan: Plan) -> dict[str, str | None]:
        if plan.course.is_append:
            return dict(projection.touched(plan.book))
        return projection.difference(self.timeline.book, plan.book)

    def _require_closed(self, plan: Plan) -> None:
        if plan.course.is_append:
            broken = audit.changes(self.timeline.book, plan.book)
        else:
            broken = audit.breaches(plan.book)
        if broken:
            self.halted = str(broken[0])
            raise BrokenInvariant(f"the books do not close: {broken[0]}", breach=str(broken[0]))

    def _require_current(self, version: int) -> None:
        if version != self.head.version:
            raise StaleVersion(
                f"staged at version {version}, the portfolio is at {self.head.version};"
                " stage again",
                expected=version,
                actual=self.head.version,
            )

    def _outcome(self, commit: Commit) -> Head:
        """Ask whether a commit whose answer was lost has happened; raise if it has not.

        Others may have come after it, so its own last row is looked for and not the head.
        """
        last = commit.records[-1]
        if not self.has_landed(last.seq, last.hash):
            raise OutcomeUnknown(
                "the commit's answer was lost, and it is not in the journal; reload, stage again"
            )
        return self.after(commit)

    def has_landed(self, seq: int, digest: str) -> bool:
        """Tell whether the journal has a row of that hash at that place.

        Raises:
            OutcomeUnknown: the database does not answer.
        """
        row = self._row(seq)
        return row is not None and row.hash == digest

    def _row(self, seq: int) -> Record | None:
        """Read one row of the journal, waiting for a server that is away for a moment."""
        pauses = iter(_PAUSES_MS)
        while True:
            try:
                return next(iter(self.store.records(seq - 1)), None)
            except (StoreBusy, StoreDown) as error:
                pause = next(pauses, None)
                if pause is None or self.wait is None:
                    raise OutcomeUnknown(
                        "the commit's answer was lost and the database stays away;"
                        " reload once it is back"
                    ) from error
                self.wait(pause)


def _earliest(plan: Plan) -> int | None:
    """Return the earliest instant that a plan touches: by a statement, or by a fact it changes."""
    times = [each.executed_at for group in plan.groups.values() for each in group]
    times += [ruled.entry.executed_at for ruled in plan.ruled if ruled.key is not None]
    times += [fact.executed_at for fact in (*plan.course.added, *plan.course.removed)]
    return min(times, default=None)
