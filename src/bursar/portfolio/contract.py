"""The contract's views of one portfolio: snapshot, PnL and exposure, as other programs read them.

Names and units are the contract's: amounts in base currency, percentages as percent (1.76 means
1.76 %). `None` is what is not known, and never a zero in disguise. A position is what is held of an
asset over all accounts, or one leveraged position; size and exposure have no sign, `side` has.

What rests on trades alone is worked out once a commit and a day (`Periods`); what rests on marks is
worked out at each valuation.

Errors: those of the store.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ONE, ZERO, money, ratio18
from bursar.ledger import audit, instant
from bursar.portfolio.earnings import KEPT_FOR
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService
from bursar.portfolio.snapshots import standing_at
from bursar.value.convert import convert
from bursar.value.equity import Valuation
from bursar.value.exposure import Exposure, exposure
from bursar.value.pnl import traded_pairs, valuation_pair
from bursar.value.worth import AssetWorth, MarginWorth

LONG: Final = "LONG"
SHORT: Final = "SHORT"
UNCLASSIFIED: Final = "UNCLASSIFIED"
_ALL: Final = Decimal(100)


class Position(msgspec.Struct, frozen=True):
    """A position as the contract shows it. Prices are of one unit, in base currency.

    `leverage` is 1 for what is simply held, and `None` where no venue has said it.
    """

    symbol: str
    side: str
    size: Decimal
    entry_price: Decimal | None
    current_price: Decimal | None
    unrealized_pnl: Decimal | None
    unrealized_pnl_pct: Decimal | None
    exposure: Decimal | None
    leverage: Decimal | None


class Snapshot(msgspec.Struct, frozen=True):
    """The portfolio now. `cash_balance` is base currency and pegs, `total_exposure` is gross."""

    total_equity: Decimal
    cash_balance: Decimal
    total_exposure: Decimal
    num_positions: int
    positions: tuple[Position, ...]
    unrealized_pnl: Decimal
    realized_pnl_today: Decimal
    daily_pnl: Decimal | None
    daily_drawdown_pct: Decimal | None
    timestamp: datetime


class PnLBreakdown(msgspec.Struct, frozen=True):
    """PnL by period; day, week and month began at 00:00 UTC, a week on Monday."""

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


class ExposureBreakdown(msgspec.Struct, frozen=True):
    """Exposure: `total_exposure` is gross; by symbol and by sector it is signed."""

    total_exposure: Decimal
    long_exposure: Decimal
    short_exposure: Decimal
    net_exposure: Decimal
    exposure_by_symbol: dict[str, Decimal]
    exposure_by_sector: dict[str, Decimal]
    exposure_pct_of_equity: Decimal | None
    timestamp: datetime


class Coverage(msgspec.Struct, frozen=True):
    """What the figures do not know, in words and by asset."""

    is_complete: bool
    unvalued: tuple[str, ...]
    stale: tuple[str, ...]
    excluded_value: Decimal
    remarks: tuple[str, ...]


class Periods(msgspec.Struct, frozen=True):
    """What the facts alone say of day, week and month; of trades that are closed, what they made.

    A day's PnL needs a start that was kept (`equity_start`) and flows that have a worth (`net`).
    """

    version: int
    today: str
    realized_today: Decimal
    realized_week: Decimal
    realized_month: Decimal
    equity_start: Decimal | None
    net: Decimal | None


class Trading(msgspec.Struct, frozen=True):
    """What closed trades came to. `None`: none is closed, or (`profit_factor`) none lost."""

    best: Decimal | None = None
    worst: Decimal | None = None
    win_rate: Decimal | None = None
    profit_factor: Decimal | None = None


NO_TRADES: Final = Trading()


def periods(service: PortfolioService, known: Periods | None = None) -> Periods:
    """Return what the facts say of the periods; `known` where nothing has happened since."""
    portfolio = service.portfolio
    version, today = portfolio.desk.head.version, instant.day(portfolio.desk.clock.now())
    if known is not None and (known.version, known.today) == (version, today):
        return known
    day, week, month = (service.get_pnl_summary(each) for each in ("day", "week", "month"))
    return Periods(
        version=version,
        today=today,
        realized_today=day.realized_pnl_base_total,
        realized_week=week.realized_pnl_base_total,
        realized_month=month.realized_pnl_base_total,
        equity_start=_begun(portfolio),
        net=day.net_flows_base,
    )


@money
def snapshot(
    portfolio: Portfolio,
    valuation: Valuation,
    facts: Periods,
    *,
    daily_drawdown_pct: Decimal | None = None,
) -> Snapshot:
    """Return the snapshot at a valuation."""
    shown = tuple(positions(portfolio, valuation))
    return Snapshot(
        total_equity=valuation.equity,
        cash_balance=valuation.cash,
        total_exposure=exposure(valuation).gross,
        num_positions=len(shown),
        positions=shown,
        unrealized_pnl=valuation.unrealized,
        realized_pnl_today=facts.realized_today,
        daily_pnl=_daily(valuation, facts),
        daily_drawdown_pct=daily_drawdown_pct,
        timestamp=instant.to_datetime(valuation.at),
    )


@money
def pnl(
    portfolio: Portfolio, valuation: Valuation, facts: Periods, trading: Trading = NO_TRADES
) -> PnLBreakdown:
    """Return PnL by period at a valuation."""
    realized = audit.totals(portfolio.book()).realized
    return PnLBreakdown(
        realized_pnl_total=realized,
        realized_pnl_today=facts.realized_today,
        realized_pnl_week=facts.realized_week,
        realized_pnl_month=facts.realized_month,
        unrealized_pnl=valuation.unrealized,
        total_pnl=realized + valuation.unrealized,
        best_trade_pnl=trading.best,
        worst_trade_pnl=trading.worst,
        win_rate=trading.win_rate,
        profit_factor=trading.profit_factor,
        timestamp=instant.to_datetime(valuation.at),
    )


@money
def exposures(
    portfolio: Portfolio, valuation: Valuation, sectors: Mapping[str, str]
) -> ExposureBreakdown:
    """Return the exposure at a valuation; `sectors` is asset → sector."""
    seen = exposure(valuation)
    pairs = traded_pairs(portfolio.book())
    return ExposureBreakdown(
        total_exposure=seen.gross,
        long_exposure=seen.long,
        short_exposure=seen.short,
        net_exposure=seen.net,
        exposure_by_symbol={
            valuation_pair(each.asset, valuation.base, traded=pairs): each.value_base
            for each in seen.assets
            if each.value_base is not None
        },
        exposure_by_sector=_by_sector(seen, valuation, sectors),
        exposure_pct_of_equity=seen.gross_pct,
        timestamp=instant.to_datetime(valuation.at),
    )


def coverage(valuation: Valuation) -> Coverage:
    """Return what a valuation does not know."""
    known = valuation.coverage
    return Coverage(
        is_complete=known.is_complete,
        unvalued=tuple(each.asset for each in known.unvalued),
        stale=tuple(sorted({each.asset for each in known.stale})),
        excluded_value=valuation.excluded_value,
        remarks=tuple(known.lines()),
    )


def positions(portfolio: Portfolio, valuation: Valuation) -> Iterator[Position]:
    """Yield what is held, money apart, and every leveraged position; by symbol within each."""
    pairs = traded_pairs(portfolio.book())
    for worth in valuation.assets:
        if worth.quantity and not worth.is_cash:
            yield _held(valuation_pair(worth.asset, valuation.base, traded=pairs), worth)
    for margin in valuation.margins:
        if margin.quantity:
            yield _leveraged(margin)


def _held(symbol: str, worth: AssetWorth) -> Position:
    size = abs(worth.quantity)
    is_known = worth.is_cost_known and worth.unrealized is not None
    return Position(
        symbol=symbol,
        side=LONG if worth.quantity > 0 else SHORT,
        size=size,
        entry_price=ratio18(ONE, abs(worth.cost), size) if worth.is_cost_known else None,
        current_price=None if worth.path is None else convert(ONE, worth.path),
        unrealized_pnl=worth.unrealized if is_known else None,
        unrealized_pnl_pct=_percent(worth.unrealized, abs(worth.cost)) if is_known else None,
        exposure=None if worth.value is None else abs(worth.value),
        leverage=ONE,
    )


def _leveraged(margin: MarginWorth) -> Position:
    size = abs(margin.quantity)
    entry = None if margin.entry is None else abs(margin.entry)
    return Position(
        symbol=margin.pair,
        side=LONG if margin.quantity > 0 else SHORT,
        size=size,
        entry_price=None if entry is None else ratio18(ONE, entry, size),
        current_price=None if margin.value is None else ratio18(ONE, abs(margin.value), size),
        unrealized_pnl=margin.unrealized,
        unrealized_pnl_pct=None if entry is None else _percent(margin.unrealized, entry),
        exposure=None if margin.value is None else abs(margin.value),
        leverage=None,
    )


def _percent(part: Decimal | None, whole: Decimal) -> Decimal | None:
    return None if part is None or not whole else ratio18(_ALL, part, whole)


def _by_sector(
    seen: Exposure, valuation: Valuation, sectors: Mapping[str, str]
) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for each in seen.assets:
        if each.value_base is not None:
            sector = sectors.get(valuation.marks.name(each.asset), UNCLASSIFIED)
            sums[sector] = sums.get(sector, ZERO) + each.value_base
    return {sector: sums[sector] for sector in sorted(sums)}


def _begun(portfolio: Portfolio) -> Decimal | None:
    """Return the equity with which the day began; `None` where that was not kept, or not whole."""
    now = portfolio.desk.clock.now()
    start, timeline = now - now % instant.DAY, portfolio.desk.timeline
    found = standing_at(portfolio.desk.store, start)
    if found is None:
        is_new = timeline.is_whole and (not timeline.order or timeline.order[0][0] >= start)
        return ZERO if is_new else None
    is_near = start - instant.from_datetime(found.timestamp) <= KEPT_FOR
    return found.equity_base if found.is_whole and is_near else None


def _daily(valuation: Valuation, facts: Periods) -> Decimal | None:
    if facts.equity_start is None or facts.net is None or valuation.unvalued:
        return None
    return valuation.equity + valuation.excluded_value - facts.equity_start - facts.net
