"""The whole of it without sockets: a service over the real client over the fake Kraken, in virtual
time.
"""

import asyncio
from random import Random

from bursar.desk import Desk
from bursar.ledger import instant
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService, Rules
from bursar.sim.kraken import FakeKraken, carrier
from bursar.sim.kraken.keys import Tier
from bursar.sim.loop import VirtualLoop
from bursar.store import MemoryStore
from bursar.venue.http import Outside
from bursar.venue.kraken.account import KrakenAccount
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.history import Options
from bursar.venue.kraken.pace import Tier as Pace
from bursar.venue.kraken.signing import Keys
from bursar.venue.kraken.tags import TagRules
from bursar.venue.region import GLOBAL

RULES = TagRules(
    userrefs={1001: "trend_v1", 77: "meanrev"},
    patterns=["KRKKD:(?P<strategy>[a-z0-9_]+)", "(?P<strategy>grid_v2)-[0-9a-f]+"],
)


def _no_files(*_):
    raise AssertionError("nothing is imported here")


class LoopClock:
    """The loop's own time, from an instant on."""

    def __init__(self, loop, start):
        self._loop, self._start = loop, start

    def now(self):
        return self._start + round(self._loop.time() * instant.SECOND)


class Following:
    """One account at a fake venue and the service that follows it; `run` plays a coroutine."""

    def __init__(
        self,
        account,
        folder,
        *,
        store=None,
        region=GLOBAL,
        start=None,
        rules=None,
        allow_breaks=False,
    ):
        self.loop = VirtualLoop(steps_max=50_000_000)
        self.clock = LoopClock(self.loop, start or account.rows[-1].time + instant.DAY)
        self.fake = FakeKraken(account, clock=self.clock, tier=Tier.PRO)
        self.folder = folder
        self.region = region
        self.store = store or MemoryStore(terms=Terms(base="USD"))
        self.rules = rules or Rules()
        self.allow_breaks = allow_breaks
        self.service = self.made()

    def made(self):
        """Return a service as a new process would make it, over the same store and venue."""
        self.venue = KrakenAccount(
            KrakenRESTClient(
                Outside(self.clock, Random(7), self.pause, carrier(self.fake)),
                Keys(self.fake.key, self.fake.secret),
                state=self.folder,
                url="http://127.0.0.1",
                tier=Pace.PRO,
            ),
            Options(region=self.region, rules=RULES, allow_breaks=self.allow_breaks),
        )
        portfolio = Portfolio(Desk(self.store, self.clock), _no_files)
        return PortfolioService(portfolio, (self.venue,), self.rules)

    async def pause(self, milliseconds):
        await asyncio.sleep(milliseconds / 1000)

    def run(self, work):
        return self.loop.run_until_complete(work)

    def close(self):
        self.run(self.venue.client.close())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def sync(self):
        return self.run(self.service.sync())
