"""What the inside needs from outside, as Protocols. No code.

A `PortfolioStore` keeps one portfolio. It is synchronous and has one writer; every method either
does all of its work or none.
"""

# long: everything that the inside needs from outside, and nothing else, in one place
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from bursar.events.envelope import Envelope
from bursar.ledger.entries import AnyEntry, Price
from bursar.ledger.journal import Record
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Expected
from bursar.measure.positions import Trade
from bursar.plan.holdings import HoldingsSnapshot
from bursar.reconcile.statement import Leveraged, Statement
from bursar.value.cash_equity import CashEquity
from bursar.value.marks import Mark
from bursar.value.snapshot import PortfolioSnapshot, SnapshotTotals

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

NO_MEMOS: Final[Mapping[str, str | None]] = MappingProxyType({})

Wait = Callable[[int], None]
"""Lets that many milliseconds pass."""

Pause = Callable[[int], Awaitable[None]]
"""Lets that many milliseconds pass while others go on."""


class Head(msgspec.Struct, frozen=True):
    """Where a stored portfolio stands: commits so far, last journal row, its hash, its terms."""

    version: int
    seq: int
    hash: str
    terms: Terms


class Outbox(msgspec.Struct, frozen=True):
    """One message that a commit leaves for the bus; `id` makes a second delivery harmless."""

    id: str
    topic: str
    body: str


class OutboxRow(msgspec.Struct, frozen=True):
    """A message with its place in the order of commits."""

    number: int
    version: int
    message: Outbox
    created_at: int


class Commit(msgspec.Struct, frozen=True):
    """Everything one commit writes, all of it or nothing.

    `cells` is the projection: name → canonical text of one cell of the book, `None` where it is
    gone. `dropped_trades` and `dropped_flows` are ids whose records go first, all kinds of them;
    then `trades` and `flows` are written, replacing what has the same id (and, for trades, the
    same kind). `reaches_back_to` is the earliest instant that the commit touches; a stored
    checkpoint of that time or later goes, since it says what is no longer so. New `terms` take
    it away in any case. `memos` are kept, or taken away, in the same transaction.

    One that was `announced` under the name of a memo is refused as stale where that memo is gone:
    somebody has given the commit up for lost. As part of a group it is not looked for.

    A commit is one version, or several: `earlier` are the messages of those before the last one,
    in order, each with the time of its own rows.
    """

    expected_version: int
    records: tuple[Record, ...]
    cells: Mapping[str, str | None]
    outbox: Outbox
    recorded_at: int
    trades: tuple[RealizedPnLRecord, ...] = ()
    flows: tuple[CashFlowRecord, ...] = ()
    dropped_trades: tuple[str, ...] = ()
    dropped_flows: tuple[str, ...] = ()
    terms: Terms | None = None
    reaches_back_to: int | None = None
    memos: Mapping[str, str | None] = NO_MEMOS
    earlier: tuple[tuple[Outbox, int], ...] = ()
    announced: str | None = None

    @property
    def messages(self) -> tuple[tuple[Outbox, int], ...]:
        """Every message with its time, one for each version."""
        return (*self.earlier, (self.outbox, self.recorded_at))

    @property
    def version(self) -> int:
        """The version that it leads to."""
        return self.expected_version + len(self.earlier) + 1


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint at rest: its time, the journal row it goes on after, that row's hash, its text.

    Rows up to `seq` are of that time or earlier, all of them; of later rows, some may be.
    """

    time: int
    seq: int
    hash: str
    body: str


class Reading(Protocol):
    """The statements of one file: what a reader gives."""

    @property
    def format(self) -> str:
        """What kind of file it was."""
        ...

    @property
    def statements(self) -> Iterable[AnyEntry]:
        """What it states, one statement a row; it can be walked more than once."""
        ...

    @property
    def expected(self) -> Expected | None:
        """What is known beforehand of statements that are streamed, oldest first."""
        ...

    @property
    def assets(self) -> frozenset[str]:
        """What a streamed file's statements are in."""
        ...

    @property
    def rows(self) -> int:
        """How many data rows it has."""
        ...

    @property
    def pending(self) -> int:
        """How many rows only announce what another row books."""
        ...

    @property
    def unknown(self) -> tuple[str, ...]:
        """Which operations no reader knows; their rows count, unclassified."""
        ...


class FileReader(Protocol):
    """Reads a file of any known format into statements, all of it or none."""

    def __call__(self, path: Path, account: str | None, progress: Progress | None) -> Reading:
        """Read a file for an account, by default its venue's main one.

        Raises:
            InputError: naming file, line, column, value and expectation.
        """
        ...


class Chunk(msgspec.Struct, frozen=True):
    """A stretch of an account's history, fetched whole and checked.

    Once its statements are in the journal, `mark` is where the next sync goes on. `what` is being
    fetched; `done` of `total` rows of it are here, where the venue tells how many there are.
    """

    statements: tuple[AnyEntry, ...]
    mark: str
    what: str
    done: int
    total: int


class PriceWanted(msgspec.Struct, frozen=True):
    """The worth of one unit of `asset` in `quote` at an instant, asked of a venue."""

    asset: str
    quote: str
    at: int


class Venue(Protocol):
    """One account at a venue, asked over the network. Numbers come exactly as the venue wrote them.

    Every method raises `VenueError`: the venue could not be asked, or what it answered is no
    answer. Nothing is made up in its place.
    """

    @property
    def account(self) -> str:
        """The name of the account, `kraken:main`."""
        ...

    def history(self, mark: str | None) -> AsyncIterator[Chunk]:
        """Yield what happened after a mark (all there is, for `None`), oldest first.

        The same rows told again are the same statements, whatever the mark was.
        """
        ...

    def anew(self, mark: str) -> str | None:
        """Return the mark at which to begin where all is to be read again that was read up to one:
        it keeps what was said once and for all.
        """
        ...

    async def statement(self) -> Statement:
        """Return what lies in the account now, every pocket of it."""
        ...

    async def leveraged(self, known: Collection[str]) -> Sequence[Leveraged] | None:
        """Return every leveraged position that is open now, and of the `known` pairs those that it
        would tell and that are not, with nothing in them. `None` where it cannot say.
        """
        ...

    async def marks(self, assets: Collection[str], quote: str) -> Sequence[Mark]:
        """Return what assets are worth now, as far as the venue trades them, or on a way round."""
        ...

    async def prices(self, wanted: Sequence[PriceWanted]) -> Sequence[Price]:
        """Return what the venue's public trades say of past prices, for those that it can tell."""
        ...


class HoldingsSource(Protocol):
    """What a plan starts from: the book, a venue that was asked, or a snapshot of either."""

    def holdings(self, wanted: Collection[str]) -> HoldingsSnapshot:
        """Return what is there, with prices of it and of what is wanted besides.

        Raises:
            MissingMark: something has no price.
        """
        ...


class Consumer(msgspec.Struct, frozen=True):
    """Who takes from a topic: the consumers of a group share what is handed out to it."""

    topic: str
    group: str
    name: str = "1"


class Delivery(msgspec.Struct, frozen=True):
    """What lies at a place of a topic, as it was written, and how often it was handed out.

    `at` is when it was put there.
    """

    place: str
    at: int
    fields: Mapping[str, str]
    tries: int = 1


class Parked(msgspec.Struct, frozen=True):
    """A delivery that was put aside, and why."""

    place: str
    at: int
    fields: Mapping[str, str]
    tries: int
    reason: str


class Bus(Protocol):
    """Carries events in order within a topic, at least once. It is asynchronous.

    A topic keeps its newest events, however many have read them. Each group is handed every event
    of a topic from the oldest kept on; what is handed out and not done in time is handed out
    again. Every method raises `BusDown` when the bus cannot be reached.
    """

    async def publish(
        self, topic: str, events: Sequence[Envelope], *, upto: int | None = None
    ) -> None:
        """Append events to a topic, all or none, and note that it now reaches `upto`."""
        ...

    async def reached(self, topic: str) -> int | None:
        """Return how far the topic reaches by its own note: 0 where the note is lost with the
        topic, `None` where nothing outlives the process.
        """
        ...

    async def take(
        self, consumer: Consumer, *, count: int = 100, wait_ms: int = 0
    ) -> list[Delivery]:
        """Return what others have left undone for too long, else what is new, else nothing.

        It waits for something new for that long.
        """
        ...

    async def done(self, consumer: Consumer, places: Sequence[str]) -> None:
        """Say that what lies there need not be handed out to this group again."""
        ...

    async def park(self, consumer: Consumer, delivery: Delivery, reason: str) -> None:
        """Put a delivery aside for good, with the reason; it counts as done."""
        ...

    async def parked(self, topic: str, group: str) -> list[Parked]:
        """Return what was put aside, oldest first."""
        ...

    async def replay(self, topic: str, *, after: str = "", count: int = 100) -> list[Delivery]:
        """Return what a topic still keeps behind a place (by default from its start), in order."""
        ...

    async def check(self) -> None:
        """Return if the bus answers."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class TradeStore(Protocol):
    """Keeps the trades of one portfolio: a projection, made anew from the journal when it is lost.

    `reached` says of which state of the journal the trades are; it changes with them or not at all.
    """

    def reached(self) -> str:
        """Return of which state the trades are; empty where there are none yet."""
        ...

    def bookmark(self) -> str:
        """Return what was kept beside the trades for whoever goes on; empty: nothing."""
        ...

    def save(
        self,
        trades: Iterable[Trade],
        reached: str,
        *,
        since: int | None = None,
        bookmark: str | None = None,
    ) -> None:
        """Keep trades, each in the place of the one of its id; with `since` in the place of all
        that are open, or were closed at that instant or later. A `bookmark` is kept as it is.
        """
        ...

    def open_trades(self, symbol: str | None = None) -> list[Trade]:
        """Return what is open, by opening time and id."""
        ...

    def closed_trades(
        self, symbol: str | None = None, *, since: int | None = None, limit: int | None = None
    ) -> list[Trade]:
        """Return what was closed at or after an instant, newest first."""
        ...

    def trade(self, trade_id: str) -> Trade | None:
        """Return one trade, if there is one of that id."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Return the UTC instant, in nanoseconds since 1970."""
        ...


class PortfolioStore(Protocol):
    """Keeps one portfolio: its journal, its projection, its snapshots."""

    @property
    def portfolio(self) -> str:
        """The portfolio's name."""
        ...

    def head(self) -> Head:
        """Return where the portfolio stands."""
        ...

    def commit(self, commit: Commit) -> Head:
        """Write a commit in one transaction and return the new head.

        Raises:
            StaleVersion: the portfolio is no longer at `expected_version`. Nothing is written.
            KeyReused: a key is in the journal already. Nothing is written.
            StoreBusy, StoreDown, StoreFull: nothing is written.
            OutcomeUnknown: nobody knows; look for the last row of `records` by its hash.
        """
        ...

    def grouped(self, *, is_whole: bool = False) -> AbstractContextManager[None]:
        """Let the commits inside become durable together, when the block ends, or not at all.

        Each still has its version and its message, and one that is refused is taken back alone;
        where the group `is_whole`, which is cheaper, it takes the others along.
        What is read inside sees them. If the block fails, whoever committed inside has to read
        the store anew (`Desk.reload`).

        Raises:
            OutcomeUnknown, StoreFull: at the end of the block, as `commit` does.
        """
        ...

    def records(self, after: int = 0) -> Iterator[Record]:
        """Yield journal rows with `seq` > `after`, in order."""
        ...

    def recall(self, facts: Collection[str], homes: Collection[str]) -> list[Record]:
        """Return, in order, the journal rows that first told of one of these facts, and all rows
        of these groups (a statement that names none is the group of its own id).
        """
        ...

    def row_before(self, time: int) -> tuple[int, str]:
        """Return seq and hash of the row before the first one that is of a later time than `time`;
        those of the last row if there is none.
        """
        ...

    def checkpoint(self) -> StoredCheckpoint | None:
        """Return the checkpoint, if there is one.

        Raises:
            StoreCorrupt: it was changed after it was written.
        """
        ...

    def save_checkpoint(self, checkpoint: StoredCheckpoint, version: int) -> bool:
        """Keep a checkpoint if the portfolio stands at `version`, and tell whether it does."""
        ...

    def outbox(self, after: int = 0, limit: int | None = None) -> Sequence[OutboxRow]:
        """Return messages with a number > `after`, in order; at most `limit` of them."""
        ...

    def examine(self) -> tuple[str, ...]:
        """Return what is wrong with the place of keeping itself, one line each. O(rows)."""
        ...

    def save_state(self, state: Mapping[str, str]) -> None:
        """Replace the whole projection; used when a refold is asked for."""
        ...

    def load_state(self) -> dict[str, str]:
        """Return the projection: cell name → canonical text."""
        ...

    def append_trades(self, trades: Iterable[RealizedPnLRecord]) -> None:
        """Add trade records; one with a known `trade_id` and `kind` replaces the older."""
        ...

    def get_trades(
        self, pair: str | None = None, limit: int | None = None, since: datetime | None = None
    ) -> list[RealizedPnLRecord]:
        """Return trade records, newest first; no shifts."""
        ...

    def each_trade(
        self, pair: str | None = None, limit: int | None = None
    ) -> Iterator[RealizedPnLRecord]:
        """Yield the same one by one, as they were at the first: memory does not grow with them."""
        ...

    def get_shifted(self, since: datetime | None = None) -> list[RealizedPnLRecord]:
        """Return trade records and the shifts among them, newest first."""
        ...

    def save_cash_flows(self, records: Iterable[CashFlowRecord]) -> None:
        """Add cash flow records; one with a known id replaces the older."""
        ...

    def get_cash_flows(
        self, asset: str | None = None, limit: int | None = None, since: datetime | None = None
    ) -> list[CashFlowRecord]:
        """Return cash flow records, newest first."""
        ...

    def each_cash_flow(
        self, asset: str | None = None, limit: int | None = None
    ) -> Iterator[CashFlowRecord]:
        """Yield the same one by one, as they were at the first: memory does not grow with them."""
        ...

    def save_snapshot(self, snapshot: PortfolioSnapshot) -> None:
        """Keep a snapshot; one of the same instant replaces the older."""
        ...

    def get_snapshots(
        self,
        since: datetime | None = None,
        limit: int | None = None,
        until: datetime | None = None,
    ) -> list[PortfolioSnapshot]:
        """Return snapshots from `since` until before `until`, newest first."""
        ...

    def snapshot_totals(self, since: datetime | None = None) -> Iterator[SnapshotTotals]:
        """Yield the totals of snapshots, oldest first, however many there are: a page at a time."""
        ...

    def save_memos(self, memos: Mapping[str, str | None], *, is_lasting: bool = True) -> None:
        """Keep short texts by name beside the journal, all or none; `None` takes one away.

        No fold reads them: how far a sync has come, what an alarm has said, a day's close. Those
        that are not lasting need not wait for the disk: others see them, and they are there after
        the death of this process, but perhaps not after that of the machine.
        """
        ...

    def memos(self, prefix: str = "") -> dict[str, str]:
        """Return the texts whose names begin so, ordered by name.

        Raises:
            StoreCorrupt: one was changed after it was written.
        """
        ...

    def memo(self, name: str) -> str | None:
        """Return the text of that very name, if there is one.

        Raises:
            StoreCorrupt: it was changed after it was written.
        """
        ...

    def standing(self, names: Sequence[str]) -> tuple[Head, dict[str, str]]:
        """Return where the portfolio stands, and the texts of these names, all of one moment.

        Raises:
            StoreCorrupt: one was changed after it was written.
        """
        ...

    def announce(self, name: str, text: str, version: int) -> bool:
        """Keep a text that is not lasting if the portfolio stands at `version`; tell whether."""
        ...

    def get_latest_cash_equity(self, session_id: str) -> CashEquity | None:
        """Return what the last transaction came to; `None` before the first, and for a session that
        is not this portfolio's name.
        """
        ...

    def prune_snapshots(self, older_than_ts: datetime) -> int:
        """Delete snapshots older than that and return how many. Nothing else is touched."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...
