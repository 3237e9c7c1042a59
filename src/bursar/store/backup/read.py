"""Reading a backup: the file must be whole, its chain of hashes too, and fold to what it says.

Errors: `BackupDamaged` for anything that is not as it was when the backup was taken.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from bursar.errors import BackupDamaged, BadChoice, SchemaNewer, StoreCorrupt
from bursar.ledger.checkpoint import FORMAT, MARK, fold_of
from bursar.ledger.journal import GENESIS, Record
from bursar.ledger.planning import folded
from bursar.ledger.timeline import Timeline
from bursar.ports import Progress
from bursar.store import checks, texts
from bursar.store.backup.fold import verified
from bursar.store.backup.lines import (
    READABLE,
    End,
    Header,
    Memo,
    Message,
    Opened,
    Reel,
    Row,
    Shot,
)
from bursar.store.backup.manifest import Kept, Manifest
from bursar.store.backup.take import Found, manifest_of, require_head

_TELL_EVERY = 1_000


class Backup(msgspec.Struct, frozen=True):
    """A backup that was found whole, and what its portfolios fold to."""

    path: Path
    manifest: Manifest
    books: dict[str, Timeline]


def read_backup(path: Path, *, refold: bool = False, progress: Progress | None = None) -> Backup:
    """Read a backup to its end and prove it.

    Journals of an older bursar may fold to other books than when it was taken, since a later one
    knows better; with `refold` any may.

    Raises:
        BackupDamaged: it is not whole, or does not come to what it says.
        SchemaNewer: it holds a book that a newer bursar folded.
    """
    try:
        return _read(path, refold=refold, progress=progress)
    except (StoreCorrupt, BadChoice, msgspec.MsgspecError) as error:
        raise BackupDamaged(f"{path.name} is damaged: {error}", file=str(path)) from error


def rows_of(reel: Reel) -> Iterator[Record]:
    """Yield the journal rows that come next, each with the hash of the one before."""
    before = GENESIS
    for row in reel.take(Row):
        yield Record(row.seq, row.key, row.outcome, row.recorded_at, row.body, before, row.hash)
        before = row.hash


def _read(path: Path, *, refold: bool, progress: Progress | None) -> Backup:
    reel = Reel(path)
    header = reel.one(Header)
    if header.format not in READABLE:
        raise BackupDamaged(
            f"{path.name} is of format {header.format}; this bursar reads format {max(READABLE)}"
        )
    books: dict[str, Timeline] = {}
    kept: list[Kept] = []
    older: set[str] = set()
    for opened in reel.take(Opened):
        found, fold = _found(opened, reel, progress)
        if fold < FORMAT:
            older.add(opened.name)
        books[opened.name] = folded(found.terms, found.chain.told)
        kept.append(found.kept(books[opened.name]))
    end = reel.one(End)
    assert list(reel.take(End)) == [], "the reader has refused what comes after the end"
    other = _others(path, end.portfolios, tuple(kept))
    if not (refold or older.issuperset(other)):
        raise BackupDamaged(
            f"{path.name} is whole, but {', '.join(other)} folds to another book than when bursar"
            f" {header.made_by} took it; --refold takes the book as it folds now",
            file=str(path),
        )
    made = manifest_of(path, header, tuple(kept))
    return Backup(path, msgspec.structs.replace(made, refolded=other), books)


def _found(opened: Opened, reel: Reel, progress: Progress | None) -> tuple[Found, int]:
    """Read a portfolio, and which fold its book was of."""
    checks.require_name(opened.name)
    chain = verified(_watched(rows_of(reel), opened.seq, progress))
    require_head(chain, opened)
    shots = [texts.to_snapshot(shot.body) for shot in reel.take(Shot)]
    sent = sum(1 for _ in reel.take(Message))
    memos = fold = 0
    for memo in reel.take(Memo):  # there may be one for every key that was ever given
        memos += 1
        fold = fold_of(memo.text) if memo.name == MARK else fold
    if fold > FORMAT:
        raise SchemaNewer(f"a newer bursar folded {opened.name} (fold {fold}); upgrade this one")
    return Found(opened, texts.to_terms(opened.terms), chain, len(shots), sent, memos), fold


def _watched(rows: Iterator[Record], total: int, progress: Progress | None) -> Iterator[Record]:
    for row in rows:
        if progress is not None and row.seq % _TELL_EVERY == 0:
            progress("reading the backup", row.seq, total)
        yield row


def _others(path: Path, said: tuple[Kept, ...], found: tuple[Kept, ...]) -> tuple[str, ...]:
    """Compare what the end line says with what the lines before it came to; return the portfolios
    whose facts are those, and whose book is another.
    """
    if _facts(said) != _facts(found):
        raise BackupDamaged(f"{path.name} does not hold what its end says", file=str(path))
    return tuple(each.portfolio for each, now in zip(said, found, strict=True) if each != now)


def _facts(kept: tuple[Kept, ...]) -> list[Kept]:
    return [msgspec.structs.replace(each, digest="") for each in kept]
