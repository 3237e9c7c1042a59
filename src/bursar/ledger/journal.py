"""The journal: statements in the order we learned them, each with a verdict, chained by hash.

A statement is known by its key: who speaks, of which fact, and (for a refinement) a digest of what
is new. Told again, it is a duplicate and changes nothing. Told again with more digits in its time
or with a field that was absent, or by a row whose kind was not known before, it is a refinement and
recorded beside the first. Told again in different words, it is a conflict: the first one stays the
fact, and the second is kept and shown.

Each row's hash covers the hash before it and its own canonical bytes, so a row that is changed,
swapped or cut out breaks every hash after it.

Invariants: `seq` counts 1, 2, 3 …; keys are unique; a verdict never depends on what other facts
say.

Errors: `StoreCorrupt` names the first row whose hash, order or body does not hold; `SchemaNewer`
the one that only a newer bursar can read.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from hashlib import sha256
from typing import Final

import msgspec

from bursar.errors import SchemaNewer, StoreCorrupt
from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry, MovementKind, Source, decode, encode

GENESIS: Final = "0" * 64
_LEDGER: Final = Source.LEDGER
_SPEAKERS: Final = tuple(source.name.lower() for source in sorted(Source))


class Outcome(Enum):
    """The verdict's name."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What the journal answers to a statement; `field` names the first one that disagrees."""

    outcome: Outcome
    field: str | None = None

    def __str__(self) -> str:
        return f"{self.outcome.value} {self.field}" if self.field else self.outcome.value


class Ruled(msgspec.Struct, frozen=True):
    """A statement, its verdict, and the key it has in the journal (none for a duplicate)."""

    entry: AnyEntry
    verdict: Verdict
    key: str | None


RECORDED: Final = Verdict(Outcome.RECORDED)
DUPLICATE: Final = Verdict(Outcome.DUPLICATE)


class Record(msgspec.Struct, frozen=True, gc=False):
    """One row of the journal. A `conflict` row is kept for show and never folded."""

    seq: int
    key: str
    outcome: Outcome
    recorded_at: int
    body: str
    previous: str
    hash: str

    def entry(self) -> AnyEntry:
        """Return the statement that this row keeps.

        Raises:
            SchemaNewer: it says what this bursar does not know; a newer one wrote it.
            StoreCorrupt: it was changed after it was written, or is no statement at all.
        """
        try:
            return decode(self.body)
        except msgspec.ValidationError as error:
            self.require_unchanged()  # a flipped bit, where nobody has followed the chain yet
            raise SchemaNewer(
                f"a newer bursar wrote journal row {self.seq}, and this one cannot read it"
                f" ({error}); upgrade",
                seq=self.seq,
            ) from error
        except msgspec.DecodeError as error:
            raise StoreCorrupt(f"journal row {self.seq} is no statement", seq=self.seq) from error

    def require_unchanged(self) -> None:
        """Refuse a row that its own hash does not come of.

        Raises:
            StoreCorrupt: it does not.
        """
        told = f"{self.key}\n{self.outcome.value}\n{self.recorded_at}\n{self.body}"
        if _digest(self.previous, self.seq, told) != self.hash:
            said = f"journal row {self.seq} was changed after it was written"
            raise StoreCorrupt(said, seq=self.seq)


def key(entry: AnyEntry) -> str:
    """Return the key under which a statement is first recorded: source and id."""
    return f"{_SPEAKERS[entry.source]}|{entry.id}"


def refinement_key(entry: AnyEntry) -> str:
    """Return the key of a statement that adds to an earlier one or contradicts it."""
    return f"{key(entry)}|{sha256(encode(entry)).hexdigest()[:16]}"


def judge(entry: AnyEntry, known: Iterable[AnyEntry]) -> Verdict:
    """Compare a statement with what the same source said of the same fact before.

    Fields are compared in the order in which `entries` declares them, so of several disagreements
    the same one is always named.
    """
    adds = True
    for other in known:
        if type(other) is not type(entry):
            return Verdict(Outcome.CONFLICT, "kind")
        disagreement = next(_disagreements(other, entry), None)
        if disagreement is not None:
            return Verdict(Outcome.CONFLICT, disagreement)
        adds = adds and _adds(other, entry)
    return RECORDED if adds else DUPLICATE


def merge(statements: Iterable[AnyEntry]) -> AnyEntry:
    """Join statements of one source that agree: every stated field, the finest time.

    The result does not depend on their order.
    """
    told = list(statements)
    if len(told) == 1:
        return told[0]
    ordered = sorted(told, key=encode)
    joint = ordered[0]
    for other in ordered[1:]:
        changes = {
            name: _finer(name, getattr(joint, name), getattr(other, name))
            for name in joint.__struct_fields__
        }
        joint = msgspec.structs.replace(joint, **changes)
    return joint


def standing(statements: Sequence[AnyEntry]) -> Sequence[AnyEntry]:
    """Return what counts of statements: of what a venue has put right, only what it says last."""
    for each in statements:
        if each.source > _LEDGER:
            return _put_right(statements)
    return statements


def _put_right(statements: Sequence[AnyEntry]) -> list[AnyEntry]:
    """Leave out what was canceled, and all but the correction of what was corrected."""
    best: dict[str, Source] = {}
    for entry in statements:
        best[entry.id] = max(entry.source, best.get(entry.id, entry.source))
    counting: list[AnyEntry] = []
    for entry in statements:
        if best[entry.id] <= _LEDGER:
            counting.append(entry)
        elif entry.source is best[entry.id] is Source.CORRECTION:
            counting.append(msgspec.structs.replace(entry, source=_LEDGER))
    return counting


def chain(
    entries: Iterable[tuple[str, Outcome, AnyEntry]], *, head: str, seq: int, at: int
) -> list[Record]:
    """Append statements to a journal whose last row has `seq` and hash `head`. O(rows appended)."""
    rows: list[Record] = []
    recorded = Outcome.RECORDED.value  # to ask an enum for its value takes a while
    for name, outcome, entry in entries:
        seq += 1
        body = encode(entry).decode()
        word = recorded if outcome is Outcome.RECORDED else outcome.value
        digest = _digest(head, seq, f"{name}\n{word}\n{at}\n{body}")
        rows.append(Record(seq, name, outcome, at, body, head, digest))
        head = digest
    return rows


def check(rows: Iterable[Record], *, head: str = GENESIS, seq: int = 0) -> Iterator[Record]:
    """Pass rows through, verifying order and hash of each.

    Raises:
        StoreCorrupt: at the first row that does not follow from the one before it.
    """
    for row in rows:
        seq += 1
        if row.seq != seq:
            raise StoreCorrupt(
                f"journal row {seq} is missing; the next one there is {row.seq}", seq=seq
            )
        if row.previous != head:
            raise StoreCorrupt(f"journal row {seq} does not follow row {seq - 1}", seq=seq)
        row.require_unchanged()
        head = row.hash
        yield row


def _digest(head: str, seq: int, told: str) -> str:
    return sha256(f"{head}\n{seq}\n{told}".encode()).hexdigest()


def _disagreements(known: AnyEntry, told: AnyEntry) -> Iterator[str]:
    for name in told.__struct_fields__:
        if not _agree(name, getattr(known, name), getattr(told, name)):
            yield name


_SOFT: Final = frozenset({"sequence", "note", "code", "label"})


def _agree(name: str, known: object, told: object) -> bool:
    if name in _SOFT or known == told or _absent(known) or _absent(told):
        return True
    if name == "executed_at" and isinstance(known, int) and isinstance(told, int):
        return instant.refine(known, told) == told or instant.refine(told, known) == known
    return False


def _adds(known: AnyEntry, told: AnyEntry) -> bool:
    return any(
        _finer(name, getattr(known, name), getattr(told, name)) != getattr(known, name)
        for name in told.__struct_fields__
    )


def _finer(name: str, known: object, told: object) -> object:
    if name == "executed_at" and isinstance(known, int) and isinstance(told, int):
        return instant.refine(known, told)
    if name in _SOFT:
        return _larger(known, told)
    return told if _absent(known) and not _absent(told) else known


def _larger(known: object, told: object) -> object:
    """Choose between two soft fields by their own order, since arrival must not matter."""
    if isinstance(known, int) and isinstance(told, int):
        return max(known, told)
    if isinstance(known, str) and isinstance(told, str):
        return max(known, told)
    return told if _absent(known) else known


def _absent(value: object) -> bool:
    return value is None or value == () or value is MovementKind.UNCLASSIFIED
