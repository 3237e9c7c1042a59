"""Cash flows, and their reversal."""

from decimal import Decimal

from bursar.exact import ZERO, share
from bursar.ledger.book import Book
from bursar.ledger.entries import CAPITAL, CashFlow, Fee, FlowKind, Reversal
from bursar.ledger.fold.booking import (
    charge,
    charges,
    count,
    dispose,
    expense,
    kept_back,
    lacking,
    lot_of,
    place_in,
    realize,
    tag_of,
)
from bursar.ledger.state import NO_PAIR, FlowTotal, Line, Moved, Removal


def fold_flow(book: Book, flow: CashFlow) -> None:
    """Fold capital, income or an expense."""
    strategy = tag_of(flow.strategy)
    inside, outside = _inside(book, flow)
    spent = [(flow.asset, -flow.amount)] if flow.amount < 0 else []
    book.require(flow.account, [*spent, *charges(outside)])
    removal = None
    if flow.amount > 0:
        _come(book, flow, strategy, inside)
    elif flow.amount < 0:
        removal = _go(book, flow, strategy)
    else:
        count(book, flow, (flow.kind, flow.asset, strategy), FlowTotal(count=1))
    fees = tuple(expense(book, flow, fee, strategy) for fee in outside)
    _pocket(book, flow, 1)
    if flow.reversed_by is not None:
        book.undo[flow.id] = Moved(flow, removal, fees)


def _come(book: Book, flow: CashFlow, strategy: str, inside: list[Fee]) -> None:
    value, basis = flow.value or ZERO, _basis(book, flow)
    key = (flow.account, flow.asset, NO_PAIR, strategy, "")
    kept, cost = flow.amount, basis
    for fee in inside:
        part, worth = share(cost, fee.amount, kept), fee.value or ZERO
        kept, cost = kept - fee.amount, cost - part
        charge(book, flow, fee, NO_PAIR)
        change = FlowTotal(-fee.amount, worth, worth, 0, lacking(fee))
        count(book, flow, (FlowKind.FEE, fee.asset, strategy), change)
        realize(book, key, worth - part, "flow")
    gained = book.acquire(flow.account, flow.asset, lot_of(flow, kept, cost))
    realize(book, key, gained, "cover")
    booked = -basis if flow.kind is FlowKind.FEE else basis
    change = FlowTotal(flow.amount, booked, value, 1, _unknown(flow))
    count(book, flow, (flow.kind, flow.asset, strategy), change)


def _unknown(flow: CashFlow) -> int:
    """Count a flow whose worth nobody knows, also where the books do not need it."""
    return int(flow.value is None and bool(flow.amount))


def _basis(book: Book, flow: CashFlow) -> Decimal:
    """Return the cost of what a flow brings: its value, or for capital in coins a given basis."""
    given = flow.basis is not None and flow.kind in CAPITAL and flow.asset not in book.cash
    cost = flow.basis if given else flow.value
    return cost or ZERO


def _go(book: Book, flow: CashFlow, strategy: str) -> Removal:
    """Capital leaves at cost; a charge or an income taken back leaves at its worth."""
    value = -(flow.value or ZERO)
    key = (flow.account, flow.asset, NO_PAIR, strategy, "")
    if flow.kind in CAPITAL:
        sale = lot_of(flow, -flow.amount, ZERO)
        removal = book.remove(flow.account, flow.asset, sale)
        booked = -removal.cost
        if book.lines is not None:
            book.lines.append(Line("flow", key, ZERO, removal.cost, removal.parts))
    else:
        sale = lot_of(flow, -flow.amount, value)
        realized, removal = dispose(book, flow.account, flow.asset, sale)
        realize(book, key, realized, "flow", removal if removal.parts else None)
        booked = value if flow.kind is FlowKind.FEE else -value
    change = FlowTotal(flow.amount, booked, -value, 1, _unknown(flow))
    count(book, flow, (flow.kind, flow.asset, strategy), change)
    return removal


def fold_reversal(book: Book, reversal: Reversal) -> None:
    """Put back what the target moved: its lots, its cost, its fees."""
    moved = book.undo[reversal.target]
    assert moved is not None, "a fact is reversed once"
    flow, strategy = moved.flow, tag_of(moved.flow.strategy)
    inside, outside = _inside(book, flow)
    kept = sum((-fee.amount for fee in inside), max(flow.amount, ZERO))
    rebates = [(fee.asset, -fee.amount) for fee in outside if fee.amount < 0]
    book.require(flow.account, [(flow.asset, kept), *rebates])
    book.undo[reversal.target] = None
    key = (flow.account, flow.asset, NO_PAIR, strategy, "")
    booked = ZERO
    if moved.removal is not None:
        booked = _bring_back(book, flow, moved.removal)
    elif flow.amount > 0:
        booked = _send_back(book, reversal, flow, inside)
    value = flow.value or ZERO
    undone = FlowTotal(-flow.amount, booked, -value, -1, -_unknown(flow))
    count(book, flow, (flow.kind, flow.asset, key[3]), undone)
    if book.lines is not None:
        cost = -abs(booked) if moved.removal is None else moved.removal.cost
        book.lines.append(Line("flow", key, ZERO, cost, undone=flow))
    for fee, removal in zip(outside, moved.fees, strict=True):
        _give_back(book, flow, fee, removal)
    _pocket(book, flow, -1)


def _pocket(book: Book, flow: CashFlow, sign: int) -> None:
    """Keep count of coins outside the main pocket, fees of the same asset taken off."""
    fees = sum((fee.amount for fee in flow.fees if fee.asset == flow.asset), ZERO)
    place_in(book, (flow.account, flow.asset, flow.pocket), sign * (flow.amount - fees))


def _inside(book: Book, flow: CashFlow) -> tuple[list[Fee], list[Fee]]:
    """Part the fees of a flow into what is kept back from the coins it brings and the others."""
    return kept_back(flow.fees, flow.asset, max(flow.amount, ZERO), book.cash)


def _bring_back(book: Book, flow: CashFlow, removal: Removal) -> Decimal:
    """Put back what an outflow took: capital at its cost, a charge at its worth."""
    key = (flow.account, flow.asset, NO_PAIR, tag_of(flow.strategy), "")
    added = book.restore(flow.account, flow.asset, removal, owed=lot_of(flow, ZERO, ZERO))
    worth = removal.cost if flow.kind in CAPITAL else -(flow.value or ZERO)
    realize(book, key, added - worth, "flow")
    return -worth if flow.kind is FlowKind.FEE else worth


def _send_back(book: Book, reversal: Reversal, flow: CashFlow, inside: list[Fee]) -> Decimal:
    """Take out what an inflow brought, from its own lot first: capital at cost, income at worth."""
    kept, parts, basis = flow.amount, ZERO, _basis(book, flow)
    key = (flow.account, flow.asset, NO_PAIR, tag_of(flow.strategy), "")
    for fee in inside:
        part, worth = share(basis - parts, fee.amount, kept), fee.value or ZERO
        kept, parts = kept - fee.amount, parts + part
        charge(book, flow, fee, NO_PAIR, sign=-1)
        place = (FlowKind.FEE, fee.asset, key[3])
        count(book, flow, place, FlowTotal(fee.amount, -worth, -worth, 0, -lacking(fee)))
        realize(book, key, part - worth, "flow")
    is_capital = flow.kind in CAPITAL
    sale = lot_of(reversal, kept, ZERO if is_capital else basis - parts)
    removal = book.remove(flow.account, flow.asset, sale, (flow.id,), own=True)
    if is_capital:
        return -removal.cost - parts
    realize(book, key, sale.cost - removal.deferred - removal.cost, "flow")
    return basis if flow.kind is FlowKind.FEE else -basis


def _give_back(book: Book, flow: CashFlow, fee: Fee, removal: Removal) -> None:
    """Undo a fee that was charged beside the flow, or a rebate."""
    strategy, worth = tag_of(flow.strategy), fee.value or ZERO
    key = (flow.account, fee.asset, NO_PAIR, strategy, "")
    if fee.amount < 0:
        sale = lot_of(flow, -fee.amount, -worth)
        realize(book, key, dispose(book, flow.account, fee.asset, sale)[0], "fee")
    else:
        owed = lot_of(flow, ZERO, ZERO, part="fee")
        added = book.restore(flow.account, fee.asset, removal, owed=owed)
        realize(book, key, added - worth, "fee")
    charge(book, flow, fee, NO_PAIR, sign=-1)
    change = FlowTotal(fee.amount, -worth, -worth, 0, -lacking(fee))
    count(book, flow, (FlowKind.FEE, fee.asset, strategy), change)
