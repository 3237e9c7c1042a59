"""What could go wrong: exposure by symbol, sector and bucket, correlation, risk, limits."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from bursar.exact import ZERO, money, unsigned
from bursar.measure import correlation
from bursar.measure import sectors as sector_tables
from bursar.measure.correlation import Correlations
from bursar.measure.limits import Breach, Policy, Standing, check
from bursar.measure.measured import Measured, known, percent, unknown
from bursar.measure.ratios import USUAL, Conventions, ratios
from bursar.measure.returns import Calendar, fractions
from bursar.measure.sectors import TARGETS, Bucket, BucketShare, SectorExposure, Table
from bursar.portfolio.gains import CALENDAR, LONG_AFTER, YearStart
from bursar.portfolio.kept import Kept, closing_prices, kept
from bursar.value.exposure import Exposure, exposure

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio, Prices
    from bursar.value.equity import Valuation


class Measuring(msgspec.Struct, frozen=True, kw_only=True):
    """How a portfolio is measured: conventions, sectors, what the buckets should hold, limits, and
    when a tax year begins and a gain is long.
    """

    conventions: Conventions = USUAL
    calendar: Calendar = Calendar.EVERY_DAY
    table: Table | None = None
    targets: dict[Bucket, Decimal] = msgspec.field(default_factory=lambda: dict(TARGETS))
    policy: Policy = Policy()
    tax_year: YearStart = CALENDAR
    long_after: int = LONG_AFTER


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
    policy: Policy
    breaches: tuple[Breach, ...]


def sectors(portfolio: Portfolio, prices: Prices = None) -> list[SectorExposure]:
    """Return exposure by sector, by the table of the portfolio."""
    valuation = portfolio.valuation(prices)
    return sectors_of(portfolio, valuation, exposure(valuation))


def sectors_of(portfolio: Portfolio, valuation: Valuation, found: Exposure) -> list[SectorExposure]:
    """Return a valuation's exposure by sector, by the table of the portfolio."""
    return sector_tables.by_sector(found, table_of(portfolio), equity=valuation.equity)


def risk(portfolio: Portfolio, prices: Prices = None) -> Risk:
    """Return exposure, buckets, value at risk, correlations, and what passes its limit."""
    valuation, rules = portfolio.valuation(prices), portfolio.measuring
    found, past = exposure(valuation), kept(portfolio, valuation)
    by_sector = sectors_of(portfolio, valuation, found)
    closes = past.closes()
    daily = fractions(closes.returns(rules.calendar))
    figures = ratios(daily, rules.conventions, is_broken=closes.is_broken)
    returns = correlation.returns_of(closing_prices(portfolio))
    groups = {name: table_of(portfolio).of(name).sector for name in returns}
    weights = {each.asset: float(unsigned(each.value_base or ZERO)) for each in found.assets}
    standing = _standing(valuation, found, by_sector, past)
    return Risk(
        at=valuation.at,
        base=valuation.base,
        exposure=found,
        sectors=tuple(by_sector),
        buckets=tuple(sector_tables.by_bucket(found, table_of(portfolio), targets=rules.targets)),
        var_pct=figures.var_pct,
        cvar_pct=figures.cvar_pct,
        volatility_pct=figures.volatility_pct,
        symbols=correlation.correlations(returns),
        sector_correlations=correlation.correlations(correlation.grouped(returns, groups, weights)),
        standing=standing,
        policy=rules.policy,
        breaches=check(rules.policy.limits, standing),
    )


def breaches(portfolio: Portfolio, prices: Prices = None) -> tuple[Breach, ...]:
    """Return what passes its limit, or might: as `risk` does, without all else."""
    valuation = portfolio.valuation(prices)
    found = exposure(valuation)
    by_sector = sectors_of(portfolio, valuation, found)
    standing = _standing(valuation, found, by_sector, kept(portfolio, valuation))
    return check(portfolio.measuring.policy.limits, standing)


@cache
def shipped_table() -> Table:
    """Return the table of sectors that comes with the program."""
    name = "sectors.csv"
    text = files("bursar.measure").joinpath(name).read_text(encoding="utf-8")
    return sector_tables.read(text, name=name)


def table_of(portfolio: Portfolio) -> Table:
    """Return the table of sectors that a portfolio goes by."""
    own = portfolio.measuring.table
    return shipped_table() if own is None else shipped_table().plus(own)


@money
def _standing(
    valuation: Valuation, found: Exposure, sectors: list[SectorExposure], past: Kept
) -> Standing:
    """Return the figures that limits are held against."""
    fallen, equity, today = past.fallen, valuation.equity, past.today
    made = today.day_pnl
    loss = share = made if made.value is None else known(-made.value)
    if loss.value is not None and today.opening is not None:
        share = percent(loss.value, today.opening.equity or today.now.equity)
    held = [each for each in found.assets if each.amount]
    return Standing(
        gross_exposure_pct=percent(found.gross, equity),
        net_exposure_pct=percent(found.net, equity),
        symbol_exposure_pct={each.asset: _or_unknown(each.percentage_of_equity) for each in held},
        sector_exposure_pct={each.sector: _of_sector(each) for each in sectors},
        drawdown_pct=fallen.current_pct,
        daily_drawdown_pct=fallen.daily_pct,
        weekly_drawdown_pct=fallen.weekly_pct,
        daily_loss=loss,
        daily_loss_pct=share,
        positions=known(Decimal(len(held))),
    )


def _of_sector(sector: SectorExposure) -> Measured:
    if sector.unvalued:
        return unknown(f"{', '.join(sector.unvalued)}: no price")
    return sector.pct_of_equity


def _or_unknown(value: Decimal | None) -> Measured:
    return unknown("it has no price") if value is None else known(value)
