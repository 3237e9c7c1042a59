"""Events: what the portfolio hears from its bus, and what it tells there.

Runs in the keeper's thread. What is heard becomes facts and prices (`portfolio.events`), and
touches the publisher. Commits are told by the relay; how things stand is offered (`offering`) and
told here.

Errors: none leave here; a bus that is away is waited for, and the health says so.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bursar.app.events import Events, events_of
from bursar.config import Settings
from bursar.errors import BursarError, BusError, ServiceBusy
from bursar.portfolio.events.intake import Heard
from bursar.portfolio.portfolio import Portfolio
from bursar.ports import Bus, TradeStore
from bursar.serve.keeper import Opened
from bursar.serve.logs import LOG
from bursar.serve.offering import Offers
from bursar.serve.publishing import Publisher
from bursar.serve.views import Seen

CHECK_EVERY_S: Final = 5


class Carrier:
    """The portfolio on its bus. `trouble` is why events are not carried, where they are not."""

    def __init__(
        self,
        settings: Settings,
        publisher: Publisher,
        woken: Callable[[], None],
    ) -> None:
        self.trouble: str | None = None
        self._settings = settings
        self._publisher = publisher
        self._wake = woken
        self._events: Events | None = None
        self._due = asyncio.Event()
        self._offers: Offers | None = None

    @property
    def bus(self) -> Bus | None:
        """The bus, while there is one. For the keeper's thread alone."""
        return None if self._events is None else self._events.bus

    async def run(self, opened: Opened) -> None:
        """Hear and tell for as long as the book is open."""
        portfolio = opened.service.portfolio
        events = events_of(
            self._settings.portfolio,
            portfolio,
            listener=self._heard,
            venues=self._settings.venues,
        )
        self._events, self._offers = events, Offers(events.states)
        self.follow_trades()  # before anything is written, they can go on from where they were
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(events.run(_pause))
                group.create_task(self._tell(events))
        finally:
            self._events = self._offers = None
            await events.close()

    def offer(self, portfolio: Portfolio, seen: Seen) -> None:
        """Take how things stand, to be told."""
        if self._offers is not None:
            self._offers.take(portfolio, seen)
            self._due.set()

    def follow_trades(self) -> None:
        """Bring the store of trades up to the book."""
        if self._events is not None:
            try:
                self._events.trades.follow()
            except BursarError as error:
                LOG.warning("TRADES_NOT_FOLLOWED", code=error.code, why=error.message)

    def trade_store(self) -> TradeStore:
        """Return the store of trades, brought up to the book."""
        if self._events is None:
            raise ServiceBusy("the store of trades is not open; the service starts or stops")
        self._events.trades.follow()
        return self._events.trades.store

    async def _tell(self, events: Events) -> None:
        while True:
            try:
                async with asyncio.timeout(CHECK_EVERY_S):
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()
            try:
                await events.states.flush()
                await events.bus.check()
            except BusError as error:
                if self.trouble is None:
                    LOG.warning("BUS_AWAY", code=error.code, why=error.message)
                self.trouble = error.message
                await asyncio.sleep(1)
            else:
                self.trouble = None
            self.follow_trades()

    def _heard(self, heard: Heard) -> None:
        if heard.booked:
            self._publisher.wrote()
        if heard.booked or heard.marks or heard.has_tripped:
            self._publisher.touch()
        if heard.woken:
            self._wake()


async def _pause(milliseconds: int) -> None:
    await asyncio.sleep(milliseconds / 1_000)
