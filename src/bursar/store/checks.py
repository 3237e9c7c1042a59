"""What every store looks at before it writes: the shape of a commit and of the records.

These are questions that need no stored state, so all stores ask them here and answer alike.

Errors: `KeyReused` for a key twice in one commit; `BrokenInvariant` for rows that do not follow
each other or two records of one identity; `NotExact` for NaN and infinity; `Malformed` for a time
without a zone; `BadChoice` for a negative limit or another base currency.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import Any

import msgspec

from bursar.errors import BadChoice, BrokenInvariant, KeyReused, NotExact, StaleVersion
from bursar.ledger import instant
from bursar.ledger.journal import Record
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord
from bursar.ledger.terms import Terms
from bursar.ports import Commit
from bursar.value.snapshot import PortfolioSnapshot

TradeKey = tuple[str, str]

_NAME_LENGTH_MAX = 128


def require_name(portfolio: str) -> None:
    """Refuse a portfolio name that could not be shown or told apart from another."""
    fits = 0 < len(portfolio) <= _NAME_LENGTH_MAX and portfolio == portfolio.strip()
    if not (fits and portfolio.isprintable()):
        raise BadChoice(
            "a portfolio's name has 1 to 128 printable characters and no space at its ends",
            portfolio=portfolio[:_NAME_LENGTH_MAX],
        )


def require_base(stored: str, terms: Terms | None) -> None:
    """Refuse terms in another base currency than the one the portfolio was created with."""
    if terms is not None and terms.base != stored:
        raise BadChoice(
            f"the portfolio's base currency is {stored}; it cannot become {terms.base}",
            stored=stored,
            asked=terms.base,
        )


def require_commit(commit: Commit) -> None:
    """Refuse a commit that contradicts itself."""
    _require_rows(commit.records)
    _require_once([trade_key(record) for record in commit.trades], "trade record")
    _require_once([record.id for record in commit.flows], "cash flow")
    require_exact(commit.trades)
    require_exact(commit.flows)


def require_next(commit: Commit, version: int, seq: int, digest: str) -> None:
    """Refuse a commit that was planned against another state than the stored one."""
    if version != commit.expected_version:
        raise StaleVersion(
            f"the portfolio is at version {version}, the commit expected "
            f"{commit.expected_version}; read it again and plan anew",
            expected=commit.expected_version,
            actual=version,
        )
    first = commit.records[0] if commit.records else None
    if first is not None and (first.seq != seq + 1 or first.previous != digest):
        raise BrokenInvariant(
            f"journal row {first.seq} does not follow the stored row {seq}", seq=first.seq
        )


def given_up(commit: Commit) -> StaleVersion:
    """Return the refusal of a commit whose announcement somebody has taken away."""
    version = commit.expected_version
    return StaleVersion(
        "recovery has given this commit up for lost while it waited; begin again",
        expected=version,
        actual=version,
    )


def require_exact(
    records: Iterable[RealizedPnLRecord | CashFlowRecord | PortfolioSnapshot],
) -> None:
    """Refuse a record that holds NaN, an infinity, or a time without a zone."""
    for record in records:
        names, values_of = _exact_fields(type(record))
        values = values_of(record)
        for value in values:
            if isinstance(value, Decimal):
                if not value.is_finite():
                    name = next(n for n, v in zip(names, values, strict=True) if v is value)
                    raise NotExact(f"{name}: {value} is not a finite number", field=name)
            elif isinstance(value, datetime) and value.tzinfo is not UTC:
                instant.from_datetime(value)


def require_window(
    limit: int | None, since: datetime | None, until: datetime | None = None
) -> None:
    """Refuse a negative limit and a time without a zone."""
    if limit is not None and limit < 0:
        raise BadChoice(f"limit {limit} is negative", field="limit")
    for each in (since, until):
        if each is not None:
            instant.from_datetime(each)


def trade_key(record: RealizedPnLRecord) -> TradeKey:
    """Return what a trade record is known by.

    A trade leaves at most one record of each kind, such as `trade` and `peg`. Pair and account are
    no part of the key: a refold may change them, and the older record must not stay beside the new.
    """
    return record.trade_id, record.kind


@lru_cache
def _exact_fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, ...], Callable[..., Any]]:
    """Return the fields of a record that may hold a number or a time, and what takes them out."""
    plain = {str, str | None, tuple[str, ...]}
    named = tuple(field.name for field in msgspec.structs.fields(kind) if field.type not in plain)
    return named, attrgetter(*named)


def _require_rows(records: Sequence[Record]) -> None:
    keys = [record.key for record in records]
    if len(set(keys)) < len(keys):
        key = next(each for each, count in Counter(keys).items() if count > 1)
        raise KeyReused(f"key {key!r} stands twice in one commit", key=key)
    for before, record in pairwise(records):
        if record.seq != before.seq + 1 or record.previous != before.hash:
            raise BrokenInvariant(
                f"journal row {record.seq} does not follow row {before.seq}", seq=record.seq
            )


def _require_once(keys: Sequence[object], what: str) -> None:
    if len(set(keys)) != len(keys):
        raise BrokenInvariant(f"a commit holds one {what} twice")
