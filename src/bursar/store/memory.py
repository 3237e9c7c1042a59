"""A portfolio kept in memory: for tests, simulations and dry runs.

A commit is planned and checked in full, then applied by steps that cannot fail, so it is as whole
as a database's. Snapshots and terms are kept as text, so nothing that a caller holds is shared with
the store. `close` keeps everything: the object is the only copy.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Final

from bursar.errors import KeyReused
from bursar.ledger import instant
from bursar.ledger.entries import Source
from bursar.ledger.journal import GENESIS, Record
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord, is_shift
from bursar.ledger.terms import Terms
from bursar.ports import Commit, Head, OutboxRow, StoredCheckpoint
from bursar.store import checks, texts
from bursar.store.checks import TradeKey
from bursar.store.steps import STEPS, Steps, unwatched
from bursar.value import cash_equity
from bursar.value.cash_equity import CashEquity
from bursar.value.snapshot import PortfolioSnapshot, SnapshotTotals

_STATE: Final = (
    "_head",
    "_journal",
    "_keys",
    "_cells",
    "_trades",
    "_flows",
    "_snapshots",
    "_memos",
    "_outbox",
    "_messages",
    "_checkpoint",
)


class MemoryStore:
    """A `PortfolioStore` that lives as long as the process."""

    def __init__(
        self, portfolio: str = "main", *, terms: Terms | None = None, steps: Steps = unwatched
    ) -> None:
        checks.require_name(portfolio)
        self.portfolio = portfolio
        self._steps = steps
        self._lock = Lock()
        self._head = Head(0, 0, GENESIS, terms or Terms())
        self._journal: list[Record] = []
        self._keys: set[str] = set()
        self._cells: dict[str, str] = {}
        self._trades: dict[str, dict[TradeKey, RealizedPnLRecord]] = {}
        self._flows: dict[str, CashFlowRecord] = {}
        self._snapshots: dict[int, str] = {}
        self._memos: dict[str, str] = {}
        self._outbox: list[OutboxRow] = []
        self._messages: set[str] = set()
        self._checkpoint: StoredCheckpoint | None = None

    def __repr__(self) -> str:
        return f"MemoryStore(portfolio={self.portfolio!r})"

    def head(self) -> Head:
        """Return where the portfolio stands."""
        return self._head

    def commit(self, commit: Commit) -> Head:
        """Apply a commit as a whole and return the new head."""
        checks.require_commit(commit)
        with self._lock:
            self._steps("begin")
            head = self._planned(commit)
            for step in STEPS[1:-1]:
                self._steps(step)
            self._apply(commit, head)
        self._steps("after_commit")
        return head

    def records(self, after: int = 0) -> Iterator[Record]:
        """Yield the journal rows after that one, as far as it goes at the first of them."""
        return islice(self._journal, max(after, 0), len(self._journal))

    @contextmanager
    def grouped(self, *, is_whole: bool = False) -> Iterator[None]:  # noqa: ARG002 (no cheaper)
        """Let the commits inside stand together, or not at all."""
        before = {name: copy(getattr(self, name)) for name in _STATE}
        try:
            yield
        except BaseException:
            for name, value in before.items():
                setattr(self, name, value)
            raise

    def recall(self, facts: Collection[str], homes: Collection[str]) -> list[Record]:
        """Return the rows that first told of these facts, and all rows of these groups."""
        keys = {f"{source.name.lower()}|{name}" for source in Source for name in facts}
        groups = set(homes)
        return [row for row in self._journal if row.key in keys or _home(row) in groups]

    def row_before(self, time: int) -> tuple[int, str]:
        """Return seq and hash of the row before the first one of a later time."""
        kept = self._checkpoint
        after = kept.seq if kept is not None and kept.time <= time else 0
        for row in self._journal[after:]:
            if texts.named(row.body).executed_at > time:
                return row.seq - 1, row.previous
        return self._head.seq, self._head.hash

    def checkpoint(self) -> StoredCheckpoint | None:
        """Return the checkpoint, if there is one."""
        return self._checkpoint

    def save_checkpoint(self, checkpoint: StoredCheckpoint, version: int) -> bool:
        """Keep a checkpoint if the portfolio stands at that version."""
        with self._lock:
            if self._head.version != version:
                return False
            self._checkpoint = checkpoint
            return True

    def outbox(self, after: int = 0, limit: int | None = None) -> Sequence[OutboxRow]:
        """Return the messages after that number, in order of commits."""
        return self._outbox[max(after, 0) :][:limit]

    def examine(self) -> tuple[str, ...]:
        """Find nothing: there is no file."""
        return ()

    def save_state(self, state: Mapping[str, str]) -> None:
        """Replace the whole projection."""
        with self._lock:
            self._cells = dict(state)

    def load_state(self) -> dict[str, str]:
        """Return the projection, ordered by name."""
        with self._lock:
            return dict(sorted(self._cells.items()))

    def append_trades(self, trades: Iterable[RealizedPnLRecord]) -> None:
        """Add trade records; one of the same id and kind is replaced."""
        added = tuple(trades)
        checks.require_exact(added)
        with self._lock:
            self._add_trades(added)

    def get_trades(
        self, pair: str | None = None, limit: int | None = None, since: datetime | None = None
    ) -> list[RealizedPnLRecord]:
        """Return trade records, newest first; no shifts."""
        checks.require_window(limit, since)
        found = (each for each in self.get_shifted(since) if not is_shift(each))
        return [each for each in found if pair in (None, each.pair)][:limit]

    def each_trade(
        self, pair: str | None = None, limit: int | None = None
    ) -> Iterator[RealizedPnLRecord]:
        """Yield the same; they are in memory."""
        return iter(self.get_trades(pair, limit))

    def get_shifted(self, since: datetime | None = None) -> list[RealizedPnLRecord]:
        """Return trade records and the shifts among them, newest first."""
        checks.require_window(None, since)
        with self._lock:
            kept = [
                record
                for of_trade in self._trades.values()
                for record in of_trade.values()
                if since is None or record.time >= since
            ]
        return sorted(kept, key=lambda r: (r.time, *checks.trade_key(r)), reverse=True)

    def save_cash_flows(self, records: Iterable[CashFlowRecord]) -> None:
        """Add cash flow records; one with the same id is replaced."""
        added = tuple(records)
        checks.require_exact(added)
        with self._lock:
            self._flows.update((record.id, record) for record in added)

    def get_cash_flows(
        self, asset: str | None = None, limit: int | None = None, since: datetime | None = None
    ) -> list[CashFlowRecord]:
        """Return cash flow records, newest first."""
        checks.require_window(limit, since)
        with self._lock:
            kept = [
                record
                for record in self._flows.values()
                if asset in (None, record.asset) and (since is None or record.time >= since)
            ]
        return sorted(kept, key=lambda r: (r.time, r.id), reverse=True)[:limit]

    def each_cash_flow(
        self, asset: str | None = None, limit: int | None = None
    ) -> Iterator[CashFlowRecord]:
        """Yield the same; they are in memory."""
        return iter(self.get_cash_flows(asset, limit))

    def save_snapshot(self, snapshot: PortfolioSnapshot) -> None:
        """Keep a snapshot; one of the same instant is replaced."""
        checks.require_exact((snapshot,))
        with self._lock:
            self._snapshots[instant.from_datetime(snapshot.timestamp)] = texts.snapshot(snapshot)

    def get_snapshots(
        self,
        since: datetime | None = None,
        limit: int | None = None,
        until: datetime | None = None,
    ) -> list[PortfolioSnapshot]:
        """Return snapshots from `since` until before `until`, newest first."""
        checks.require_window(limit, since, until)
        return [texts.to_snapshot(body) for body in self._bodies(since, until)[::-1][:limit]]

    def snapshot_totals(self, since: datetime | None = None) -> Iterator[SnapshotTotals]:
        """Yield the totals of snapshots, oldest first."""
        checks.require_window(None, since)
        return map(texts.to_totals, self._bodies(since, None))

    def _bodies(self, since: datetime | None, until: datetime | None) -> list[str]:
        first = None if since is None else instant.from_datetime(since)
        end = None if until is None else instant.from_datetime(until)
        with self._lock:
            kept = sorted(self._snapshots.items())
        return [
            body
            for at, body in kept
            if (first is None or at >= first) and (end is None or at < end)
        ]

    def save_memos(
        self,
        memos: Mapping[str, str | None],
        *,
        is_lasting: bool = True,  # noqa: ARG002 (nothing here is)
    ) -> None:
        """Keep short texts by name, all or none."""
        with self._lock:
            self._keep_memos(memos)

    def memos(self, prefix: str = "") -> dict[str, str]:
        """Return the texts whose names begin so, ordered by name."""
        with self._lock:
            return {n: text for n, text in sorted(self._memos.items()) if n.startswith(prefix)}

    def get_latest_cash_equity(self, session_id: str) -> CashEquity | None:
        """Return what the last transaction came to."""
        if session_id != self.portfolio:
            return None
        return cash_equity.latest(session_id, self.memo(cash_equity.NAME))

    def memo(self, name: str) -> str | None:
        """Return the text of that name, if there is one."""
        return self._memos.get(name)

    def standing(self, names: Sequence[str]) -> tuple[Head, dict[str, str]]:
        """Return where the portfolio stands, and the texts of these names."""
        with self._lock:
            return self._head, {name: self._memos[name] for name in names if name in self._memos}

    def announce(self, name: str, text: str, version: int) -> bool:
        """Keep a text if the portfolio stands at that version."""
        with self._lock:
            if self._head.version == version:
                self._keep_memos({name: text})
            return self._head.version == version

    def prune_snapshots(self, older_than_ts: datetime) -> int:
        """Delete snapshots older than that and return how many."""
        first = instant.from_datetime(older_than_ts)
        with self._lock:
            old = [at for at in self._snapshots if at < first]
            for at in old:
                del self._snapshots[at]
        return len(old)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _planned(self, commit: Commit) -> Head:
        now = self._head
        checks.require_next(commit, now.version, now.seq, now.hash)
        checks.require_base(now.terms.base, commit.terms)
        if commit.announced is not None and commit.announced not in self._memos:
            raise checks.given_up(commit)
        for record in commit.records:
            if record.key in self._keys:
                raise KeyReused(f"key {record.key!r} is in the journal already", key=record.key)
        for message, _ in commit.messages:
            if message.id in self._messages:
                raise KeyReused(f"message {message.id!r} was sent already", key=message.id)
        last = commit.records[-1] if commit.records else now
        return Head(commit.version, last.seq, last.hash, commit.terms or now.terms)

    def _apply(self, commit: Commit, head: Head) -> None:
        back, kept = commit.reaches_back_to, self._checkpoint
        is_behind = back is not None and kept is not None and kept.time >= back
        if is_behind or commit.terms is not None:  # it was folded under others
            self._checkpoint = None
        self._journal.extend(commit.records)
        self._keys.update(record.key for record in commit.records)
        for name, body in commit.cells.items():
            if body is None:
                self._cells.pop(name, None)
            else:
                self._cells[name] = body
        for dropped in commit.dropped_trades:
            self._trades.pop(dropped, None)
        self._add_trades(commit.trades)
        for dropped in commit.dropped_flows:
            self._flows.pop(dropped, None)
        self._flows.update((record.id, record) for record in commit.flows)
        for version, (message, at) in enumerate(commit.messages, commit.expected_version + 1):
            self._messages.add(message.id)
            self._outbox.append(OutboxRow(version, version, message, at))
        self._keep_memos(commit.memos)
        self._head = head

    def _keep_memos(self, memos: Mapping[str, str | None]) -> None:
        kept = self._memos | {name: text for name, text in memos.items() if text is not None}
        self._memos = {n: text for n, text in kept.items() if memos.get(n, text) is not None}

    def _add_trades(self, trades: Iterable[RealizedPnLRecord]) -> None:
        for record in trades:
            known = self._trades.get(record.trade_id, {})
            self._trades[record.trade_id] = {**known, checks.trade_key(record): record}


def _home(row: Record) -> str:
    named = texts.named(row.body)
    return named.group or named.id
