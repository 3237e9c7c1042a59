"""Why a figure of value is what it is: its formula, its marks, and the pieces that add up to it.

Each function returns the figure that the valuation or the book has, never a new one. In a sum, the
known parts add up to the figure; an unknown one stands beside them as `None`.

Errors: `FigureNotFound` for an asset that is not there, `MissingMark` for one that has no value,
`ValueUnknown` for one whose cost nobody has priced.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from bursar.errors import FigureNotFound, MissingMark, ValueUnknown
from bursar.exact import money, trimmed
from bursar.ledger import instant
from bursar.ledger.audit import Totals
from bursar.ledger.book import Book
from bursar.ledger.lots import Lot
from bursar.ledger.why import Amount, Why
from bursar.value.convert import Path
from bursar.value.coverage import book_gaps, is_cost_known
from bursar.value.equity import Valuation, valuation_gap
from bursar.value.marks import Mark
from bursar.value.pnl import fees
from bursar.value.worth import AssetWorth, Gap, MarginWorth


@money
def why_equity(valuation: Valuation) -> Why:
    """Explain equity: the value of each asset and the unrealised PnL of each leveraged position."""
    parts = [_asset(each, valuation.base) for each in valuation.assets]
    parts += [_margin(each) for each in valuation.margins]
    return Why(
        valuation.equity,
        f"equity in {valuation.base} = Σ value of assets + Σ unrealised of leveraged positions",
        tuple(parts),
    )


def why_value(valuation: Valuation, asset: str) -> Why:
    """Explain the value of one asset: quantity × marks."""
    return _value(*_valued(valuation, asset), valuation.base)


@money
def why_unrealized(valuation: Valuation, asset: str) -> Why:
    """Explain the unrealised PnL of one asset: value − cost."""
    worth, value = _valued(valuation, asset)
    _require_cost(worth)
    parts = (_value(worth, value, valuation.base), Amount("cost, taken off", -worth.cost))
    return Why(value - worth.cost, f"unrealised of {worth.asset} = value − cost", parts)


@money
def why_cost(book: Book, valuation: Valuation, asset: str) -> Why:
    """Explain the cost of a held asset: its open lots, by the facts that brought them."""
    worth = _found(valuation, asset)
    _require_cost(worth)
    gaps = book_gaps(book, asset=asset)
    parts = []
    for (place, name), holding in sorted(book.holdings.items()):
        if valuation.marks.name(name) != valuation.marks.name(asset):
            continue
        if name in book.cash:
            parts.append(Amount("at face", holding.cost, place))
            continue
        parts += [_lot("lot", place, name, lot, gaps) for lot in book.lots(place, name)]
        debts = (msgspec.structs.replace(lot, cost=-lot.cost) for lot in holding.owed)
        parts += [_lot("owed", place, name, debt, gaps) for debt in debts]
    formula = f"cost of {worth.asset} = Σ cost of its lots − proceeds of what is owed"
    return Why(worth.cost, formula, tuple(parts))


@money
def why_fees(book: Book) -> Why:
    """Explain all fees, by the asset in which they were charged."""
    summary = fees(book)
    parts = (
        Amount(f"{fee.amount:f} {asset}", fee.value) for asset, fee in summary.by_asset.items()
    )
    return Why(summary.total, "fees = Σ worth when charged, by asset", tuple(parts))


@money
def why_identity(valuation: Valuation, totals: Totals) -> Why:
    """Explain that the books close at these marks; the value is the gap of the identity, zero."""
    return Why(
        valuation_gap(valuation, totals),
        "gap = equity + excluded + cost of unpriced"
        " − contributed − realised − income + expenses − unrealised − value without a known cost",
        (
            Amount("equity", valuation.equity),
            Amount("excluded", valuation.excluded_value),
            Amount("cost of unpriced", valuation.unvalued_cost),
            Amount("contributed", -totals.contributed),
            Amount("realised", -totals.realized),
            Amount("income", -totals.income),
            Amount("expenses", totals.expenses),
            Amount("unrealised", -valuation.owned_unrealized),
            Amount("value without a known cost", -valuation.unfounded),
        ),
    )


def _asset(worth: AssetWorth, base: str) -> Why | Amount:
    if worth.value is None:
        return Amount(f"{worth.quantity:f} {worth.asset}", None, str(worth.missing))
    return _value(worth, worth.value, base)


def _value(worth: AssetWorth, value: Decimal, base: str) -> Why:
    quantity = Amount(f"quantity of {worth.asset}", worth.quantity)
    if worth.path is None:
        return Why(value, f"value of {worth.asset} = 0, none is held", (quantity,))
    if not worth.path.marks:
        return Why(value, f"value of {worth.asset} in {base} at face", (quantity,))
    formula = f"value of {worth.asset} = quantity × mark, {worth.path}"
    return Why(value, formula, (quantity, *_marks(worth.path)))


def _lot(kind: str, place: str, asset: str, lot: Lot, gaps: Sequence[Gap]) -> Amount:
    cost = lot.cost if is_cost_known(lot.cost, lot.quantity, gaps) else None
    return Amount(f"{kind} of {lot.quantity:f} {asset}", cost, f"{place}, {lot.id}")


def _require_cost(worth: AssetWorth) -> None:
    if not worth.is_cost_known:
        raise ValueUnknown(
            f"{worth.asset}: cost unknown, no part of it had a price;"
            " a price for its time, imported, gives it one",
            asset=worth.asset,
        )


def _margin(worth: MarginWorth) -> Why | Amount:
    name = f"{worth.quantity:f} {worth.pair}, leveraged, in {worth.account}"
    if worth.value is None or worth.entry is None:
        return Amount(name, None, str(worth.missing))
    at_mark, at_entry = (_marks(path) for path in worth.paths)
    quantity = Amount(f"quantity of {worth.asset}", worth.quantity)
    notional = Amount(f"notional of entry in {worth.quote}", worth.notional)
    parts = (
        Why(worth.value, f"value = quantity × mark, {worth.paths[0]}", (quantity, *at_mark)),
        Why(-worth.entry, "entry, taken off", (notional, *at_entry)),
    )
    return Why(worth.value - worth.entry, f"unrealised of {name} = value − entry", parts)


def _marks(path: Path) -> tuple[Amount, ...]:
    amounts = []
    for step in path.steps:
        if step.mark is not None:
            turned = f"{_split(step.mark)}{', inverted' if step.is_inverse else ''}"
            source = f"{step.mark.source} of {instant.show(step.mark.at)}{turned}"
            amounts.append(Amount(f"mark {step.mark.pair}", step.mark.price, source))
    return tuple(amounts)


def _split(mark: Mark) -> str:
    """Say what was told, where a split has made another price of it."""
    return "" if mark.stated is None else f", {trimmed(mark.stated)} before the split since"


def _found(valuation: Valuation, asset: str) -> AssetWorth:
    worth = valuation.asset(asset)
    if worth is None:
        raise FigureNotFound(f"the book holds no {asset}", asset=asset)
    return worth


def _valued(valuation: Valuation, asset: str) -> tuple[AssetWorth, Decimal]:
    worth = _found(valuation, asset)
    if worth.value is None:
        raise MissingMark(f"{worth.missing}", asset=asset)
    return worth, worth.value
