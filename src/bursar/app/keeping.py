"""Keeping: the store that a service's settings name, with its history where that is kept best.

Errors: those of opening a store.
"""

from bursar.app import terms_of
from bursar.config import PortfolioSettings
from bursar.errors import BursarError
from bursar.portfolio.log import LOG
from bursar.ports import PortfolioStore
from bursar.store import open_store


def stored(own: PortfolioSettings) -> PortfolioStore:
    """Open the portfolio's store; one that is not there is made.

    Where its server has Timescale, and the settings allow it, snapshots are kept in that.
    """
    store = open_store(own.book, own.name, terms=terms_of(own))
    if own.timescale and "://" in own.book:
        try:
            _keep_history(own)
        except BursarError:
            store.close()
            raise
    return store


def _keep_history(own: PortfolioSettings) -> None:
    from bursar.store.timescale import keep_history  # noqa: PLC0415 (few have a server)

    history = keep_history(own.book, own.snapshot_retention_days)
    LOG.info("HISTORY_KEPT", in_timescale=history.is_hyper, reason=history.reason)
