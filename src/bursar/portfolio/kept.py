"""What measures are made of: the moments that were kept, the trips that closed, names and spans.

The curve is made of snapshots, of daily closes with the extremes of their day, and of now. Every
moment holds all that is owned, whatever the view shows: flows go in and out of everything.

Errors: `BadChoice` for a range that there is none of.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from bursar.exact import ONE, ZERO, money, ratio18
from bursar.ledger import instant
from bursar.ledger.state import NO_PAIR
from bursar.measure.curve import Curve, Moment, curve
from bursar.measure.drawdown import SPANS, day_of, week_of
from bursar.measure.measured import Measured, known, summed, unknown
from bursar.measure.trips import Trips, round_trips
from bursar.portfolio import snapshots
from bursar.portfolio.periods import Range, Window, window
from bursar.portfolio.views import Realized
from bursar.value.marks import spelled
from bursar.value.pnl import pnl
from bursar.value.snapshot import capital

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.ledger.records import RealizedPnLRecord
    from bursar.portfolio.portfolio import Portfolio
    from bursar.value.equity import Valuation


class Kept(msgspec.Struct, frozen=True):
    """Every moment that was kept, now with them, and the curve they make.

    `opening` is what stood at 00:00 UTC: the last moment of the day before it, or nothing where
    nothing was there yet; `None` if it was not kept.
    """

    now: Moment
    opening: Moment | None
    curve: Curve

    @property
    @money
    def day_pnl(self) -> Measured:
        """What today made: equity now less equity at 00:00 less the capital between."""
        now, then = self.now, self.opening
        if not now.is_complete or now.capital is None:
            return unknown("something held has no price, or capital came at an unknown worth")
        if then is None or not then.is_complete or then.capital is None:
            return unknown("equity at 00:00 UTC was not kept, or not complete")
        return known(now.equity - then.equity - (now.capital - then.capital))


@money
def kept(portfolio: Portfolio, valuation: Valuation) -> Kept:
    """Return what was kept, and now. O(moments)."""
    now = Moment(
        valuation.at,
        valuation.equity + valuation.excluded_value,
        capital(portfolio.book()),
        not valuation.unvalued,
        bool(valuation.coverage.stale),
    )
    moments = [each for each in snapshots.moments(portfolio.desk.store) if each.at < now.at]
    opening = _opening(portfolio, moments, day_of(now.at))
    return Kept(now, opening, curve((*moments, now)))


def _opening(portfolio: Portfolio, moments: Iterable[Moment], start: int) -> Moment | None:
    early = [each for each in moments if start - instant.DAY <= each.at <= start]
    if early:
        return max(early, key=lambda each: each.at)
    timeline = portfolio.desk.timeline
    is_new = timeline.is_whole and (not timeline.order or timeline.order[0][0] >= start)
    return Moment(start, ZERO, ZERO) if is_new else None


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
def realized(portfolio: Portfolio, valuation: Valuation) -> Realized:
    """Return what trades realised, of all that the view shows: all time, day, week, month.

    O(trade records since the month or the week began).
    """
    now = valuation.at
    today, week = day_of(now), week_of(now)
    month = instant.from_datetime(instant.to_datetime(today).replace(day=1))
    first = instant.to_datetime(min(month, week))
    late = _shown(portfolio, portfolio.desk.store.get_trades(None, None, first))
    told = [(instant.from_datetime(each.time), each.pnl_base) for each in late]
    periods = (
        summed(made for at, made in told if begun <= at <= now) for begun in (today, week, month)
    )
    return Realized(pnl(portfolio.book(), valuation).total.realized, *periods)


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
    return window(period, now)


@money
def closing_prices(portfolio: Portfolio) -> dict[str, dict[date, Decimal]]:
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


def _shown(portfolio: Portfolio, records: list[RealizedPnLRecord]) -> list[RealizedPnLRecord]:
    options, base, marks = portfolio.options, portfolio.terms.base, portfolio.marks()
    assets = asset_of_pairs(portfolio)
    return [
        each
        for each in records
        if each.pair not in assets or options.shows(assets[each.pair], base, marks=marks)
    ]
