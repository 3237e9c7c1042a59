"""How a stretch of time went: returns, drawdown, ratios and trades, in one record."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from bursar.exact import plain
from bursar.ledger import instant
from bursar.measure.curve import Curve, Point
from bursar.measure.drawdown import Drawdown
from bursar.measure.kelly import Kelly, from_returns, from_trades
from bursar.measure.measured import Measured, known, unknown
from bursar.measure.ratios import BROKEN, Conventions, Ratios, ratios
from bursar.measure.returns import fractions
from bursar.measure.stretch import Stretch
from bursar.measure.trades import TradeStatistics, by, statistics
from bursar.measure.trip import Trip
from bursar.portfolio.kept import kept, span_of, trips
from bursar.portfolio.periods import Range, Window

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio, Prices


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """How a stretch of time went.

    `made` is what equity grew by beyond the capital that came (`flows`). `opened_at` is the moment
    from which the curve is known, which may be after the beginning that was asked for. The points
    of `curve` are made while they are walked. One that `is_rebuilt` is of the facts alone, at the
    prices that they knew (`portfolio.rebuilt`): up to `first_kept_at`, or where that is `None`, all
    of it. `heard_later` is the capital of before, as known now, less what that moment knew of it.
    """

    window: Window
    base: str
    opened_at: int | None
    closed_at: int | None
    moments: int
    equity_start: Measured
    equity_end: Measured
    flows: Measured
    made: Measured
    twr_pct: Measured
    mwr_pct: Measured
    drawdown: Drawdown
    nav_drawdown: Drawdown
    ratios: Ratios
    trades: TradeStatistics
    by_strategy: dict[str, TradeStatistics]
    by_asset: dict[str, TradeStatistics]
    kelly_trades: Kelly
    kelly_returns: Kelly
    conventions: Conventions
    curve: Curve
    is_rebuilt: bool = False
    first_kept_at: int | None = None
    heard_later: Decimal | None = None


def remarks(found: Performance) -> Iterator[str]:
    """Say what a reader of the figures has to know of the curve that they are of."""
    lacking, start = found.drawdown.skipped, _ns(found.window, is_start=True)
    if found.is_rebuilt and found.first_kept_at is None:
        yield "the curve is rebuilt from trades, at last known prices: no snapshot was kept"
    elif found.first_kept_at is not None:
        begun = instant.show(found.first_kept_at)
        yield (
            f"until {begun} the curve is rebuilt from trades, at last known prices: no snapshot was"
            " kept before"
        )
        if found.heard_later:
            yield (
                f"the snapshot of {begun} did not know all that is known of then now"
                f" ({plain(found.heard_later)} {found.base} of capital): what was told later counts"
                " from when it was told"
            )
    if lacking:
        yield (
            f"{lacking} of {found.moments} moments lack a price, or missed a split that was told"
            " later, and are left out of the curve"
        )
    if start is None or found.opened_at is None:
        return
    opened = instant.show(found.opened_at)
    if found.opened_at - start > instant.DAY:
        yield f"the curve is known from {opened} on, not before"
    elif start - found.opened_at > instant.DAY:
        yield f"nothing was kept in the day before the range: it goes on from {opened}"


def history(portfolio: Portfolio, period: str | Range = "all", prices: Prices = None) -> Curve:
    """Return the equity curve of a range, now included, with the last moment before the range.

    The unit price runs on from the very first moment. Of the time before the first that was kept,
    it is rebuilt. The points are made while they are walked.
    """
    span = span_of(portfolio, period)
    past = kept(portfolio, portfolio.valuation(prices))
    return Curve(past.course(_ns(span, is_start=True), _ns(span, is_start=False)))


def performance(
    portfolio: Portfolio, period: str | Range = "all", prices: Prices = None
) -> Performance:
    """Return how a range went: all, day, week, month, 30d, 90d, 1y, or two moments."""
    span, now = span_of(portfolio, period), portfolio.desk.clock.now()
    past, start = kept(portfolio, portfolio.valuation(prices)), _ns(span, is_start=True)
    course, before = past.course(start, _ns(span, is_start=False)), past.before(start)
    part = Stretch(min(now, _ns(span, is_start=False) or now))
    is_rebuilt = False
    for points in course.chunks():
        part.see(points)
        is_rebuilt |= before is not None and any(p.at < before.prelude.since for p in points[:1])
    rules = portfolio.measuring.conventions
    returns = fractions(part.closes.returns(portfolio.measuring.calendar))
    is_broken = part.growth.is_broken
    found = ratios(returns, rules, is_broken=is_broken)
    kelly = Kelly(unknown(BROKEN)) if is_broken else from_returns(returns, rules)
    closed = [trip for trip in trips(portfolio).trips if _within(trip, span)]
    trades = statistics(closed)
    return Performance(
        window=span,
        base=portfolio.terms.base,
        opened_at=None if part.first is None else part.first.at,
        closed_at=None if part.last is None else part.last.at,
        moments=part.moments,
        equity_start=_end(part.first),
        equity_end=_end(part.last),
        flows=part.flows,
        made=part.made,
        twr_pct=part.growth.pct,
        mwr_pct=part.flowed.money_weighted,
        drawdown=part.equity.drawdown,
        nav_drawdown=part.nav.drawdown,
        ratios=found,
        trades=trades,
        by_strategy=by(closed, lambda trip: trip.strategy),
        by_asset=by(closed, lambda trip: trip.asset),
        kelly_trades=from_trades(trades),
        kelly_returns=kelly,
        conventions=rules,
        curve=Curve(course),
        is_rebuilt=is_rebuilt,
        first_kept_at=before.first_kept_at if before is not None and is_rebuilt else None,
        heard_later=before.heard_later if before is not None and is_rebuilt else None,
    )


def _within(trip: Trip, span: Window) -> bool:
    return span.has(instant.to_datetime(trip.closed_at))


def _ns(span: Window, *, is_start: bool) -> int | None:
    moment = span.start if is_start else span.end
    return None if moment is None else instant.from_datetime(moment)


def _end(point: Point | None) -> Measured:
    return unknown("no complete moment was kept") if point is None else known(point.equity)
