"""The tolerance of a comparison with a venue, as the settings say."""

from bursar.config import PortfolioSettings
from bursar.reconcile import Limits


def limits_of(settings: PortfolioSettings) -> Limits:
    """Return how far an asset, and all of them, may be off."""
    tolerance, total = settings.reconciliation_tolerance, settings.reconciliation_tolerance_total
    return Limits(asset=tolerance, total=tolerance if total is None else total)
