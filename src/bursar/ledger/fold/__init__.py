"""The fold: how each kind of fact changes the book.

`apply` takes one priced fact after another, in canonical order. Each kind has one function. Legs
apply acquire, dispose, fee. The value that pricing wrote into a fact is what is booked; an
unpriced one counts as nothing and leaves a gap.

Rules
- Disposing of an asset realises its value less the cost of the lots it came from; the part that is
  not there realises nothing and is owed.
- Base currency and pegs have no lots: a peg that changes hands away from 1 realises the difference
  at once.
- Capital comes in at value (or a given basis) and goes out at cost, so it realises nothing; income
  is booked at value; a charge in a coin is a disposal of that coin at its value then.
- A trade's fees are inside its realised PnL; fees on other rows are expenses.
- A fee in the asset just received is taken from the lot just received.

An ordinary fill costs O(1) under wac, lifo and (amortised) fifo, O(log n) under hifo.

Errors: `Oversold` where an account is strict. Nothing of that fact has changed then.
"""

from collections.abc import Callable, Iterable
from typing import Final, cast

from bursar.exact import money
from bursar.ledger.book import Book
from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fill,
    Flag,
    MarginFill,
    Rename,
    Reversal,
    SleeveTransfer,
    Split,
    StagedChange,
    Transfer,
)
from bursar.ledger.facts import Fact
from bursar.ledger.fold.fill import fold_fill
from bursar.ledger.fold.flow import fold_flow, fold_reversal
from bursar.ledger.fold.margin import fold_margin
from bursar.ledger.fold.moves import (
    fold_conversion,
    fold_sleeve,
    fold_transfer,
)
from bursar.ledger.fold.renames import fold_rename, fold_split
from bursar.ledger.fold.staged import fold_staged
from bursar.ledger.state import Line


@money
def fold(facts: Iterable[Fact], book: Book) -> Book:
    """Fold facts, which stand in canonical order and are priced, into `book`, and return it."""
    for fact in facts:
        if type(fact) is Fill and not fact.flags:
            fold_fill(book, fact)
            book.latest = fact.executed_at
        else:
            apply(book, fact)
    return book


def apply(book: Book, fact: Fact) -> None:
    """Fold one fact. To be called inside the money context.

    Raises:
        Oversold: a strict account disposes of more than it holds. The book is as it was.
    """
    _FOLDS[type(fact)](book, fact)
    book.latest = fact.executed_at
    if fact.flags:
        _note_gaps(book, fact)


@money
def traced(book: Book, fact: Fact) -> list[Line]:
    """Fold one fact and return what it realised, piece by piece."""
    return traced_within(book, fact)


def traced_within(book: Book, fact: Fact) -> list[Line]:
    """Do what `traced` does, inside the money context."""
    lines: list[Line] = []
    book.lines = lines
    try:
        apply(book, fact)
    finally:
        book.lines = None
    return lines


def assets_of(fact: Fact) -> tuple[str, ...]:
    """Return the assets whose figures rest on the fact."""
    match fact:
        case Fill() | MarginFill():
            return (fact.base, fact.quote)
        case CashFlow() | Transfer() | Rename() | Split():
            return (fact.asset,)
        case Conversion():
            return tuple(leg.asset for leg in (*fact.given, *fact.taken))
        case _:
            return ()


def _note_gaps(book: Book, fact: Fact) -> None:
    """Count what is not known, by asset: of money, which costs its face, only why it moved."""
    for asset in assets_of(fact):
        for flag in fact.flags:
            if asset not in book.cash or flag in _OF_MOVES:
                book.note(asset, flag)


_OF_MOVES: Final = frozenset({Flag.UNPAIRED, Flag.UNCLASSIFIED})
_Fold = Callable[[Book, Fact], None]
_FOLDS: Final = {
    CashFlow: cast("_Fold", fold_flow),
    Conversion: cast("_Fold", fold_conversion),
    Fill: cast("_Fold", fold_fill),
    MarginFill: cast("_Fold", fold_margin),
    Rename: cast("_Fold", fold_rename),
    Reversal: cast("_Fold", fold_reversal),
    SleeveTransfer: cast("_Fold", fold_sleeve),
    Split: cast("_Fold", fold_split),
    StagedChange: cast("_Fold", fold_staged),
    Transfer: cast("_Fold", fold_transfer),
}
