"""The past: a portfolio as it was at a time, or as it was known then. For reading only.

*At* a time, the book is the fold of all facts that had happened by then, resolved from everything
that is known (`ledger.past`). *Known at* a time, or at a row of the journal (`#123`), nothing of
the rows after it is seen. The two may be asked together. The clock stands at the time that is asked
of, so marks of later are not there and the others have the age they had.

`PastDesk` stands where a portfolio has its desk: it answers what a desk and its store answer, and
refuses to write.

Errors: `BadChoice` for whatever would write, and for a time that is yet to come; `EntryNotFound`
for a row that the journal does not have; `Malformed` for what is no time; `StoreCorrupt` where the
journal does not verify.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import cached_property
from itertools import takewhile
from typing import Final, NoReturn

import msgspec

from bursar.desk import Desk, Receipt, Staged
from bursar.errors import BadChoice, EntryNotFound, StoreCorrupt
from bursar.ledger import describe, instant, journal, projection
from bursar.ledger.entries import AnyEntry, Link, Reversal, Tag
from bursar.ledger.journal import GENESIS, Record
from bursar.ledger.past import until
from bursar.ledger.planning import folded
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord, is_shift
from bursar.ledger.timeline import Timeline
from bursar.portfolio import units
from bursar.portfolio.snapshots import CLOSE, closed_at
from bursar.ports import Commit, Head, OutboxRow, PortfolioStore, StoredCheckpoint
from bursar.value.cash_equity import CashEquity
from bursar.value.snapshot import PortfolioSnapshot, SnapshotTotals

Time = str | int | datetime | None
_ROW: Final = re.compile(r"#(\d{1,18})", re.ASCII)
_Records = tuple[list[RealizedPnLRecord], list[CashFlowRecord]]


class Pinned:
    """A clock that stands."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        """Return the instant at which it stands."""
        return self.at


class PastDesk:
    """What a portfolio of the past has for a desk."""

    def __init__(self, store: "PastStore", timeline: Timeline, at: int) -> None:
        self.store: PortfolioStore = store
        self.timeline = timeline
        self.head = store.head()
        self.clock = Pinned(at)
        self.halted: str | None = "the past is for reading only"

    def whole(self) -> Timeline:
        """Return the timeline: all of it is here."""
        return self.timeline

    def reload(self) -> None:
        """Do nothing: the past does not move on."""

    def stage(self, _entries: Iterable[AnyEntry]) -> Staged:
        """Refuse: nothing can be added to the past."""
        _refuse()

    def commit(self, _staged: Staged) -> Receipt:
        """Refuse."""
        _refuse()

    def submit(self, _entries: Iterable[AnyEntry]) -> Receipt:
        """Refuse."""
        _refuse()


def desk_of(desk: Desk, time: Time, known_at: Time, *, is_closing: bool = False) -> PastDesk:
    """Return the past of a desk's book: at a time, known at a time or at a row, or both.

    With `is_closing` its store closes the desk's when it is closed.
    """
    now = desk.clock.now()
    rows = None if known_at is None else _known(desk, known_at)
    told = now if rows is None else rows.at
    at = told if time is None else _instant(time, now, "at")
    whole = desk.timeline if rows is None else rows.timeline
    if time is not None:
        _require_past(at, now, max((key[0] for key in whole.order[-1:]), default=now), "at")
    cut = whole if time is None else until(whole, at)
    head = desk.head if rows is None else rows.head
    store = PastStore(desk.store, head, cut, None if time is None else at, seen=min(at, told))
    store.is_closing = is_closing
    return PastDesk(store, cut, at)


class _Known(msgspec.Struct, frozen=True):
    """What the journal held once: its facts, where it stood, and when that was."""

    timeline: Timeline
    head: Head
    at: int


def _known(desk: Desk, known_at: str | int | datetime) -> _Known:
    """Read the journal as far as a row, or as far as the first row of later.

    Raises:
        EntryNotFound: there is no such row.
        StoreCorrupt: a row on the way does not verify; the desk writes nothing any more.
    """
    now = desk.clock.now()
    row = _ROW.fullmatch(known_at) if isinstance(known_at, str) else None
    at = None if row is not None else _instant(known_at, now, "known_at")
    last_seq = None if row is None else _row_of(int(row.group(1)), desk.store.head().seq)

    def is_known(record: Record) -> bool:
        if last_seq is not None:
            return record.seq <= last_seq
        return at is not None and record.recorded_at <= at

    try:
        kept = list(takewhile(is_known, journal.check(desk.store.records())))
    except StoreCorrupt as error:
        desk.halt(error.message)
        raise
    if at is not None and len(kept) == desk.store.head().seq:  # else a row of later is known
        _require_past(at, now, max((row.recorded_at for row in kept), default=now), "known_at")
    timeline = folded(desk.head.terms, [record.entry() for record in kept])
    if not kept:
        return _Known(timeline, Head(0, 0, GENESIS, desk.head.terms), at or 0)
    last = kept[-1]
    head = Head(_version(desk.store, last.seq), last.seq, last.hash, desk.head.terms)
    return _Known(timeline, head, last.recorded_at if at is None else at)


class PastStore:
    """What a store answers of the past. Everything that would write is refused."""

    def __init__(
        self, store: PortfolioStore, head: Head, timeline: Timeline, at: int | None, *, seen: int
    ) -> None:
        self.is_closing = False
        self._seen = seen
        self._store = store
        self._head = head
        self._timeline = timeline
        self._at = at

    def head(self) -> Head:
        """Return where the portfolio stood."""
        return self._head

    def records(self, after: int = 0) -> Iterator[Record]:
        """Yield the rows that were known, of what had happened by then and what was said of it."""
        for row in self._store.records(after):
            if row.seq > self._head.seq:
                return
            if self._at is None or _is_of(row.entry(), self._at):
                yield row

    def outbox(self, after: int = 0, limit: int | None = None) -> Sequence[OutboxRow]:
        """Return the messages of the commits that were known."""
        told = self._store.outbox(after, limit)
        return [each for each in told if each.version <= self._head.version]

    def load_state(self) -> dict[str, str]:
        """Return the projection as it was."""
        return dict(sorted(projection.cells(self._timeline.book).items()))

    def get_trades(
        self, pair: str | None = None, limit: int | None = None, since: datetime | None = None
    ) -> list[RealizedPnLRecord]:
        """Return trade records, newest first; no shifts."""
        _require_limit(limit)
        found = (each for each in self.get_shifted(since) if not is_shift(each))
        return [each for each in found if pair in (None, each.pair)][:limit]

    def each_trade(
        self, pair: str | None = None, limit: int | None = None
    ) -> Iterator[RealizedPnLRecord]:
        """Yield the same; they are in memory."""
        return iter(self.get_trades(pair, limit))

    def get_shifted(self, since: datetime | None = None) -> list[RealizedPnLRecord]:
        """Return trade records and the shifts among them, newest first."""
        found = (each for each in self._records[0] if since is None or each.time >= since)
        return sorted(found, key=lambda each: (each.time, each.trade_id, each.kind), reverse=True)

    def get_cash_flows(
        self, asset: str | None = None, limit: int | None = None, since: datetime | None = None
    ) -> list[CashFlowRecord]:
        """Return cash flow records, newest first."""
        _require_limit(limit)
        found = [
            each
            for each in self._records[1]
            if asset in (None, each.asset) and (since is None or each.time >= since)
        ]
        return sorted(found, key=lambda each: (each.time, each.id), reverse=True)[:limit]

    def each_cash_flow(
        self, asset: str | None = None, limit: int | None = None
    ) -> Iterator[CashFlowRecord]:
        """Yield the same; they are in memory."""
        return iter(self.get_cash_flows(asset, limit))

    def memos(self, prefix: str = "") -> dict[str, str]:
        """Return the daily closes that were kept by then; the others say how things stand today."""
        if prefix != CLOSE:
            return {}
        told = self._store.memos(prefix)
        return {name: text for name, text in told.items() if self._is_by_then(closed_at(text))}

    def get_snapshots(
        self,
        since: datetime | None = None,
        limit: int | None = None,
        until: datetime | None = None,
    ) -> list[PortfolioSnapshot]:
        """Return the snapshots that were taken by then, newest first."""
        _require_limit(limit)
        then = instant.to_datetime(self._seen) + timedelta.resolution
        return self._store.get_snapshots(since, limit, then if until is None else min(then, until))

    def snapshot_totals(self, since: datetime | None = None) -> Iterator[SnapshotTotals]:
        """Yield the totals of the snapshots that were taken by then, oldest first."""
        told = self._store.snapshot_totals(since)
        return takewhile(lambda each: self._is_by_then(each.timestamp), told)

    def _is_by_then(self, moment: datetime) -> bool:
        return instant.from_datetime(moment) <= self._seen

    def recall(self, facts: Collection[str], homes: Collection[str]) -> list[Record]:
        """Return the rows of these facts and groups, as far as they were known."""
        found = self._store.recall(facts, homes)
        return [row for row in found if row.seq <= self._head.seq]

    def row_before(self, time: int) -> tuple[int, str]:
        """Return seq and hash of the row before the first one of a later time."""
        return self._store.row_before(time)

    def examine(self) -> tuple[str, ...]:
        """Return what the store finds wrong with itself."""
        return self._store.examine()

    def checkpoint(self) -> None:
        """Return none: the past is made from the whole journal."""

    @property
    def portfolio(self) -> str:
        """The portfolio's name."""
        return self._store.portfolio

    def save_checkpoint(self, _checkpoint: StoredCheckpoint, _version: int) -> bool:
        """Refuse."""
        _refuse()

    def grouped(self, *, is_whole: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002
        """Refuse."""
        _refuse()

    def commit(self, _commit: Commit) -> Head:
        """Refuse."""
        _refuse()

    def save_state(self, _state: Mapping[str, str]) -> None:
        """Refuse."""
        _refuse()

    def append_trades(self, _trades: Iterable[RealizedPnLRecord]) -> None:
        """Refuse."""
        _refuse()

    def save_cash_flows(self, _records: Iterable[CashFlowRecord]) -> None:
        """Refuse."""
        _refuse()

    def save_snapshot(self, _snapshot: PortfolioSnapshot) -> None:
        """Refuse."""
        _refuse()

    def save_memos(
        self,
        _memos: Mapping[str, str | None],
        *,
        is_lasting: bool = True,  # noqa: ARG002 (it is refused in any case)
    ) -> None:
        """Refuse."""
        _refuse()

    def memo(self, name: str) -> str | None:
        """Return none: they are said of the present. Which splits each snapshot knew is not."""
        return self._store.memo(name) if name == units.NAME else None

    def standing(self, _names: Sequence[str]) -> tuple[Head, dict[str, str]]:
        """Return where the portfolio stood; memos are said of the present."""
        return self.head(), {}

    def announce(self, _name: str, _text: str, _version: int) -> bool:
        """Refuse."""
        _refuse()

    def get_latest_cash_equity(self, _session_id: str) -> CashEquity | None:
        """Return none: it is said of the present."""

    def prune_snapshots(self, _older_than_ts: datetime) -> int:
        """Refuse."""
        _refuse()

    def close(self) -> None:
        """Leave the store open: it is the present's. Close it if that was asked for."""
        if self.is_closing:
            self._store.close()

    @cached_property
    def _records(self) -> _Records:
        return describe.retold(self._timeline.terms, self._timeline)


def _refuse() -> NoReturn:
    raise BadChoice("the past is for reading only")


def _require_limit(limit: int | None) -> None:
    if limit is not None and limit < 0:
        raise BadChoice(f"limit {limit} is negative", field="limit")


def require_begun(present: Desk | PastDesk, then: Desk | PastDesk, *, is_at: bool = True) -> None:
    """Refuse a past before the book begins: its figures would all be zero, which nobody said.

    Unless `is_at`, it was asked for what was known, and not for what had happened.

    Raises:
        EntryNotFound: it is before the first row of the journal, or before the first fact.
    """
    first, at = next(present.store.records(), None), then.clock.now()
    if first is None or then.timeline.facts:
        return
    if not then.head.seq:
        began = instant.show(first.recorded_at)
        raise EntryNotFound(f"nothing was known then: the first row was recorded at {began}")
    order = present.whole().order if is_at else []
    if order and at < order[0][0] <= present.clock.now():
        began = instant.show(order[0][0])
        raise EntryNotFound(f"nothing is known of {instant.show(at)}: the first fact is of {began}")


def _row_of(seq: int, last: int) -> int:
    """Return the number of a row that there is; #0 is before all of them."""
    if seq <= last:
        return seq
    there = f"there are #1 to #{last}" if last else "there is none yet"
    raise EntryNotFound(
        f"known_at: the journal has no row #{seq}; {there}", field="known_at", last=last
    )


def _require_past(at: int, now: int, last: int, field: str) -> None:
    """Refuse a time that is yet to come, and of which nothing was told ahead of it."""
    if at > max(now, last):
        raise BadChoice(
            f"{field}: {instant.show(at)} is yet to come; it is {instant.show(now)}", field=field
        )


def _instant(time: str | int | datetime, now: int, field: str) -> int:
    return now if time == "now" else instant.read(time, field=field)


def _is_of(entry: AnyEntry, at: int) -> bool:
    """Tell whether a statement is of what had happened by then, or says what was the case then."""
    if isinstance(entry, Tag | Link) or (isinstance(entry, Reversal) and entry.void):
        return True
    return entry.executed_at <= at


def _version(store: PortfolioStore, seq: int) -> int:
    """Return the version whose commit wrote a row."""
    later = (
        each.version for each in store.outbox() if json.loads(each.message.body)["last_seq"] >= seq
    )
    return next(later, 0)
