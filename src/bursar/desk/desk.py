"""The desk of one portfolio: its timeline in memory, its store, and the way between them."""

import json
from collections.abc import Iterable

import msgspec

from bursar.errors import BrokenInvariant, OutcomeUnknown, StaleVersion, StoreCorrupt
from bursar.exact import plain, trimmed
from bursar.ledger import audit, describe, journal, projection
from bursar.ledger.entries import AnyEntry
from bursar.ledger.journal import Outcome, Record
from bursar.ledger.timeline import Plan, Timeline
from bursar.ports import Clock, Commit, Head, Outbox, PortfolioStore, Progress


class Staged(msgspec.Struct, frozen=True):
    """A drafted change and the version it was drafted on."""

    plan: Plan
    version: int


class Review(msgspec.Struct, frozen=True):
    """What a staged change would do, in numbers."""

    recorded: int
    duplicates: int
    conflicts: tuple[str, ...]
    facts_added: int
    facts_changed: int
    restated: tuple[str, ...]
    flags: dict[str, int]


class Receipt(msgspec.Struct, frozen=True):
    """What a commit did. `version` is the portfolio's after it."""

    version: int
    review: Review


class Desk:
    """The only writer of one portfolio. Not for use from several threads at once."""

    def __init__(
        self, store: PortfolioStore, clock: Clock, *, progress: Progress | None = None
    ) -> None:
        self.store = store
        self.clock = clock
        self.progress = progress
        self.halted: str | None = None
        self.damage: str | None = None
        self.reload()

    def reload(self) -> None:
        """Read the journal, verify its chain, fold it, and compare with the stored projection.

        Raises:
            StoreCorrupt: the journal does not verify, or the projection is not the fold of it.
        """
        self.head = self.store.head()
        self.halted = self.damage
        try:
            self._read()
        except StoreCorrupt as error:
            if self.store.head().version == self.head.version:
                self.halt(error.message)
                raise
            self.reload()

    def _read(self) -> None:
        timeline = Timeline(self.head.terms)
        told: list[AnyEntry] = []
        last: Record | None = None
        for row in journal.check(self.store.records()):
            last = row
            told.append(row.entry())
            if row.seq % 1_000 == 0:
                self._tell("reading the journal", row.seq, self.head.seq)
        self._require_head(last)
        timeline.land(timeline.plan(told))
        if self.store.load_state() != projection.cells(timeline.book):
            raise StoreCorrupt("the stored projection is not the fold of the journal")
        self.timeline = timeline

    def halt(self, damage: str) -> None:
        """Write nothing any more: the store is damaged. No `reload` lifts this."""
        self.damage = self.halted = self.damage or damage

    def stage(self, entries: Iterable[AnyEntry]) -> Staged:
        """Judge statements and work out what they would change. Nothing changes."""
        return Staged(self.timeline.plan(entries, trace=True), self.head.version)

    def review(self, staged: Staged) -> Review:
        """Return what committing would do."""
        plan = staged.plan
        outcomes = [ruled.verdict.outcome for ruled in plan.ruled]
        conflicts = tuple(
            f"{ruled.entry.id}: {ruled.verdict.field} differs from what was recorded"
            for ruled in plan.ruled
            if ruled.verdict.outcome is Outcome.CONFLICT
        )
        changed = {fact.id for fact in plan.course.removed}
        flags: dict[str, int] = {}
        for fact in plan.course.added:
            for flag in fact.flags:
                flags[flag.value] = flags.get(flag.value, 0) + 1
        return Review(
            recorded=outcomes.count(Outcome.RECORDED),
            duplicates=outcomes.count(Outcome.DUPLICATE),
            conflicts=conflicts,
            facts_added=len({fact.id for fact in plan.course.added} - changed),
            facts_changed=len(changed),
            restated=tuple(
                f"{each.asset} in {each.pair}: {trimmed(each.old)} → {trimmed(each.new)}"
                for each in plan.restated
            ),
            flags=flags,
        )

    def commit(self, staged: Staged) -> Receipt:
        """Write a staged change in one transaction and take it over.

        Raises:
            StaleVersion: another writer was first; `reload`, stage again.
            BrokenInvariant: the books would not close. Nothing is written, and nothing more will
            be.
            StoreCorrupt: the store is damaged, or was found to be. Nothing more will be written.
        """
        if self.damage is not None:
            raise StoreCorrupt(f"writing has stopped, the book is damaged: {self.damage}")
        if self.halted is not None:
            raise BrokenInvariant(f"writing has stopped: {self.halted}")
        if staged.version != self.head.version:
            raise StaleVersion(
                f"staged at version {staged.version}, the portfolio is at {self.head.version};"
                " stage again",
                expected=staged.version,
                actual=self.head.version,
            )
        review = self.review(staged)
        if not staged.plan.recorded:
            return Receipt(self.head.version, review)
        self._require_closed(staged.plan)
        commit = self._commit(staged)
        try:
            self.head = self.store.commit(commit)
        except OutcomeUnknown:
            self.head = self._outcome(commit)
        except StoreCorrupt as error:
            self.halt(error.message)
            raise
        self.timeline.land(staged.plan)
        return Receipt(self.head.version, review)

    def submit(self, entries: Iterable[AnyEntry]) -> Receipt:
        """Stage and commit in one go."""
        return self.commit(self.stage(entries))

    def _commit(self, staged: Staged) -> Commit:
        plan, at = staged.plan, self.clock.now()
        rows = journal.chain(plan.recorded, head=self.head.hash, seq=self.head.seq, at=at)
        trades, flows = describe.records(plan.lines, self.timeline.terms.cash)
        gone = {fact.id for fact in plan.course.removed}
        if not plan.course.is_append:
            gone |= {fact.id for fact, _ in plan.lines}
        return Commit(
            expected_version=staged.version,
            records=tuple(rows),
            cells=self._cells(plan),
            outbox=self._message(plan, rows),
            recorded_at=at,
            trades=tuple(trades),
            flows=tuple(flows),
            dropped_trades=tuple(sorted(gone)),
            dropped_flows=tuple(sorted(gone)),
        )

    def _cells(self, plan: Plan) -> dict[str, str | None]:
        if plan.course.is_append:
            return dict(projection.touched(plan.book))
        return projection.difference(
            projection.cells(self.timeline.book), projection.cells(plan.book)
        )

    def _message(self, plan: Plan, rows: list[Record]) -> Outbox:
        version = self.head.version + 1
        topic = "portfolio.restated" if plan.restated else "portfolio.committed"
        body = {
            "version": version,
            "first_seq": rows[0].seq,
            "last_seq": rows[-1].seq,
            "hash": rows[-1].hash,
            "restated": [
                {
                    "account": each.account,
                    "asset": each.asset,
                    "pair": each.pair,
                    "strategy": each.strategy,
                    "regime": each.regime,
                    "old": plain(each.old),
                    "new": plain(each.new),
                    "cause": list(each.cause),
                }
                for each in plan.restated
            ],
        }
        return Outbox(rows[-1].hash, topic, json.dumps(body, ensure_ascii=False))

    def _require_closed(self, plan: Plan) -> None:
        if plan.course.is_append:
            broken = audit.changes(self.timeline.book, plan.book)
        else:
            broken = audit.breaches(plan.book)
        if broken:
            self.halted = str(broken[0])
            raise BrokenInvariant(f"the books do not close: {broken[0]}", breach=str(broken[0]))

    def _require_head(self, last: Record | None) -> None:
        seq, digest = (0, journal.GENESIS) if last is None else (last.seq, last.hash)
        if (self.head.seq, self.head.hash) != (seq, digest):
            raise StoreCorrupt(
                f"the journal ends at row {seq}; the portfolio says {self.head.seq}", seq=seq
            )

    def _outcome(self, commit: Commit) -> Head:
        """Ask whether a commit whose answer was lost has happened; re-raise if it has not."""
        head = self.store.head()
        if head.hash != commit.records[-1].hash:
            raise OutcomeUnknown("the commit's answer was lost and it is not in the journal")
        return head

    def _tell(self, what: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(what, done, total)
