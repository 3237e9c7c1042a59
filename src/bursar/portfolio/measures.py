"""How well it went: what `measure` says of one portfolio. The verbs here are `Portfolio`'s own.

Each works on what `kept` has; `performance` and `risk` are modules of their own.

Errors: `BadChoice` for a range, a basis or a heatmap that there is none of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bursar.errors import BadChoice
from bursar.measure import heatmap as heatmaps
from bursar.measure.drawdown import Basis, Drawdown
from bursar.measure.drawdown import drawdown as drawdown_of
from bursar.measure.heatmap import Heatmap
from bursar.measure.trades import statistics
from bursar.portfolio.kept import asset_of_pairs, kept, realized, symbols_of, trips
from bursar.portfolio.performance import history, performance
from bursar.portfolio.risk import Measuring, risk, sectors, sectors_of
from bursar.portfolio.views import (
    Day,
    DrawdownView,
    ExposureView,
    PnLView,
    SnapshotView,
    drawdown_view,
    exposure_view,
    pnl_view,
    snapshot_view,
)
from bursar.value.exposure import exposure

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio, Prices
    from bursar.value.equity import Valuation

__all__ = [
    "Measuring",
    "Views",
    "drawdown",
    "heatmap",
    "history",
    "performance",
    "risk",
    "sectors",
    "views",
    "views_at",
]


class Views(msgspec.Struct, frozen=True):
    """The contract's four answers, of one instant."""

    snapshot: SnapshotView
    pnl: PnLView
    exposure: ExposureView
    drawdown: DrawdownView


def drawdown(portfolio: Portfolio, basis: str = "equity", prices: Prices = None) -> Drawdown:
    """Return how far equity, or the unit price (`nav`), is below its peak, and was."""
    if basis not in {each.value for each in Basis}:
        raise BadChoice(f"a drawdown is of equity or of nav, not of {basis!r}", value=basis)
    valuation = portfolio.valuation(prices)
    return drawdown_of(kept(portfolio, valuation).curve, basis=Basis(basis), now=valuation.at)


def heatmap(portfolio: Portfolio, kind: str = "month") -> Heatmap:
    """Return realised PnL laid out: `month` (× year), `hour` (× weekday), `symbol`, `day`."""
    records = portfolio.desk.store.get_trades(None, None)
    return heatmaps.heatmap(records, heatmaps.kind(kind), assets=asset_of_pairs(portfolio))


def views(portfolio: Portfolio, prices: Prices = None) -> Views:
    """Return what the contract's routes answer."""
    return views_at(portfolio, portfolio.valuation(prices))


def views_at(portfolio: Portfolio, valuation: Valuation) -> Views:
    """Return the same of a valuation that was made."""
    past = kept(portfolio, valuation)
    fallen = drawdown_of(past.curve, now=valuation.at)
    earned = realized(portfolio, valuation)
    symbols, found = symbols_of(portfolio), exposure(valuation)
    day = Day(earned.today, past.day_pnl, fallen.daily_pct)
    return Views(
        snapshot_view(valuation, day, symbols=symbols),
        pnl_view(earned, valuation.unrealized, statistics(trips(portfolio).trips), at=valuation.at),
        exposure_view(
            valuation, sectors_of(portfolio, valuation, found), symbols=symbols, found=found
        ),
        drawdown_view(fallen, at=valuation.at),
    )
