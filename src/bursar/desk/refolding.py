"""A book that another bursar folded, brought along when it is opened.

What was told stands in the journal and never changes. The projection, the records and the
checkpoint follow from it, so where a later bursar knows better they are made anew: from the whole
journal, every row verified, in one commit without rows. It is a version of its own, so whoever
still has the older book in memory is told to read again, and its message says which realised
figures are others now. Killed inside, it leaves the old book, and the next opening does it again.

Which fold made the projection stands in a memo, kept by the first commit and by this one. A book
without it is older than the memo.

The log has it (`BOOK_REFOLDED`, in `bursar.desk`).

Errors: `SchemaNewer` for a book that a newer bursar folded; what writing raises.
"""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec
import structlog

from bursar.desk import telling
from bursar.errors import SchemaNewer, StoreCorrupt, StoreReadOnly
from bursar.exact import ZERO
from bursar.ledger import describe, projection
from bursar.ledger.book import Book
from bursar.ledger.checkpoint import FORMAT, MARK, OWN, fold_of
from bursar.ledger.course import Restated
from bursar.ledger.state import CellKey
from bursar.ledger.timeline import Timeline
from bursar.ports import Commit, Head, Outbox, PortfolioStore

LOG: Final[structlog.BoundLogger] = structlog.wrap_logger(
    logging.getLogger("bursar.desk"), processors=[structlog.stdlib.render_to_log_kwargs]
)
_FIRST: Final = -(2**63)
_CELLS: Final = '["cells", '
_NAME: Final = msgspec.json.Decoder(list[str])


class _Cell(msgspec.Struct, frozen=True):
    realized: Decimal


_REALIZED: Final = msgspec.json.Decoder(_Cell)


class Refold(msgspec.Struct, frozen=True):
    """A book that was folded anew: how many cells are others now, and which realised figures."""

    cells: int
    restated: tuple[Restated, ...]


def is_own(store: PortfolioStore, head: Head) -> bool:
    """Tell whether what is stored was folded as this bursar folds.

    Raises:
        SchemaNewer: a newer one folded it.
    """
    if not head.version:
        return True
    found = fold_of(store.memo(MARK))
    if found > FORMAT:
        raise SchemaNewer(
            f"a newer bursar folded this book (fold {found}, this one knows {FORMAT}); upgrade",
            found=found,
            known=FORMAT,
        )
    return found == FORMAT


def refold(store: PortfolioStore, head: Head, timeline: Timeline, at: int) -> tuple[Head, Refold]:
    """Put what a whole timeline comes to in the place of what is stored; return the new head.

    Raises:
        StaleVersion: another writer was first.
        StoreError: nothing was written.
    """
    stored, due = store.load_state(), projection.cells(timeline.book)
    cells: dict[str, str | None] = {n: t for n, t in due.items() if stored.get(n) != t}
    cells |= dict.fromkeys(stored.keys() - due.keys())
    made = Refold(len(cells), restated(stored, timeline.book))
    trades, flows = describe.retold(timeline.terms, timeline)
    commit = Commit(
        expected_version=head.version,
        records=(),
        cells=cells,
        outbox=_message(head, made),
        recorded_at=at,
        trades=tuple(trades),
        flows=tuple(flows),
        dropped_trades=tuple(sorted({each.trade_id for each in store.get_shifted()})),
        dropped_flows=tuple(sorted({each.id for each in store.get_cash_flows()})),
        reaches_back_to=_FIRST,
        memos=OWN,
    )
    try:
        head = store.commit(commit)
    except StoreReadOnly as error:
        said = "an older bursar folded it, and it is worked out anew before it is read"
        raise StoreReadOnly(f"{error.message}; {said}") from error
    LOG.warning("BOOK_REFOLDED", cells=made.cells, restated=telling.in_words(made.restated))
    return head, made


def restated(stored: Mapping[str, str], book: Book) -> tuple[Restated, ...]:
    """Return the realised figures that a stored projection and a book tell differently.

    Raises:
        StoreCorrupt: a stored cell cannot be read.
    """
    before = dict(_realized(name, text) for name, text in stored.items() if name.startswith(_CELLS))
    now = {key: cell.realized for key, cell in book.cells.items()}
    return tuple(
        Restated(*key, before.get(key, ZERO), now.get(key, ZERO), ())
        for key in sorted(before.keys() | now)
        if before.get(key, ZERO) != now.get(key, ZERO)
    )


def _realized(name: str, text: str) -> tuple[CellKey, Decimal]:
    try:
        _, *key = _NAME.decode(name)
        account, asset, pair, strategy, regime = key
        return (account, asset, pair, strategy, regime), _REALIZED.decode(text).realized
    except (msgspec.MsgspecError, ValueError) as error:
        raise StoreCorrupt(f"the stored cell {name} cannot be read") from error


def _message(head: Head, made: Refold) -> Outbox:
    """Return the message of a commit that has no rows: the first would come after the last."""
    body = {
        "version": head.version + 1,
        "first_seq": head.seq + 1,
        "last_seq": head.seq,
        "hash": head.hash,
        "restated": telling.plainly_restated(made.restated),
    }
    told = msgspec.json.encode(body).decode()
    return Outbox(f"{head.hash}:{head.version + 1}", telling.RESTATED, told)
