"""How a portfolio counts, warns and compares itself with a venue, as the settings say."""

from bursar.config import PortfolioSettings
from bursar.portfolio.service import Rules
from bursar.reconcile import Limits


def limits_of(settings: PortfolioSettings) -> Limits:
    """Return how far an asset, and all of them, may be off."""
    tolerance, total = settings.reconciliation_tolerance, settings.reconciliation_tolerance_total
    return Limits(asset=tolerance, total=tolerance if total is None else total)


def rules_of(settings: PortfolioSettings) -> Rules:
    """Return how these settings want a service to count and warn."""
    return Rules(
        tracks_manual=settings.track_manual_trades,
        limits=limits_of(settings),
        snapshot_days=settings.snapshot_retention_days,
        external_activity_pct=settings.external_activity_pct,
    )
