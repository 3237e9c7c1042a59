"""The service follows a venue: its history comes in, and whether it can be reached is told."""

import asyncio

import httpx2
import pytest

from bursar.app import SystemClock, following
from bursar.config import PortfolioSettings, Settings, VenueSettings
from bursar.errors import StoreFull
from bursar.serve.service import Service
from bursar.sim.kraken import FakeKraken, Fault, Tier, invent, serve
from bursar.sim.kraken.ws import Live, serve_ws

DAY = 86_400 * 1_000_000_000
HERE = "http://127.0.0.1:8004"


@pytest.fixture
def fake(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    rows = invent(3, 100).rows
    start = SystemClock().now() - (rows[-1].time - rows[0].time) - DAY
    made = FakeKraken(invent(3, 100, start=start), clock=SystemClock(), tier=Tier.PRO)
    monkeypatch.setenv("KRAKEN_API_KEY", made.key)
    monkeypatch.setenv("KRAKEN_API_SECRET", made.secret)
    return made


async def until(asking, path, holds):
    """Ask until an answer holds; the test's own time limit ends what never does."""
    while True:
        answer = (await asking.get(path)).json()
        if holds(answer):
            return answer
        await asyncio.sleep(0.05)


async def full():
    raise StoreFull("no room")


async def until_so(holds):
    while not holds():  # noqa: ASYNC110 (what is waited for has no event)
        await asyncio.sleep(0.02)


def test_what_a_venue_tells_is_served_and_a_venue_that_is_away_is_said(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(following, "SETTLE_S", 0)
    monkeypatch.setattr(following, "LEAST_S", 0)
    live, rows = Live(fake), fake.house.account.rows
    fake.house.until = rows[-20].time

    async def main():
        async with serve(fake) as url, serve_ws(live) as stream:
            book = str(tmp_path / "book.db")
            settings = Settings(
                portfolio=PortfolioSettings(book=book, sync_every_seconds=3600),
                venues=(
                    VenueSettings.model_validate(
                        {
                            "region": "GLOBAL",
                            "tier": "pro",
                            "url": url,
                            "stream_url": stream,
                            "news_url": stream,
                        }
                    ),
                ),
            )
            service = Service(settings)
            await service.start()
            transport = httpx2.ASGITransport(app=service, client=("127.0.0.1", 1))
            async with httpx2.AsyncClient(transport=transport, base_url=HERE) as asking:
                told = await until(
                    asking, "/health", lambda each: "kraken:main" in each["components"]
                )
                assert told["components"]["kraken:main"]["status"] == "ok"
                trades = (await asking.get("/api/portfolio/trades")).json()["items"]
                assert len(trades) > 10
                await until_so(lambda: live.connections == 2)
                fake.house.arrive(20)
                await live.beat()
                await until(
                    asking,
                    "/api/portfolio/trades",
                    lambda each: len(each["items"]) > len(trades),
                )
                # what has come late is a difference until the next statement
                await until(
                    asking,
                    "/api/portfolio/drift",
                    lambda each: each["items"][0]["verdict"] == "equal",
                )
                fake.script.add(Fault.ERROR, value="EAPI:Invalid key", times=99)
                await service.keeper.ask(lambda _: service.follower.wake())
                told = await until(
                    asking,
                    "/health",
                    lambda each: each["components"]["kraken:main"]["status"] != "ok",
                )
                assert told["status"] == "degraded"
                assert "last sync failed" in told["components"]["kraken:main"]["reason"]
                assert len((await asking.get("/api/portfolio/trades")).json()["items"]) > 10
                await service.keeper.ask(lambda opened: setattr(opened.service, "sync", full))
                await service.keeper.ask(lambda _: service.follower.wake())
                told = await until(
                    asking, "/health", lambda each: "no room" in str(each["components"])
                )
                said = "the last sync failed: no room"
                assert told["components"]["kraken:main"]["reason"] == said
            assert await service.stop()

    asyncio.run(main())
