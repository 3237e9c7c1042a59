"""What other programs ask for: the contract's four answers, key by key.

Amounts are in base currency, percentages percent (1.76 is 1.76 %), drawdowns positive, win rate
percent. `None` is a figure that is not known; the figures it comes from say why. Nothing is
computed here but what a position's own numbers make.

A position's `size` and `exposure` are without sign, `side` tells it; by symbol and sector exposure
is signed. `leverage` is 1 for what is owned, and `None` where a leveraged position's is not known.

Errors: none.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.exact import ONE, ZERO, money, quotient18
from bursar.ledger import instant
from bursar.measure.drawdown import Drawdown
from bursar.measure.measured import Measured, percent
from bursar.measure.trades import TradeStatistics
from bursar.portfolio.beside import Beside, beside
from bursar.value.figures import Figures
from bursar.value.marks import spelled
from bursar.value.worth import AssetWorth, MarginWorth

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


class Shown:
    """What is held, as the contract's rows; each row is kept beside the worth that it shows.

    `symbols` names assets as they are traded; the others are spelled with base currency.
    """

    def __init__(self, *, base: str, symbols: Mapping[str, str] = _NO_NAMES) -> None:
        self._base = base
        self._symbols = symbols
        self._spot: Beside[AssetWorth, _Row] = {}
        self._leveraged: Beside[MarginWorth, PositionView] = {}

    @money
    def see(self, assets: Iterable[AssetWorth], margins: Iterable[MarginWorth]) -> None:
        """Take what is held now, in its order. O(what is held), and a row for each new worth."""
        self._spot = beside((e for e in assets if not e.is_cash), self._spot, self._row)
        self._leveraged = beside(margins, self._leveraged, _margin)

    @property
    def positions(self) -> tuple[PositionView, ...]:
        """What is held beside cash, by name, then the leveraged positions."""
        spot = (row.position for _, row in self._spot.values())
        leveraged = (position for _, position in self._leveraged.values())
        return (*(each for each in spot if each is not None), *leveraged)

    @property
    @money
    def values(self) -> dict[str, Decimal | None]:
        """The net notional of each asset that moves, spot and leveraged, by name; `None` if a part
        of it has no value.
        """
        own = {each.asset: each.value for each, _ in self._spot.values() if each.holdings}
        for margin, _ in self._leveraged.values():
            known = own.get(margin.asset, ZERO)
            own[margin.asset] = (
                None if known is None or margin.value is None else known + margin.value
            )
        return {name: own[name] for name in sorted(own)}

    @property
    def by_symbol(self) -> dict[str, Decimal | None]:
        """The same by symbol."""
        known = {each.asset: row.symbol for each, row in self._spot.values()}
        return {
            known.get(name) or symbol_of(name, self._base, self._symbols): value
            for name, value in self.values.items()
        }

    def stands_for(self, base: str, symbols: Mapping[str, str]) -> bool:
        """Tell whether the rows are named as these would name them."""
        return (base, symbols) == (self._base, self._symbols)

    def _row(self, worth: AssetWorth) -> "_Row":
        symbol = symbol_of(worth.asset, self._base, self._symbols)
        return _Row(symbol, _position(worth, symbol) if worth.quantity else None)


class _Row(msgspec.Struct, frozen=True):
    """How an asset is shown; it is no position where nothing of it is left."""

    symbol: str
    position: PositionView | None


def snapshot_view(found: Figures, positions: tuple[PositionView, ...], day: Day) -> SnapshotView:
    """Return the contract's snapshot of a view's figures and positions."""
    return SnapshotView(
        total_equity=found.equity,
        cash_balance=found.cash,
        total_exposure=found.gross,
        num_positions=len(positions),
        positions=positions,
        unrealized_pnl=found.unrealized,
        realized_pnl_today=day.realized,
        daily_pnl=day.pnl.value,
        daily_drawdown_pct=day.drawdown_pct.value,
        timestamp=_told(found.at),
    )


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


def exposure_view(
    found: Figures, by_symbol: dict[str, Decimal | None], by_sector: dict[str, Decimal]
) -> ExposureView:
    """Return the contract's exposure; symbols and sectors are of the same view."""
    return ExposureView(
        total_exposure=found.gross,
        long_exposure=found.long,
        short_exposure=found.short,
        net_exposure=found.net,
        exposure_by_symbol=by_symbol,
        exposure_by_sector=by_sector,
        exposure_pct_of_equity=found.gross_pct,
        timestamp=_told(found.at),
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
        entry_price=None if cost is None else quotient18(cost, worth.quantity),
        current_price=None if value is None else quotient18(value, worth.quantity),
        unrealized_pnl=worth.unrealized,
        unrealized_pnl_pct=_pct(worth.unrealized, cost),
        exposure=None if value is None else abs(value),
        leverage=ONE,
    )


def _margin(worth: MarginWorth) -> PositionView:
    size, entry, value = abs(worth.quantity), worth.entry, worth.value
    return PositionView(
        symbol=spelled(worth.pair),
        side=_side(worth.quantity),
        size=size,
        entry_price=None if entry is None else quotient18(abs(entry), size),
        current_price=None if value is None else quotient18(abs(value), size),
        unrealized_pnl=worth.unrealized,
        unrealized_pnl_pct=_pct(worth.unrealized, entry),
        exposure=None if value is None else abs(value),
        leverage=worth.leverage,
    )


def _side(quantity: Decimal) -> str:
    return "LONG" if quantity > 0 else "SHORT"


def _pct(gain: Decimal | None, cost: Decimal | None) -> Decimal | None:
    return None if gain is None or cost is None else percent(gain, abs(cost)).value


def _told(at: int) -> datetime:
    return instant.to_datetime(at)
