"""A portfolio kept in a database: one implementation, whatever the dialect.

One connection writes, under a lock (`writer`), so a process is its own only writer; other processes
are kept off by the database and by `version`. Readers take connections of their own and see the
last commit.

A store that is carried across a fork answers nothing: its connections are the first process's.
"""

# long: one contract, one class; what it is made of stands in modules beside it
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import starmap
from typing import Any, TypeVar

from sqlalchemy import (
    ClauseElement,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    delete,
    func,
    select,
)

from bursar.errors import KeyReused, StoreCorrupt, StoreError
from bursar.ledger import instant
from bursar.ledger.entries import Source
from bursar.ledger.journal import Record
from bursar.ledger.records import SHIFT, CashFlowRecord, RealizedPnLRecord
from bursar.ports import Commit, Head, OutboxRow, StoredCheckpoint
from bursar.store import checks, finds, schema, texts, writes
from bursar.store.aside import Aside
from bursar.store.dialect import Dialect
from bursar.store.faults import legible, translated
from bursar.store.sending import Answer
from bursar.store.steps import Steps, unwatched
from bursar.store.tables import (
    CELLS,
    CHECKPOINTS,
    FLOWS,
    JOURNAL,
    OUTBOX,
    RECORD,
    SNAPSHOTS,
    TRADES,
)
from bursar.store.writer import Writer
from bursar.store.writes import Place
from bursar.value import cash_equity
from bursar.value.cash_equity import CashEquity
from bursar.value.snapshot import PortfolioSnapshot, SnapshotTotals

_CHUNK = 500
_ROW = {TRADES: "a trade record", FLOWS: "a flow record", SNAPSHOTS: "a snapshot"}
_T = TypeVar("_T")


class SqlStore:
    """A `PortfolioStore` over SQLAlchemy Core. `open_store` makes one."""

    def __init__(
        self, engine: Engine, dialect: Dialect, portfolio: str, *, steps: Steps = unwatched
    ) -> None:
        self.portfolio = portfolio
        self._engine = engine
        self._dialect = dialect
        self._steps = steps
        self._faults = translated(dialect.fault, look=partial(schema.outgrown, engine))
        self._aside = Aside(engine, dialect, portfolio)
        self._writer = Writer(engine, dialect, portfolio, self._faults)

    def __repr__(self) -> str:
        url = self._engine.url
        place = url.set(drivername=url.get_backend_name(), query={}).render_as_string()
        return f"SqlStore({place}, portfolio={self.portfolio!r})"

    def head(self) -> Head:
        """Return where the portfolio stands."""
        with self._faults:
            return writes.head(self._asked, self.portfolio)

    def commit(self, commit: Commit) -> Head:
        """Write a commit in one transaction and return the new head."""
        checks.require_commit(commit)
        if commit.terms is not None:
            checks.require_base(self.head().terms.base, commit.terms)
        group = self._writer.group
        try:
            head = self._commit_alone(commit) if group is None else self._commit_in(group, commit)
        except KeyReused as error:
            raise self._reused(commit) from error
        self._steps("after_commit")
        return head

    def records(self, after: int = 0) -> Iterator[Record]:
        """Yield the journal rows after that one, as far as it goes at the first of them.

        They come by pages, so a slow reader holds neither all of them nor a transaction.

        Raises:
            StoreCorrupt: naming the first row that the database cannot give.
        """
        last = max(after, 0)
        for size in (_CHUNK, 1):  # one by one, only to name the row
            try:
                for record in self._records(last, size):
                    yield record
                    last = record.seq
            except StoreCorrupt as error:
                if size == 1:
                    said = f"journal row {last + 1} cannot be read: {error.message}"
                    raise StoreCorrupt(said, seq=last + 1) from error
            else:
                return

    @contextmanager
    def grouped(self, *, is_whole: bool = False) -> Iterator[None]:
        """Let the commits inside become durable together, or not at all.

        One that is refused is taken back alone, and the others may go on; where the group
        `is_whole` it is over then. A group inside a group is a part of it; other threads wait
        until the outer one is over.
        """
        with self._writer.grouped(is_whole=is_whole):
            yield

    def recall(self, facts: Collection[str], homes: Collection[str]) -> list[Record]:
        """Return the rows that first told of these facts, and all rows of these groups."""
        keys = [f"{source.name.lower()}|{name}" for source in Source for name in facts]
        found: dict[int, Record] = {}
        with self._reading() as connection:
            for column, names in ((JOURNAL.c.key, keys), (JOURNAL.c.home, list(homes))):
                rows = finds.rows(connection, self.portfolio, column, names)
                found.update((row.seq, writes.record(row)) for row in rows)
        return [found[seq] for seq in sorted(found)]

    def row_before(self, time: int) -> tuple[int, str]:
        """Return seq and hash of the row before the first one of a later time.

        It is sought from the checkpoint on, since the rows before that are of earlier times.
        """
        own = JOURNAL.c.portfolio == self.portfolio
        kept = select(CHECKPOINTS.c.seq).where(
            CHECKPOINTS.c.portfolio == self.portfolio, CHECKPOINTS.c.time <= time
        )
        with self._reading() as connection:
            after = connection.execute(kept).scalar() or 0
            later = select(JOURNAL.c.seq).where(
                own, JOURNAL.c.seq > after, JOURNAL.c.executed_at > time
            )
            first = connection.execute(later.order_by(JOURNAL.c.seq).limit(1)).scalar()
            here = Place(connection, self._dialect, self.portfolio)
            now = writes.head(here.ask, self.portfolio)
            if first is None:
                return now.seq, now.hash
            before = select(JOURNAL.c.previous).where(own, JOURNAL.c.seq == first)
            return first - 1, connection.execute(before).scalar_one()

    def checkpoint(self) -> StoredCheckpoint | None:
        """Return the checkpoint, if there is one and it is as it was written."""
        found = select(CHECKPOINTS).where(CHECKPOINTS.c.portfolio == self.portfolio)
        with self._reading() as connection:
            row = connection.execute(found).first()
        if row is None:
            return None
        kept = StoredCheckpoint(row.time, row.seq, row.hash, row.body)
        if texts.digest(kept) != row.digest:
            raise StoreCorrupt("the stored checkpoint was changed after it was written")
        return kept

    def save_checkpoint(self, checkpoint: StoredCheckpoint, version: int) -> bool:
        """Keep a checkpoint if the portfolio stands at that version."""
        with self._writer.writing() as place:
            if writes.head(place.ask, self.portfolio).version != version:
                return False
            writes.checkpoint(place, checkpoint)
        return True

    def outbox(self, after: int = 0, limit: int | None = None) -> Sequence[OutboxRow]:
        """Return the messages after that number, in order of commits."""
        found = (
            select(OUTBOX)
            .where(OUTBOX.c.portfolio == self.portfolio, OUTBOX.c.number > after)
            .order_by(OUTBOX.c.number)
            .limit(limit)
        )
        with self._reading() as connection:
            return [writes.message(row) for row in connection.execute(found)]

    def examine(self) -> tuple[str, ...]:
        """Return what is wrong with the files and with the columns that no hash covers."""
        with self._reading() as connection:
            return (*self._dialect.examine(connection), *self._derived(connection))

    def save_state(self, state: Mapping[str, str]) -> None:
        """Replace the whole projection."""
        with self._writer.writing() as place:
            writes.replace_cells(place, state)

    def load_state(self) -> dict[str, str]:
        """Return the projection, ordered by name."""
        found = (
            select(CELLS.c.name, CELLS.c.body)
            .where(CELLS.c.portfolio == self.portfolio)
            .order_by(CELLS.c.name)
        )
        with self._reading() as connection:
            return {row.name: row.body for row in connection.execute(found)}

    def append_trades(self, trades: Iterable[RealizedPnLRecord]) -> None:
        """Add trade records; one of the same id and kind is replaced."""
        added = tuple(trades)
        checks.require_exact(added)
        with self._writer.writing() as place:
            writes.trades(place, added)

    def get_trades(
        self, pair: str | None = None, limit: int | None = None, since: datetime | None = None
    ) -> list[RealizedPnLRecord]:
        """Return trade records, newest first; no shifts."""
        rows = self._newest(TRADES, pair=pair, limit=limit, since=since, without=f"{SHIFT}%")
        return list(starmap(RealizedPnLRecord, rows))

    def each_trade(
        self, pair: str | None = None, limit: int | None = None
    ) -> Iterator[RealizedPnLRecord]:
        """Yield the same one by one, all of one moment; the reader holds a connection meanwhile."""
        rows = self._newest(TRADES, _CHUNK, pair=pair, limit=limit, without=f"{SHIFT}%")
        return starmap(RealizedPnLRecord, rows)

    def get_shifted(self, since: datetime | None = None) -> list[RealizedPnLRecord]:
        """Return trade records and the shifts among them, newest first."""
        rows = self._newest(TRADES, limit=None, since=since)
        return list(starmap(RealizedPnLRecord, rows))

    def save_cash_flows(self, records: Iterable[CashFlowRecord]) -> None:
        """Add cash flow records; one with the same id is replaced."""
        added = tuple(records)
        checks.require_exact(added)
        with self._writer.writing() as place:
            writes.flows(place, added)

    def get_cash_flows(
        self, asset: str | None = None, limit: int | None = None, since: datetime | None = None
    ) -> list[CashFlowRecord]:
        """Return cash flow records, newest first."""
        rows = self._newest(FLOWS, asset=asset, limit=limit, since=since)
        return list(starmap(CashFlowRecord, rows))

    def each_cash_flow(
        self, asset: str | None = None, limit: int | None = None
    ) -> Iterator[CashFlowRecord]:
        """Yield the same one by one, all of one moment; the reader holds a connection meanwhile."""
        rows = self._newest(FLOWS, _CHUNK, asset=asset, limit=limit)
        return starmap(CashFlowRecord, rows)

    def save_snapshot(self, snapshot: PortfolioSnapshot) -> None:
        """Keep a snapshot; one of the same instant is replaced."""
        checks.require_exact((snapshot,))
        body, at = texts.snapshot(snapshot), instant.from_datetime(snapshot.timestamp)
        row = {
            "portfolio": self.portfolio,
            "time": snapshot.timestamp,
            "body": texts.sealed(body, self.portfolio, at),
        }
        with self._writer.writing() as place:
            writes.upsert(place, SNAPSHOTS, [row])

    def get_snapshots(
        self,
        since: datetime | None = None,
        limit: int | None = None,
        until: datetime | None = None,
    ) -> list[PortfolioSnapshot]:
        """Return snapshots from `since` until before `until`, newest first."""
        rows = self._newest(SNAPSHOTS, limit=limit, since=since, until=until)
        return [self._snapshot(row.time, row.body, texts.to_snapshot) for row in rows]

    def snapshot_totals(self, since: datetime | None = None) -> Iterator[SnapshotTotals]:
        """Yield the totals of snapshots, oldest first; none keeps a connection meanwhile."""
        checks.require_window(None, since)
        own = select(SNAPSHOTS.c.time, SNAPSHOTS.c.body)
        own = own.where(SNAPSHOTS.c.portfolio == self.portfolio).order_by(SNAPSHOTS.c.time)
        page = own if since is None else own.where(SNAPSHOTS.c.time >= since)
        while rows := self._told(page.limit(_CHUNK)):
            yield from (self._snapshot(row.time, row.body, texts.to_totals) for row in rows)
            page = own.where(SNAPSHOTS.c.time > rows[-1].time)

    def _told(self, page: Select[tuple[Any, ...]]) -> Sequence[Row[Any]]:
        with self._reading() as connection, legible("a snapshot"):
            return connection.execute(page).all()

    def save_memos(self, memos: Mapping[str, str | None], *, is_lasting: bool = True) -> None:
        """Keep short texts by name, all or none."""
        if is_lasting or self._writer.group is not None:
            with self._writer.writing() as place:
                writes.memos(place, memos)
            return
        with self._writer.standing_by(), self._faults:
            self._aside.note(memos)

    def memos(self, prefix: str = "") -> dict[str, str]:
        """Return the texts whose names begin so, ordered by name."""
        with self._reading() as connection:
            return finds.memos(connection, self.portfolio, prefix)

    def get_latest_cash_equity(self, session_id: str) -> CashEquity | None:
        """Return what the last transaction came to."""
        if session_id != self.portfolio:
            return None
        return cash_equity.latest(session_id, self.memo(cash_equity.NAME))

    def memo(self, name: str) -> str | None:
        """Return the text of that name, if there is one."""
        with self._faults:
            return finds.memo(self._asked, self.portfolio, name)

    def standing(self, names: Sequence[str]) -> tuple[Head, dict[str, str]]:
        """Return where the portfolio stands, and the texts of these names, all of one moment."""
        with self._faults:
            return finds.standing(self._asked, self.portfolio, names)

    def announce(self, name: str, text: str, version: int) -> bool:
        """Keep a text that is not lasting if the portfolio stands at that version.

        Inside a group nobody could see it, and nobody else can have moved the portfolio on.
        """
        if self._writer.group is not None:
            return True
        memo = name, text
        with self._faults:
            told = writes.announcing(self._dialect.upsert, self.portfolio, memo, version)
            if self._dialect.slow is None:
                return bool(self._asked(*told))
            return bool(self._writer.ask_hastily(told, self._dialect.slow))

    def prune_snapshots(self, older_than_ts: datetime) -> int:
        """Delete snapshots older than that and return how many."""
        checks.require_window(None, older_than_ts)
        gone = delete(SNAPSHOTS).where(
            SNAPSHOTS.c.portfolio == self.portfolio, SNAPSHOTS.c.time < older_than_ts
        )
        with self._writer.writing() as place:
            return place.connection.execute(gone).rowcount

    def close(self) -> None:
        """Release every connection; the store answers nothing more."""
        if self._writer.is_carried_over:  # they are another process's
            self._engine.dispose(close=False)
            return
        with self._writer.closing():
            self._aside.close()
            self._engine.dispose()

    def _commit_alone(self, commit: Commit) -> Head:
        """Write it in a transaction of its own, which the head's own move begins."""
        moving = writes.advancing(self.portfolio, commit, is_alone=True)
        with self._writer.transaction(moving) as (place, moved):
            self._steps("begin")
            head = writes.advanced(place, commit, moved)
            rows = writes.weight(commit)
            with self._dialect.unanswered(place.connection, rows, is_last=True):
                self._write_all(place, commit)
        return head

    def _commit_in(self, group: Place, commit: Commit) -> Head:
        """Write it as a part of a group."""
        moving = writes.advancing(self.portfolio, commit, is_alone=False)
        with self._writer.part_of(group, writes.weight(commit)):
            moved = group.ask(*moving)
            self._steps("begin")
            head = writes.advanced(group, commit, moved)
            self._write_all(group, commit)
        return head

    def _write_all(self, place: Place, commit: Commit) -> None:
        self._steps("version")
        if commit.terms is not None:
            writes.drop_checkpoint(place)  # it was folded under others
        elif commit.reaches_back_to is not None:
            writes.drop_checkpoint(place, commit.reaches_back_to)
        writes.journal(place, commit.records)
        self._steps("journal")
        writes.cells(place, commit.cells)
        self._steps("cells")
        writes.trades(place, commit.trades, commit.dropped_trades)
        self._steps("trades")
        writes.flows(place, commit.flows, commit.dropped_flows)
        self._steps("flows")
        writes.outbox(place, commit)
        writes.memos(place, commit.memos)
        self._steps("outbox")
        self._steps("before_commit")

    def _reused(self, commit: Commit) -> KeyReused | StoreError:
        """Find out, after the rollback, which of the commit's keys was there."""
        keys = [record.key for record in commit.records]
        with self._reading() as connection:
            found = finds.rows(connection, self.portfolio, JOURNAL.c.key, keys)
            there = min(found, key=lambda row: row.seq, default=None)
        if there is not None:
            return KeyReused(f"key {there.key!r} is in the journal already", key=there.key)
        sent = commit.outbox.id  # of several, the last one stands for them
        return KeyReused(f"message {sent!r} was sent already", key=sent)

    def _records(self, after: int, size: int) -> Iterator[Record]:
        newest = select(func.max(JOURNAL.c.seq)).where(JOURNAL.c.portfolio == self.portfolio)
        with self._reading() as connection:
            last = connection.execute(newest).scalar() or 0
        while after < last:
            # A page without rows is a gap that a sound journal has not; what is beyond it is shown.
            page = self._page(after, min(after + size, last), size)
            page = page or self._page(after, last, size)
            for row in page:
                yield writes.record(row)
            after = page[-1].seq if page else last

    def _derived(self, connection: Connection) -> Iterator[str]:
        """Compare the columns by which statements are found with the statements."""
        found = (
            select(*(JOURNAL.c[name] for name in ("seq", "fact", "executed_at", "home", "body")))
            .where(JOURNAL.c.portfolio == self.portfolio)
            .order_by(JOURNAL.c.seq)
        )
        for row in connection.execution_options(yield_per=_CHUNK).execute(found):
            with legible(f"journal row {row.seq}"):
                said = texts.named(row.body)
            filed = (row.fact, row.executed_at, row.home)
            if filed != (said.id, said.executed_at, texts.home(said)):
                yield f"journal row {row.seq} is filed under another fact or time than it states"

    def _newest(
        self,
        table: Table,
        size: int | None = None,
        *,
        limit: int | None,
        since: datetime | None = None,
        until: datetime | None = None,
        **wanted: str | None,
    ) -> Iterator[Row[Any]]:
        """Yield rows, newest first: all in memory, or `size` of them at a time; a group's own
        connection and a few rows are asked at once.
        """
        checks.require_window(limit, since, until)
        asked = {"limit": limit, "since": since, "until": until, **wanted}
        given = {name: each for name, each in asked.items() if each is not None}
        found = finds.newest(table, frozenset(given))
        is_paged = size is not None and (limit is None or limit > size)
        paged = {"yield_per": size} if is_paged and self._writer.group is None else {}
        with self._reading() as connection, legible(_ROW[table]):
            values = {**given, "own": self.portfolio}
            yield from connection.execute(found, values, execution_options=paged)

    def _page(self, after: int, last: int, size: int) -> Sequence[Row[Any]]:
        found = (
            select(*RECORD)
            .where(JOURNAL.c.portfolio == self.portfolio)
            .where(JOURNAL.c.seq > after, JOURNAL.c.seq <= last)
            .order_by(JOURNAL.c.seq)
            .limit(size)
        )
        with self._reading() as connection:
            return connection.execute(found).all()

    def _snapshot(self, time: datetime, body: object, read: Callable[[str], _T]) -> _T:
        at = instant.from_datetime(time)
        try:
            return read(texts.unsealed(body, self.portfolio, at))
        except Exception:  # named only now: there may be half a million of them
            with legible(f"the snapshot of {instant.show(at)}"):
                raise

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._writer.require_open()
        with self._faults:
            if self._writer.group is not None:  # its own commits are to be seen
                yield self._writer.group.connection
            else:
                with self._engine.connect() as connection:
                    yield connection

    def _asked(self, statement: ClauseElement, values: Mapping[str, Any]) -> Answer:
        """Return what is answered to a question of one statement."""
        self._writer.require_open()
        group = self._writer.group
        return (self._aside if group is None else group).ask(statement, values)
