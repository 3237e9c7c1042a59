"""What commits leave is told in order, at least once, through deaths of the relay and the bus."""

import asyncio
import json
from decimal import Decimal

import msgspec
import pytest

from bursar.bus import LocalBus
from bursar.errors import (
    BusDown,
    OutcomeUnknown,
    StoreBusy,
    StoreCorrupt,
    StoreDown,
    StoreError,
    StoreFull,
    StoreReadOnly,
)
from bursar.events import from_fields
from bursar.events.outgoing import ExternalActivity
from bursar.portfolio.events import Relay
from bursar.portfolio.events.saying import say
from bursar.portfolio.events.states import States, equity_update, pnl_update
from bursar.value.figures import figures
from bursar.value.worth import Options
from tests.unit.measure.samples import loose
from tests.unit.portfolio.events.test_intake import ORDERS
from tests.unit.portfolio.events.told import (
    hearing,
    order_filled,
    trade_closed,
    trade_opened,
)
from tests.unit.portfolio.places import NOON, opened


class Noting(LocalBus):
    """A bus that notes how far it reaches, may lose everything, and may be away."""

    def __init__(self, clock):
        super().__init__(clock)
        self.upto: dict = {}
        self.is_away = self.is_dying = False

    async def publish(self, topic, events, *, upto=None):
        if self.is_away:
            raise BusDown
        await super().publish(topic, events)
        if upto is not None:
            self.upto[topic] = upto
        if self.is_dying:
            raise BusDown

    async def reached(self, topic):
        return self.upto.get(topic, 0)

    def flush(self):
        self._topics.clear()
        self.upto.clear()


def told(bus, topic="out:main"):
    lines = asyncio.run(bus.replay(topic, count=10_000))
    return [from_fields(each.fields, place=each.place, at=each.at) for each in lines]


def kinds(bus):
    return [each.type for each in told(bus)]


@pytest.fixture
def intake():
    return hearing()


@pytest.fixture(params=[LocalBus, Noting])
def bus(request, intake):
    return request.param(intake.portfolio.desk.clock)


def relayed(intake, bus, **options):
    relay = Relay(intake.portfolio.desk.store, bus, **options)
    counts: list = []
    while not counts or counts[-1]:
        counts.append(asyncio.run(relay.once()))
    return counts


def test_each_commit_is_told_once_in_order(intake, bus):
    intake.take([trade_opened(), trade_closed()])
    assert relayed(intake, bus) == [2, 0]
    intake.take([trade_opened(2)])
    assert relayed(intake, bus) == [1, 0]
    committed = "portfolio.committed"
    assert kinds(bus) == [
        *(committed, "position.opened", committed, "position.closed"),
        *(committed, "position.opened"),
    ]
    first, moved = told(bus)[:2]
    head = intake.portfolio.desk.store.outbox()[0]
    assert (first.id, first.time, first.portfolio) == (head.message.id, head.created_at, "main")
    assert (first.causation_id, first.correlation_id, moved.causation_id) == ("o1", "o1", first.id)
    assert json.loads(first.data) == {
        "version": 1,
        "first_seq": 1,
        "last_seq": 1,
        "hash": head.message.id,
    }


def test_a_position_that_opens_and_closes_is_told_with_what_it_made(intake, bus):
    intake.take([trade_opened(fee=1), trade_closed(fee=1)])
    relayed(intake, bus)
    came, went = (json.loads(each.data) for each in told(bus) if each.type[:8] == "position")
    assert came == {
        "account": "events:main",
        "symbol": "BTC/USDT",
        "side": "LONG",
        "quantity": 0.2,
        "entry_price": 42000.0,
        "realized_pnl": -1,
        "version": 1,
        "is_margin": True,
    }
    assert (went["quantity"], went["realized_pnl"], went["version"]) == (0.2, 147.23, 2)


def test_coins_open_and_close_positions_too_and_a_turn_is_both():
    intake = hearing(believed=ORDERS)
    bus = LocalBus(intake.portfolio.desk.clock)
    intake.take([order_filled(1), order_filled(2, side="SELL", price=1500)])
    intake.take([order_filled(3, leverage=1), order_filled(4, side="SELL", quantity=5, leverage=1)])
    relayed(intake, bus)
    moves = [
        (each.type[9:], json.loads(each.data)) for each in told(bus) if each.type[0:8] == "position"
    ]
    assert [(kind, each["symbol"], each["side"], each["quantity"]) for kind, each in moves] == [
        ("opened", "ETH/USD", "LONG", 2),
        ("closed", "ETH/USD", "LONG", 2),
        ("opened", "ETH/USDT", "LONG", 2),
        ("closed", "ETH/USDT", "LONG", 2),
        ("opened", "ETH/USDT", "SHORT", 3),
    ]
    assert [each["realized_pnl"] for _, each in moves] == [0, 1000, 0, 0, 0]


def test_coins_and_leverage_of_one_pair_are_told_apart():
    day = "2026-01-0{}T00:00:00Z {} #k:{}".format
    portfolio = opened(
        day(1, "buy 2 XBT @ 40 EUR fee 3 EUR", "a"),
        day(2, "margin buy 1 XBT @ 100 EUR fee 1 EUR", "b"),
    )
    lines = [
        day(3, "margin sell 1 XBT @ 110 EUR fee 1 EUR", "c"),
        day(4, "sell 2 XBT @ 50 EUR", "d"),
    ]
    portfolio.record(*opened_lines(*lines))
    assert moved(portfolio) == [
        *(("opened", False, -3), ("opened", True, -1)),
        *(("closed", False, 20), ("closed", True, 9)),
    ]


def test_a_position_that_is_delivered_made_nothing():
    lent = "2026-01-01T00:00:00Z margin buy 1 XBT @ 100 EUR #k:a"
    portfolio = opened(lent)
    (ends,) = opened_lines("2026-01-02T00:00:00Z buy 1 XBT @ 100 EUR fee 2 EUR #k:b")
    portfolio.record(msgspec.structs.replace(ends, delivers=True))
    assert moved(portfolio)[1:] == [("opened", False, -2), ("closed", True, 0)]


def moved(portfolio):
    bus = LocalBus(portfolio.desk.clock)
    asyncio.run(Relay(portfolio.desk.store, bus).once())
    events = [each for each in told(bus) if each.type.startswith("position.")]
    found = [(each.type[9:], json.loads(each.data)) for each in events]
    return [(kind, each["is_margin"], each["realized_pnl"]) for kind, each in found]


def test_a_position_is_told_with_every_digit():
    units = "12345678901234567890.123456789012345678"
    portfolio = opened(f"2026-01-02T00:00:00Z  buy {units} ODD @ 0.001 EUR  #k:2")
    bus = LocalBus(portfolio.desk.clock)
    asyncio.run(Relay(portfolio.desk.store, bus).once())
    (_, moved) = told(bus)
    assert f'"quantity":{units},' in moved.data


def test_a_figure_of_the_past_that_changes_is_told():
    portfolio = opened(
        "2026-01-02T00:00:00Z  buy   1  XBT @ 10 EUR  #k:2",
        "2026-01-03T00:00:00Z  sell  1  XBT @ 30 EUR  #k:3",
    )
    portfolio.record(*opened_lines("2026-01-01T00:00:00Z  buy   1  XBT @ 20 EUR  #k:1"))
    bus = LocalBus(portfolio.desk.clock)
    asyncio.run(Relay(portfolio.desk.store, bus).once())
    (restated,) = (each for each in told(bus) if each.type == "portfolio.restated")
    (figure,) = json.loads(restated.data)["restated"]
    assert (figure["pair"], figure["old"], figure["new"]) == ("XBT/EUR", 20, 15)
    assert figure["cause"] == ["k:1"]
    assert [each.type for each in told(bus)][-2:] == ["portfolio.restated", "position.opened"]


def opened_lines(*lines):
    from bursar.ledger import golden

    return golden.read(list(lines))


def test_a_relay_that_dies_between_telling_and_noting_tells_again(intake):
    bus = Noting(intake.portfolio.desk.clock)
    intake.take([trade_opened()])
    bus.is_dying = True
    with pytest.raises(BusDown):
        relayed(intake, bus)
    bus.is_dying = False
    relayed(intake, bus)
    assert [each.id for each in told(bus)] == [each.id for each in told(bus)[:2]] * 2


def test_a_bus_that_was_flushed_is_filled_again_as_far_as_it_keeps(intake):
    bus = Noting(intake.portfolio.desk.clock)
    intake.take([trade_opened(n) for n in range(10)])
    relayed(intake, bus, kept=4)
    everything = told(bus)
    bus.flush()
    relayed(intake, bus, kept=4)
    versions = [json.loads(each.data)["version"] for each in told(bus)]
    assert (versions, told(bus)) == ([7, 8, 9, 10], everything[-4:])


def test_a_bus_that_is_away_loses_nothing(intake):
    bus = Noting(intake.portfolio.desk.clock)
    bus.is_away = True
    pauses: list = []

    async def pause(milliseconds):
        pauses.append(milliseconds)
        bus.is_away = len(pauses) < 3
        if len(pauses) == 5:
            raise asyncio.CancelledError

    intake.take([trade_opened()])
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Relay(intake.portfolio.desk.store, bus).run(pause))
    assert kinds(bus) == ["portfolio.committed", "position.opened"]


AWAY = (StoreBusy, StoreDown, StoreFull, StoreReadOnly, OutcomeUnknown, StoreError)


def test_a_store_that_takes_no_note_is_waited_for(intake, monkeypatch):
    bus, store = Noting(intake.portfolio.desk.clock), intake.portfolio.desk.store
    errors, save = [*AWAY, StoreCorrupt], store.save_memos

    async def pause(_milliseconds):
        pass

    def save_memos(memos, **options):
        save(memos, **options) if not errors else fail(errors.pop(0))

    def fail(error):
        raise error("no note")

    intake.take([trade_opened()])
    monkeypatch.setattr(store, "save_memos", save_memos)
    with pytest.raises(StoreCorrupt):  # which no waiting mends
        asyncio.run(Relay(store, bus).run(pause))
    assert (errors, kinds(bus)) == (
        [],
        ["portfolio.committed", "position.opened"] * (len(AWAY) + 1),
    )


def test_what_is_said_beside_commits_waits_until_it_is_told(intake):
    bus = Noting(intake.portfolio.desk.clock)
    store = intake.portfolio.desk.store
    activity = ExternalActivity(
        account="kraken:main",
        percent=Decimal("7.5"),
        worth=Decimal(75),
        timestamp="2026-06-01T12:00:00Z",
    )
    say(store, "portfolio.external_activity", activity, at=NOON)
    bus.is_away = True
    with pytest.raises(BusDown):
        relayed(intake, bus)
    bus.is_away = False
    relayed(intake, bus)
    relayed(intake, bus)
    (said,) = told(bus)
    assert (said.type, json.loads(said.data)["percent"]) == ("portfolio.external_activity", 7.5)


def test_what_is_said_waits_for_the_bus_that_others_hear(intake):
    store, clock = intake.portfolio.desk.store, intake.portfolio.desk.clock
    outside, inside = Noting(clock), LocalBus(clock)
    relay = Relay(store, inside)
    for number in range(4):
        activity = ExternalActivity(
            account=str(number), percent=Decimal(9), worth=Decimal(9), timestamp="now"
        )
        say(store, "portfolio.external_activity", activity, at=NOON + number)
        for _ in range(2):
            asyncio.run(relay.once())
        if number in {1, 3}:
            relayed(intake, outside)

    def accounts(bus):
        return [json.loads(each.data)["account"] for each in told(bus)]

    assert accounts(inside) == ["0", "1", "2", "3"]
    assert accounts(outside) == ["2", "3"]  # those from when it was known that others hear


def test_a_fall_is_of_all_that_is_owned_and_of_nothing_without_a_price(intake):
    update, here = loose(equity_update), figures(intake.portfolio.valuation())
    shown = msgspec.structs.replace(here, equity=Decimal(60), excluded_value=Decimal(30))
    told = update(shown, 1, Decimal(100))
    assert (told.equity, told.peak_equity, told.drawdown_pct) == (60, 100, 10)
    told = update(shown, 1, Decimal(80))
    assert (told.equity, told.peak_equity, told.drawdown_pct) == (60, 90, 0)
    told = update(msgspec.structs.replace(shown, is_priced=False), 1, Decimal(80))
    assert (told.equity, told.peak_equity, told.drawdown_pct) == (60, 80, None)


def test_the_pnl_that_is_told_is_of_what_the_view_shows_in_every_part(intake):
    portfolio = intake.portfolio
    intake.take([trade_opened(fee=1), trade_closed()])
    portfolio.options = Options(exclude_assets=frozenset({"BTC"}))
    told = pnl_update(portfolio, figures(portfolio.valuation()), 1)
    assert not any((told.realized_pnl, told.unrealized_pnl, told.total_pnl, told.fees))
    assert told.total_pnl == portfolio.views().pnl.total_pnl


def test_of_a_state_only_the_last_is_told_and_only_when_it_changed(intake):
    bus = Noting(intake.portfolio.desk.clock)
    states = States("main", bus, intake.portfolio.desk.clock)
    portfolio = intake.portfolio

    def offer():
        found, version = figures(portfolio.valuation()), portfolio.desk.head.version
        states.offer("equity.update", equity_update(found, version, Decimal(0)), cause="c")
        states.offer("pnl.update", pnl_update(portfolio, found, version))

    offer()
    intake.take([trade_opened(fee=1), trade_closed()])
    offer()
    bus.is_away = True
    with pytest.raises(BusDown):
        asyncio.run(states.flush())
    bus.is_away = False
    assert asyncio.run(states.flush()) == 2
    offer()
    assert asyncio.run(states.flush()) == 0
    equity, pnl = (json.loads(each.data) for each in told(bus))
    assert (equity["equity"], equity["peak_equity"], equity["version"]) == (147.23, 147.23, 2)
    assert (pnl["realized_pnl"], pnl["fees"], equity["drawdown_pct"]) == (147.23, 1, 0)
