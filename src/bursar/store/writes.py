"""The statements of a commit, one function per table, in the order in which a commit runs them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    ClauseElement,
    Column,
    Connection,
    Row,
    String,
    Table,
    bindparam,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.sql.dml import Delete, Insert, ReturningInsert, ReturningUpdate

from bursar.errors import BrokenInvariant, PortfolioNotFound, StoreCorrupt
from bursar.ledger.journal import Outcome, Record
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord
from bursar.ledger.terms import Terms
from bursar.ports import Commit, Head, Outbox, OutboxRow, StoredCheckpoint
from bursar.store import checks, texts
from bursar.store.dialect import Dialect
from bursar.store.faults import legible
from bursar.store.rows import Values, listed
from bursar.store.sending import Answer, Question, ask, send
from bursar.store.tables import (
    CELLS,
    CHECKPOINTS,
    FLOWS,
    JOURNAL,
    MEMOS,
    OUTBOX,
    PORTFOLIOS,
    TRADES,
)

Upserting = Callable[[Table], Insert]
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
HEAD = tuple(PORTFOLIOS.c[name] for name in ("version", "seq", "hash", "base", "terms"))
_CELL, _TRADE, _FLOW, _MEMO = CELLS.c.name, TRADES.c.trade_id, FLOWS.c.id, MEMOS.c.name
_HEAD_OF = select(*HEAD).where(PORTFOLIOS.c.name == bindparam("own"))
_ANNOUNCED = exists().where(
    MEMOS.c.portfolio == bindparam("own"), MEMOS.c.name == bindparam("announced")
)
_DROPPED = delete(CHECKPOINTS).where(
    CHECKPOINTS.c.portfolio == bindparam("own"), CHECKPOINTS.c.time >= bindparam("since")
)


Asked = tuple[ClauseElement, Mapping[str, Any]]
"""A statement that gives rows, and its values."""


class Place(msgspec.Struct, frozen=True):
    """One portfolio inside one open transaction; of a group that `is_whole`, all goes or stays."""

    connection: Connection
    dialect: Dialect
    portfolio: str
    is_whole: bool = False

    def ask(self, statement: ClauseElement, values: Mapping[str, Any]) -> Answer:
        """Return the rows that a statement gives here."""
        return ask(self.connection, self.dialect.ask, statement, values)

    def run(self, *texts: str) -> None:
        """Execute statements without values, one after another."""
        for text in texts:
            self.dialect.run(self.connection, text, [{}])


def head(asked: Question, portfolio: str) -> Head:
    """Read where a portfolio stands."""
    return headed(asked(_HEAD_OF, {"own": portfolio}), portfolio)


def headed(rows: Answer, portfolio: str) -> Head:
    """Read a portfolio's head from the rows that told of it; the first is as good as any."""
    if not rows:
        raise PortfolioNotFound(f"there is no portfolio {portfolio!r}", portfolio=portfolio)
    return _head(rows[0], portfolio)


def advancing(portfolio: str, commit: Commit, *, is_alone: bool) -> Asked:
    """Return the statement that moves a portfolio on by the commit's versions, if it stands where
    the commit expects it, and if what announced one that is alone stands; and its values.
    """
    version = commit.expected_version
    given: dict[str, object] = {"own": portfolio, "old_version": version}
    given["version"] = commit.version
    if commit.records:
        first, last = commit.records[0], commit.records[-1]
        given |= {"old_seq": first.seq - 1, "old_hash": first.previous}
        given |= {"seq": last.seq, "hash": last.hash}
    if is_alone and commit.announced is not None:
        given["announced"] = commit.announced
    if commit.terms is not None:
        given["terms"] = texts.sealed(texts.terms(commit.terms), portfolio)
    return _advancing(frozenset(given)), given


def advanced(place: Place, commit: Commit, rows: Answer) -> Head:
    """Return the new head, by what that statement gave.

    Raises:
        StaleVersion: another writer came first, or it was given up for lost.
        BrokenInvariant: the rows do not follow the stored ones.
    """
    if not rows:
        now = head(place.ask, place.portfolio)
        checks.require_next(commit, now.version, now.seq, now.hash)
        if commit.announced is not None:
            raise checks.given_up(commit)
        raise BrokenInvariant(f"version {now.version} was there and was not found")
    return _head(rows[0], place.portfolio)


def weight(commit: Commit) -> int:
    """Return how many rows a commit puts in."""
    return sum(map(len, (commit.records, commit.cells, commit.trades, commit.flows, commit.memos)))


def journal(place: Place, records: Sequence[Record]) -> None:
    """Append journal rows."""
    if records:
        said = texts.all_named([record.body for record in records])
        _append(place, JOURNAL, list(map(_filed, repeat(place.portfolio), records, said)))


def _filed(portfolio: str, record: Record, said: texts.Named) -> Values:
    """Return a journal row as the table has its columns."""
    return (
        portfolio,
        record.seq,
        record.key,
        record.outcome.value,
        said.id,
        said.executed_at,
        record.recorded_at,
        record.body,
        record.previous,
        record.hash,
        said.group or said.id,
    )


def record(row: Sequence[Any]) -> Record:
    """Read a journal row of the columns `RECORD` back.

    Raises:
        StoreCorrupt: its verdict is none.
    """
    seq, key, said, recorded_at, body, previous, digest = row  # by name each would be looked up
    outcome = _OUTCOMES.get(said)
    if outcome is None:
        raise StoreCorrupt("its verdict is none that anybody gives", seq=seq)
    return Record(seq, key, outcome, recorded_at, body, previous, digest)


def cells(place: Place, changes: Mapping[str, str | None]) -> None:
    """Put cells in their place and take out the ones that are gone."""
    kept = [
        {"portfolio": place.portfolio, "name": name, "body": body}
        for name, body in changes.items()
        if body is not None
    ]
    upsert(place, CELLS, kept)
    _drop(place, _CELL, [name for name, body in changes.items() if body is None])


def checkpoint(place: Place, kept: StoredCheckpoint) -> None:
    """Put a checkpoint in the place of the one there is."""
    row = {
        "portfolio": place.portfolio,
        "time": kept.time,
        "seq": kept.seq,
        "hash": kept.hash,
        "body": kept.body,
        "digest": texts.digest(kept),
    }
    upsert(place, CHECKPOINTS, [row])


def drop_checkpoint(place: Place, since: int = 0) -> None:
    """Take the checkpoint out if it is of that time or later; by default in any case."""
    send(
        place.connection,
        place.dialect.run,
        _DROPPED,
        [{"own": place.portfolio, "since": since}],
    )


def replace_cells(place: Place, state: Mapping[str, str]) -> None:
    """Put a whole projection in the place of the one there is."""
    place.connection.execute(delete(CELLS).where(CELLS.c.portfolio == place.portfolio))
    cells(place, state)


def trades(place: Place, records: Iterable[RealizedPnLRecord], dropped: Sequence[str] = ()) -> None:
    """Take out the records of dropped trades, then put in the new ones."""
    _drop(place, _TRADE, dropped)
    _append(place, TRADES, _rows(place, TRADES, records), replacing=True)


def flows(place: Place, records: Iterable[CashFlowRecord], dropped: Sequence[str] = ()) -> None:
    """Take out dropped cash flows, then put in the new ones."""
    _drop(place, _FLOW, dropped)
    _append(place, FLOWS, _rows(place, FLOWS, records), replacing=True)


def outbox(place: Place, commit: Commit) -> None:
    """Leave the commit's messages, sealed; the number of each is the version that it tells of."""
    own = place.portfolio
    rows: list[Values] = []
    for version, (message, at) in enumerate(commit.messages, commit.expected_version + 1):
        number, name, topic = version, message.id, message.topic
        body = texts.sealed(message.body, own, number, version, name, topic, at)
        rows.append((own, number, version, name, topic, body, at))
    _append(place, OUTBOX, rows)


def memos(place: Place, texts_by_name: Mapping[str, str | None]) -> None:
    """Put memos in their place, sealed, and take out the ones that are gone."""
    own = place.portfolio
    kept = [
        {"portfolio": own, "name": name, "body": texts.sealed(text, own, "memo", name)}
        for name, text in texts_by_name.items()
        if text is not None
    ]
    upsert(place, MEMOS, kept)
    _drop(place, _MEMO, [name for name, text in texts_by_name.items() if text is None])


def announcing(upserting: Upserting, portfolio: str, memo: tuple[str, str], version: int) -> Asked:
    """Return the statement that keeps a memo, and gives a row, if the portfolio stands there."""
    name, text = memo
    body = texts.sealed(text, portfolio, "memo", name)
    given = {"own": portfolio, "wanted": name, "body": body, "version": version}
    return _announcing(upserting), given


@lru_cache
def _announcing(upserting: Upserting) -> ReturningInsert[Any]:
    names = ("own", "wanted", "body")
    row = [bindparam(name, type_=String) for name in names]
    source = select(*row).where(
        PORTFOLIOS.c.name == bindparam("own"), PORTFOLIOS.c.version == bindparam("version")
    )
    return upserting(MEMOS).from_select([*MEMOS.columns], source).returning(MEMOS.c.name)


def memo(portfolio: str, name: str, body: object) -> str:
    """Read a memo's text back."""
    with legible(f"the memo {name!r}"):
        return texts.unsealed(body, portfolio, "memo", name)


def message(row: Row[Any]) -> OutboxRow:
    """Read a commit's message back."""
    where = (row.portfolio, row.number, row.version, row.id, row.topic, row.created_at)
    with legible(f"message {row.number}"):
        body = texts.unsealed(row.body, *where)
    return OutboxRow(row.number, row.version, Outbox(row.id, row.topic, body), row.created_at)


def upsert(place: Place, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows; one whose key is there already takes the old one's place."""
    _append(place, table, listed(rows, table), replacing=True)


def _head(row: Sequence[Any], portfolio: str) -> Head:
    version, seq, digest, base, sealed = row
    with legible(f"the head of portfolio {portfolio!r}"):
        terms = _terms(sealed, portfolio)
    if terms.base != base:
        raise StoreCorrupt(f"the head of portfolio {portfolio!r} names two base currencies")
    return Head(version, seq, digest, terms)


@lru_cache(maxsize=16)
def _terms(sealed: str, portfolio: str) -> Terms:
    return texts.to_terms(texts.unsealed(sealed, portfolio))


def _append(place: Place, table: Table, rows: Sequence[Values], *, replacing: bool = False) -> None:
    """Insert rows whose values stand as the table has its columns."""
    if rows:
        insert = place.dialect.bulk if place.is_whole else place.dialect.insert
        insert(place.connection, table, rows, replacing=replacing)


@lru_cache
def _advancing(given: frozenset[str]) -> ReturningUpdate[Any]:
    """Return the statement that moves a head on, by what it is given. Made once of each kind."""
    where = [PORTFOLIOS.c.name == bindparam("own")]
    old = [name for name in ("version", "seq", "hash") if f"old_{name}" in given]
    where += [PORTFOLIOS.c[name] == bindparam(f"old_{name}") for name in old]
    if "announced" in given:
        where.append(_ANNOUNCED)
    new = [name for name in ("version", "seq", "hash", "terms") if name in given]
    values: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in new}
    return update(PORTFOLIOS).where(*where).values(values).returning(*HEAD)


def _rows(
    place: Place, table: Table, records: Iterable[RealizedPnLRecord | CashFlowRecord]
) -> list[Values]:
    values = _values(table)
    return [(place.portfolio, *values(record)) for record in records]


@lru_cache
def _values(table: Table) -> Callable[[object], Values]:
    """Return what takes a record's values as the table has its columns, its owner aside."""
    own, *names = (column.name for column in table.columns)
    assert own == "portfolio", "the owner's column comes first"
    return attrgetter(*names)


def _drop(place: Place, column: Column[str], names: Sequence[str]) -> None:
    if names:
        own = place.portfolio
        each = [{"own": own, "gone": name} for name in names]
        send(place.connection, place.dialect.run, _dropping(column), each)


@lru_cache
def _dropping(column: Column[str]) -> Delete:
    owner = column.table.c.portfolio
    return delete(column.table).where(owner == bindparam("own"), column == bindparam("gone"))
