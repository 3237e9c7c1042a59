"""The door: what no statement may say, whatever its source.

Signs and closed sets that the fold relies on are checked once, before a statement is judged, so
that a nonsensical one is an error with a name and never a broken book.

Errors: `OutOfBounds` for a number or a time outside its domain, `BadChoice` for a word outside its
set, each naming the entry and the field.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from bursar.errors import BadChoice, OutOfBounds
from bursar.exact import plain
from bursar.ledger import instant
from bursar.ledger.entries import (
    AnyEntry,
    Conversion,
    Fill,
    Leg,
    MarginFill,
    Movement,
    Price,
    Rename,
    SleeveTransfer,
    Split,
    StagedChange,
    Transfer,
)
from bursar.ledger.names import canonical

_ACTIONS: Final = frozenset({"add", "remove", "update"})
_Named = Iterable[tuple[str, Decimal | None]]


def check(entry: AnyEntry) -> None:
    """Refuse a statement that cannot be one."""
    if not -instant.LONGEST < entry.executed_at < instant.LONGEST:
        raise OutOfBounds(f"{entry.id}: no store keeps a time as far away", field="executed_at")
    if not isinstance(entry, Movement):  # by far the most; what they say is no nonsense by itself
        _check(entry)
    if isinstance(entry, Split | Rename | Conversion) and entry.turn is not None:
        raise BadChoice(f"{entry.id}: a turn is worked out, not stated", field="turn")


def _check(entry: AnyEntry) -> None:
    match entry:
        case Fill() | MarginFill():
            _fill(entry)
        case Transfer():
            _positive(entry, [("quantity", entry.quantity)])
            _called(entry)
        case SleeveTransfer():
            _not_negative(entry, [("amount", entry.amount)])
        case Price():
            _not_negative(entry, [("value", entry.value)])
        case Split():
            _positive(entry, [("numerator", entry.numerator), ("denominator", entry.denominator)])
        case Conversion():
            _positive(entry, _legs(entry.given, "given"))
            _positive(entry, _legs(entry.taken, "taken"))
        case Rename() if entry.asset == entry.to_asset:
            raise BadChoice(f"{entry.id}: {entry.asset} is renamed to itself", field="to_asset")
        case Rename(quantity=Decimal()):
            _positive(entry, [("quantity", entry.quantity)])
        case StagedChange():
            _staged(entry)
        case _:
            return


def _fill(fill: Fill | MarginFill) -> None:
    _not_negative(fill, _amounts(fill))
    if fill.quantity is not None and fill.side is None:
        raise BadChoice(f"{fill.id}: a quantity without a side", field="side")


def _called(move: Transfer) -> None:
    """Refuse another name where nothing goes anywhere, and one that is another coin's."""
    if move.to_asset is None:
        return
    if move.to_account == move.account or canonical(move.to_asset) != canonical(move.asset):
        raise BadChoice(
            f"{move.id}: {move.asset} is not called {move.to_asset} there", field="to_asset"
        )


def _amounts(fill: Fill | MarginFill) -> _Named:
    if isinstance(fill, Fill):
        yield "amount", fill.amount
    yield "quantity", fill.quantity
    yield "price", fill.price


def _legs(legs: Sequence[Leg], name: str) -> _Named:
    if not legs or len({leg.asset for leg in legs}) < len(legs):
        raise BadChoice(f"{name}: a conversion has at least one asset, each once", field=name)
    yield from ((f"{name} {leg.asset}", leg.quantity) for leg in legs)


def _staged(change: StagedChange) -> None:
    _not_negative(change, [(f"price {line.asset}", line.price) for line in change.lines])
    for lot in change.lots:
        _not_negative(change, [(f"lot {lot.lot}", lot.quantity), (f"cost {lot.lot}", lot.cost)])
        if lot.action not in _ACTIONS:
            known = ", ".join(sorted(_ACTIONS))
            raise BadChoice(f"{change.id}: lot action {lot.action!r}; one of {known}", field="lots")


def _not_negative(entry: AnyEntry, numbers: _Named) -> None:
    for field, value in numbers:
        if value is not None and value < 0:
            raise OutOfBounds(f"{entry.id}: {field} {plain(value)} is negative", field=field)


def _positive(entry: AnyEntry, numbers: _Named) -> None:
    for field, value in numbers:
        if value is not None and value <= 0:
            raise OutOfBounds(f"{entry.id}: {field} {plain(value)} is not positive", field=field)
