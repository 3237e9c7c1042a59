"""How a stretch of time went: returns, drawdown, ratios and trades, in one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.measure.curve import Curve, Point, curve, growth, window
from bursar.measure.drawdown import Basis, Drawdown, day_of, drawdown
from bursar.measure.kelly import Kelly, from_returns, from_trades
from bursar.measure.measured import Measured, known, summed, unknown
from bursar.measure.ratios import Conventions, Ratios, ratios
from bursar.measure.returns import daily, fractions, money_weighted
from bursar.measure.trades import TradeStatistics, by, statistics
from bursar.measure.trips import Trip
from bursar.portfolio.kept import kept, span_of, trips
from bursar.portfolio.periods import Range, Window
from bursar.portfolio.rebuilt import rebuilt

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio, Prices


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """How a stretch of time went.

    `made` is what equity grew by beyond the capital that came (`flows`). `opened_at` is the moment
    from which the curve is known, which may be after the beginning that was asked for. One that
    `is_rebuilt` is of the facts alone, at the prices that they knew (`portfolio.rebuilt`).
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


def history(portfolio: Portfolio, period: str | Range = "all", prices: Prices = None) -> Curve:
    """Return the equity curve of a range, now included, with the last moment before the range.

    The unit price runs on from the very first moment. Where none was kept, it is rebuilt.
    """
    return _curve(portfolio, span_of(portfolio, period), prices)[0]


def performance(
    portfolio: Portfolio, period: str | Range = "all", prices: Prices = None
) -> Performance:
    """Return how a range went: all, day, week, month, 30d, 90d, 1y, or two moments."""
    span, now = span_of(portfolio, period), portfolio.desk.clock.now()
    part, is_rebuilt = _curve(portfolio, span, prices)
    rules = portfolio.measuring.conventions
    returns = fractions(daily(part, calendar=portfolio.measuring.calendar))
    closed = [trip for trip in trips(portfolio).trips if _within(trip, span)]
    trades = statistics(closed)
    ends = part.complete
    end = min(now, _ns(span, is_start=False) or now)
    return Performance(
        window=span,
        base=portfolio.terms.base,
        opened_at=ends[0].at if ends else None,
        closed_at=ends[-1].at if ends else None,
        moments=len(part.points),
        equity_start=_end(ends[:1]),
        equity_end=_end(ends[-1:]),
        flows=_flows(part),
        made=_made(part),
        twr_pct=growth(part.points),
        mwr_pct=money_weighted(part),
        drawdown=drawdown(part, now=end),
        nav_drawdown=drawdown(part, basis=Basis.NAV, now=end),
        ratios=ratios(returns, rules),
        trades=trades,
        by_strategy=by(closed, lambda trip: trip.strategy),
        by_asset=by(closed, lambda trip: trip.asset),
        kelly_trades=from_trades(trades),
        kelly_returns=from_returns(returns, rules),
        conventions=rules,
        curve=part,
        is_rebuilt=is_rebuilt,
    )


def _curve(portfolio: Portfolio, span: Window, prices: Prices) -> tuple[Curve, bool]:
    """Return the curve of a range, and whether it had to be rebuilt; that is done once for a book.

    O(moments of the range).
    """
    past = kept(portfolio, portfolio.valuation(prices))
    now, start, end = past.now, _ns(span, is_start=True), _ns(span, is_start=False)
    if portfolio.followed.has_any(portfolio, now):
        return past.curve(start, end), False
    head, known = portfolio.desk.head, portfolio.rebuilt_kept
    if known is None or known[0] != head:
        told = rebuilt(portfolio.timeline, portfolio.options, until=day_of(now.at))
        known = portfolio.rebuilt_kept = head, told
    moments = [each for each in known[1] if each.at < now.at]
    return window(curve((*moments, now)), start, end), bool(moments)


def _within(trip: Trip, span: Window) -> bool:
    return span.has(instant.to_datetime(trip.closed_at))


def _ns(span: Window, *, is_start: bool) -> int | None:
    moment = span.start if is_start else span.end
    return None if moment is None else instant.from_datetime(moment)


def _end(points: list[Point]) -> Measured:
    return known(points[0].equity) if points else unknown("no complete moment was kept")


@money
def _flows(part: Curve) -> Measured:
    """Return the capital that came less what went, between the ends of a curve."""
    if len(part.priced) <= 1 or part.complete != part.priced:
        return unknown("it takes two moments with capital of a known worth")
    return known(summed(point.flow or ZERO for point in part.priced[1:]))


@money
def _made(part: Curve) -> Measured:
    flows = _flows(part)
    if flows.value is None:
        return flows
    return known(part.priced[-1].equity - part.priced[0].equity - flows.value)
