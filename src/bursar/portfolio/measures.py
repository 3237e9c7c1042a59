"""How well it went: what `measure` says of one portfolio. The verbs here are `Portfolio`'s own.

Each works on what `kept` has; `performance` and `risk` are modules of their own.

Errors: `BadChoice` for a range, a basis or a heatmap that there is none of; `ValueUnknown` for the
`why` of a figure that is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.errors import BadChoice, ValueUnknown
from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.why import Amount, Why
from bursar.measure import heatmap as heatmaps
from bursar.measure.curve import Moment
from bursar.measure.drawdown import Basis, Drawdown, Falling
from bursar.measure.heatmap import Heatmap
from bursar.measure.measured import because
from bursar.measure.sectors import sector_nets
from bursar.portfolio.kept import kept, moment_of, of_head, realized, symbols_of
from bursar.portfolio.performance import history, performance
from bursar.portfolio.risk import Measuring, risk, sectors, table_of
from bursar.portfolio.views import (
    Day,
    DrawdownView,
    ExposureView,
    PnLView,
    Shown,
    SnapshotView,
    drawdown_view,
    exposure_view,
    pnl_view,
    snapshot_view,
)
from bursar.value.figures import Figures, figures

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio, Prices

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
    "views_of",
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
    falling = Falling(Basis(basis), valuation.at)
    for points in kept(portfolio, valuation).course().chunks():
        falling.see(points)
    return falling.drawdown


def heatmap(portfolio: Portfolio, kind: str = "month") -> Heatmap:
    """Return realised PnL laid out: `month` (× year), `hour` (× weekday), `symbol`, `day`."""
    return of_head(portfolio).heatmap(heatmaps.kind(kind))


def views(portfolio: Portfolio, prices: Prices = None) -> Views:
    """Return what the contract's routes answer, of a whole valuation. O(keys)."""
    valuation = portfolio.valuation(prices)
    shown = Shown(base=valuation.base, symbols=symbols_of(portfolio))
    shown.see(valuation.assets, valuation.margins)
    portfolio.followed.look(portfolio, valuation.at)
    return views_of(portfolio, figures(valuation), shown)


@money
def views_of(portfolio: Portfolio, found: Figures, shown: Shown) -> Views:
    """Return the same of figures and of rows that are there, by what was kept as of the last look.

    O(assets) while the book stands, without the store.
    """
    now = moment_of(portfolio, found)
    fallen = portfolio.followed.drawdown(portfolio, now)
    earned = realized(portfolio, now.at)
    day_pnl = portfolio.followed.today(portfolio, now).day_pnl
    day = Day(earned.today, day_pnl, fallen.daily_pct)
    sectors = sector_nets(shown.values, table_of(portfolio))
    return Views(
        snapshot_view(found, shown.positions, day),
        pnl_view(earned, found.unrealized, of_head(portfolio).statistics, at=now.at),
        exposure_view(found, shown.by_symbol, sectors),
        drawdown_view(fallen, at=now.at),
    )


def why(portfolio: Portfolio, figure: str, prices: Prices = None) -> Why:
    """Explain one of `FIGURES`.

    Raises:
        ValueUnknown: it is not known; the message says why not.
    """
    found = FIGURES[figure](portfolio, prices)
    if isinstance(found, Amount):
        raise ValueUnknown(f"{figure} is not known: {found.source}", figure=figure)
    return found


@money
def _why_daily(portfolio: Portfolio, prices: Prices) -> Why | Amount:
    past = kept(portfolio, portfolio.valuation(prices)).today
    then, now = past.opening, past.now
    start = "" if then is None else instant.show(then.at)
    return because(
        past.day_pnl,
        "daily_pnl = equity now − equity at 00:00 UTC − capital that came since",
        Amount("equity now", now.equity),
        Amount("equity at 00:00, taken off", None if then is None else -then.equity, start),
        Amount("capital since, taken off", None if then is None else _since(then, now)),
    )


@money
def _since(then: Moment, now: Moment) -> Decimal | None:
    return None if then.capital is None or now.capital is None else then.capital - now.capital


def _why_made(portfolio: Portfolio, prices: Prices) -> Why | Amount:
    found = performance(portfolio, "all", prices)
    return because(
        found.made,
        "made = equity at the end − equity at the start − capital that came between",
        Amount("equity at the end", found.equity_end.value, _told(found.closed_at)),
        Amount("equity at the start", found.equity_start.value, _told(found.opened_at)),
        Amount("capital between", found.flows.value),
    )


def _why_drawdown(portfolio: Portfolio, prices: Prices) -> Why | Amount:
    return drawdown(portfolio, prices=prices).why()


def _why_win_rate(portfolio: Portfolio, _: Prices) -> Why | Amount:
    return of_head(portfolio).statistics.why_win_rate()


def _why_profit_factor(portfolio: Portfolio, _: Prices) -> Why | Amount:
    return of_head(portfolio).statistics.why_profit_factor()


def _told(at: int | None) -> str:
    return "" if at is None else instant.show(at)


FIGURES: Final[Mapping[str, Callable[[Portfolio, Prices], Why | Amount]]] = {
    "daily_pnl": _why_daily,
    "drawdown": _why_drawdown,
    "made": _why_made,
    "profit_factor": _why_profit_factor,
    "win_rate": _why_win_rate,
}
