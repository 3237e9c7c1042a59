"""One follower: when it syncs, whose prices it takes, what it does when something fails."""

import asyncio
from types import SimpleNamespace
from typing import Any

from bursar.app import following
from bursar.app.following import Follower
from bursar.errors import StoreBusy, VenueDown
from bursar.portfolio.summaries import AccountSync, summed
from bursar.sim.loop import VirtualLoop
from bursar.venue.stream import StreamHealth, StreamState

LIVE = StreamState(StreamHealth.LIVE, 0)
ONE, TWO = SimpleNamespace(account="a:main"), SimpleNamespace(account="b:main")


class Stream:
    """Prices by hand: a mark a second, or an error."""

    def __init__(self, told):
        self.state, self.told, self.pairs = LIVE, told, None

    async def run(self, pairs):
        self.pairs = pairs
        if isinstance(self.told, Exception):
            raise self.told
        await asyncio.Event().wait()

    async def changed(self):
        await asyncio.sleep(1)
        return (self.told,)


class News:
    """News by hand, at these seconds."""

    def __init__(self, *at):
        self.state, self.at = LIVE, at

    async def run(self, wake):
        begun = 0
        for at in self.at:
            await asyncio.sleep(at - begun)
            begun = at
            wake()


class Open:
    """What is open: two accounts, their pairs, and a service that takes note of each sync."""

    def __init__(self, *, news=None, failure=None, away=0, alone=False):
        self.accounts, self.service, self.portfolio = (ONE, TWO), self, self
        self.pairs = {"a:main": ["XBT/USD"], "b:main": ["ETH/USD"]}
        self.synced, self.marked, self.seen, self.streams = [], 0, [], []
        self.told_by, self.failure, self.away = news, failure, away
        self.alone, self.refused = alone, {}
        self.later: dict[str, list[str]] = {}

    async def sync(self):
        self.synced.append(asyncio.get_running_loop().time())
        if len(self.synced) > 1:
            self.pairs |= self.later
        if self.failure is not None and len(self.synced) == 1:
            raise self.failure
        gone = "away" if len(self.synced) <= self.away else None
        there = () if self.alone else (AccountSync(account="b:main"),)
        return summed((AccountSync(account="a:main", failure=gone), *there))

    async def refresh_marks(self):
        self.marked += 1

    async def priced_pairs(self, account):
        if account.account in self.refused:
            raise self.refused.pop(account.account)
        return self.pairs[account.account]

    def stream(self, account):
        made = Stream(account.account)
        self.streams.append(made)
        return made

    def news(self, account):
        return self.told_by if account is ONE else None

    def live(self):
        return SimpleNamespace(see=self.seen.append)


class Audience:
    """Has enough after so many syncs."""

    def __init__(self, times):
        self.left, self.drawn, self.errors, self.gives_up = times, 0, [], False

    def synced(self, _done):
        self.left -= 1
        return self.left > 0

    def priced(self):
        self.drawn += 1

    def failed(self, error):
        self.errors.append(error.code)
        return not self.gives_up


def followed(live, times, *, every_s=60):
    loop, audience = VirtualLoop(), Audience(times)
    follower = Follower(live, audience, every_s=every_s)
    try:
        loop.run_until_complete(follower.run())
    finally:
        loop.close()
    return audience, follower


def test_each_account_tells_the_prices_of_what_lies_there():
    live = Open()
    audience, follower = followed(live, 2)
    assert [stream.pairs for stream in live.streams] == [("XBT/USD",), ("ETH/USD",)]
    assert {*live.seen} == {"a:main", "b:main"}
    assert audience.drawn > 50
    assert (live.marked, follower.prices) == (1, {"a:main": LIVE, "b:main": LIVE})


def test_what_comes_to_be_held_is_followed_from_the_next_sync_on():
    live = Open()
    live.later = {"a:main": ["XBT/USD", "SOL/USD"], "b:main": ["ETH/USD"]}
    live.pairs["b:main"] = []
    followed(live, 3)
    assert [each.pairs for each in live.streams] == [
        ("XBT/USD",),
        ("XBT/USD", "SOL/USD"),
        ("ETH/USD",),
    ]


def test_news_wake_a_sync_a_little_later_and_never_too_often():
    live = Open(news=News(10, 10.5, 12, 100))
    _, follower = followed(live, 5, every_s=60)
    assert [round(at) for at in live.synced] == [0, 11, 16, 76, 101]
    assert follower.listening == {"a:main": LIVE}


def test_a_venue_that_is_away_keeps_the_prices_of_no_other():
    live = Open(away=2)
    followed(live, 2)
    assert [each.pairs for each in live.streams] == [("ETH/USD",)]
    assert live.marked == 1
    live = Open(away=2)
    followed(live, 4)
    assert [each.pairs for each in live.streams] == [("ETH/USD",), ("XBT/USD",)]


def test_while_no_venue_can_be_reached_nothing_is_followed():
    live = Open(away=2, alone=True)
    followed(live, 2)
    assert (live.streams, live.marked) == ([], 0)


def test_a_venue_that_does_not_tell_its_markets_makes_no_failure_of_the_sync():
    live = Open()
    live.refused = {"a:main": VenueDown("away")}
    audience, _ = followed(live, 3)
    assert (audience.errors, len(live.synced)) == ([], 3)
    assert [each.pairs for each in live.streams] == [("ETH/USD",), ("XBT/USD",)]


def test_a_sync_that_fails_is_told_and_comes_again():
    audience, _ = followed(Open(failure=StoreBusy("taken")), 1)
    assert audience.errors == ["store_busy"]


def test_prices_that_fail_are_asked_for_again_after_the_next_sync(monkeypatch):
    live = Open()
    made = live.stream
    monkeypatch.setattr(
        live,
        "stream",
        lambda account: made(account) if len(live.streams) else broken(live, VenueDown("away")),
    )
    followed(live, 3)
    assert [each.pairs for each in live.streams] == [("XBT/USD",), ("ETH/USD",), ("XBT/USD",)]


def broken(live, error):
    live.streams.append(Stream(error))
    return live.streams[-1]


def test_who_listens_may_end_it_with_an_error():
    live, audience, loop = Open(failure=StoreBusy("taken")), Audience(9), VirtualLoop()
    audience.gives_up = True
    made: Any = Follower  # over what is open by hand
    loop.run_until_complete(made(live, audience, every_s=1).run())
    loop.close()
    assert (audience.errors, len(live.synced)) == (["store_busy"], 1)


def test_the_figures_are_those_promised():
    assert (following.SETTLE_S, following.LEAST_S) == (1, 5)
