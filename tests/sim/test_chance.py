"""Chance and the swarm: streams do not shift each other, and worlds differ in what goes wrong."""

from bursar.sim.chance import Streams
from bursar.sim.faults import LEAST, MOST, Fault, Weather


def draws(stream, count=5):
    return [stream.random() for _ in range(count)]


def test_a_stream_is_the_same_whatever_others_draw():
    alone = draws(Streams(7).named("network", "p1"))
    streams = Streams(7)
    draws(streams.named("workload"), 100)
    draws(streams.named("a new one"))
    assert draws(streams.named("network", "p1")) == alone


def test_streams_of_other_names_and_seeds_differ():
    seen = {tuple(draws(Streams(seed).named(name))) for seed in (1, 2) for name in ("a", "b")}
    assert len(seen) == 4


def test_worlds_are_calm_or_have_one_frequent_fault_or_some():
    rates = [Weather(Streams(seed).named("swarm")).rates for seed in range(400)]
    present = [[rate for rate in each.values() if rate] for each in rates]
    assert sum(not each for each in present) > 20
    assert sum(each == [MOST] for each in present) > 20
    assert sum(len(each) > 3 for each in present) > 200
    assert all(LEAST <= rate <= MOST for each in present for rate in each)
    for fault in Fault:
        assert sum(each[fault] > 0 for each in rates) > 50


def test_what_has_healed_strikes_no_more_and_what_struck_is_counted():
    chance = Streams(1).named("swarm")
    weather = Weather(chance)
    weather.rates = dict.fromkeys(Fault, 1.0)
    assert weather.strikes(Fault.BUSY, chance)
    weather.heal()
    assert not weather.strikes(Fault.BUSY, chance)
    assert not weather.has(Fault.FULL)
    assert dict(weather.fired) == {Fault.BUSY: 1}
