"""Describing facts: what a fact did, as the records that outsiders read.

A fact and the lines it realised (from `fold.traced`) become `RealizedPnLRecord`s, one per kind of
line, or a `CashFlowRecord`; what it moved beside a trade, as its shifts. Nothing is computed here
but sums of lines.

Errors: none.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fee,
    Fill,
    Flag,
    FlowKind,
    Leg,
    MarginFill,
    Reversal,
    Side,
    StagedChange,
)
from bursar.ledger.facts import Fact
from bursar.ledger.fold import traced
from bursar.ledger.fold.booking import tag_of
from bursar.ledger.fold.staged import unexplained
from bursar.ledger.records import BESIDES, CashFlowRecord, RealizedPnLRecord
from bursar.ledger.shifts import settled_by, shifts_of
from bursar.ledger.state import NO_PAIR, Line
from bursar.ledger.terms import Terms

_FLOW = "flow"
REVERSAL = "reversal"
_STAGED = "staged"
_TRANSACTION = "transaction"
_PRIMARY = {Fill: "trade", MarginFill: "margin", Conversion: "conversion", StagedChange: _STAGED}


@money
def records(
    told: Iterable[tuple[Fact, Sequence[Line]]], terms: Terms
) -> tuple[list[RealizedPnLRecord], list[CashFlowRecord]]:
    """Return the trade and flow records of facts with what each realised, in their order.

    Behind the trade records of each fact stand its shifts, which are kept with them.
    """
    trades: list[RealizedPnLRecord] = []
    flows: list[CashFlowRecord] = []
    cash, base = terms.cash, terms.base
    for fact, lines in told:
        trades += _trade_records(fact, lines, cash)
        trades += shifts_of(fact, lines, cash)
        if isinstance(fact, Fill):
            continue
        flow = _flow_record(fact, lines, base)
        flows += [flow] if flow is not None else []
    return trades, flows


def retold(
    terms: Terms, facts: Iterable[Fact]
) -> tuple[list[RealizedPnLRecord], list[CashFlowRecord]]:
    """Fold facts, which stand in canonical order, and return the records of all. O(facts)."""
    book = Book(terms)
    return records(((fact, traced(book, fact)) for fact in facts), terms)


@money
def trade_records(
    fact: Fact, lines: Sequence[Line], cash: frozenset[str]
) -> list[RealizedPnLRecord]:
    """Return the PnL records of a fact, one per kind; a trade always has one."""
    return _trade_records(fact, lines, cash)


def _trade_records(
    fact: Fact, lines: Sequence[Line], cash: frozenset[str]
) -> list[RealizedPnLRecord]:
    if isinstance(fact, Fill) and len(lines) == 1 and lines[0].kind == "trade":
        return [_plain_trade(fact, lines[0], cash)]
    if isinstance(fact, StagedChange) and _is_plain(lines):
        return [_staged_trade(fact, lines)]
    primary = _PRIMARY.get(type(fact))
    if primary is None:
        return _flow_gains(fact, lines, cash)
    by_kind: dict[str, list[Line]] = {primary: []}
    for line in lines:
        own = line.kind if line.kind in BESIDES else primary
        known = by_kind.setdefault(own, [])
        if own == _STAGED and known and known[0].pair != line.pair:
            known = by_kind.setdefault(f"{own} {line.pair}", [])
        known.append(line)
    return [
        _record(fact, kind, own, cash, is_first=kind == primary) for kind, own in by_kind.items()
    ]


def _is_plain(lines: Sequence[Line]) -> bool:
    """Tell whether what a transaction made, it made in one pair."""
    return all(line.kind == _STAGED and line.pair == lines[0].pair for line in lines)


def _flow_record(fact: Fact, lines: Sequence[Line], base: str) -> CashFlowRecord | None:
    """Return the cash flow record of a fact, if it is a flow, has one in it, or puts one back."""
    if isinstance(fact, StagedChange):
        return _staged_flow(fact, base)
    if isinstance(fact, Reversal):
        return _given_back(fact, lines)
    if not isinstance(fact, CashFlow):
        return None
    came = fact.value if fact.basis is None else fact.basis
    cost = (came or ZERO) if fact.amount > 0 else -_cost(lines)
    fees = [fee.amount for fee in fact.fees if fee.asset == fact.asset]
    return CashFlowRecord(
        id=fact.id,
        time=instant.to_datetime(fact.executed_at),
        asset=fact.asset,
        amount=fact.amount,
        type=fact.kind.value,
        note=fact.note,
        account=fact.account,
        value_base=fact.value,
        cost_base=cost,
        fee_amount=sum(fees, ZERO),
        flags=tuple(flag.value for flag in fact.flags),
    )


def _staged_flow(change: StagedChange, base: str) -> CashFlowRecord | None:
    """Return the capital that a transaction's positions do not explain, if there is any."""
    capital = unexplained(change)
    if not capital:
        return None
    return CashFlowRecord(
        id=change.id,
        time=instant.to_datetime(change.executed_at),
        asset=base,
        amount=capital,
        type=FlowKind.STAGED_FLOW.value,
        note=change.note,
        account=change.account,
        value_base=capital,
        cost_base=capital,
        fee_amount=ZERO,
        flags=(),
    )


def _tag(fact: Fact) -> str:
    """Return who did it: for a transaction whom its lines name, or else just that it was one."""
    if isinstance(fact, StagedChange):
        named = {line.strategy for line in fact.lines if line.strategy}
        return "+".join(sorted(named)) or _TRANSACTION
    return tag_of(getattr(fact, "strategy", None))


def _given_back(reversal: Reversal, lines: Sequence[Line]) -> CashFlowRecord:
    """Return the opposite of the flow that a reversal puts back, so that flows add up."""
    flow, cost = next((line.undone, line.cost) for line in lines if line.undone is not None)
    fees = [fee.amount for fee in flow.fees if fee.asset == flow.asset]
    return CashFlowRecord(
        id=reversal.id,
        time=instant.to_datetime(reversal.executed_at),
        asset=flow.asset,
        amount=-flow.amount,
        type=flow.kind.value,
        note=reversal.note,
        account=flow.account,
        value_base=None if flow.value is None else -flow.value,
        cost_base=cost,
        fee_amount=-sum(fees, ZERO),
        flags=(REVERSAL, *(flag.value for flag in flow.flags)),
    )


def _flow_gains(fact: Fact, lines: Sequence[Line], cash: frozenset[str]) -> list[RealizedPnLRecord]:
    """Return what a fact that is no trade made, a record for each account that made it."""
    made: dict[str, list[Line]] = {}
    for line in lines:
        if line.realized:
            made.setdefault(line.key[0], []).append(line)
    found: list[RealizedPnLRecord] = []
    for account in sorted(made, key=lambda each: (each != fact.account, each)):
        kind = f"{_FLOW} {account}" if found else _FLOW
        record = _record(fact, kind, made[account], cash, is_first=not found)
        found.append(msgspec.structs.replace(record, account=account))
    return found


def _plain_trade(fill: Fill, line: Line, cash: frozenset[str]) -> RealizedPnLRecord:
    """Return the record of a fill that made one line: what `_record` says, with less to look at."""
    sign, fees, quote = 1 if fill.side is Side.BUY else -1, fill.fees, fill.quote
    made, asset = ZERO + line.realized, fees[0].asset if fees else ""
    charged, kept = ZERO, ZERO
    known: Decimal | None = ZERO
    for fee in fees:
        charged += fee.amount if fee.asset == asset else ZERO
        kept += fee.amount if fee.asset == quote else ZERO
        known = None if known is None or fee.value is None else known + fee.value
    return RealizedPnLRecord(  # the first by their place: Python hands over many names slowly
        fill.id,
        fill.order_id,
        fill.pair or f"{fill.base}/{quote}",
        instant.to_datetime(fill.executed_at),
        "buy" if sign > 0 else "sell",
        sign * fill.quantity,
        -sign * (fill.amount or ZERO) - kept,
        asset,
        charged,
        pnl_quote=made if quote in cash else None,
        strategy_tag=tag_of(fill.strategy),
        pnl_base=made,
        fee_base=known,
        regime=fill.regime,
        account=fill.account,
        kind="trade",
        price=fill.price,
        cost_base=ZERO + line.cost,
        flags=tuple([flag.value for flag in fill.flags]),
    )


def _staged_trade(change: StagedChange, lines: Sequence[Line]) -> RealizedPnLRecord:
    """Return the record of a transaction whose lines are of one kind, in the same way."""
    made = sum([line.realized for line in lines], ZERO)
    charged = _charged(change, lines)
    return RealizedPnLRecord(
        trade_id=change.id,
        order_id=None,
        pair=lines[0].pair if lines else NO_PAIR,
        time=instant.to_datetime(change.executed_at),
        side="",
        base_delta=ZERO,
        quote_delta=ZERO,
        fee_asset=charged[0].asset if charged else "",
        fee_amount=change.fees if charged else ZERO,
        pnl_quote=None,
        strategy_tag=_tag(change),
        pnl_base=made,
        fee_base=change.fees if charged else ZERO,
        regime=None,
        account=change.account,
        kind=_STAGED,
        price=None,
        cost_base=_cost(lines),
        flags=tuple([flag.value for flag in change.flags]),
    )


def _charged(change: StagedChange, lines: Sequence[Line]) -> tuple[Fee, ...]:
    """Return the fees of a transaction if these are the lines of where they were charged: its one
    position, or no pair.
    """
    if not (change.fees and lines):
        return ()
    own = lines[-1]
    if own.pair == NO_PAIR:
        return (Fee(own.asset, change.fees, change.fees),)
    is_only = len({line.asset for line in change.lines}) == 1
    return (Fee(own.pair.rpartition("/")[2], change.fees, change.fees),) if is_only else ()


def _record(
    fact: Fact, kind: str, lines: Sequence[Line], cash: frozenset[str], *, is_first: bool
) -> RealizedPnLRecord:
    made = sum((line.realized for line in lines), ZERO)
    fees: tuple[Fee, ...] = ()
    if is_first and isinstance(fact, Fill | MarginFill | Conversion | CashFlow):
        fees = fact.fees
    elif isinstance(fact, StagedChange) and kind not in BESIDES:
        fees = _charged(fact, lines)
    worth = [fee.value for fee in fees]
    known = [value for value in worth if value is not None]
    quote, side, moved = _moved(fact, lines, is_first=is_first)
    flags = fact.flags
    if any(line.is_unsettled for line in lines):
        flags, quote_made = (*flags, Flag.UNSETTLED), None
    else:
        quote_made = made if quote in cash else None
    return RealizedPnLRecord(
        trade_id=fact.id,
        order_id=getattr(fact, "order_id", None),
        pair=_pair(fact, lines),
        time=instant.to_datetime(fact.executed_at),
        side=side,
        base_delta=moved[0],
        quote_delta=moved[1] - sum((fee.amount for fee in fees if fee.asset == quote), ZERO),
        fee_asset=fees[0].asset if fees else "",
        fee_amount=sum((fee.amount for fee in fees if fee.asset == fees[0].asset), ZERO),
        pnl_quote=quote_made,
        strategy_tag=_tag(fact),
        pnl_base=made,
        fee_base=sum(known, ZERO) if len(known) == len(worth) else None,
        regime=getattr(fact, "regime", None),
        account=fact.account,
        kind=kind,
        price=getattr(fact, "price", None),
        cost_base=_cost(lines),
        flags=tuple(flag.value for flag in flags),
    )


def _moved(
    fact: Fact, lines: Iterable[Line], *, is_first: bool
) -> tuple[str, str, tuple[Decimal, Decimal]]:
    """Return (quote, side, signed amounts) of what a fact exchanged."""
    if isinstance(fact, Fill):
        sign = 1 if fact.side is Side.BUY else -1
        moved = (sign * fact.quantity, -sign * (fact.amount or ZERO)) if is_first else (ZERO, ZERO)
        return fact.quote, fact.side.value, moved
    if isinstance(fact, MarginFill):
        side = fact.side.value if fact.side is not None else ""
        return fact.quote, side, (ZERO, settled_by(lines) if is_first else ZERO)
    if isinstance(fact, Conversion):
        came, went = _units(fact.taken), _units(fact.given)
        return "", "sell", (-went if len(fact.given) == 1 else ZERO, came)
    return "", "", (ZERO, ZERO)


def _units(legs: Iterable[Leg]) -> Decimal:
    units = [leg.quantity for leg in legs]
    return units[0] if len(units) == 1 else ZERO


def _pair(fact: Fact, lines: Sequence[Line]) -> str:
    if isinstance(fact, Fill | MarginFill):
        return fact.pair or f"{fact.base}/{fact.quote}"
    return lines[0].pair if lines else NO_PAIR


def _cost(lines: Iterable[Line]) -> Decimal:
    return sum((line.cost for line in lines), ZERO)
