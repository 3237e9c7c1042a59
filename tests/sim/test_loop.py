"""Virtual time: it passes at once, in order, and a world in which nothing can happen says so."""

import asyncio

import pytest

from bursar.sim.loop import Deadlock, Exhausted, VirtualLoop

YEAR_S = 365 * 86_400


def test_a_sleep_of_a_year_is_over_at_once():
    loop = VirtualLoop()

    async def main():
        await asyncio.sleep(YEAR_S)
        return loop.time()

    assert loop.play(main) == pytest.approx(YEAR_S)
    assert loop.steps < 1_000


def test_sleepers_wake_in_the_order_of_their_times_and_of_their_start():
    loop, told = VirtualLoop(), []

    async def sleeper(name, seconds):
        await asyncio.sleep(seconds)
        told.append((name, round(loop.time(), 6)))

    async def main():
        for name, seconds in (("late", 3), ("early", 1), ("also", 1), ("now", 0)):
            loop.spawn(sleeper(name, seconds), name)
        await asyncio.sleep(5)

    loop.play(main)
    assert told == [("now", 0), ("early", 1), ("also", 1), ("late", 3)]


def test_no_time_passes_while_somebody_is_ready():
    loop = VirtualLoop()

    async def main():
        for _ in range(100):
            await asyncio.sleep(0)
        return loop.time()

    assert loop.play(main) == 0


def test_waiting_for_nothing_is_a_deadlock():
    loop = VirtualLoop()

    async def main():
        await asyncio.sleep(2)
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"after 2\.000 s"):
        loop.play(main)
    assert loop.is_closed()


def test_a_world_that_never_ends_is_exhausted():
    async def main():
        while True:  # noqa: ASYNC110 (that is the point)
            await asyncio.sleep(1)

    with pytest.raises(Exhausted, match="100 rounds"):
        VirtualLoop(steps_max=100).play(main)


def test_what_was_spawned_ends_with_the_loop_in_order():
    loop, told = VirtualLoop(), []

    async def stays(name):
        try:
            await asyncio.Event().wait()
        finally:
            told.append(name)

    async def main():
        for name in "abc":
            loop.spawn(stays(name), name)
        await asyncio.sleep(1)

    loop.play(main)
    assert told == ["a", "b", "c"]


def test_threads_are_refused():
    async def main():
        await asyncio.to_thread(print)

    with pytest.raises(RuntimeError, match="no threads"):
        VirtualLoop().play(main)
