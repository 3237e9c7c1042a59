"""Keeping: the store that a service's settings name, with its history where that is kept best.

What the settings do not say, a portfolio that is there has of itself: only what they do say can
contradict it.

Errors: those of opening a store.
"""

from bursar.app import terms_of
from bursar.config import PortfolioSettings
from bursar.errors import BadChoice, BursarError
from bursar.portfolio.log import LOG
from bursar.ports import PortfolioStore
from bursar.store import open_store


def stored(own: PortfolioSettings) -> PortfolioStore:
    """Open the portfolio's store; one that is not there is made.

    Where its server has Timescale, and the settings allow it, snapshots are kept in that.
    """
    store = _opened(own)
    if own.timescale and "://" in own.book:
        try:
            _keep_history(own)
        except BursarError:
            store.close()
            raise
    return store


def _opened(own: PortfolioSettings) -> PortfolioStore:
    try:
        return open_store(own.book, own.name, terms=terms_of(own))
    except BadChoice as error:
        kept = error.context.get("stored")
        if kept is None:
            raise
        if "base_currency" in own.model_fields_set:
            raise BadChoice(
                f"the book counts in {kept}, the settings say {own.base_currency}; a book keeps"
                f" its base currency, so base_currency has to be {kept}",
                stored=kept,
                asked=own.base_currency,
            ) from None
    return open_store(own.book, own.name)


def _keep_history(own: PortfolioSettings) -> None:
    from bursar.store.timescale import keep_history  # noqa: PLC0415 (few have a server)

    history = keep_history(own.book, own.snapshot_retention_days)
    LOG.info("HISTORY_KEPT", in_timescale=history.is_hyper, reason=history.reason)
