"""Cash flows, and their reversal."""

from decimal import Decimal

from bursar.exact import ZERO, share
from bursar.ledger.book import Book
from bursar.ledger.entries import CAPITAL, INCOME, CashFlow, Fee, FlowKind, Reversal
from bursar.ledger.fold.booking import count, dispose, expense, realize, tag_of
from bursar.ledger.lots import Lot
from bursar.ledger.state import NO_PAIR, FeeTotal, FlowTotal, Line, Moved, Removal


def fold_flow(book: Book, flow: CashFlow) -> None:
    """Fold capital, income or an expense."""
    strategy = tag_of(flow.strategy)
    inside, outside = _commission(book, flow)
    spent = [(flow.asset, -flow.amount)] if flow.amount < 0 else []
    book.require(flow.account, [*spent, *((fee.asset, fee.amount) for fee in outside)])
    removal = None
    if flow.amount > 0:
        _come(book, flow, strategy, inside)
    elif flow.amount < 0:
        removal = _go(book, flow, strategy)
    else:
        count(book, flow, (flow.kind, flow.asset, strategy), FlowTotal(count=1))
    fees = tuple(expense(book, flow, fee, strategy) for fee in outside)
    if flow.reversed_by is not None:
        book.undo[flow.id] = Moved(flow, removal, fees)


def _commission(book: Book, flow: CashFlow) -> tuple[list[Fee], list[Fee]]:
    """Part the fees of a flow into what is kept back from the coins it brings and the others."""
    inside = [
        fee
        for fee in flow.fees
        if fee.asset == flow.asset and flow.asset not in book.cash and ZERO < fee.amount <= flow.amount
    ]
    return inside, [fee for fee in flow.fees if fee not in inside]


def _come(book: Book, flow: CashFlow, strategy: str, inside: list[Fee]) -> None:
    value = flow.value or ZERO
    is_income = flow.kind in INCOME
    basis = value if flow.basis is None or flow.asset in book.cash or is_income else flow.basis
    key = (flow.account, flow.asset, NO_PAIR, strategy, "")
    kept, cost = flow.amount, basis
    for fee in inside:
        part, worth = share(basis, fee.amount, flow.amount), fee.value or ZERO
        kept, cost = kept - fee.amount, cost - part
        book.charge(flow.account, NO_PAIR, fee.asset, FeeTotal(fee.amount, worth))
        count(book, flow, (FlowKind.FEE, fee.asset, strategy), FlowTotal(-fee.amount, worth, worth))
        realize(book, key, worth - part, "flow")
    gained = book.acquire(flow.account, flow.asset, Lot(flow.id, flow.executed_at, kept, cost))
    realize(book, key, gained, "cover")
    booked = -basis if flow.kind is FlowKind.FEE else basis
    count(book, flow, (flow.kind, flow.asset, strategy), FlowTotal(flow.amount, booked, value, 1))


def _go(book: Book, flow: CashFlow, strategy: str) -> Removal:
    """Capital leaves at cost; a charge or an income taken back leaves at its worth."""
    value = -(flow.value or ZERO)
    key = (flow.account, flow.asset, NO_PAIR, strategy, "")
    if flow.kind in CAPITAL:
        sale = Lot(flow.id, flow.executed_at, -flow.amount, ZERO)
        removal = book.remove(flow.account, flow.asset, sale)
        booked = -removal.cost
        if book.lines is not None:
            book.lines.append(Line("flow", flow.asset, NO_PAIR, ZERO, removal.cost, removal.parts))
    else:
        sale = Lot(flow.id, flow.executed_at, -flow.amount, value)
        realized, removal = dispose(book, flow.account, flow.asset, sale)
        realize(book, key, realized, "flow", removal if removal.parts else None)
        booked = value if flow.kind is FlowKind.FEE else -value
    count(book, flow, (flow.kind, flow.asset, strategy), FlowTotal(flow.amount, booked, -value, 1))
    return removal


def fold_reversal(book: Book, reversal: Reversal) -> None:
    """Put back what the target moved: its lots, its cost, its fees."""
    moved = book.undo[reversal.target]
    assert moved is not None, "a fact is reversed once"
    book.undo[reversal.target] = None
    flow, strategy = moved.flow, tag_of(moved.flow.strategy)
    key = (flow.account, flow.asset, NO_PAIR, strategy, "")
    value = flow.value or ZERO
    booked = ZERO
    if moved.removal is not None:
        book.restore(flow.account, flow.asset, moved.removal, owed=flow.id)
        booked = moved.removal.cost
        if flow.kind not in CAPITAL:
            realized = moved.removal.cost + moved.removal.deferred + value
            realize(book, key, realized, "flow")
            booked = value if flow.kind is FlowKind.FEE else -value
    elif flow.amount > 0:
        booked = _send_back(book, reversal, flow)
    count(book, flow, (flow.kind, flow.asset, strategy), FlowTotal(-flow.amount, booked, -value, -1))
    outside = _commission(book, flow)[1]
    for fee, removal in zip(outside, moved.fees, strict=True):
        _give_back(book, flow, fee, removal)


def _send_back(book: Book, reversal: Reversal, flow: CashFlow) -> Decimal:
    """Take out what an inflow had brought, from its own lot first. Capital leaves at cost."""
    strategy, value = tag_of(flow.strategy), flow.value or ZERO
    inside = _commission(book, flow)[0]
    kept = flow.amount - sum((fee.amount for fee in inside), ZERO)
    proceeds = ZERO if flow.kind in CAPITAL else value
    sale = Lot(reversal.id, reversal.executed_at, kept, proceeds)
    removal = book.remove(flow.account, flow.asset, sale, (flow.id,), own=True)
    for fee in inside:
        worth = fee.value or ZERO
        book.charge(flow.account, NO_PAIR, fee.asset, FeeTotal(-fee.amount, -worth))
        place = (FlowKind.FEE, fee.asset, strategy)
        count(book, flow, place, FlowTotal(fee.amount, -worth, -worth))
        proceeds -= worth
    if flow.kind in CAPITAL:
        return -removal.cost - proceeds
    key = (flow.account, flow.asset, NO_PAIR, strategy, "")
    realize(book, key, proceeds - removal.deferred - removal.cost, "flow")
    return value if flow.kind is FlowKind.FEE else -value


def _give_back(book: Book, flow: CashFlow, fee: Fee, removal: Removal) -> None:
    """Undo a fee that was charged beside the flow."""
    strategy, worth = tag_of(flow.strategy), fee.value or ZERO
    key = (flow.account, fee.asset, NO_PAIR, strategy, "")
    back = book.restore(flow.account, fee.asset, removal, owed=flow.id)
    realize(book, key, back + removal.cost + removal.deferred - worth, "fee")
    book.charge(flow.account, NO_PAIR, fee.asset, FeeTotal(-fee.amount, -worth))
    count(book, flow, (FlowKind.FEE, fee.asset, strategy), FlowTotal(fee.amount, -worth, -worth))
