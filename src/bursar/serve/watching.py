"""Limits and alerts: what passes a limit is told, and what somebody should look at leaves.

Runs in the keeper's thread. The policy is read again when that is due; the portfolio is held
against it every few seconds; what is found waits in the store (`portfolio.events.watching`). Each
way out takes what waits for it, one after the other, and where it cannot tries again, after waits
that double up to five minutes. No way waits for another, and nothing else waits for any.

Errors: none leave here; the health says which policy is stale and which way is shut.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import msgspec

from bursar.app.alerting import Way, letter_of, policy_of, ways_of
from bursar.config import Settings
from bursar.errors import BursarError
from bursar.ledger import instant
from bursar.measure.limits import Policy
from bursar.policy import PolicyStore
from bursar.portfolio.events import watching
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.risk import breaches
from bursar.ports import Pause
from bursar.serve.keeper import Opened
from bursar.serve.logs import LOG

EVERY_MS: Final = 5_000
AWAY_S: Final = 60
"""Who has not looked for longer was suspended with the machine, or its clock was set."""

OTHERS_S: Final = 60
"""So often each way looks for what another service found and did not live to send."""

FIRST_WAIT_MS: Final = 1_000
WAIT_MAX_MS: Final = 300_000


async def _sleep(milliseconds: int) -> None:
    await asyncio.sleep(milliseconds / 1_000)


class Watcher:
    """Watches one portfolio. `policy` and `shut` may be read by any thread."""

    def __init__(self, settings: Settings, *, pause: Pause = _sleep) -> None:
        self.policy: Policy = Policy()
        self.shut: Mapping[str, str] = {}
        self._settings = settings.portfolio
        self._ways = ways_of(settings.portfolio.alerts)
        self._pause = pause
        self._news: Mapping[str, asyncio.Event] = {}

    async def run(self, opened: Opened) -> None:
        """Watch for as long as the book is open."""
        self._news = {name: asyncio.Event() for name in self._ways}
        portfolio = opened.service.portfolio
        store = policy_of(self._settings, portfolio, self._pause)
        begun = looked = portfolio.desk.clock.now()
        self._take(portfolio, store)
        async with asyncio.TaskGroup() as group:
            for name, way in self._ways.items():
                group.create_task(self._deliver(portfolio, name, way))
            while True:
                try:
                    await self._refresh(portfolio, store)
                    before, looked = looked, portfolio.desk.clock.now()
                    if not 0 <= looked - before <= AWAY_S * instant.SECOND:
                        begun = looked
                    self.look(opened, since=begun)
                except BursarError as error:
                    LOG.warning("NOT_WATCHED", code=error.code, why=error.message)
                await self._pause(EVERY_MS)

    def look(self, opened: Opened, *, since: int) -> None:
        """Hold the portfolio against its limits, and let wait what is to be told."""
        portfolio, alerts = opened.service.portfolio, self._settings.alerts
        found, now = breaches(portfolio), portfolio.desk.clock.now()
        watching.tell_limits(portfolio, found, now=now)
        accounts = [venue.account for venue in opened.service.venues]
        concerns = watching.concerns(portfolio, found)
        concerns += watching.stale_syncs(
            portfolio, accounts, since=since, after_s=alerts.stale_sync_seconds
        )
        if watching.raise_alerts(portfolio, concerns, ways=self._ways, now=now):
            for each in self._news.values():
                each.set()

    async def _refresh(self, portfolio: Portfolio, store: PolicyStore | None) -> None:
        if store is not None:
            await store.refresh()
            self._take(portfolio, store)

    def _take(self, portfolio: Portfolio, store: PolicyStore | None) -> None:
        """Let the policy as it stands be the portfolio's."""
        if store is None:
            return
        if store.state.trouble and store.state.trouble != self.policy.trouble:
            LOG.warning("POLICY_NOT_READ", source=store.state.source, why=store.state.trouble)
        self.policy = store.state
        rules = msgspec.structs.replace(portfolio.measuring, policy=store.state)
        portfolio.measuring = rules

    async def _deliver(self, portfolio: Portfolio, name: str, way: Way) -> None:
        """Let leave what waits, oldest first, until this is cancelled."""
        wait_ms, store, news = FIRST_WAIT_MS, portfolio.desk.store, self._news[name]
        while True:
            try:
                for memo, event in watching.waiting(store, name).items():
                    await way.send(letter_of(event))
                    watching.sent(store, memo)
                    wait_ms = FIRST_WAIT_MS
            except BursarError as error:
                if name not in self.shut:
                    LOG.warning("ALERT_NOT_SENT", way=name, code=error.code, why=error.message)
                self.shut = {**self.shut, name: error.message}
                await self._pause(wait_ms)
                wait_ms = min(2 * wait_ms, WAIT_MAX_MS)
                continue
            self.shut = {way: why for way, why in self.shut.items() if way != name}
            with suppress(TimeoutError):
                async with asyncio.timeout(OTHERS_S):
                    await news.wait()
            news.clear()
