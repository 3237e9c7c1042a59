"""Shifts: how a fact moves coins where no trade record says it.

A trade record tells of the base of its pair. Round trips have to know as well of the coin that was
paid with, of fees in coins, and of what coins do between trades: they come and go, are carried to
another account or name, are split. Each such move is a row that is kept with the trade records of
its fact (`records.SHIFT`), written and dropped with them, and shown to nobody.

Of a row count `account`, `pair` (the asset), `flags`, and by what `side` says:

    traded   exchanged: `base_delta`, what that realised on this coin (`pnl_base`), cost of its lots
    lent     a leveraged position moved by `base_delta`
    repaid   the same, of one that opened nothing, whatever was open
    taken    `base_delta` of that in the pair `regime` became coins, or took them
    paid     what paid for it, or for its fees, and is no coin of the trade: `base_delta`
    flow     came or went: `base_delta`; where it is taken back later, `order_id` names by what
    undone   of a flow put back: `base_delta`
    carried  `base_delta` coins to the account `order_id`, where they are called `regime`
    renamed  all of the account (`*`: of all accounts) is called `regime`; without, it is money
    split    the same, times `base_delta` ÷ `quote_delta`

The turn of a split, a rename, or an exchange among others (`order`) stands behind the number in
the kind: of what an instant has, records tell nothing else of who comes first.

Money has no round trips, so nothing is said of it. A currency that the book keeps lots of pays for
coins and is not traded for them. A fill for money leaves no row where its record tells all of its
fees in coins: that names one.

Errors: none.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.currencies import is_currency
from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fee,
    Fill,
    MarginFill,
    Rename,
    Reversal,
    Side,
    Split,
    StagedChange,
    Transfer,
)
from bursar.ledger.facts import Fact
from bursar.ledger.order import IS_EXCHANGED, Action, turn
from bursar.ledger.records import SHIFT, RealizedPnLRecord
from bursar.ledger.state import Line

LENT: Final = "lent"
REPAID: Final = "repaid"
_LEVERAGED: Final = frozenset({LENT, REPAID})


class _Move(msgspec.Struct, frozen=True):
    """What happens to how many of an asset, and what else its row says. Without an account it is
    that of the fact.
    """

    word: str
    asset: str
    delta: Decimal
    account: str | None = None
    other: str | None = None
    name: str | None = None
    whole: Decimal = ZERO
    pnl: Decimal = ZERO
    cost: Decimal = ZERO


def shifts_of(
    fact: Fact, lines: Sequence[Line], cash: frozenset[str]
) -> Sequence[RealizedPnLRecord]:
    """Return the rows of a fact, given what it realised. To be called inside the money context."""
    if isinstance(fact, Fill) and fact.quote in cash and _is_told(fact, cash):
        return ()
    found = _moves(fact, lines, cash)
    moves = (move for move in found if move.asset not in cash or move.word in _LEVERAGED)
    return [_row(fact, number, move) for number, move in enumerate(moves)]


def turn_told(shift: RealizedPnLRecord) -> int | None:
    """Return the turn that a row tells of its fact, if it tells one."""
    due = shift.kind.partition(" ")[2]
    return int(due) if due else None


def _is_told(fill: Fill, cash: frozenset[str]) -> bool:
    """Tell whether the trade record of a fill, which names one fee, says all that are no money."""
    fees = fill.fees
    if fill.delivers or not fees[1:]:  # most have one
        return not fill.delivers
    return all(fee.asset in cash or fee.asset == fees[0].asset for fee in fees)


def _is_of_base(fill: Fill, fee: Fee) -> bool:
    """Tell whether a fee is off what the trade record says of the base."""
    return fee.asset == fill.base == fill.fees[0].asset


def _moves(fact: Fact, lines: Sequence[Line], cash: frozenset[str]) -> Iterator[_Move]:
    match fact:
        case CashFlow():
            yield from _of_flow("flow", fact, 1, fact.reversed_by)
        case Reversal():
            for flow in (line.undone for line in lines if line.undone is not None):
                yield from _of_flow("undone", flow, -1)
        case Transfer():
            yield from _of_transfer(fact, cash)
        case Rename():
            yield from _of_rename(fact, cash)
        case Split():
            yield _Move("split", fact.asset, fact.numerator, whole=fact.denominator)
        case _:
            yield from _of_trade(fact, lines)


def _of_trade(fact: Fact, lines: Sequence[Line]) -> Iterator[_Move]:
    match fact:
        case Fill():
            yield from _of_fill(fact, lines)
        case MarginFill():
            if fact.side is not None and fact.quantity:
                yield _Move(REPAID if fact.closes else LENT, fact.base, _signed(fact))
            yield from _paid([(fact.quote, settled_by(lines)), *_off(fact.fees)])
        case Conversion():
            went = [(leg.asset, -leg.quantity) for leg in fact.given]
            came = [(leg.asset, leg.quantity) for leg in fact.taken]
            own = {asset for asset, _ in (*went, *came)}
            off = _off(fact.fees)
            legs = [*went, *came, *(each for each in off if each[0] in own)]
            yield from _exchanged(legs, lines)
            yield from _paid(each for each in off if each[0] not in own)
        case StagedChange():
            yield from _traded(((line.asset, line.quantity) for line in fact.lines), lines)
        case _:  # a sleeve's capital: no coin moves
            return


def _of_fill(fill: Fill, lines: Sequence[Line]) -> Iterator[_Move]:
    amount, quote = fill.amount or ZERO, fill.quote
    moved = [(quote, -amount if fill.side is Side.BUY else amount)]
    if fill.delivers:
        yield _Move("taken", fill.base, _signed(fill), name=f"{fill.base}/{quote}")
    off = _off(fee for fee in fill.fees if not _is_of_base(fill, fee))
    moved += [each for each in off if each[0] == quote]
    traded = [each for each in off if each[0] == fill.base]
    paid = [each for each in off if each[0] not in {fill.base, quote}]
    (paid if is_currency(quote) else traded).extend(moved)
    # What was made on the base is for its trade record to say.
    yield from _traded(traded, [line for line in lines if line.asset == quote])
    yield from _paid(paid)


def settled_by(lines: Iterable[Line]) -> Decimal:
    """Return what a leveraged trade settled in its quote, signed, also where only the book says."""
    return sum((line.settled for line in lines), ZERO)


def _signed(fill: Fill | MarginFill) -> Decimal:
    quantity = fill.quantity or ZERO
    return quantity if fill.side is Side.BUY else -quantity


def _of_flow(word: str, flow: CashFlow, sign: int, back: str | None = None) -> Iterator[_Move]:
    moved = _sums([(flow.asset, flow.amount), *_off(flow.fees)])
    for asset, delta in moved.items():
        if delta:
            yield _Move(word, asset, sign * delta, flow.account, back)


def _of_transfer(move: Transfer, cash: frozenset[str]) -> Iterator[_Move]:
    if move.to_account != move.account:
        there = move.to_asset or move.asset
        yield from _carried(move.asset, there, move.quantity, move.to_account, cash)
    for account, fees in ((move.account, move.fees), (move.to_account, move.to_fees)):
        for fee in fees:
            yield _Move("flow", fee.asset, -fee.amount, account)


def _of_rename(rename: Rename, cash: frozenset[str]) -> Iterator[_Move]:
    there = rename.to_asset
    if rename.quantity is not None:
        yield from _carried(rename.asset, there, rename.quantity, rename.account, cash)
    else:
        name = None if there in cash else there
        yield _Move("renamed", rename.asset, ZERO, name=name)


def _carried(
    asset: str, there: str, quantity: Decimal, account: str, cash: frozenset[str]
) -> Iterator[_Move]:
    """Carry coins. What becomes money is gone, and what was money has just come."""
    if cash & {asset, there}:
        yield _Move("flow", asset, -quantity)
        yield _Move("flow", there, quantity, account)
    else:
        yield _Move("carried", asset, quantity, other=account, name=there)


def _exchanged(legs: Sequence[tuple[str, Decimal]], lines: Sequence[Line]) -> Iterator[_Move]:
    """Tell coins, which were traded, from currencies, which paid for them."""
    coins = [leg for leg in legs if not is_currency(leg[0])]
    yield from _traded(coins or legs, lines)
    if coins:
        yield from _paid(leg for leg in legs if is_currency(leg[0]))


def _traded(moved: Iterable[tuple[str, Decimal]], lines: Sequence[Line]) -> Iterator[_Move]:
    for asset, delta in _sums(moved).items():
        own = [line for line in lines if line.asset == asset]
        pnl, cost = (line.realized for line in own), (line.cost for line in own)
        yield _Move("traded", asset, delta, pnl=sum(pnl, ZERO), cost=sum(cost, ZERO))


def _paid(moved: Iterable[tuple[str, Decimal]]) -> Iterator[_Move]:
    for asset, delta in _sums(moved).items():
        if delta:
            yield _Move("paid", asset, delta)


def _off(fees: Iterable[Fee]) -> list[tuple[str, Decimal]]:
    return [(fee.asset, -fee.amount) for fee in fees]


def _sums(moved: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for asset, delta in moved:
        sums[asset] = sums.get(asset, ZERO) + delta
    return sums


def _row(fact: Fact, number: int, move: _Move) -> RealizedPnLRecord:
    is_placed = isinstance(fact, Action) and turn(fact) != IS_EXCHANGED
    due = f" {turn(fact)}" if is_placed else ""
    return RealizedPnLRecord(
        trade_id=fact.id,
        order_id=move.other,
        pair=move.asset,
        time=instant.to_datetime(fact.executed_at),
        side=move.word,
        base_delta=move.delta,
        quote_delta=move.whole,
        fee_asset="",
        fee_amount=ZERO,
        pnl_quote=None,
        strategy_tag=None,
        pnl_base=move.pnl,
        regime=move.name,
        account=fact.account if move.account is None else move.account,
        kind=f"{SHIFT}{number:04}{due}",
        cost_base=move.cost,
        flags=tuple(flag.value for flag in fact.flags),
    )
