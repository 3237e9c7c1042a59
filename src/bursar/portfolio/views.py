"""What other programs ask for: the contract's four answers, key by key.

Amounts are in base currency, percentages percent (1.76 is 1.76 %), drawdowns positive, win rate
percent. `None` is a figure that is not known; the figures it comes from say why. Nothing is
computed here but what a position's own numbers make.

A position's `size` and `exposure` are without sign, `side` tells it; by symbol and sector exposure
is signed. `leverage` is 1 for what is owned, and `None` where a leveraged position's is not known.

Errors: none.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.exact import ONE, money, ratio18
from bursar.ledger import instant
from bursar.measure.drawdown import Drawdown
from bursar.measure.measured import Measured, percent
from bursar.measure.sectors import SectorExposure
from bursar.measure.trades import TradeStatistics
from bursar.value.equity import Valuation
from bursar.value.exposure import Exposure, exposure
from bursar.value.marks import spelled
from bursar.value.worth import AssetWorth, MarginWorth

Leverages = Mapping[tuple[str, str], Decimal]
_UNSAID: Final[Leverages] = MappingProxyType({})
_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


class PositionView(msgspec.Struct, frozen=True, gc=False):
    """One open position."""

    symbol: str
    side: str
    size: Decimal
    entry_price: Decimal | None
    current_price: Decimal | None
    unrealized_pnl: Decimal | None
    unrealized_pnl_pct: Decimal | None
    exposure: Decimal | None
    leverage: Decimal | None


class SnapshotView(msgspec.Struct, frozen=True):
    """The portfolio now: `GET /api/portfolio/snapshot`."""

    total_equity: Decimal
    cash_balance: Decimal
    total_exposure: Decimal
    num_positions: int
    positions: tuple[PositionView, ...]
    unrealized_pnl: Decimal
    realized_pnl_today: Decimal
    daily_pnl: Decimal | None
    daily_drawdown_pct: Decimal | None
    timestamp: datetime


class PnLView(msgspec.Struct, frozen=True):
    """What was made: `GET /api/portfolio/pnl`."""

    realized_pnl_total: Decimal
    realized_pnl_today: Decimal
    realized_pnl_week: Decimal
    realized_pnl_month: Decimal
    unrealized_pnl: Decimal
    total_pnl: Decimal
    best_trade_pnl: Decimal | None
    worst_trade_pnl: Decimal | None
    win_rate: Decimal | None
    profit_factor: Decimal | None
    timestamp: datetime


class ExposureView(msgspec.Struct, frozen=True):
    """What moves with the market: `GET /api/portfolio/exposure`."""

    total_exposure: Decimal
    long_exposure: Decimal
    short_exposure: Decimal
    net_exposure: Decimal
    exposure_by_symbol: dict[str, Decimal | None]
    exposure_by_sector: dict[str, Decimal]
    exposure_pct_of_equity: Decimal | None
    timestamp: datetime


class DrawdownView(msgspec.Struct, frozen=True):
    """How far below the peak: `GET /api/portfolio/drawdown`."""

    daily_drawdown_pct: Decimal | None
    weekly_drawdown_pct: Decimal | None
    max_drawdown_pct: Decimal | None
    peak_equity: Decimal | None
    current_equity: Decimal | None
    days_since_peak: int | None
    recovery_progress_pct: Decimal | None
    timestamp: datetime


class Realized(msgspec.Struct, frozen=True):
    """Realised PnL of all time and since the beginning of the day, the week and the month."""

    total: Decimal
    today: Decimal
    week: Decimal
    month: Decimal


class Day(msgspec.Struct, frozen=True):
    """What today knows beside the valuation."""

    realized: Decimal
    pnl: Measured
    drawdown_pct: Measured


@money
def snapshot_view(
    valuation: Valuation,
    day: Day,
    *,
    symbols: Mapping[str, str] = _NO_NAMES,
    leverages: Leverages = _UNSAID,
) -> SnapshotView:
    """Return the contract's snapshot of a valuation. O(positions).

    `symbols` names assets as they are traded; the others are spelled with base currency.
    """
    positions = position_views(valuation, symbols=symbols, leverages=leverages)
    return SnapshotView(
        total_equity=valuation.equity,
        cash_balance=valuation.cash,
        total_exposure=exposure(valuation).gross,
        num_positions=len(positions),
        positions=positions,
        unrealized_pnl=valuation.unrealized,
        realized_pnl_today=day.realized,
        daily_pnl=day.pnl.value,
        daily_drawdown_pct=day.drawdown_pct.value,
        timestamp=_told(valuation.at),
    )


@money
def position_views(
    valuation: Valuation,
    *,
    symbols: Mapping[str, str] = _NO_NAMES,
    leverages: Leverages = _UNSAID,
) -> tuple[PositionView, ...]:
    """Return what is held beside cash, by name, then the leveraged positions."""
    held = [each for each in valuation.assets if each.quantity and not each.is_cash]
    spot = [_position(each, symbol_of(each.asset, valuation.base, symbols)) for each in held]
    return (*spot, *(_margin(each, leverages) for each in valuation.margins))


@money
def pnl_view(
    realized: Realized, unrealized: Decimal, trades: TradeStatistics, *, at: int
) -> PnLView:
    """Return the contract's PnL."""
    return PnLView(
        realized_pnl_total=realized.total,
        realized_pnl_today=realized.today,
        realized_pnl_week=realized.week,
        realized_pnl_month=realized.month,
        unrealized_pnl=unrealized,
        total_pnl=realized.total + unrealized,
        best_trade_pnl=trades.best.value,
        worst_trade_pnl=trades.worst.value,
        win_rate=trades.win_rate.value,
        profit_factor=trades.profit_factor.value,
        timestamp=_told(at),
    )


@money
def exposure_view(
    valuation: Valuation,
    sectors: Sequence[SectorExposure],
    *,
    symbols: Mapping[str, str] = _NO_NAMES,
    found: Exposure | None = None,
) -> ExposureView:
    """Return the contract's exposure; `sectors` is of the same valuation."""
    found = exposure(valuation) if found is None else found
    base = valuation.base
    return ExposureView(
        total_exposure=found.gross,
        long_exposure=found.long,
        short_exposure=found.short,
        net_exposure=found.net,
        exposure_by_symbol={
            symbol_of(each.asset, base, symbols): each.value_base for each in found.assets
        },
        exposure_by_sector={each.sector: each.net for each in sectors},
        exposure_pct_of_equity=found.gross_pct,
        timestamp=_told(valuation.at),
    )


def drawdown_view(found: Drawdown, *, at: int) -> DrawdownView:
    """Return the contract's drawdown."""
    return DrawdownView(
        daily_drawdown_pct=found.daily_pct.value,
        weekly_drawdown_pct=found.weekly_pct.value,
        max_drawdown_pct=found.max_pct.value,
        peak_equity=found.peak,
        current_equity=found.current,
        days_since_peak=found.days_since_peak,
        recovery_progress_pct=found.recovery_pct.value,
        timestamp=_told(at),
    )


def symbol_of(asset: str, base: str, symbols: Mapping[str, str]) -> str:
    """Return the symbol of an asset: its traded pair's letters, or its own with base currency."""
    return symbols.get(asset) or spelled(f"{asset}{base}")


def _position(worth: AssetWorth, symbol: str) -> PositionView:
    cost, value = worth.known_cost, worth.value
    return PositionView(
        symbol=symbol,
        side=_side(worth.quantity),
        size=abs(worth.quantity),
        entry_price=None if cost is None else ratio18(ONE, cost, worth.quantity),
        current_price=None if value is None else ratio18(ONE, value, worth.quantity),
        unrealized_pnl=worth.unrealized,
        unrealized_pnl_pct=_pct(worth.unrealized, cost),
        exposure=None if value is None else abs(value),
        leverage=ONE,
    )


def _margin(worth: MarginWorth, leverages: Leverages) -> PositionView:
    size, entry, value = abs(worth.quantity), worth.entry, worth.value
    return PositionView(
        symbol=spelled(worth.pair),
        side=_side(worth.quantity),
        size=size,
        entry_price=None if entry is None else ratio18(ONE, abs(entry), size),
        current_price=None if value is None else ratio18(ONE, abs(value), size),
        unrealized_pnl=worth.unrealized,
        unrealized_pnl_pct=_pct(worth.unrealized, entry),
        exposure=None if value is None else abs(value),
        leverage=leverages.get((worth.account, worth.pair)),
    )


def _side(quantity: Decimal) -> str:
    return "LONG" if quantity > 0 else "SHORT"


def _pct(gain: Decimal | None, cost: Decimal | None) -> Decimal | None:
    return None if gain is None or cost is None else percent(gain, abs(cost)).value


def _told(at: int) -> datetime:
    return instant.to_datetime(at)
