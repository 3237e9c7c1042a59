"""How a stretch of time went: returns, drawdown, ratios and trades, in one record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from bursar.ledger import instant
from bursar.measure.curve import Curve, Moment, Point
from bursar.measure.drawdown import Drawdown
from bursar.measure.kelly import Kelly, from_returns, from_trades
from bursar.measure.measured import Measured, known, unknown
from bursar.measure.packed import Course, PackedCurve
from bursar.measure.ratios import BROKEN, Conventions, Ratios, ratios
from bursar.measure.returns import fractions
from bursar.measure.stretch import Stretch
from bursar.measure.trades import TradeStatistics, by, statistics
from bursar.measure.trip import Trip
from bursar.portfolio.kept import kept, span_of, trips
from bursar.portfolio.periods import Range, Window
from bursar.portfolio.rebuilt import rebuilt

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio, Prices


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """How a stretch of time went.

    `made` is what equity grew by beyond the capital that came (`flows`). `opened_at` is the moment
    from which the curve is known, which may be after the beginning that was asked for. The points
    of `curve` are made while they are walked. One that `is_rebuilt` is of the facts alone, at the
    prices that they knew (`portfolio.rebuilt`).
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


def remarks(found: Performance) -> Iterator[str]:
    """Say what a reader of the figures has to know of the curve that they are of."""
    lacking, start = found.drawdown.skipped, _ns(found.window, is_start=True)
    if found.is_rebuilt:
        yield "the curve is rebuilt from trades, at last known prices: no snapshot was kept"
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

    The unit price runs on from the very first moment. Where none was kept, it is rebuilt. The
    points are made while they are walked.
    """
    return Curve(_course(portfolio, span_of(portfolio, period), prices)[0])


def performance(
    portfolio: Portfolio, period: str | Range = "all", prices: Prices = None
) -> Performance:
    """Return how a range went: all, day, week, month, 30d, 90d, 1y, or two moments."""
    span, now = span_of(portfolio, period), portfolio.desk.clock.now()
    course, is_rebuilt = _course(portfolio, span, prices)
    part = Stretch(min(now, _ns(span, is_start=False) or now))
    for points in course.chunks():
        part.see(points)
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
    )


def _course(portfolio: Portfolio, span: Window, prices: Prices) -> tuple[Course, bool]:
    """Return the course of a range, and whether it was rebuilt, which is done once a day."""
    past = kept(portfolio, portfolio.valuation(prices))
    now, start, end = past.now, _ns(span, is_start=True), _ns(span, is_start=False)
    if portfolio.followed.has_any(portfolio, now):
        return past.course(start, end), False
    packed = PackedCurve()
    for moment in _told(_rebuilt(portfolio, instant.day_start(now.at)), now):
        packed.add(moment)
    return packed.course(now, start, end), bool(packed)


def _rebuilt(portfolio: Portfolio, today: int) -> Sequence[Moment]:
    """Return the ends of the days before today; made once for a book and a day."""
    head, known = portfolio.desk.head, portfolio.rebuilt_kept
    if known is None or known[:2] != (head, today):
        told = rebuilt(portfolio.timeline, portfolio.options, until=today)
        known = portfolio.rebuilt_kept = head, today, told
    return known[2]


def _told(moments: Sequence[Moment], now: Moment) -> Sequence[Moment]:
    """Return the moments before now. That nothing was there at first is one of them where the next
    one is known: a return from there to long after would be of no time that anybody means.
    """
    early = [each for each in moments if each.at < now.at]
    after = early[1] if early[1:] else now
    return early if after.is_complete and after.capital is not None else early[1:]


def _within(trip: Trip, span: Window) -> bool:
    return span.has(instant.to_datetime(trip.closed_at))


def _ns(span: Window, *, is_start: bool) -> int | None:
    moment = span.start if is_start else span.end
    return None if moment is None else instant.from_datetime(moment)


def _end(point: Point | None) -> Measured:
    return unknown("no complete moment was kept") if point is None else known(point.equity)
