"""Planted bugs: known mistakes, each behind its name, to see that the judges find them.

Each is a way of working that somebody has shipped. `BUGS` maps a name to the practice that has it;
the product is never changed on disk, and what one of them replaces is put back when its world ends.

    ack_before_commit     the commit is acknowledged, and written a little later
    dedupe_outside        duplicates are looked for in memory, not in the transaction that writes
    key_by_timestamp      two statements of one account, kind and instant are taken for one
    fold_by_arrival       facts are folded in the order in which they were learned
    new_id_on_retry       what may have been written is submitted again under another id
    stale_ignored         a commit that was drafted on an older version is written over the newer
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from bursar.errors import ConflictError, StoreError
from bursar.ledger import course, draft, journal, planning
from bursar.ledger.entries import AnyEntry, CashFlow
from bursar.ledger.facts import Fact
from bursar.ledger.journal import Record
from bursar.ledger.order import Key
from bursar.ports import Commit, Head
from bursar.sim.practice import Practice
from bursar.sim.shelf import Line

if TYPE_CHECKING:
    from bursar.ports import PortfolioStore


class _Eager:
    """A store that says yes first and writes when it is next looked at, if it still lives."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._owed: Commit | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the store has)
        self._pay()
        return getattr(self._line, name)

    def commit(self, commit: Commit) -> Head:
        """Acknowledge."""
        terms = self.head().terms
        self._owed, last = commit, commit.records[-1]
        return Head(commit.expected_version + 1, last.seq, last.hash, terms)

    def _pay(self) -> None:
        owed, self._owed = self._owed, None
        if owed is not None:
            with suppress(StoreError, ConflictError):
                self._line.commit(owed)


class _Rebasing:
    """A store that puts every commit on top of what is there, whatever it was drafted on."""

    def __init__(self, line: Line, *, keeps_keys: bool) -> None:
        self._line = line
        self._keeps_keys = keeps_keys

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the store has)
        return getattr(self._line, name)

    def commit(self, commit: Commit) -> Head:
        """Write."""
        head = self._line.shelf.heads[-1]
        if head.version == commit.expected_version:
            return self._line.commit(commit)
        rows = self._rebased(commit.records)
        if not rows:
            return head
        chained = journal.chain(rows, head=head.hash, seq=head.seq, at=commit.recorded_at)
        message = msgspec.structs.replace(commit.outbox, id=chained[-1].hash)
        return self._line.commit(
            msgspec.structs.replace(
                commit, expected_version=head.version, records=tuple(chained), outbox=message
            )
        )

    def _rebased(self, records: Iterable[Record]) -> list[tuple[str, journal.Outcome, AnyEntry]]:
        known = {row.key for row in self._line.shelf.store.records()}
        rows = []
        for row in records:
            if row.key not in known:
                rows.append((row.key, row.outcome, row.entry()))
            elif not self._keeps_keys:
                rows.append((f"{row.key}#{len(known)}", row.outcome, row.entry()))
        return rows


def _once_an_instant(entries: Iterable[AnyEntry]) -> list[AnyEntry]:
    kept: dict[object, AnyEntry] = {}
    for entry in entries:
        asset = getattr(entry, "asset", None)
        kept.setdefault((entry.account, entry.executed_at, type(entry), entry.source, asset), entry)
    return list(kept.values())


def _under_another_id(entry: CashFlow, tries: int) -> CashFlow:
    return msgspec.structs.replace(entry, id=f"{entry.id}/{tries}")


@contextmanager
def _by_arrival() -> Iterator[None]:
    arrived: dict[str, int] = {}

    def order_key(fact: Fact) -> Key:
        return arrived.setdefault(fact.id, len(arrived)), "", 0, 0, fact.id

    modules = (course, draft, planning)
    rights = [module.order_key for module in modules]
    for module in modules:
        module.order_key = order_key  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module, right in zip(modules, rights, strict=True):
            module.order_key = right  # type: ignore[attr-defined]


def _eager(line: Line) -> "PortfolioStore":
    return cast("PortfolioStore", _Eager(line))


def _blind(line: Line) -> "PortfolioStore":
    return cast("PortfolioStore", _Rebasing(line, keeps_keys=False))


def _heedless(line: Line) -> "PortfolioStore":
    return cast("PortfolioStore", _Rebasing(line, keeps_keys=True))


BUGS: Final = {
    "ack_before_commit": Practice(store=_eager),
    "dedupe_outside": Practice(store=_blind),
    "key_by_timestamp": Practice(take=_once_an_instant),
    "fold_by_arrival": Practice(planted=_by_arrival),
    "new_id_on_retry": Practice(again=_under_another_id),
    "stale_ignored": Practice(store=_heedless),
}
