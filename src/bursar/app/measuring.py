"""How the settings want a portfolio measured.

Errors: `Malformed` for a table of sectors, or a file of limits, that cannot be read; `BadChoice`
for a tax year that begins on no day.
"""

from pathlib import Path
from typing import Final

from bursar.config import PortfolioSettings
from bursar.errors import Malformed
from bursar.measure import sectors
from bursar.measure.limits import Freshness, Policy
from bursar.measure.ratios import Conventions
from bursar.measure.returns import Calendar
from bursar.measure.sectors import TARGETS, Bucket
from bursar.policy import read_limits
from bursar.portfolio.gains import year_start
from bursar.portfolio.risk import Measuring

_ALL_DAYS: Final = 365
"""A year of fewer periods is one of weekdays."""


def measuring_of(settings: PortfolioSettings) -> Measuring:
    """Return the conventions, the table of sectors and the targets of these settings."""
    told = {Bucket(name): share for name, share in settings.bucket_targets.items()}
    periods = settings.periods_per_year
    return Measuring(
        conventions=Conventions(periods=periods, risk_free_pct=settings.risk_free_pct),
        calendar=Calendar.EVERY_DAY if periods >= _ALL_DAYS else Calendar.WEEKDAYS,
        table=None if settings.sectors_file is None else _read(settings.sectors_file),
        targets=sectors.require_targets(told) if told else dict(TARGETS),
        policy=_policy(settings),
        tax_year=year_start(settings.tax_year_start),
        long_after=settings.long_after_days,
    )


def _policy(settings: PortfolioSettings) -> Policy:
    """Return the limits of a file. Those of a service are read by whoever serves the book."""
    url, path = settings.risk_safety_service_url, settings.risk_limits_file
    if path is None:
        known = Freshness.NONE if url is None else Freshness.MISSING
        why = "" if url is None else "`bursar serve` reads it"
        return Policy(freshness=known, source=(url or "").partition("?")[0], trouble=why)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Malformed(
            f"{path.name} cannot be read: {error.strerror or error}", file=str(path)
        ) from None
    return Policy(limits=read_limits(text, path.name), freshness=Freshness.FRESH, source=path.name)


def _read(path: Path) -> sectors.Table:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Malformed(
            f"{path.name} cannot be read: {error.strerror or error}", file=str(path)
        ) from None
    except UnicodeError:
        raise Malformed(f"{path.name}: this is no UTF-8 text", file=str(path)) from None
    return sectors.read(text, name=path.name)
