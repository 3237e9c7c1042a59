"""A checkpoint: all that a timeline needs to go on from an instant without the facts before it.

It holds the book with its lots, the running balances, the first rows, the openings, the notes, the
last trade of each pair, and the splits. What happened up to and including `time` is behind it, what
happened later is ahead. A timeline that starts at a checkpoint takes statements from ahead only;
anything that reaches back is `Behind`, and asks for the whole journal.

Invariants
- `time` is the last instant of a second, and no group of statements lies on both sides of it.
- A timeline made from a checkpoint and what is ahead of it has the same book, openings and
  verdicts as one made from the whole journal.

A checkpoint is derived from the journal and can be made anew at any time.

Errors: `StoreCorrupt` for text that is not a checkpoint.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from bursar.errors import StoreCorrupt
from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.book import STATE, Book
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Fill,
    Link,
    MarginFill,
    Movement,
    Price,
    Reversal,
    Split,
    Tag,
)
from bursar.ledger.facts import Fact
from bursar.ledger.firsts import Firsts
from bursar.ledger.lots import Lot
from bursar.ledger.openings import Prefixes, Walked
from bursar.ledger.state import (
    Cell,
    CellKey,
    FeeTotal,
    FlowTotal,
    Holding,
    HoldingKey,
    Margin,
    Moved,
)
from bursar.ledger.terms import Terms

_K = TypeVar("_K")
_V = TypeVar("_V")


class Held(msgspec.Struct, frozen=True):
    """A holding with its lots in order of acquisition."""

    place: HoldingKey
    quantity: Decimal
    cost: Decimal
    lots: tuple[Lot, ...]
    owed: tuple[Lot, ...]


class State(msgspec.Struct, frozen=True):
    """A book, each mapping as its pairs of key and value."""

    holdings: tuple[Held, ...]
    cells: tuple[tuple[CellKey, Cell], ...]
    fees: tuple[tuple[tuple[str, str, str], FeeTotal], ...]
    flows: tuple[tuple[tuple[str, str, str, str], FlowTotal], ...]
    margins: tuple[tuple[tuple[str, str], Margin], ...]
    balances: tuple[tuple[HoldingKey, Decimal], ...]
    pockets: tuple[tuple[tuple[str, str, str], Decimal], ...]
    sleeves: tuple[tuple[str, Decimal], ...]
    gaps: tuple[tuple[tuple[str, str], int], ...]
    undo: tuple[tuple[str, Moved | None], ...]


FORMAT: Final = 22
"""Goes up whenever the fold, or what a checkpoint holds, changes: the same journal comes to another
book then, or to other records. Other checkpoints are no use, and a stored book of another fold is
worked out anew when it is opened. A test holds what the golden journals come to.
"""
MARK: Final = "fold"
"""The memo that says which of them a stored book is of. One without it is older than the memo."""
OWN: Final[Mapping[str, str]] = {MARK: str(FORMAT)}


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind `time`: how many facts, and what they came to."""

    format: int = FORMAT
    time: int
    facts: int
    state: State
    walked: Walked
    firsts: tuple[Movement, ...] = ()
    openings: tuple[CashFlow, ...] = ()
    notes: tuple[Tag | Link | Reversal | Price, ...] = ()
    lasts: tuple[Fill | MarginFill, ...] = ()
    splits: tuple[Split, ...] = ()

    @money
    def book(self, terms: Terms) -> Book:
        """Return the book as it stood."""
        book, state = Book(terms), self.state
        for held in state.holdings:
            pool = None if book.is_wac else book.rule.arrange(held.lots)
            book.holdings[held.place] = Holding(held.quantity, held.cost, pool, held.owed)
        for name in _PLAIN:
            getattr(book, name).update(getattr(state, name))
        book.latest = self.time
        return book

    def prefixes(self, terms: Terms) -> Prefixes:
        """Return the running balances as they stood."""
        return Prefixes.resumed(terms.base, terms.cash, self.walked)

    def first_rows(self) -> Firsts:
        """Return the first ledger rows of each asset."""
        firsts = Firsts()
        for row in self.firsts:
            firsts.see(row)
        return firsts

    def is_behind(self, at: int) -> bool:
        """Tell whether an instant is behind."""
        return at <= self.time


class _Formed(msgspec.Struct, frozen=True):
    format: int


_PLAIN: Final = tuple(name for name in STATE if name != "holdings")
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Checkpoint)
_FORMAT: Final = msgspec.json.Decoder(_Formed)


def fold_of(mark: str | None) -> int:
    """Read the memo of that name: which fold a book is of.

    Raises:
        StoreCorrupt: it is no number.
    """
    if mark is None:
        return 0
    if not (mark.isascii() and mark.isdecimal()):
        raise StoreCorrupt(f"the fold of the book is {mark!r}, which is no number")
    return int(mark)


def encode(checkpoint: Checkpoint) -> str:
    """Write a checkpoint as text, every digit kept."""
    return _ENCODER.encode(checkpoint).decode()


def decode(body: str) -> Checkpoint | None:
    """Read a checkpoint back; `None` for one that another bursar made of another fold."""
    try:
        if _FORMAT.decode(body).format != FORMAT:
            return None
        return _DECODER.decode(body)
    except msgspec.MsgspecError as error:
        raise StoreCorrupt(f"the stored checkpoint cannot be read: {error}") from None


@money
def state_of(book: Book) -> State:
    """Take a book down. O(keys + lots)."""
    holdings = (
        Held(
            place,
            holding.quantity,
            holding.cost,
            () if book.is_wac else tuple(book.rule.lots(holding.pool)),
            holding.owed,
        )
        for place, holding in sorted(book.holdings.items())
    )
    return State(tuple(holdings), *(_pairs(getattr(book, name)) for name in _PLAIN))


def last_trades(facts: Iterable[Fact]) -> tuple[Fill | MarginFill, ...]:
    """Return the last execution of each pair that tells a price, of facts in canonical order."""
    last: dict[tuple[str, str], Fill | MarginFill] = {}
    for fact in facts:
        if isinstance(fact, Fill | MarginFill) and _tells_price(fact):
            known = last.get((fact.base, fact.quote))
            if known is None or fact.executed_at >= known.executed_at:
                last[fact.base, fact.quote] = fact
    return tuple(last[pair] for pair in sorted(last))


def end_of_second(at: int) -> int:
    """Return the last instant of the second that `at` is in."""
    return at - at % instant.SECOND + instant.SECOND - 1


class Recalled(msgspec.Struct, frozen=True):
    """Statements from behind, by group, that a batch may be telling again.

    `homes` says which group a fact is in, `conflicts` holds the keys of refused statements.
    """

    groups: Mapping[str, tuple[AnyEntry, ...]] = {}
    homes: Mapping[str, str] = {}
    conflicts: frozenset[str] = frozenset()


NOTHING_RECALLED: Final = Recalled()


def _tells_price(fill: Fill | MarginFill) -> bool:
    return bool(fill.price or (isinstance(fill, Fill) and fill.quantity and fill.amount))


def _pairs(mapping: Mapping[_K, _V]) -> tuple[tuple[_K, _V], ...]:
    return tuple(sorted(mapping.items()))
