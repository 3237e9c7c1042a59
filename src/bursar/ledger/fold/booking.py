"""What all facts share when they are booked: disposals, fees, realised PnL, flow counts."""

from collections.abc import Iterable
from decimal import Decimal

from bursar.exact import ZERO
from bursar.ledger.book import Book
from bursar.ledger.entries import MAIN, MANUAL, Fee, FlowKind, venue
from bursar.ledger.facts import Fact
from bursar.ledger.lots import Lot
from bursar.ledger.order import turn
from bursar.ledger.state import NO_PAIR, Cell, CellKey, FeeTotal, FlowTotal, Line, Removal


def tag_of(strategy: str | None) -> str:
    """Return the strategy a fact is booked under: its tag, or `manual`."""
    return strategy or MANUAL


def lot_of(fact: Fact, quantity: Decimal, cost: Decimal, *, part: str = "") -> Lot:
    """Return a lot that the fact brings, or the proceeds of what it takes away.

    A second lot of one fact is named by its `part`, so that no two lots share an id.
    """
    name = f"{fact.id}/{part}" if part else fact.id
    place = (venue(fact.account), fact.sequence, turn(fact))
    return Lot(name, fact.executed_at, quantity, cost, *place)


def kept_back(
    fees: Iterable[Fee], asset: str, came: Decimal, cash: frozenset[str]
) -> tuple[list[Fee], list[Fee]]:
    """Part fees into those kept back from the coins that came, and the others."""
    inside = [fee for fee in fees if fee.asset == asset and asset not in cash and fee.amount > 0]
    if sum((fee.amount for fee in inside), ZERO) > came:
        inside = []
    return inside, [fee for fee in fees if fee not in inside]


def charges(fees: Iterable[Fee]) -> list[tuple[str, Decimal]]:
    """Return what fees take away. A rebate comes last, so it pays for nothing else of its fact."""
    return [(fee.asset, fee.amount) for fee in fees if fee.amount > 0]


def charge(book: Book, fact: Fact, fee: Fee, pair: str, *, sign: int = 1) -> None:
    """Add a fee to the fees of a pair, as the memo it is; take it off where `sign` is −1."""
    if fee.amount:
        amount, worth = sign * fee.amount, sign * (fee.value or ZERO)
        book.charge(fact.account, pair, fee.asset, FeeTotal(amount, worth, sign * lacking(fee)))


def lacking(fee: Fee) -> int:
    """Count a fee whose worth nobody knows."""
    return int(fee.value is None and bool(fee.amount))


def realize(  # noqa: PLR0913 (what a line says)
    book: Book,
    key: CellKey,
    realized: Decimal,
    kind: str,
    removal: Removal | None = None,
    *,
    parts: tuple[Lot, ...] = (),
) -> None:
    """Credit realised PnL that belongs to no trade of its own pair.

    `parts` are the lots of a fee, whose cost is no cost of its trade.
    """
    if realized or removal is not None:
        book.credit(key, Cell(ZERO, realized, ZERO, 0, realized if kind == "peg" else ZERO))
    elif not parts:
        return
    if book.lines is not None:
        cost, left = (removal.cost, removal.parts) if removal else (ZERO, parts)
        book.lines.append(Line(kind, key, realized, cost, left))


def dispose(
    book: Book, account: str, asset: str, sale: Lot, lots: tuple[str, ...] = ()
) -> tuple[Decimal, Removal]:
    """Remove `sale.quantity` for proceeds of `sale.cost`: (realised, what left)."""
    removal = book.remove(account, asset, sale, lots)
    return sale.cost - removal.deferred - removal.cost, removal


def pay_fee(book: Book, fact: Fact, fee: Fee, place: tuple[str, str, str]) -> Removal:
    """Let a fee leave (or a rebate come) in its own asset, which realises what it realises.

    `place` is (pair, strategy, regime). The fee's worth itself is for the caller to book.
    """
    worth = fee.value or ZERO
    key = (fact.account, fee.asset, *place)
    if fee.amount < 0:
        rebate = lot_of(fact, -fee.amount, -worth, part="rebate")
        gain = book.acquire(fact.account, fee.asset, rebate)
        realize(book, key, gain, "peg" if fee.asset in book.cash else "fee")
        return Removal((), ZERO)
    sale = lot_of(fact, fee.amount, worth, part="fee")
    gain, removal = dispose(book, fact.account, fee.asset, sale)
    kind = "peg" if fee.asset in book.cash else "fee"
    realize(book, key, gain, kind, parts=removal.parts)
    return removal


def expense(book: Book, fact: Fact, fee: Fee, strategy: str) -> Removal:
    """Book a fee on a row that is no trade: an expense at its worth."""
    removal = pay_fee(book, fact, fee, (NO_PAIR, strategy, ""))
    worth = fee.value or ZERO
    charge(book, fact, fee, NO_PAIR)
    change = FlowTotal(-fee.amount, worth, worth, 0, lacking(fee))
    count(book, fact, (FlowKind.FEE, fee.asset, strategy), change)
    return removal


def place_in(book: Book, place: tuple[str, str, str | None], change: Decimal) -> None:
    """Keep count of coins outside the main pocket: `place` is (account, asset, pocket)."""
    account, asset, pocket = place
    if pocket is not None and pocket != MAIN and change:
        key = (account, asset, pocket)
        book.pockets[key] = book.pockets.get(key, ZERO) + change


def count(book: Book, fact: Fact, place: tuple[FlowKind, str, str], change: FlowTotal) -> None:
    """Add to the flows: `place` is (kind, asset, strategy)."""
    kind, asset, strategy = place
    book.count((fact.account, kind.value, asset, strategy), change)


def carry(
    book: Book,
    fact: Fact,
    source: tuple[str, str],
    target: tuple[str, str],
    quantity: Decimal,
) -> None:
    """Move a quantity with its lots from one (account, asset) to another."""
    removal = book.remove(*source, lot_of(fact, quantity, ZERO))
    parts = removal.parts
    if source[1] in book.cash:
        parts = (lot_of(fact, quantity, quantity),)
    elif removal.missing:
        parts = (*parts, lot_of(fact, removal.missing, ZERO))
    added = book.restore(*target, Removal(parts, removal.cost))
    key = (*target, NO_PAIR, tag_of(None), "")
    realize(book, key, added - removal.cost, "peg" if target[1] in book.cash else "cover")
