"""Two services that follow one account over one store: what one lands the other takes up."""

import asyncio
import json
from decimal import Decimal
from itertools import count

import msgspec
import pytest

from bursar.desk import Desk
from bursar.errors import VenueDown
from bursar.ledger import instant
from bursar.ledger.terms import Terms
from bursar.measure.limits import Breach, Freshness, Limits, Policy, Verdict
from bursar.portfolio import Portfolio, agreement
from bursar.portfolio.events import saying, watching
from bursar.portfolio.service import PortfolioService, Rules
from bursar.reconcile import heard
from bursar.reconcile.alarm import Alarm, encode
from bursar.store import open_store
from tests.unit.portfolio.places import Clock
from tests.unit.portfolio.venues import Told

D = Decimal


class Busy(Told):
    """A venue at which something happens between what it says and that it is heard."""

    def __init__(self, *told):
        super().__init__(*told)
        self.meanwhile = _nothing

    async def statement(self):
        said, work, self.meanwhile = await super().statement(), self.meanwhile, _nothing
        await work()
        return said


async def _nothing():
    pass


def reader(*_):
    raise AssertionError("nothing is imported here")


@pytest.fixture
def both(tmp_path):
    """Two services of the same account that has some dollars, each after a sync."""
    clock, made = Clock(), []
    for _ in range(2):
        venue = Busy(clock, "2026-06-01T10:00:00Z deposit 100000 EUR #k:1")
        venue.holdings = {"EUR": D(100000)}
        store = open_store(tmp_path / "book.db", terms=Terms(base="EUR"))
        rules = Rules(external_activity_pct=D(1))
        made.append(PortfolioService(Portfolio(Desk(store, clock), reader), (venue,), rules))
    for each in made:
        asyncio.run(each.sync())
    yield made
    for each in made:
        each.close()


def happens(services, line, amount):
    for each in services:
        (venue,) = each.venues
        venue.lines.append(line)
        venue.holdings = {"EUR": venue.holdings["EUR"] + amount}


def told(service):
    events = saying.waiting(service.portfolio.desk.store).values()
    return [json.loads(each.data)["worth"] for each in events]


def test_what_another_sync_landed_is_no_drift(both):
    mine, other = both
    happens(both, "2026-06-01T11:00:00Z deposit 500 EUR #k:2", 500)
    assert not asyncio.run(other.sync()).drift_detected
    assert not asyncio.run(mine.sync()).drift_detected
    assert mine.portfolio.desk.head == other.portfolio.desk.head
    assert mine.get_equity().equity_base == D(100500)


def test_what_another_sync_lands_while_the_venue_states_is_no_drift(both):
    mine, other = both
    (venue,) = mine.venues

    async def between():  # the venue has spoken; now it happens, and the other was faster
        venue.clock.at += instant.SECOND
        at = instant.show(venue.clock.now())
        happens(both, f"{at} deposit 500 EUR #k:2", 500)
        await other.sync()
        mine.portfolio.desk.catch_up()  # as a service does for whoever asks it something

    happens(both, "2026-06-01T11:00:00Z deposit 1 EUR #k:3", 1)
    venue.meanwhile = between
    assert not asyncio.run(mine.sync()).drift_detected
    assert not mine.get_equity().drift_flag


def test_external_activity_is_told_once_though_two_syncs_know_of_it(both):
    mine, other = both
    happens(both, "2026-06-01T11:00:00Z deposit 5000 EUR #k:2", 5000)
    mine.venues[0].meanwhile = other.sync
    asyncio.run(mine.sync())
    assert told(mine) == [5000]


def test_external_activity_that_another_sync_has_yet_to_tell_is_kept(both):
    mine, other = both
    happens(both, "2026-06-01T11:00:00Z deposit 5000 EUR #k:2", 5000)
    (venue,) = mine.venues

    async def further():
        happens(both, "2026-06-01T11:10:00Z deposit 7000 EUR #k:3", 7000)
        other.venues[0].failing = {"statement": VenueDown("away")}
        other._external = lambda _account: None  # dies before it tells
        await other.sync()

    venue.meanwhile = further
    asyncio.run(mine.sync())
    assert told(mine) == [12000]


def test_a_drift_is_flagged_once_though_two_syncs_find_it(both, monkeypatch):
    mine, other = both
    for each in both:
        each.venues[0].holdings = {"EUR": D(100500)}
    left = [other]

    def slowly(before, found, *, now):
        if left:  # the other is as far, and faster
            agreement.sound(left.pop().portfolio, found)
            mine.venues[0].clock.at += instant.SECOND
        return heard(before, found, now=now)

    monkeypatch.setattr(agreement, "heard", slowly)
    asyncio.run(mine.sync())
    events = saying.waiting(mine.portfolio.desk.store).values()
    assert [json.loads(each.data)["signal"] for each in events] == ["flagged", "notify"]


def test_a_limit_and_an_alert_are_told_once_though_two_processes_look(both, monkeypatch):
    breach = Breach("daily_loss", Verdict.BREACHED, D(120), D(100))
    first, second = [each.portfolio for each in both]

    def look(portfolio):
        now = portfolio.desk.clock.now() + instant.SECOND * (portfolio is first)
        found = watching.concerns(portfolio, [breach])
        made = watching.tell_limits(portfolio, [breach], now=now)
        return made, watching.raise_alerts(portfolio, found, ways=["mail"], now=now)

    before, left = watching._told, [second]

    def slowly(store, name):
        known = before(store, name)
        if left:  # the other is as far, and faster
            assert look(left.pop()) == (1, 1)
        return known

    monkeypatch.setattr(watching, "_told", slowly)
    assert look(first) == (0, 0)
    kept = first.desk.store
    kinds = [each.type for each in saying.waiting(kept).values()]
    assert sorted(kinds) == ["portfolio.alert", "portfolio.limit"]
    assert len(watching.waiting(kept, "mail")) == 1


def test_a_service_without_limits_clears_none_that_another_one_has(both):
    breach = Breach("daily_loss", Verdict.BREACHED, D(120), D(100))
    watched, plain = [each.portfolio for each in both]
    policy = Policy(limits=Limits(daily_loss_max=D(100)), freshness=Freshness.FRESH, source="own")
    watched.measuring = msgspec.structs.replace(watched.measuring, policy=policy)
    begun, counts = watched.desk.clock.now(), []
    for minute in range(0, 181, 10):
        now = begun + minute * 60 * instant.SECOND
        told = watching.tell_limits(watched, [breach], now=now)
        counts.append((told, watching.tell_limits(plain, [], now=now)))
    assert [sum(each) for each in zip(*counts, strict=True)] == [4, 0]  # once an hour
    later = begun + 5 * instant.HOUR - 1
    assert watching.tell_limits(plain, [], now=later) == 0
    assert watching.tell_limits(plain, [], now=later + 1) == 1  # nobody tells it any more
    states = saying.waiting(plain.desk.store).values()
    last = json.loads(list(states)[-1].data)
    assert (last["signal"], last["reason"]) == ("cleared", "there is no such limit any more")


@pytest.mark.parametrize("kind", ["daily_loss", "drift"])
def test_an_alert_that_a_service_without_ways_raised_leaves_by_the_ways_of_another(both, kind):
    plain, other = [each.portfolio for each in both]
    store, found = other.desk.store, []
    if kind == "drift":
        alarm = Alarm(since=1, cycles=2, told_at=plain.desk.clock.now(), told=D(9))
        store.save_memos({"alarm k": encode(alarm)})
    else:
        found = [watching.Concern(kind=kind, subject=kind, message="much", value=D(9))]

    def raised(portfolio, *ways):
        counts.append(watching.raise_alerts(portfolio, found, ways=ways, now=next(times)))
        return [len(watching.waiting(store, way)) for way in ("mail", "webhook")]

    counts: list[int] = []
    times = count(plain.desk.clock.now(), instant.SECOND)
    assert raised(plain) == [0, 0]
    assert raised(other, "mail") == raised(other, "mail") == raised(plain) == [1, 0]
    assert raised(plain, "webhook") == raised(other, "mail") == raised(plain) == [1, 1]
    assert counts == [1, 1, 0, 0, 1, 0, 0]


def test_prices_that_another_sync_has_yet_to_get_are_asked_for(both):
    mine, other = both
    for each in both:
        each.venues[0].failing = {"prices": VenueDown("away")}
    happens([mine], "2026-06-01T11:00:00Z deposit 1 XBT #k:2", 0)
    happens([other], "2026-06-01T11:10:00Z deposit 1 ETH #k:3", 0)

    first = mine.venues[0].prices

    async def prices(wanted):
        mine.venues[0].prices = first
        await other.sync()
        return await first(wanted)

    mine.venues[0].prices = prices
    asyncio.run(mine.sync())
    due = mine.portfolio.desk.store.memo("prices k")
    assert "XBT" in due
    assert "ETH" in due
