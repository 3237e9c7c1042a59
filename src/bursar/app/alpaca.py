"""`AlpacaManager`: one account at Alpaca, asked without `await`; a source of holdings for plans.

    with AlpacaManager(api_key=…, secret_key=…, paper=True) as manager:
        service = bursar.RebalanceService(manager)
        plan = service.create_rebalance_plan(strategy, "rebalance-456")

It keeps nothing: each question is asked when it is put, with one pace and one set of connections.
Close it, or use it in a `with` block; it cannot be asked where an event loop runs.

Errors: `VenueError`; `MissingMark` where something has no price.
"""

import asyncio
from collections.abc import Collection, Coroutine
from decimal import Decimal
from typing import Any, Final, Self, TypeVar

from bursar.app import SystemClock
from bursar.app.live import outside_of
from bursar.errors import MissingMark
from bursar.ledger.terms import Terms
from bursar.plan import HoldingsSnapshot
from bursar.portfolio.plan_sources import fetch_holdings
from bursar.venue.alpaca.account import AlpacaAccount
from bursar.venue.alpaca.client import DATA_URL, LIVE_URL, PAPER_URL, AlpacaRESTClient
from bursar.venue.alpaca.keys import Keys
from bursar.venue.alpaca.market import DOLLAR
from bursar.venue.alpaca.wire import Account, Asset, Position

_TERMS: Final = Terms(base=DOLLAR)
_T = TypeVar("_T")


class AlpacaManager:
    """One account, paper unless it is said to be live. `url` and `data_url` lead elsewhere."""

    def __init__(
        self,
        api_key: str,
        secret_key: str,
        *,
        paper: bool = True,
        url: str | None = None,
        data_url: str = DATA_URL,
    ) -> None:
        base = url or (PAPER_URL if paper else LIVE_URL)
        client = AlpacaRESTClient(
            outside_of(SystemClock()), Keys(api_key, secret_key), url=base, data_url=data_url
        )
        self._venue = AlpacaAccount(client)
        self._runner = asyncio.Runner()

    def get_account(self) -> Account:
        """Return cash, equity and what positions are worth."""
        return self._ask(self._venue.client.account())

    def get_portfolio_value(self) -> Decimal:
        """Return what all of the account is worth, by the venue's own figure."""
        return self.get_account().equity

    def get_positions(self) -> list[Position]:
        """Return everything that is held but cash."""
        return self._ask(self._venue.client.positions())

    def get_asset(self, symbol: str) -> Asset:
        """Return what is known of one symbol: whether it is traded, and in fractions."""
        return self._ask(self._venue.client.asset(symbol))

    def get_current_prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        """Return the price in dollars of each symbol that has one: one request for all stocks, one
        for all coins.
        """
        marks = self._ask(self._venue.marks(symbols, DOLLAR))
        return {mark.asset: mark.price for mark in marks}

    def get_current_price(self, symbol: str) -> Decimal:
        """Return the price of one symbol in dollars.

        Raises:
            MissingMark: it has none.
        """
        found = self.get_current_prices([symbol])
        if symbol not in found:
            raise MissingMark(f"{symbol} has no price at Alpaca now", asset=symbol)
        return found[symbol]

    def holdings(self, wanted: Collection[str]) -> HoldingsSnapshot:
        """Return what is held, with prices of it and of what is wanted besides."""
        return self._ask(fetch_holdings(self._venue, wanted, _TERMS))

    def close(self) -> None:
        """Close the connections."""
        self._ask(self._venue.client.close())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, question: Coroutine[Any, Any, _T]) -> _T:
        return self._runner.run(question)
