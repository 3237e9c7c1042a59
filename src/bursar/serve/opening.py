"""Opening: the portfolio that is served, with the venues it follows if the settings name some.

What follows venues takes long to load, so it is loaded for those who have some.

The initial capital is put in where the settings ask for it, no venue says what is held, and nothing
was recorded yet.

Errors: what opening a portfolio raises.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from bursar.app import SystemClock, is_new, options_of, portfolio_of
from bursar.app.events import believed_of
from bursar.app.keeping import stored
from bursar.app.limits import rules_of
from bursar.app.measuring import measuring_of
from bursar.config import PortfolioSettings, Settings
from bursar.errors import BursarError
from bursar.portfolio.beginning import begin
from bursar.portfolio.log import LOG
from bursar.portfolio.service import PortfolioService
from bursar.store import masked

if TYPE_CHECKING:
    from bursar.app.live import Live


class Book:
    """An open portfolio with its service; `live` is what follows venues, where there are some."""

    def __init__(self, service: PortfolioService, live: "Live | None" = None) -> None:
        self.service = service
        self.live = live

    async def close(self) -> None:
        """Close the portfolio and its connections."""
        if self.live is not None:
            await self.live.close()
        else:
            self.service.close()


def open_book(settings: Settings, clock: SystemClock | None = None) -> Book:
    """Open what these settings name. A portfolio that is not there is made, and the log says so."""
    is_made = is_new(settings.portfolio.book, settings.portfolio.name)
    book = _opened(settings, clock or SystemClock())
    if is_made:
        told = book.service.portfolio
        LOG.warning(
            "BOOK_MADE",
            book=masked(settings.portfolio.book),
            portfolio=told.desk.store.portfolio,
            base=told.terms.base,
        )
    return book


def _opened(settings: Settings, here: SystemClock) -> Book:
    if settings.venues:
        from bursar.app.live import open_live  # noqa: PLC0415 (loaded where it is needed)

        live = open_live(settings, clock=here)
        return Book(live.service, live)
    own = settings.portfolio
    store = stored(own)
    portfolio = portfolio_of(store, here, options=options_of(own))
    try:
        portfolio.measuring = measuring_of(own)
        if settings.capital.begin:
            begin(portfolio, settings.capital.initial, account=believed_of(own).account)
    except BursarError:
        portfolio.close()
        raise
    return Book(PortfolioService(portfolio, (), rules_of(own, portfolio.terms.base)))


def words_for(own: PortfolioSettings) -> str:
    """Return what a command in a terminal needs to mean this book, where it is not the usual one.

    An address of a server may hold a password, so it is left to the settings.
    """
    usual, words = PortfolioSettings.model_fields, []
    if own.book != usual["book"].default and "://" not in own.book:
        words += ["--book", str(Path(own.book).absolute())]
    if own.name != usual["name"].default:
        words += ["--portfolio", own.name]
    return shlex.join(words)
