"""Events: what the portfolio hears from its bus, and what it tells there.

Runs in the keeper's thread. What is heard becomes facts and prices (`portfolio.events`), and
touches the publisher. Commits are told by the relay; how things stand is told here, from the very
views that are published: `portfolio.snapshot_updated`, `pnl_updated`, `exposure_updated`,
`drawdown_updated`, `equity.update`, and every minute or when something was realised `pnl.update`.

Errors: none leave here; a bus that is away is waited for, and the health says so.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from bursar.app.events import Events, events_of
from bursar.config import Settings
from bursar.errors import BursarError, BusError
from bursar.events.outgoing import (
    DrawdownUpdated,
    EquityUpdate,
    ExposureUpdated,
    PnlUpdated,
    PositionState,
    SnapshotUpdated,
)
from bursar.portfolio.beside import Beside, beside
from bursar.portfolio.events.intake import Heard
from bursar.portfolio.events.states import PNL_EVERY, equity_update, pnl_update
from bursar.portfolio.measures import Views
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.views import PositionView
from bursar.ports import Bus
from bursar.serve.keeper import Opened
from bursar.serve.logs import LOG
from bursar.serve.publishing import Publisher
from bursar.serve.spelling import moment
from bursar.serve.views import Seen

CHECK_EVERY_S: Final = 5

State = SnapshotUpdated | PnlUpdated | ExposureUpdated | DrawdownUpdated


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
        self._realized: Decimal | None = None
        self._told_pnl_at = 0
        self._offered: dict[str, State | EquityUpdate] = {}
        self._positions: Beside[PositionView, PositionState] = {}

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
        self._events = events
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(events.run(_pause))
                group.create_task(self._tell(events))
        finally:
            self._events = None
            await events.close()

    def offer(self, portfolio: Portfolio, seen: Seen) -> None:
        """Take how things stand, to be told."""
        if self._events is None:
            return
        states, version = self._events.states, portfolio.desk.head.version
        views, found = seen.found, seen.figures
        self._positions = beside(views.snapshot.positions, self._positions, _position)
        positions = tuple(told for _, told in self._positions.values())
        for name, told in _states(views, positions, version).items():
            if self._is_news(name, told):
                states.offer(f"portfolio.{name}", told)
        whole = equity_update(found, version, views.drawdown.peak_equity)
        if self._is_news("equity", whole):
            states.offer("equity.update", whole)
        realized, now = views.pnl.realized_pnl_total, found.at
        if realized != self._realized or now - self._told_pnl_at >= PNL_EVERY:
            self._realized, self._told_pnl_at = realized, now
            states.offer("pnl.update", pnl_update(portfolio.book(), found, version))
        self._due.set()

    def follow_trades(self) -> None:
        """Bring the store of trades up to the book."""
        if self._events is not None:
            try:
                self._events.trades.follow()
            except BursarError as error:
                LOG.warning("TRADES_NOT_FOLLOWED", code=error.code, why=error.message)

    def _is_news(self, name: str, told: State | EquityUpdate) -> bool:
        """Tell whether a state says more than the time."""
        timeless = msgspec.structs.replace(told, timestamp="")
        is_news = self._offered.get(name) != timeless
        self._offered[name] = timeless
        return is_news

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
        if heard.booked or heard.marks or heard.has_tripped:
            self._publisher.touch()
        if heard.woken:
            self._wake()


def _position(view: PositionView) -> PositionState:
    return PositionState(**_fields(view))


def _states(views: Views, positions: tuple[PositionState, ...], version: int) -> dict[str, State]:
    """Return the states of some views, each of a record of its own with the same names."""
    known = {
        name: value
        for name, value in views.exposure.exposure_by_symbol.items()
        if value is not None
    }
    found: dict[str, State] = {
        "snapshot_updated": SnapshotUpdated(
            **{**_timed(views.snapshot, version), "positions": positions}
        ),
        "pnl_updated": PnlUpdated(**_timed(views.pnl, version)),
        "exposure_updated": ExposureUpdated(
            **{**_timed(views.exposure, version), "exposure_by_symbol": known}
        ),
    }
    if views.drawdown.current_equity is not None:  # else nothing can be told of it
        found["drawdown_updated"] = DrawdownUpdated(**_timed(views.drawdown, version))
    return found


def _fields(view: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(view, name) for name in view.__struct_fields__}


def _timed(view: msgspec.Struct, version: int) -> dict[str, Any]:
    fields = _fields(view)
    return {**fields, "timestamp": moment(fields["timestamp"]), "version": version}


async def _pause(milliseconds: int) -> None:
    await asyncio.sleep(milliseconds / 1_000)
