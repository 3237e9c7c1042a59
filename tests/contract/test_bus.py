"""The contract of `ports.Bus`, asked of every implementation, and the consumer over each."""

import asyncio
from contextlib import suppress

import pytest

from bursar.app import SystemClock
from bursar.bus import TRIES, LocalBus, settle
from bursar.errors import BadChoice, BusDown, Malformed, Oversold, StoreBusy, StoreReadOnly
from bursar.events import Envelope, from_fields
from bursar.ports import Consumer
from tests.contract.buses import KINDS, LocalPlace, opened, place_of

DESK = Consumer("in", "desk")


@pytest.fixture(params=KINDS)
def place(request):
    servers = request.getfixturevalue("redis_server") if request.param != "local" else None
    with place_of(request.param, servers) as place:
        yield place


def event(name="1", **parts):
    told = {"id": f"e{name}", "type": "trade.opened", "source": "execution", "time": 7_000_000_000}
    return Envelope(**{**told, "data": f'{{"n": {name}.10}}', **parts})


def events(first, last):
    return [event(str(n)) for n in range(first, last + 1)]


def read(deliveries):
    return [from_fields(each.fields, place=each.place, at=each.at) for each in deliveries]


def run(work):
    return asyncio.run(work)


def test_what_is_published_is_taken_once_by_each_group_in_order(place):
    async def work():
        async with opened(place) as bus:
            await bus.publish("in", events(1, 5))
            first = await bus.take(DESK, count=2)
            rest = await bus.take(DESK)
            again = await bus.take(DESK)
            other = await bus.take(Consumer("in", "screen"))
            return read(first), read(rest), again, read(other), {each.tries for each in rest}

    first, rest, again, other, tries = run(work())
    assert [*first, *rest] == other == events(1, 5)
    assert (len(first), again, tries) == (2, [], {1})


def test_every_field_of_an_envelope_arrives(place):
    told = event(
        portfolio="späti 1",
        correlation_id="c",
        causation_id="d",
        version=3,
        time=1_767_607_200_123_456_789,
        data='{"x": 0.1000000000000000055511151231257827, "s": "ä\\n"}',
    )

    async def work():
        async with opened(place) as bus:
            await bus.publish("in", [told])
            return read(await bus.take(DESK))

    assert run(work()) == [told]


def test_two_consumers_of_a_group_share_what_comes(place):
    async def work():
        async with opened(place) as bus:
            await bus.publish("in", events(1, 4))
            one = await bus.take(Consumer("in", "desk", "a"), count=2)
            two = await bus.take(Consumer("in", "desk", "b"))
            return read(one), read(two)

    assert run(work()) == (events(1, 2), events(3, 4))


def test_what_is_not_done_in_time_is_handed_to_another_and_counted(place):
    async def work():
        async with opened(place) as bus:
            await bus.publish("in", events(1, 3))
            taken = await bus.take(DESK)
            await bus.done(DESK, [taken[1].place])
        found = []
        async with opened(place, reclaim_ms=0) as bus:
            found += [await bus.take(Consumer("in", "desk", "b")) for _ in range(2)]
            await bus.done(DESK, [each.place for each in taken])
            await bus.publish("in", events(4, 4))
            found.append(await bus.take(DESK))
        return [(read(each), {one.tries for one in each}) for each in found]

    left = [event("1"), event("3")]
    assert run(work()) == [(left, {2}), (left, {3}), (events(4, 4), {1})]


def test_a_consumer_that_comes_back_goes_on_with_what_it_had(place):
    if isinstance(place, LocalPlace):
        return  # it dies with its bus

    async def work():
        async with opened(place) as bus:
            await bus.publish("in", events(1, 3))
            taken = await bus.take(DESK)
            await bus.done(DESK, [taken[0].place])
        async with opened(place) as bus:
            await bus.publish("in", events(4, 4))
            found = [await bus.take(DESK, count=1) for _ in range(4)]
        return [(read(each), [one.tries for one in each]) for each in found]

    again, new = [[event("2")], [event("3")]], [event("4")]
    assert run(work()) == [(again[0], [2]), (again[1], [2]), (new, [1]), ([], [])]


def test_a_topic_may_be_read_again_from_any_place_of_it(place):
    async def work():
        async with opened(place) as bus:
            await bus.publish("in", events(1, 5))
            done = await bus.take(DESK)
            await bus.done(DESK, [each.place for each in done])
            part = await bus.replay("in", after=done[1].place, count=2)
            return read(await bus.replay("in")), read(part), await bus.replay("nothing")

    assert run(work()) == (events(1, 5), events(3, 4), [])


def test_only_the_newest_are_kept_and_a_late_group_gets_those(place):
    async def work():
        async with opened(place, kept=10) as bus:
            await bus.publish("in", events(1, 3))
            await bus.take(DESK)
            await bus.publish("in", events(4, 500))
            return read(await bus.replay("in", count=1_000))

    kept = run(work())
    assert kept[-10:] == events(491, 500)
    assert len(kept) < 300  # Redis cuts whole nodes of a hundred


def test_a_topic_in_memory_keeps_no_more_than_so_many_characters():
    async def work():
        bus = LocalBus(SystemClock(), chars=10_000)
        for n in range(1, 101):
            await bus.publish("out", [event(str(n), data=f'{{"n": {n}, "of": "{"x" * 900}"}}')])
        late = read(await bus.replay("out", after="3", count=1_000))
        taken = read(await bus.take(Consumer("out", "late"), count=1_000))
        await bus.publish("out", [event("huge", data=f'{{"of": "{"x" * 20_000}"}}')])
        return late, taken, read(await bus.replay("out"))

    late, taken, last = run(work())
    assert late == taken
    assert [each.id for each in taken] == [f"e{n}" for n in range(91, 101)]
    assert [each.id for each in last] == ["ehuge"]


def test_what_was_cut_away_before_it_was_done_does_not_come_again(place):
    async def work():
        async with opened(place, kept=10) as bus:
            await bus.publish("in", events(1, 3))
            await bus.take(DESK)
            await bus.publish("in", events(4, 500))
        async with opened(place, reclaim_ms=0) as bus:
            return read(await bus.take(DESK, count=10))

    assert not {each.id for each in run(work())} & {"e1", "e2", "e3"}


def test_a_delivery_is_put_aside_with_its_reason_and_comes_no_more(place):
    async def work():
        async with opened(place) as bus:
            await bus.publish("in", events(1, 2))
            bad, good = await bus.take(DESK)
            await bus.park(DESK, bad, "no side")
        async with opened(place, reclaim_ms=0) as bus:
            left = read(await bus.take(DESK))
            (aside,) = await bus.parked("in", "desk")
            return bad, aside, left, read([good]), await bus.parked("in", "other")

    bad, aside, left, good, other = run(work())
    assert (aside.place, aside.at, aside.fields, aside.tries) == (bad.place, bad.at, bad.fields, 1)
    assert (aside.reason, left, other) == ("no side", good, [])


def test_waiting_ends_when_something_comes_or_nothing_does(place):
    async def work():
        async with opened(place) as bus:
            nothing = await bus.take(DESK, wait_ms=20)
            waiting = asyncio.ensure_future(bus.take(DESK, wait_ms=2_000))
            await asyncio.sleep(0)
            await bus.publish("in", events(1, 1))
            return nothing, read(await waiting)

    assert run(work()) == ([], events(1, 1))


def test_a_topic_notes_how_far_it_reaches_where_it_outlives_the_process(place):
    async def work():
        async with opened(place) as bus:
            before = await bus.reached("in")
            await bus.publish("in", events(1, 1), upto=41)
            await bus.publish("in", events(2, 2))
            return before, await bus.reached("in")

    assert run(work()) == ((None, None) if isinstance(place, LocalPlace) else (0, 41))


def test_who_publishes_learns_that_the_topic_was_lost_since_he_asked(place):
    if isinstance(place, LocalPlace):
        return  # nothing is lost but with the process

    async def work():
        async with opened(place) as bus, opened(place) as other:
            await bus.publish("in", events(1, 1), upto=1)
            await other.publish("in", events(2, 2), upto=2)
            with pytest.raises(BusDown, match="has lost"):
                await bus.publish("in", events(3, 3), upto=3)
            assert await bus.reached("in") == 2
            await bus.publish("in", events(3, 3), upto=3)
            return len(await bus.replay("in"))

    assert run(work()) == 3


def test_a_bus_says_that_it_is_there_and_nothing_of_its_address(place):
    async def work():
        async with opened(place) as bus:
            await bus.check()
            return repr(bus)

    assert "unix" not in run(work())


class Handler:
    """Takes events in, all of a batch or none; what it refuses is looked up by id."""

    def __init__(self, **refused):
        self.refused = refused
        self.batches: list = []
        self.pauses: list = []

    def check(self, event):
        for error in self.refused.get(event.id, []):
            if isinstance(error, Malformed):
                raise error

    async def handle(self, batch):
        for each in batch:
            errors = self.refused.get(each.id, [])
            if errors:
                raise (
                    errors.pop(0) if isinstance(errors[0], StoreBusy | StoreReadOnly) else errors[0]
                )
        self.batches.append([each.id for each in batch])

    async def pause(self, milliseconds):
        self.pauses.append(milliseconds)


async def settled(place, handler, times=1):
    """Take and settle so many times, then what is left and what is aside."""
    async with opened(place, reclaim_ms=0) as bus:
        for _ in range(times):
            await settle(bus, DESK, await bus.take(DESK), handler, handler.pause)
        return await bus.take(DESK), await bus.parked("in", "desk")


async def published(place, *told):
    async with opened(place) as bus:
        await bus.publish("in", told)


def test_a_batch_is_handled_as_one_and_done(place):
    async def work():
        handler = Handler()
        await published(place, *events(1, 3))
        return handler.batches, await settled(place, handler)

    assert run(work()) == ([["e1", "e2", "e3"]], ([], []))


def test_one_bad_event_holds_up_no_other_and_is_put_aside_after_five_tries(place):
    async def work():
        handler = Handler(e2=[Oversold("too much")])
        await published(place, *events(1, 3))
        first = await settled(place, handler)
        return handler.batches.copy(), first, await settled(place, handler, TRIES)

    batches, (left, none), (nothing, aside) = run(work())
    assert batches == [["e1"], ["e3"]]
    assert ([each.fields["id"] for each in left], none, nothing) == (["e2"], [], [])
    assert [(each.fields["id"], each.reason) for each in aside] == [("e2", "oversold: too much")]
    assert aside[0].tries >= TRIES


@pytest.mark.parametrize("fields", [{"type": ""}, {"data": "[]"}, {"version": 0}, {}])
def test_what_is_no_event_is_put_aside_at_once(place, fields):
    told = event("2", **fields)

    async def work():
        handler = Handler(e2=[Malformed("price: expected a number", field="price")])
        await published(place, event("1"), told, event("3"))
        return handler.batches, await settled(place, handler)

    batches, (left, aside) = run(work())
    assert sorted(name for batch in batches for name in batch) == ["e1", "e3"]
    assert (left, len(aside), aside[0].reason[:9]) == ([], 1, "malformed")


def test_what_the_world_is_at_fault_for_counts_as_no_try(place):
    async def work():
        handler = Handler(e1=[away() for away in (StoreBusy, StoreReadOnly) for _ in range(10)])
        await published(place, event("1"))
        return handler, await settled(place, handler)

    handler, (left, aside) = run(work())
    assert (len(handler.pauses), left, aside, handler.batches) == (20, [], [], [["e1"]])


def test_our_own_mistake_is_not_put_aside(place):
    async def work():
        await published(place, event("1"))
        return await settled(place, Handler(e1=[AssertionError("the books do not close")]))

    with pytest.raises(AssertionError):
        run(work())


def test_a_server_that_is_away_is_down_and_a_wrong_address_is_refused(redis_server, tmp_path):
    from bursar.bus.streams import StreamBus

    async def work(bus):
        try:
            await bus.check()
        finally:
            await bus.close()

    with pytest.raises(BusDown, match="cannot be reached") as caught:
        run(work(StreamBus(f"unix://:geheim@{tmp_path}/none")))
    assert "geheim" not in str(caught.value)
    with pytest.raises(BadChoice):
        StreamBus("http://nowhere")


def test_who_is_told_to_stop_stops_wherever_he_is(place):
    async def tell(bus):
        while True:
            with suppress(BusDown):
                await bus.publish("in", [event()], upto=(await bus.reached("in") or 0) + 1)
                await bus.take(DESK)
            await asyncio.sleep(0)

    async def is_stopped(bus, after):
        telling = asyncio.ensure_future(tell(bus))
        await asyncio.sleep(after)
        telling.cancel()
        await asyncio.wait([telling], timeout=5)
        stopped = telling.done()
        while not telling.done():  # or this test would not end either
            telling.cancel()
            await asyncio.sleep(0)
        return stopped

    async def work():
        for step in range(30):
            async with opened(place) as bus:
                if not await is_stopped(bus, step * 0.0002):
                    return f"went on at step {step}"
        return "stopped every time"

    assert run(work()) == "stopped every time"
