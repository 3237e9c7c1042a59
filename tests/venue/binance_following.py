"""A service over the real client over the fake Binance, in virtual time, without sockets."""

import asyncio
from random import Random

from bursar.desk import Desk
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService, Rules
from bursar.sim.binance import FakeBinance, carrier
from bursar.sim.binance.account import START
from bursar.sim.loop import VirtualLoop
from bursar.store import MemoryStore
from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.history import Options
from bursar.venue.binance.keys import Keys
from bursar.venue.files import read
from bursar.venue.http import Outside
from tests.venue.following import LoopClock

URL = "http://127.0.0.1"


def reader(path, account, progress):
    return read(path, account, progress=progress)


class BinanceFollowing:
    """One account at a fake venue and the service that follows it; `run` plays a coroutine."""

    def __init__(self, account, *, store=None, start=None, options=None):
        self.loop = VirtualLoop(steps_max=50_000_000)
        self.clock = LoopClock(self.loop, start or account.end)
        self.fake = FakeBinance(account, clock=self.clock)
        self.store = store or MemoryStore(terms=Terms(base="USD"))
        self.options = options or Options(since=START)
        self.service = self.made()
        self.done = None

    def made(self):
        """Return a service as a new process would make it, over the same store and venue."""
        outside = Outside(self.clock, Random(7), self.pause, carrier(self.fake))
        keys = Keys(self.fake.key, self.fake.secret)
        client = BinanceRESTClient(outside, keys, url=URL, futures_url=URL)
        self.venue = BinanceAccount(client, self.options)
        portfolio = Portfolio(Desk(self.store, self.clock), reader)
        return PortfolioService(portfolio, (self.venue,), Rules())

    def at(self, instant):
        """Let it be that late, unless it is later."""
        self.clock._start = instant

    async def pause(self, milliseconds):
        await asyncio.sleep(milliseconds / 1000)

    def run(self, work):
        return self.loop.run_until_complete(work)

    def initialize(self):
        return self.run(self.service.initialize())

    def sync(self):
        return self.run(self.service.sync())

    def close(self):
        self.run(self.venue.client.close())
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()
