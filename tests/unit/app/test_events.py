"""A portfolio on its bus, as the settings say: from another program's event to the trades."""

import asyncio
import json
from decimal import Decimal

import pytest

from bursar.app import SystemClock, portfolio_of, terms_of
from bursar.app.events import (
    PRUNED_AGAIN_MS,
    PRUNED_EVERY_MS,
    believed_of,
    bus_of,
    events_of,
    redis_url,
    trade_store_of,
)
from bursar.config import VenueSettings, load
from bursar.errors import BadChoice, Malformed, StoreBusy, StoreDown
from bursar.events import from_fields
from bursar.ledger import instant
from bursar.portfolio.events.intake import INBOX
from bursar.store import open_store
from tests.servers import redis
from tests.unit.portfolio.events.told import order_filled, trade_closed, trade_opened

FIRST: dict = {"return_when": asyncio.FIRST_COMPLETED}


def settings(**flags):
    return load(flags=flags).portfolio


def opened(own):
    store = open_store(own.book, own.name, terms=terms_of(own))
    return portfolio_of(store, SystemClock())


async def served(own, portfolio, told):
    """Publish events, let the portfolio hear and tell, and return what it has told."""
    heard: list = []
    events = events_of(own, portfolio, listener=heard.append)

    async def pause(milliseconds):
        await asyncio.sleep(milliseconds / 10_000)

    await events.bus.publish(own.event_topic, told)
    running = asyncio.ensure_future(events.run(pause))
    try:
        lines: list = []
        async with asyncio.timeout(100):
            while len(lines) < 2 * len(told):
                await asyncio.sleep(0.01)
                lines = await events.bus.replay(events.relay.topic)
        events.trades.follow()
        closed = events.trades.store.closed_trades()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await events.close()
    return [from_fields(each.fields, place=each.place, at=each.at).type for each in lines], closed


@pytest.mark.parametrize("kind", ["local", "redis"])
def test_events_of_others_become_facts_trades_and_events(kind, tmp_path, redis_server):
    place = {"book": str(tmp_path / "book.db")}
    if kind == "redis":
        own = redis_server().folder / "s"
        place |= {"redis_socket": str(own), "trade_store_type": "redis"}
    own = settings(**place, redis_prefix=redis.prefix())
    with opened(own) as portfolio:
        told, closed = asyncio.run(served(own, portfolio, [trade_opened(), trade_closed()]))
    assert told == [
        *("portfolio.committed", "position.opened", "portfolio.committed", "position.closed"),
    ]
    assert [(each.trade_id, each.realized_pnl) for each in closed] == [
        ("events:main:trade:1", Decimal("148.23")),
    ]


def test_the_inbox_is_cut_once_a_day_and_a_store_that_is_busy_is_waited_for(tmp_path, monkeypatch):
    own = settings(book=str(tmp_path / "book.db"))
    pauses: list = []
    ended = asyncio.Event()

    async def pause(milliseconds):
        if milliseconds in {PRUNED_EVERY_MS, PRUNED_AGAIN_MS}:
            pauses.append(milliseconds)
            if len(pauses) == 4:
                ended.set()
        await asyncio.sleep(0.001)

    async def work(portfolio):
        store, when = portfolio.desk.store, portfolio.desk.clock.now() - 31 * instant.DAY
        store.save_memos({f"{INBOX}a {n}": f"{when} 0" for n in range(3)})
        errors, memos = [StoreBusy("importing"), StoreDown("away")], store.memos

        def busy(name):
            if name == INBOX and errors:
                raise errors.pop(0)
            return memos(name)

        monkeypatch.setattr(store, "memos", busy)
        events = events_of(own, portfolio)
        running = asyncio.ensure_future(events.run(pause))
        try:
            async with asyncio.timeout(100):
                await asyncio.wait((running, asyncio.ensure_future(ended.wait())), **FIRST)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await events.close()
        return memos(INBOX)

    with opened(own) as portfolio:
        assert asyncio.run(work(portfolio)) == {}
    assert pauses == [PRUNED_AGAIN_MS] * 2 + [PRUNED_EVERY_MS] * 2


def test_an_account_that_believes_orders_is_told_so_by_the_settings(tmp_path):
    own = settings(
        book=str(tmp_path / "book.db"),
        event_accounts={"desk:one": "order"},
        event_default_account="desk:one",
    )
    with opened(own) as portfolio:
        assert portfolio.terms.account("desk:one").source.value == "events"
        told, _ = asyncio.run(served(own, portfolio, [order_filled()]))
    assert told == ["portfolio.committed", "position.opened"]


def test_an_event_that_names_no_account_is_the_followed_venues():
    """Or else what stands on the venue's books would be booked a second time."""
    followed = [VenueSettings(account="kraken:main")]
    assert believed_of(settings()).account == "events:main"
    assert believed_of(settings(), followed).account == "kraken:main"
    own = settings(event_default_account="desk:one")
    assert believed_of(own, followed).account == "desk:one"


def test_where_telling_cannot_go_on_hearing_does_not_either(tmp_path):
    own = settings(book=str(tmp_path / "book.db"))

    async def work(portfolio):
        events = events_of(own, portfolio)

        portfolio.desk.store.save_memos({f"relay {events.relay.topic}": "nowhere"})
        async with asyncio.timeout(100):
            await events.run(asyncio.sleep)

    with opened(own) as portfolio, pytest.raises(ExceptionGroup) as caught:
        asyncio.run(work(portfolio))
    assert caught.group_contains(ValueError, match="nowhere")


def test_without_a_redis_the_bus_is_inside_and_with_one_its_password_is_not_shown(monkeypatch):
    assert "LocalBus" in repr(bus_of(settings(), SystemClock()))
    assert redis_url(settings()) is None
    monkeypatch.setenv("REDIS_PASSWORD", "ge/heim")
    word = {"env": "REDIS_PASSWORD"}
    own = settings(redis_host="redis", redis_user="me", redis_password=word, redis_tls=True)
    assert redis_url(own) == "rediss://me:ge%2Fheim@redis:6379/0"
    bus = bus_of(own, SystemClock())
    assert "heim" not in f"{bus!r}{own!r}{own}"
    monkeypatch.delenv("REDIS_PASSWORD")
    with pytest.raises(BadChoice, match="REDIS_PASSWORD holds no key"):
        redis_url(own)
    socket = settings(redis_socket="/run/redis.sock", redis_db=2)
    assert redis_url(socket) == "unix:///run/redis.sock?db=2"


@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_a_place_for_trades_that_is_nowhere_is_refused(kind):
    with pytest.raises(Malformed, match=f"where trade_store_type is {kind}"):
        settings(trade_store_type=kind)


def test_the_environment_of_the_contract_is_understood(monkeypatch):
    monkeypatch.setenv("PORTFOLIO_REDIS_HOST", "redis")
    monkeypatch.setenv("PORTFOLIO_TRADE_STORE_TYPE", "sqlite")
    monkeypatch.setenv("PORTFOLIO_EVENT_ACCOUNTS", json.dumps({"desk:one": "order"}))
    own = settings()
    assert redis_url(own) == "redis://redis:6379/0"
    assert own.trade_store_type.value == "sqlite"
    assert [each.value for each in own.event_accounts.values()] == ["order"]


def test_trades_stand_beside_the_book(tmp_path, database):
    for place in (str(tmp_path / "book.db"), database):
        kind = "postgres" if place == database else "sqlite"
        store = trade_store_of(settings(book=place, trade_store_type=kind))
        assert (store.reached(), repr(store)) == ("", "SqlTradeStore(portfolio='main')")
        store.close()
    assert trade_store_of(settings(book=":memory:")).open_trades() == []
