"""How the settings want a portfolio measured.

Errors: `Malformed` for a table of sectors that cannot be read.
"""

from pathlib import Path
from typing import Final

from bursar.config import PortfolioSettings
from bursar.errors import Malformed
from bursar.measure import sectors
from bursar.measure.ratios import Conventions
from bursar.measure.returns import Calendar
from bursar.measure.sectors import TARGETS, Bucket
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
    )


def _read(path: Path) -> sectors.Table:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise Malformed(f"{path.name} cannot be read: {error}", file=str(path)) from None
    return sectors.read(text, name=path.name)
