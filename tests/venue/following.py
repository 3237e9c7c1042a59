"""The whole of it without sockets: a service over a venue's real client over the fake venue, in
virtual time.
"""

import asyncio
from random import Random

from bursar.desk import Desk
from bursar.ledger import instant
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService, Rules
from bursar.sim import alpaca, binance, kraken
from bursar.sim.binance.account import START
from bursar.sim.kraken.keys import Tier
from bursar.sim.loop import VirtualLoop
from bursar.store import MemoryStore
from bursar.venue.alpaca.account import AlpacaAccount
from bursar.venue.alpaca.client import AlpacaRESTClient
from bursar.venue.alpaca.history import Options as AlpacaOptions
from bursar.venue.alpaca.keys import Keys as AlpacaKeys
from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.history import Options as BinanceOptions
from bursar.venue.binance.keys import Keys as BinanceKeys
from bursar.venue.files import read
from bursar.venue.http import Outside
from bursar.venue.kraken.account import KrakenAccount
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.history import Options
from bursar.venue.kraken.pace import Tier as Pace
from bursar.venue.kraken.signing import Keys
from bursar.venue.kraken.tags import TagRules
from bursar.venue.region import GLOBAL

URL = "http://127.0.0.1"
RULES = TagRules(
    userrefs={1001: "trend_v1", 77: "meanrev"},
    patterns=["KRKKD:(?P<strategy>[a-z0-9_]+)", "(?P<strategy>grid_v2)-[0-9a-f]+"],
)


def reader(path, account, progress):
    return read(path, account, progress=progress)


class LoopClock:
    """The loop's own time, from an instant on."""

    def __init__(self, loop, start):
        self._loop, self._start = loop, start

    def now(self):
        return self._start + round(self._loop.time() * instant.SECOND)


class OtherClock:
    """A clock that is so far ahead of another."""

    def __init__(self, clock, ahead):
        self._clock, self._ahead = clock, ahead

    def now(self):
        return self._clock.now() + self._ahead


class Following:
    """One account at a fake venue and the service that follows it; `run` plays a coroutine.

    `fake` makes the venue at a clock, and `joined` what the service knows of it. The venue's clock
    is `ahead` of ours; the time to `start` and to be `at` is the venue's.
    """

    def __init__(self, start, fake, joined, *, store=None, rules=None, ahead=0):
        self.loop = VirtualLoop(steps_max=50_000_000)
        self.clock = LoopClock(self.loop, start - ahead)
        self.ahead = ahead
        self.fake = fake(OtherClock(self.clock, ahead))
        self.store = store or MemoryStore(terms=Terms(base="USD"))
        self.rules = rules or Rules()
        self._joined = joined
        self.service = self.made()
        self.done = None

    def made(self):
        """Return a service as a new process would make it, over the same store and venue."""
        self.venue = self._joined(self)
        portfolio = Portfolio(Desk(self.store, self.clock), reader)
        return PortfolioService(portfolio, (self.venue,), self.rules)

    def outside(self, carrier):
        """What a client knows of the world, all of it inside this process."""
        return Outside(self.clock, Random(7), self.pause, carrier(self.fake))

    def at(self, instant):
        """Let it be that late at the venue, and as much later as the loop has run."""
        self.clock._start = instant - self.ahead

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


def at_kraken(account, folder, *, region=GLOBAL, start=None, allow_breaks=False, **others):
    """Follow an account at Kraken."""

    def joined(here):
        client = KrakenRESTClient(
            here.outside(kraken.carrier),
            Keys(here.fake.key, here.fake.secret),
            state=folder,
            url=URL,
            tier=Pace.PRO,
        )
        return KrakenAccount(client, Options(region=region, rules=RULES, allow_breaks=allow_breaks))

    def fake(clock):
        return kraken.FakeKraken(account, clock=clock, tier=Tier.PRO)

    return Following(start or account.rows[-1].time + instant.DAY, fake, joined, **others)


def at_alpaca(account, *, start=None, options=None, **others):
    """Follow an account at Alpaca."""

    def joined(here):
        keys = AlpacaKeys(here.fake.key, here.fake.secret)
        client = AlpacaRESTClient(here.outside(alpaca.carrier), keys, url=URL, data_url=URL)
        return AlpacaAccount(client, options or AlpacaOptions())

    def fake(clock):
        return alpaca.FakeAlpaca(account, clock=clock)

    return Following(start or account.end, fake, joined, **others)


def at_binance(account, *, start=None, options=None, **others):
    """Follow an account at Binance."""

    def joined(here):
        keys = BinanceKeys(here.fake.key, here.fake.secret)
        client = BinanceRESTClient(here.outside(binance.carrier), keys, url=URL, futures_url=URL)
        return BinanceAccount(client, options or BinanceOptions(since=START))

    def fake(clock):
        return binance.FakeBinance(account, clock=clock)

    return Following(start or account.end, fake, joined, **others)
