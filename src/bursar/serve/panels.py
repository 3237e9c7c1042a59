"""Panels: what the page shows beside the contract's views, as records that any program may ask for.

Holdings with the age of their marks, strategies with what they were given, and what a venue's
statement differs by, each difference explained. Put together here, worked out below.

Errors: those of the verbs.
"""

from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from bursar.ledger import instant
from bursar.portfolio import agreement, allocating
from bursar.portfolio.risk import table_of
from bursar.reconcile import Reconciliation
from bursar.serve.asking import Query
from bursar.serve.reading import Room
from bursar.value.worth import AssetWorth

GROWTH_POINTS: Final = 120


class HoldingView(msgspec.Struct, frozen=True):
    """One asset: what is held, what it cost, what it is worth, and how old its mark is."""

    asset: str
    sector: str
    quantity: Decimal
    cost: Decimal | None
    mark: Decimal | None
    mark_quote: str | None
    mark_source: str | None
    marked_at: int | None
    value: Decimal | None
    unrealized: Decimal | None
    share_pct: Decimal | None
    is_cash: bool
    is_stale: bool
    flags: tuple[str, ...]


class Holdings(msgspec.Struct, frozen=True):
    """Everything that is held, the most valuable first, at one instant.

    `options` is what a command in a terminal needs to mean this book; empty where it needs nothing.
    """

    at: int
    portfolio: str
    base: str
    cash: Decimal
    items: tuple[HoldingView, ...]
    options: str = ""


class StrategyView(msgspec.Struct, frozen=True):
    """A strategy's own book, and its part of the last decision; `manual` has none.

    `growth` is what one unit of its capital had become by the end of days from `since` on, up to
    today, at most `GROWTH_POINTS` of them; `return_pct` is what that comes to. What is `unvalued`
    has no price, and is in no figure.
    """

    strategy: str
    state: str | None
    weight: Decimal | None
    reason: str | None
    contributed: Decimal
    made: Decimal
    unrealized: Decimal
    equity: Decimal
    trades: int
    since: date | None
    return_pct: Decimal | None
    unvalued: tuple[str, ...]
    growth: tuple[Decimal, ...]


class Allocations(msgspec.Struct, frozen=True):
    """All strategies, and the last division of capital among them, if there was one."""

    decided_at: int | None
    regime: str
    reserve: Decimal | None
    items: tuple[StrategyView, ...]


class ShiftView(msgspec.Struct, frozen=True):
    """How much more of an asset the venue has than the book."""

    asset: str
    amount: Decimal
    worth: Decimal | None


class BreakView(msgspec.Struct, frozen=True):
    """One difference: what it is and why that is said, where it lies, and what would close it.

    A POST to `breaks` with this `id` enters that.
    """

    id: str
    kind: str
    shifts: tuple[ShiftView, ...]
    where: str
    when: str
    reason: str
    proposal: str | None


class Reconciled(msgspec.Struct, frozen=True):
    """An account against its venue's last statement. `command` shows the breaks in a terminal."""

    account: str
    verdict: str
    as_of: int | None
    worth: Decimal | None
    breaks: tuple[BreakView, ...]
    command: str


class Agreements(msgspec.Struct, frozen=True):
    """Every account of which a venue has stated anything."""

    items: tuple[Reconciled, ...]


def holdings(room: Room, _query: Query) -> Holdings:
    """Return what is held."""
    live = room.service.portfolio.live()
    live.refresh()
    valuation = live.valuation()
    sectors = table_of(room.service.portfolio)
    rows = [_holding(each, sectors.of(each.asset).sector) for each in valuation.assets]
    rows.sort(key=lambda row: (row.is_cash, -abs(row.value or Decimal(0)), row.asset))
    name = room.service.portfolio.desk.store.portfolio
    return Holdings(valuation.at, name, valuation.base, valuation.cash, tuple(rows), room.options)


def _holding(worth: AssetWorth, sector: str) -> HoldingView:
    mark = worth.mark
    return HoldingView(
        asset=worth.asset,
        sector="CASH" if worth.is_cash else sector,
        quantity=worth.quantity,
        cost=worth.known_cost,
        mark=None if mark is None else mark.price,
        mark_quote=None if mark is None else mark.quote,
        mark_source=None if mark is None else mark.source,
        marked_at=None if mark is None else mark.at,
        value=worth.value,
        unrealized=worth.unrealized,
        share_pct=worth.share_pct,
        is_cash=worth.is_cash,
        is_stale="stale" in worth.flags,
        flags=worth.flags,
    )


def allocation(room: Room, _query: Query) -> Allocations:
    """Return every strategy as it stands. O(facts)."""
    portfolio = room.service.portfolio
    decided = allocating.decision(portfolio)
    lines = {} if decided is None else {each.strategy: each for each in decided.allocation.lines}
    minds = {} if decided is None else {name: decided.after.minds[name] for name in lines}
    rows = []
    for each in allocating.strategies(portfolio, named=lines):
        line, mind = lines.get(each.strategy), minds.get(each.strategy)
        rows.append(
            StrategyView(
                strategy=each.strategy,
                state=None if mind is None else mind.standing.state.value,
                weight=None if line is None else line.weight,
                reason=None if line is None else line.reason,
                contributed=each.contributed,
                made=each.made,
                unrealized=each.unrealized,
                equity=each.equity,
                trades=len(each.trips),
                since=_day(each.returns.days),
                return_pct=each.returns.pct,
                unvalued=each.valuation.lacking,
                growth=_thinned(each.returns.growth),
            )
        )
    return Allocations(
        decided_at=None if decided is None else decided.cause.at,
        regime=allocating.regime(portfolio),
        reserve=None if decided is None else decided.allocation.reserve,
        items=tuple(rows),
    )


def _thinned(points: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """Leave out points between points, the newest never."""
    step = -(-len(points) // GROWTH_POINTS) or 1
    return points[::-step][::-1]


def _day(days: tuple[int, ...]) -> date | None:
    return instant.to_datetime(days[0] * instant.DAY).date() if days else None


def breaks(room: Room, _query: Query) -> Agreements:
    """Account for every difference between accounts and their venues' statements. O(rows)."""
    portfolio, limits = room.service.portfolio, room.service.rules.limits
    names = {*agreement.stated(portfolio), *(each.account for each in room.service.venues)}
    found = (agreement.reconciled(portfolio, name, limits) for name in sorted(names))
    return Agreements(tuple(_reconciled(room, each) for each in found))


def _reconciled(room: Room, found: Reconciliation) -> Reconciled:
    account = found.comparison.account
    stated = agreement.last_statement(room.service.portfolio, account)
    closing = {each.break_id: each.says for each in found.proposals}
    rows = tuple(
        BreakView(
            id=each.id,
            kind=each.kind.value,
            shifts=tuple(ShiftView(s.asset, s.amount, s.worth) for s in each.shifts),
            where=str(each.place),
            when=each.place.window(),
            reason=each.reason,
            proposal=closing.get(each.id),
        )
        for each in found.breaks
    )
    return Reconciled(
        account=account,
        verdict=found.verdict.value,
        as_of=None if stated is None else stated.as_of,
        worth=found.comparison.worth,
        breaks=rows,
        command=" ".join(filter(None, (f"bursar drift --account {account}", room.options))),
    )
