"""Kraken's big exports, streamed: looked through once, then read again as their statements are
wanted.

The first look proves what the reader of small files proves with all rows at hand: every cell can
be read, the rows stand in order of time from one end or the other, ids are told once, and the
running balance holds. It keeps a few bytes a row: its place among the rows of its instant, its
time, and digests of its id and group. Of a ledger it also keeps what it has read, packed, as far
as there is room.

Errors: `Malformed`, without a place, for what it cannot prove so; the careful reader takes such a
file, and names the fault if there is one. `InputError` later for a file that has changed since.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby
from operator import attrgetter, gt
from typing import Final, TypeVar

import msgspec

from bursar.errors import Malformed
from bursar.ledger import checkpoint, instant
from bursar.ledger.entries import AnyEntry, Movement, Side
from bursar.ledger.timeline import Expected
from bursar.venue.files.blocks import Blocks
from bursar.venue.files.kraken import LEDGERS, TRADES, LedgerCells, TradeCells
from bursar.venue.files.reading import FileReading, Streamed
from bursar.venue.files.table import Progress, Table
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.follow import Follower
from bursar.venue.kraken.ledger_rows import ACCOUNT, movement, ties
from bursar.venue.kraken.pairs import pair
from bursar.venue.kraken.ranks import ranks
from bursar.venue.kraken.rows import LedgerRow, TradeRow
from bursar.venue.kraken.trade_rows import fill, openings

NEAR: Final = 500
"""Rows of one group that are further apart than that are told of beforehand."""

KEPT_BYTES: Final = 24 * 1024 * 1024
"""How much of what was read is kept for the next time: some 200,000 rows."""

_PACKED: Final = msgspec.msgpack.Decoder(list[LedgerRow])

_R = TypeVar("_R", LedgerRow, TradeRow)


def stream_ledgers(
    table: Table, blocks: Blocks, account: str | None, progress: Progress | None
) -> FileReading:
    """Stream ledgers.csv: one `Movement` a row."""
    rows, name = _LedgerRows(table, blocks), account or ACCOUNT
    seen = _Ledger(name)
    seen.look(rows.parts(progress))
    if seen.follower.is_broken:  # by code; by wallet the chain may hold
        seen = _Ledger(name, by_wallet=True)
        seen.look(rows.parts(progress))
    seen.require_sound()

    def told() -> Iterator[AnyEntry]:
        each = chain.from_iterable(rows.parts())
        return (movement(row, rank, name) for row, rank in zip(each, seen.ranks, strict=True))

    return FileReading(
        format=LEDGERS,
        statements=Streamed(len(seen.ranks), told),
        rows=len(seen.ranks) + rows.pending,
        pending=rows.pending,
        expected=Expected(seen.firsts(), seen.spans(), are_distinct=True),
        assets=frozenset(coin(code).asset for code in seen.codes),
    )


def stream_trades(
    table: Table, blocks: Blocks, account: str | None, progress: Progress | None
) -> FileReading:
    """Stream trades.csv: one `Fill` or `MarginFill` a row."""
    cells, name = TradeCells(table), account or ACCOUNT

    def rows(progress: Progress | None = None) -> Iterator[TradeRow]:
        every = blocks.parts(backwards=backwards, progress=progress)
        return (cells.read(0, row) for row in chain.from_iterable(every))

    ids, pairs, opened = array("q"), set(), dict[str, Side]()
    backwards = False
    backwards = _is_newest_first(rows())
    for row in _in_order(rows(progress)):
        ids.append(hash(row.txid))
        pairs.add(row.pair)
        opened.update(openings((row,)))
    _require_unique(ids)

    def told() -> Iterator[AnyEntry]:
        for _, batch in groupby(rows(), key=_WHEN):
            for rank, row in enumerate(batch):
                yield fill(row, rank, name, opened)

    return FileReading(
        format=TRADES,
        statements=Streamed(len(ids), told),
        rows=len(ids),
        expected=Expected(are_distinct=True),
        assets=frozenset(asset for each in pairs for asset in (pair(each).base, pair(each).quote)),
    )


class _LedgerRows:
    """The rows of ledgers.csv, as often as they are wanted. What was read is kept, packed, as far
    as it fits into `KEPT_BYTES`; the rest is read again.
    """

    def __init__(self, table: Table, blocks: Blocks) -> None:
        self._cells = LedgerCells(table)
        self._blocks = blocks
        self._kept: list[bytes] = []
        self._room = KEPT_BYTES
        self._pending: dict[int, int] = {}
        first = (self._cells.read_all(self._cells.told(part)) for part in blocks.parts())
        self._backwards = _is_newest_first(chain.from_iterable(first))

    @property
    def pending(self) -> int:
        """Return how many rows of the blocks that were read only announce a movement."""
        return sum(self._pending.values())

    def parts(self, progress: Progress | None = None) -> Iterator[list[LedgerRow]]:
        """Yield the rows of each block, oldest first."""
        known = len(self._kept)
        for number in range(known):
            yield _PACKED.decode(self._kept[number])
        rest = self._blocks.parts(backwards=self._backwards, progress=progress, after=known)
        for number, part in enumerate(rest, known):
            told = self._cells.told(part)
            rows = self._cells.read_all(told)
            self._pending[number] = len(part) - len(told)
            if number == len(self._kept) and self._room > 0:
                self._kept.append(msgspec.msgpack.encode(rows))
                self._room -= len(self._kept[-1])
            yield rows


class _Ledger:
    """What a first look at ledgers.csv keeps."""

    def __init__(self, account: str, *, by_wallet: bool = False) -> None:
        self.follower = Follower(by_wallet=by_wallet)
        self.ranks = array("I")
        self.codes: set[str] = set()
        self._account = account
        self._by_wallet = by_wallet
        self._ids = array("q")
        self._groups = array("q")
        self._times = array("q")
        self._firsts: dict[str, list[tuple[int, LedgerRow]]] = {}
        self._until: dict[str, int] = {}

    def look(self, parts: Iterable[list[LedgerRow]]) -> None:
        """Look at rows that should be in order of time, until it is clear that they will not do."""
        for rows in _uncut(parts):
            self._note(rows)
            self._rank(rows)
            if self.follower.is_broken and not self._by_wallet:
                return

    def require_sound(self) -> None:
        """Refuse a history in which a row may be missing, or be told twice."""
        if self.follower.is_broken and not self.follower.is_parted:
            raise Malformed("a balance that does not follow")
        _require_unique(self._ids)

    def firsts(self) -> tuple[Movement, ...]:
        """Return the rows of the first second of each code."""
        return tuple(
            movement(row, self.ranks[place], self._account)
            for rows in self._firsts.values()
            for place, row in rows
            if row.balance is not None
        )

    def spans(self) -> tuple[tuple[int, int], ...]:
        """Return the seconds, first and last, between rows of one group that are far apart."""
        first: dict[int, int] = {}
        last = {
            name: place
            for place, name in enumerate(self._groups)
            if place - first.setdefault(name, place) > NEAR
        }
        seconds = sorted((self._second(first[name]), self._second(last[name])) for name in last)
        joined: list[tuple[int, int]] = []
        for begin, end in seconds:
            if joined and begin <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((begin, end))
        return tuple(joined)

    def _second(self, place: int) -> int:
        return self._times[place] // instant.SECOND

    def _note(self, rows: Sequence[LedgerRow]) -> None:
        before, until = len(self._ids), self._until
        self._ids.extend([hash(row.txid) for row in rows])
        self._groups.extend(map(hash, ties(rows)))
        self._times.extend([row.executed_at for row in rows])
        for place, row in enumerate(rows, before):
            if row.executed_at <= until.get(row.code, row.executed_at):
                self._note_first(place, row)

    def _note_first(self, place: int, row: LedgerRow) -> None:
        """Keep a row that may be of the first second of its code."""
        self.codes.add(row.code)
        self._until[row.code] = checkpoint.end_of_second(row.executed_at)
        firsts = self._firsts.setdefault(coin(row.code).code, [])
        if not firsts or self._second(firsts[0][0]) == self._second(place):
            firsts.append((place, row))

    def _rank(self, rows: Sequence[LedgerRow]) -> None:
        """Rank rows that cut no instant. Of those alone of their code, there is nothing to rank."""
        alone: list[LedgerRow] = []
        for _, batch in groupby(rows, key=_WHEN):
            together = list(batch)
            if not self._by_wallet and _are_apart(together):
                alone += together
                continue
            self._follow(alone)
            alone = []
            self._rank_together(together)
        self._follow(alone)

    def _follow(self, alone: Sequence[LedgerRow]) -> None:
        self.ranks.extend([0] * len(alone))
        if alone and alone[0].balance is not None:
            self.follower.follow_apart(alone)

    def _rank_together(self, batch: list[LedgerRow]) -> None:
        if batch[0].balance is None:
            self.ranks.extend(ranks(batch, range(len(batch))))
            return
        found = self.follower.follow(batch)
        if found is None:
            raise Malformed("rows of one instant in no order of their own")
        self.ranks.extend(found[self._by_wallet])


def _are_apart(batch: Sequence[LedgerRow]) -> bool:
    """Tell whether the rows of an instant are of as many codes."""
    return len(batch) == 1 or len({coin(row.code).code for row in batch}) == len(batch)


def _uncut(parts: Iterable[list[LedgerRow]]) -> Iterator[list[LedgerRow]]:
    """Yield rows, in order of time, in parts that cut no instant."""
    rest: list[LedgerRow] = []
    for part in parts:
        rows = rest + part
        times = [row.executed_at for row in rows]
        if any(map(gt, times, times[1:])):
            raise Malformed("out of order in time")
        edge = bisect_left(times, times[-1]) if times else 0
        if edge:
            yield rows[:edge]
        rest = rows[edge:]
    if rest:
        yield rest


_WHEN: Final[Callable[[LedgerRow | TradeRow], int]] = attrgetter("executed_at")


def _is_newest_first(rows: Iterable[_R]) -> bool:
    """Tell where the newest row stands, by the first two that differ."""
    times = map(_WHEN, rows)
    first = next(times, 0)
    return next((at < first for at in times if at != first), False)


def _in_order(rows: Iterable[_R]) -> Iterator[_R]:
    at = None
    for row in rows:
        if at is not None and row.executed_at < at:
            raise Malformed("out of order in time")
        at = row.executed_at
        yield row


def _require_unique(ids: Sequence[int]) -> None:
    """Refuse ids told twice, and very seldom one that only looks so."""
    if len(set(ids)) < len(ids):
        raise Malformed("an id that may be there twice")
