"""The pulse: equity is told when it changes, PnL every minute and whenever a position closes.

A beat costs a look at the head where nothing has changed, and else one valuation. The larger states
(snapshot, exposure, drawdown) are offered by whoever shows them.

Errors: what the store raises.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from bursar.errors import BusError, StoreBusy, StoreDown
from bursar.portfolio.events.relay import events_of
from bursar.portfolio.events.states import PNL_EVERY, States, equity_update, pnl_update
from bursar.portfolio.portfolio import Portfolio
from bursar.ports import Pause

EVERY_MS: Final = 1_000

Peak = Callable[[], Decimal | None]
"""Tells the highest equity that is known."""


class Pulse:
    """Offers the small states of one portfolio. One thread at a time, the desk's."""

    def __init__(self, portfolio: Portfolio, states: States, peak: Peak | None = None) -> None:
        self._portfolio = portfolio
        self._states = states
        self._peak = peak
        self._version = portfolio.desk.head.version
        self._seen: tuple[int, int] | None = None
        self._told_at: int | None = None

    async def run(self, pause: Pause) -> None:
        """Beat and tell, until this is cancelled."""
        while True:
            try:
                self.beat()
                await self._states.flush()
            except (BusError, StoreBusy, StoreDown):  # what was due stays due
                pass
            await pause(EVERY_MS)

    def beat(self) -> None:
        """Offer what has changed, and PnL where it is due."""
        portfolio, now = self._portfolio, self._portfolio.desk.clock.now()
        version = portfolio.desk.head.version
        has_closed = version != self._version and self._closed_since(self._version)
        is_due = self._told_at is None or now - self._told_at >= PNL_EVERY
        has_changed = (version, portfolio.told_version) != self._seen
        if not (has_changed or has_closed or is_due):
            return
        valuation = portfolio.valuation()
        if has_changed:
            peak = None if self._peak is None else self._peak()
            self._states.offer("equity.update", equity_update(valuation, version, peak))
        if has_closed or is_due:
            self._states.offer("pnl.update", pnl_update(portfolio.book(), valuation, version))
            self._told_at = now
        self._version, self._seen = version, (version, portfolio.told_version)

    def _closed_since(self, version: int) -> bool:
        """Tell whether a position has closed since that version."""
        store = self._portfolio.desk.store
        told = (event for row in store.outbox(version) for event in events_of(row, ""))
        return any(event.type == "position.closed" for event in told)
