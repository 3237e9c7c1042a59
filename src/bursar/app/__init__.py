"""Wiring: the only module that names concrete parts.

`open` puts a store, a desk, the file readers and the system clock together into a `Portfolio`.

Errors: what opening a store raises, and `StoreCorrupt` for a journal that does not verify.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bursar.desk import Desk
from bursar.errors import BadChoice, PortfolioNotFound
from bursar.ledger import golden, instant
from bursar.ledger.entries import AnyEntry
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.portfolio import Portfolio
from bursar.ports import PortfolioStore, Progress
from bursar.store import Listed, list_portfolios, open_store
from bursar.value.worth import EVERYTHING, Options

if TYPE_CHECKING:  # settings and readers take long to load, and not every command has some
    from bursar.config import PortfolioSettings
    from bursar.venue import files


class SystemClock:
    """The machine's own clock; a demonstration may begin earlier and go faster."""

    def __init__(self, *, behind: int = 0, pace: int = 1) -> None:
        self.pace = pace
        self._start = time.time_ns()
        self._from = self._start - behind

    def now(self) -> int:
        """Return the UTC instant, in nanoseconds since 1970."""
        told = time.time_ns()
        return instant.of_clock(
            told if self.pace == 1 else self._from + (told - self._start) * self.pace
        )

    def wait(self, milliseconds: int) -> None:
        """Let that much time pass."""
        time.sleep(milliseconds / 1000 / self.pace)


def open(  # noqa: A001, PLR0913 (the front door; only the place is needed)
    place: str | os.PathLike[str],
    *,
    portfolio: str = "main",
    terms: Terms | None = None,
    create: bool = True,
    options: Options = EVERYTHING,
    progress: Progress | None = None,
) -> Portfolio:
    """Open a portfolio in a database file, in a Postgres database, or in memory.

    The place is `book.db`, `postgresql://user@host/database` or `:memory:`.

    `terms` (base currency, cost rule, pegs …) are those of a new portfolio; one that is there keeps
    its own.

    Raises:
        PortfolioNotFound: there is none, and `create` is false.
        BadChoice: it is there in another base currency.
        StoreCorrupt: its journal does not verify.
    """
    store = open_store(place, portfolio, terms=terms, create=create)
    return portfolio_of(store, SystemClock(), options=options, progress=progress)


def portfolio_of(
    store: PortfolioStore,
    clock: SystemClock,
    *,
    options: Options = EVERYTHING,
    progress: Progress | None = None,
) -> Portfolio:
    """Put a desk, the file readers and a clock around a store. What fails closes the store."""
    try:
        desk = Desk(store, clock, progress=progress, wait=clock.wait)
    except BaseException:
        store.close()
        raise
    return Portfolio(desk, _Reader(desk.head.terms), options=options)


def portfolios(place: str | os.PathLike[str]) -> list[Listed]:
    """List the portfolios of a database: name, terms, how much, and when it was last changed.

    Raises:
        PortfolioNotFound: there is no database.
    """
    return list_portfolios(place)


def is_new(place: str | os.PathLike[str], portfolio: str) -> bool:
    """Tell whether a portfolio is not there yet, so that who makes one would do so."""
    try:
        return all(each.name != portfolio for each in portfolios(place))
    except PortfolioNotFound:
        return True


def options_of(settings: PortfolioSettings) -> Options:
    """Return how these settings want assets shown and priced."""
    return Options(
        include_assets=frozenset(settings.include_assets),
        exclude_assets=frozenset(settings.exclude_assets),
        valuation_pairs=settings.valuation_pairs,
    )


def terms_of(settings: PortfolioSettings) -> Terms:
    """Return the terms that these settings want a new portfolio to have."""
    return Terms(
        base=settings.base_currency,
        pegs=settings.pegs,
        method=settings.cost_basis_method,
        accounts=tuple(
            Account(name, FactSource.EVENTS)
            for name in sorted(settings.event_accounts)
            if not name.startswith(f"{FactSource.EVENTS.value}:")  # which are so of themselves
        ),
    )


class _Reader:
    """The file readers, told what the portfolio counts in."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms

    def __call__(
        self, path: Path, account: str | None, progress: Progress | None
    ) -> files.FileReading:
        from bursar.venue import files  # noqa: PLC0415 (loaded where a file is read)

        shorts = frozenset(each.name for each in self._terms.accounts if each.may_short)
        options = files.Options(
            quote=self._terms.base, money=self._terms.cash, shorts=shorts, golden=self._golden
        )
        return files.read(path, account, options=options, progress=_named(path, progress))

    def _golden(self, lines: Iterable[str]) -> Iterator[AnyEntry]:
        text = list(lines)
        base = golden.read_terms(text).base
        if base != self._terms.base:
            raise BadChoice(
                f"the journal is kept in {base}, the portfolio in {self._terms.base}", base=base
            )
        return golden.read(text)


def _named(path: Path, progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None

    def told(done: int, total: int) -> None:
        progress(f"reading {path.name}", done, total)

    return told
