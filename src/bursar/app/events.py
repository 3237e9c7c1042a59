"""Wiring of events: a bus, what a portfolio hears from it and tells on it, and its trades.

Errors: `BadChoice` for a secret that is nowhere or an address that is none; `BusDown` only from
what runs.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from bursar.app.words import secret
from bursar.bus import LocalBus, consume
from bursar.config import PortfolioSettings, TradeStoreType, VenueSettings
from bursar.errors import StoreError
from bursar.portfolio import Portfolio
from bursar.portfolio.events import Intake, Relay
from bursar.portfolio.events.facts import DEFAULT_ACCOUNT, Believed, Family
from bursar.portfolio.events.intake import Listener, prune
from bursar.portfolio.events.states import States
from bursar.portfolio.trading import TradeFollower
from bursar.ports import Bus, Clock, Consumer, Pause, TradeStore
from bursar.store.opening import MEMORY
from bursar.store.trades import MemoryTradeStore, open_sql_trades
from bursar.venue.binance import symbols

GROUP = "bursar"
PRUNED_EVERY_MS: Final = 86_400_000
PRUNED_AGAIN_MS: Final = 60_000


class Events(msgspec.Struct, frozen=True):
    """A portfolio on its bus. It belongs to one event loop; `close` it there.

    `states` is for whoever knows how things stand: `offer`, and `flush` on a timer.
    """

    bus: Bus
    intake: Intake
    relay: Relay
    states: States
    trades: TradeFollower
    consumer: Consumer
    inbox_days: int

    async def run(self, pause: Pause) -> None:
        """Hear and tell, until this is cancelled; a bus that is away is waited for.

        Where one of the two cannot go on, neither does.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(consume(self.bus, self.consumer, self.intake, pause))
            group.create_task(self.relay.run(pause))
            group.create_task(self._prune(pause))

    async def _prune(self, pause: Pause) -> None:
        """Cut the inbox now and once a day; where the store does not let us, in a minute."""
        desk = self.intake.portfolio.desk
        while True:
            try:
                prune(desk.store, desk.clock.now(), self.inbox_days)
            except StoreError:
                await pause(PRUNED_AGAIN_MS)
            else:
                await pause(PRUNED_EVERY_MS)

    async def close(self) -> None:
        """Close the bus and the store of trades; the portfolio is its owner's."""
        self.trades.store.close()
        await self.bus.close()


def events_of(
    settings: PortfolioSettings,
    portfolio: Portfolio,
    *,
    listener: Listener | None = None,
    venues: Sequence[VenueSettings] = (),
) -> Events:
    """Put a portfolio on the bus that the settings name.

    `listener` hears what events came to; `venues` are those that the portfolio follows.
    """
    bus, clock = bus_of(settings, portfolio.desk.clock), portfolio.desk.clock
    store = portfolio.desk.store
    believed, states = believed_of(settings, venues), States(store.portfolio, bus, clock)
    return Events(
        bus=bus,
        intake=Intake(portfolio, _pairs, believed=believed, listener=listener),
        relay=Relay(store, bus),
        states=states,
        trades=TradeFollower(portfolio, trade_store_of(settings)),
        consumer=Consumer(settings.event_topic, f"{GROUP}:{store.portfolio}"),
        inbox_days=settings.event_inbox_days,
    )


def bus_of(settings: PortfolioSettings, clock: Clock) -> Bus:
    """Return the bus: over Redis where the settings name one, else inside this process."""
    reclaim_ms = settings.event_reclaim_seconds * 1_000
    url = redis_url(settings)
    if url is None:
        return LocalBus(clock, reclaim_ms=reclaim_ms)
    from bursar.bus.streams import StreamBus  # noqa: PLC0415 (the library takes half a second)

    return StreamBus(url, prefix=settings.redis_prefix, reclaim_ms=reclaim_ms)


def trade_store_of(settings: PortfolioSettings) -> TradeStore:
    """Return where open and closed trades are kept."""
    if settings.trade_store_type is TradeStoreType.REDIS:
        from bursar.store.trades.redis import RedisTradeStore  # noqa: PLC0415 (the same)

        return RedisTradeStore(
            redis_url(settings) or "", settings.name, prefix=settings.redis_prefix
        )
    place = settings.trade_store_place or settings.book
    if place == MEMORY:
        return MemoryTradeStore()
    return open_sql_trades(place, settings.name)


def believed_of(settings: PortfolioSettings, venues: Sequence[VenueSettings] = ()) -> Believed:
    """Return whose events are believed, as the settings say.

    Where a venue is followed, an event that names no account is about that venue's: what it tells
    is on the venue's own books, and booked twice if it were another account's.
    """
    families = {name: Family(each.value) for name, each in settings.event_accounts.items()}
    followed = next((each.account for each in venues), DEFAULT_ACCOUNT)
    return Believed(families, settings.event_default_account or followed)


def redis_url(settings: PortfolioSettings) -> str | None:
    """Return the address of Redis with its password in it; never show it."""
    word = settings.redis_password
    login = "" if word is None else f":{quote(secret(word), safe='')}@"
    if login and settings.redis_user:
        login = f"{quote(settings.redis_user, safe='')}{login}"
    if settings.redis_socket is not None:
        path = Path(settings.redis_socket).absolute()
        return f"unix://{login}{path}?db={settings.redis_db}"
    if settings.redis_host is None:
        return None
    scheme = "rediss" if settings.redis_tls else "redis"
    return f"{scheme}://{login}{settings.redis_host}:{settings.redis_port}/{settings.redis_db}"


def _pairs(symbol: str) -> tuple[str, str]:
    """Split a symbol: `BTCUSDT`, `BTC/USDT`, `BTC-USDT`."""
    found = symbols.pair(symbol.replace("-", "/").replace("_", "/").upper())
    return found.base, found.quote
