"""How well it went: what `measure` says of one portfolio. The verbs here are `Portfolio`'s own.

The curve is made of the moments that were kept (snapshots, daily closes with the day's extremes)
and of now. Every moment holds all that is owned, whatever the view shows: flows go in and out of
everything. Realised PnL of a period is that of the trade records in it, of what the view shows.

Errors: `BadChoice` for a range or a heatmap that there is none of.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from bursar.exact import ONE, ZERO, money, ratio18
from bursar.ledger import instant
from bursar.ledger.state import NO_PAIR
from bursar.measure import correlation
from bursar.measure import heatmap as heatmaps
from bursar.measure import sectors as sector_tables
from bursar.measure.correlation import Correlations
from bursar.measure.curve import Curve, Moment, Point, curve, growth, window
from bursar.measure.drawdown import (
    SPANS,
    Basis,
    Drawdown,
    day_of,
    week_of,
)
from bursar.measure.drawdown import (
    drawdown as drawdown_of,
)
from bursar.measure.heatmap import Heatmap
from bursar.measure.kelly import Kelly, from_returns, from_trades
from bursar.measure.limits import Breach, Limits, Standing, check
from bursar.measure.measured import Measured, known, percent, summed, unknown
from bursar.measure.ratios import USUAL, Conventions, Ratios, ratios
from bursar.measure.returns import Calendar, daily, fractions, money_weighted
from bursar.measure.sectors import TARGETS, Bucket, BucketShare, SectorExposure, Table
from bursar.measure.trades import TradeStatistics, by, statistics
from bursar.measure.trips import Trip, Trips, round_trips
from bursar.portfolio import snapshots
from bursar.portfolio.periods import Range, Window
from bursar.portfolio.periods import window as period_window
from bursar.portfolio.views import (
    Day,
    DrawdownView,
    ExposureView,
    PnLView,
    Realized,
    SnapshotView,
    drawdown_view,
    exposure_view,
    pnl_view,
    snapshot_view,
)
from bursar.value.exposure import Exposure, exposure
from bursar.value.marks import spelled
from bursar.value.snapshot import capital

if TYPE_CHECKING:
    from bursar.ledger.records import RealizedPnLRecord
    from bursar.portfolio.portfolio import Portfolio, Prices
    from bursar.value.equity import Valuation


class Measuring(msgspec.Struct, frozen=True, kw_only=True):
    """How a portfolio is measured: conventions, sectors, what the buckets should hold, limits."""

    conventions: Conventions = USUAL
    calendar: Calendar = Calendar.EVERY_DAY
    table: Table | None = None
    targets: dict[Bucket, Decimal] = msgspec.field(default_factory=lambda: dict(TARGETS))
    limits: Limits = Limits()


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """How a stretch of time went.

    `made` is what equity grew by beyond the capital that came (`flows`). `opened_at` is the moment
    from which the curve is known, which may be after the beginning that was asked for.
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


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """What could go wrong: exposure, concentration, how things move together, limits."""

    at: int
    base: str
    exposure: Exposure
    sectors: tuple[SectorExposure, ...]
    buckets: tuple[BucketShare, ...]
    var_pct: Measured
    cvar_pct: Measured
    volatility_pct: Measured
    symbols: Correlations
    sector_correlations: Correlations
    standing: Standing
    breaches: tuple[Breach, ...]


class Views(msgspec.Struct, frozen=True):
    """The contract's four answers, of one instant."""

    snapshot: SnapshotView
    pnl: PnLView
    exposure: ExposureView
    drawdown: DrawdownView


@cache
def shipped_table() -> Table:
    """Return the table of sectors that comes with the program."""
    name = "sectors.csv"
    text = files("bursar.measure").joinpath(name).read_text(encoding="utf-8")
    return sector_tables.read(text, name=name)


def history(portfolio: Portfolio, period: str | Range = "all", prices: Prices = None) -> Curve:
    """Return the equity curve of a range, now included, with the last moment before the range.

    The unit price runs on from the very first moment.
    """
    span = span_of(portfolio, period)
    whole = _curve(portfolio, portfolio.valuation(prices))
    return window(whole, _ns(span, is_start=True), _ns(span, is_start=False))


def drawdown(portfolio: Portfolio, basis: str = "equity", prices: Prices = None) -> Drawdown:
    """Return how far equity, or the unit price (`nav`), is below its peak, and was."""
    valuation = portfolio.valuation(prices)
    return drawdown_of(_curve(portfolio, valuation), basis=Basis(basis), now=valuation.at)


def performance(
    portfolio: Portfolio, period: str | Range = "all", prices: Prices = None
) -> Performance:
    """Return how a range went: all, day, week, month, 30d, 90d, 1y, or two moments."""
    span, now = span_of(portfolio, period), portfolio.desk.clock.now()
    part = history(portfolio, period, prices)
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
        drawdown=drawdown_of(part, now=end),
        nav_drawdown=drawdown_of(part, basis=Basis.NAV, now=end),
        ratios=ratios(returns, rules),
        trades=trades,
        by_strategy=by(closed, lambda trip: trip.strategy),
        by_asset=by(closed, lambda trip: trip.asset),
        kelly_trades=from_trades(trades),
        kelly_returns=from_returns(returns, rules),
        conventions=rules,
        curve=part,
    )


def heatmap(portfolio: Portfolio, kind: str = "month") -> Heatmap:
    """Return realised PnL laid out: `month` (× year), `hour` (× weekday), `symbol`, `day`."""
    records = portfolio.desk.store.get_trades(None, None)
    return heatmaps.heatmap(records, heatmaps.kind(kind), assets=asset_of_pairs(portfolio))


def sectors(portfolio: Portfolio, prices: Prices = None) -> list[SectorExposure]:
    """Return exposure by sector, by the table of the portfolio."""
    valuation = portfolio.valuation(prices)
    return _sectors(portfolio, valuation, exposure(valuation))


def risk(portfolio: Portfolio, prices: Prices = None) -> Risk:
    """Return exposure, buckets, value at risk, correlations, and what passes its limit."""
    valuation, rules = portfolio.valuation(prices), portfolio.measuring
    found, line = exposure(valuation), _curve(portfolio, valuation)
    by_sector = _sectors(portfolio, valuation, found)
    figures = ratios(fractions(daily(line, calendar=rules.calendar)), rules.conventions)
    returns = correlation.returns_of(_closing_prices(portfolio))
    groups = {name: _table(portfolio).of(name).sector for name in returns}
    weights = {each.asset: float(abs(each.value_base or ZERO)) for each in found.assets}
    standing = _standing(portfolio, valuation, found, line)
    return Risk(
        at=valuation.at,
        base=valuation.base,
        exposure=found,
        sectors=tuple(by_sector),
        buckets=tuple(sector_tables.by_bucket(found, _table(portfolio), targets=rules.targets)),
        var_pct=figures.var_pct,
        cvar_pct=figures.cvar_pct,
        volatility_pct=figures.volatility_pct,
        symbols=correlation.correlations(returns),
        sector_correlations=correlation.correlations(correlation.grouped(returns, groups, weights)),
        standing=standing,
        breaches=check(rules.limits, standing),
    )


def views(portfolio: Portfolio, prices: Prices = None) -> Views:
    """Return what the contract's routes answer, of one valuation."""
    valuation = portfolio.valuation(prices)
    line = _curve(portfolio, valuation)
    fallen = drawdown_of(line, now=valuation.at)
    earned = realized(portfolio, valuation.at)
    symbols, found = symbols_of(portfolio), exposure(valuation)
    day = Day(earned.today, _day_pnl(portfolio, valuation), fallen.daily_pct)
    return Views(
        snapshot_view(valuation, day, symbols=symbols),
        pnl_view(earned, valuation.unrealized, statistics(trips(portfolio).trips), at=valuation.at),
        exposure_view(
            valuation, _sectors(portfolio, valuation, found), symbols=symbols, found=found
        ),
        drawdown_view(fallen, at=valuation.at),
    )


def trips(portfolio: Portfolio) -> Trips:
    """Return all closed round trips; worked out once while the book stands. O(trade records)."""
    head = portfolio.desk.head
    kept = portfolio.trips_kept
    if kept is None or kept[0] != head:
        records = portfolio.desk.store.get_trades(None, None)
        told = round_trips(
            reversed(records), asset_of_pairs(portfolio), shorts=frozenset(portfolio.book().shorts)
        )
        kept = portfolio.trips_kept = head, told
    return kept[1]


@money
def realized(portfolio: Portfolio, now: int) -> Realized:
    """Return what trades realised, of all that the view shows: all time, day, week, month."""
    today = day_of(now)
    moment = instant.to_datetime(today)
    month = instant.from_datetime(moment.replace(day=1))
    week = week_of(now)
    first = instant.to_datetime(min(month, week))
    late = _shown(portfolio, portfolio.desk.store.get_trades(None, None, first))
    told = [(instant.from_datetime(each.time), each.pnl_base) for each in late]
    (whole,) = portfolio.pnl()
    return Realized(
        whole.pnl.total.realized,
        *(
            summed(pnl for at, pnl in told if today_ <= at <= now)
            for today_ in (today, week, month)
        ),
    )


def asset_of_pairs(portfolio: Portfolio) -> dict[str, str]:
    """Return which asset was traded in each pair."""
    cells = portfolio.book().cells
    return {
        key[2]: key[1]
        for key, cell in sorted(cells.items(), key=lambda each: each[0])
        if key[2] != NO_PAIR and (cell.trades or cell.size)
    }


def symbols_of(portfolio: Portfolio) -> dict[str, str]:
    """Return how each asset's pair with money is spelled: with base currency, or a peg."""
    base, cash = portfolio.terms.base, portfolio.book().cash
    found: dict[str, str] = {}
    for pair, asset in sorted(asset_of_pairs(portfolio).items()):
        quote = pair.partition("/")[2]
        if quote == base or (quote in cash and asset not in found):
            found[asset] = spelled(pair)
    return found


def span_of(portfolio: Portfolio, period: str | Range) -> Window:
    """Return the window of a range; `30d`, `90d` and `1y` end now."""
    now = portfolio.desk.clock.now()
    if isinstance(period, str) and period in SPANS:
        return Window(instant.to_datetime(now - SPANS[period]))
    return period_window(period, now)


def _curve(portfolio: Portfolio, valuation: Valuation) -> Curve:
    """Return the whole curve: what was kept, and now."""
    return curve((*snapshots.moments(portfolio.desk.store), _now(portfolio, valuation)))


@money
def _now(portfolio: Portfolio, valuation: Valuation) -> Moment:
    book = portfolio.book()
    return Moment(
        valuation.at,
        valuation.equity + valuation.excluded_value,
        capital(book),
        not valuation.unvalued,
        bool(valuation.coverage.stale),
    )


@money
def _day_pnl(portfolio: Portfolio, valuation: Valuation) -> Measured:
    """Return what today made: equity now less equity at 00:00 less the capital between."""
    now, start = _now(portfolio, valuation), day_of(valuation.at)
    if not now.is_complete or now.capital is None:
        return unknown("something held has no price, or capital came at an unknown worth")
    opening = _opening(portfolio, start)
    if opening is None or not opening.is_complete or opening.capital is None:
        return unknown("equity at 00:00 UTC was not kept, or not complete")
    return known(now.equity - opening.equity - (now.capital - opening.capital))


def _opening(portfolio: Portfolio, start: int) -> Moment | None:
    """Return what was kept within a day before an instant; nothing, if nothing was there yet."""
    since = instant.to_datetime(start - instant.DAY)
    kept = [each for each in snapshots.moments(portfolio.desk.store, since) if each.at <= start]
    if kept:
        return max(kept, key=lambda each: each.at)
    timeline = portfolio.desk.timeline
    is_new = timeline.is_whole and (not timeline.order or timeline.order[0][0] >= start)
    return Moment(start, ZERO, ZERO) if is_new else None


@money
def _standing(portfolio: Portfolio, valuation: Valuation, found: Exposure, line: Curve) -> Standing:
    """Return the figures that limits are held against."""
    fallen = drawdown_of(line, now=valuation.at)
    made = _day_pnl(portfolio, valuation)
    equity = valuation.equity
    loss = made if made.value is None else known(-made.value)
    opening = _opening(portfolio, day_of(valuation.at))
    share = loss
    if loss.value is not None and opening is not None:
        share = percent(loss.value, opening.equity or equity)
    held = [each for each in found.assets if each.amount]
    return Standing(
        gross_exposure_pct=percent(found.gross, equity),
        net_exposure_pct=percent(found.net, equity),
        symbol_exposure_pct={each.asset: _or_unknown(each.percentage_of_equity) for each in held},
        sector_exposure_pct={
            each.sector: unknown("an asset of it has no price")
            if each.unvalued
            else each.pct_of_equity
            for each in _sectors(portfolio, valuation, found)
        },
        drawdown_pct=fallen.current_pct,
        daily_drawdown_pct=fallen.daily_pct,
        weekly_drawdown_pct=fallen.weekly_pct,
        daily_loss=loss,
        daily_loss_pct=share,
        positions=known(Decimal(len(held))),
    )


def _or_unknown(value: Decimal | None) -> Measured:
    return unknown("it has no price") if value is None else known(value)


def _sectors(portfolio: Portfolio, valuation: Valuation, found: Exposure) -> list[SectorExposure]:
    return sector_tables.by_sector(found, _table(portfolio), equity=valuation.equity)


def _table(portfolio: Portfolio) -> Table:
    own = portfolio.measuring.table
    return shipped_table() if own is None else shipped_table().plus(own)


def _shown(portfolio: Portfolio, records: list[RealizedPnLRecord]) -> list[RealizedPnLRecord]:
    options, base, marks = portfolio.options, portfolio.terms.base, portfolio.marks()
    assets = asset_of_pairs(portfolio)
    return [
        each
        for each in records
        if each.pair not in assets or options.shows(assets[each.pair], base, marks=marks)
    ]


@money
def _closing_prices(portfolio: Portfolio) -> dict[str, dict[date, Decimal]]:
    """Return what one unit of each asset was worth at the last snapshot of each day."""
    closing: dict[str, dict[date, Decimal]] = {}
    cash = portfolio.book().cash
    for each in reversed(portfolio.desk.store.get_snapshots()):
        for worth in each.asset_valuations:
            if worth.value_base and worth.amount and worth.asset not in cash:
                day = each.timestamp.date()
                price = ratio18(ONE, worth.value_base, worth.amount)
                closing.setdefault(worth.asset, {})[day] = price
    return closing


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
