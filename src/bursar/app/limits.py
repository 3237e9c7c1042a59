"""How a portfolio counts, warns and compares itself with a venue, as the settings say."""

import msgspec

from bursar.config import PortfolioSettings
from bursar.portfolio.service import Rules
from bursar.reconcile import Limits, usual


def limits_of(settings: PortfolioSettings, base: str) -> Limits:
    """Return how far an asset, and all of them, may be off in a book of that base currency."""
    limits = usual(base)
    if "reconciliation_tolerance" in settings.model_fields_set:
        said = settings.reconciliation_tolerance
        limits = msgspec.structs.replace(limits, asset=said, total=said)
    total = settings.reconciliation_tolerance_total
    return limits if total is None else msgspec.structs.replace(limits, total=total)


def rules_of(settings: PortfolioSettings, base: str) -> Rules:
    """Return how these settings want a service to count and warn."""
    return Rules(
        tracks_manual=settings.track_manual_trades,
        limits=limits_of(settings, base),
        snapshot_days=settings.snapshot_retention_days,
        external_activity_pct=settings.external_activity_pct,
    )
