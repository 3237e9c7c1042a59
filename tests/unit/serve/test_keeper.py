"""The keeper: one thread, one job after the other, and what happens when something ends."""

import asyncio
import threading
from typing import Any

import pytest

from bursar.errors import SchemaNewer, ServiceBusy, StoreDown
from bursar.serve.keeper import WAITING_MAX, Keeper


class Kept:
    """Something open: it notes what is done to it, and in which thread."""

    service: Any = None

    def __init__(self):
        self.done: list[object] = []
        self.threads = {threading.get_ident()}

    def note(self, what):
        self.threads.add(threading.get_ident())
        self.done.append(what)
        return what

    async def close(self):
        self.note("closed")


def kept_by(*tasks):
    found = []

    def opening():
        found.append(Kept())
        return found[0]

    return Keeper(opening, tasks), found


def test_jobs_are_done_in_turn_in_one_thread_that_is_not_ours():
    async def main():
        keeper, found = kept_by()
        await keeper.start()
        answers = await asyncio.gather(
            *(keeper.ask(lambda opened, n=n: opened.note(n)) for n in range(20))
        )
        assert answers == list(range(20))
        assert await keeper.stop()
        return found[0]

    kept = asyncio.run(main())
    assert kept.done == [*range(20), "closed"]
    assert len(kept.threads) == 1
    assert threading.get_ident() not in kept.threads


def test_an_error_is_the_askers_and_the_book_stays_open():
    async def main():
        keeper, _ = kept_by()
        await keeper.start()

        def fails(_opened):
            raise StoreDown("away")

        with pytest.raises(StoreDown, match="away"):
            await keeper.ask(fails)
        assert await keeper.ask(lambda opened: opened.note(1)) == 1
        await keeper.stop()

    asyncio.run(main())


def test_no_more_wait_than_are_let_in():
    async def main():
        keeper, _ = kept_by()
        await keeper.start()
        go = threading.Event()
        waiting = [
            asyncio.ensure_future(keeper.ask(lambda _: go.wait())) for _ in range(WAITING_MAX)
        ]
        await asyncio.sleep(0)
        with pytest.raises(ServiceBusy, match="retry"):
            await keeper.ask(lambda opened: opened.note("one more"))
        go.set()
        assert all(await asyncio.gather(*waiting))
        assert await keeper.ask(lambda opened: opened.note("now")) == "now"
        await keeper.stop()

    asyncio.run(main())


def test_a_job_whose_asker_has_left_is_not_done_unless_it_was_begun():
    async def main():
        keeper, found = kept_by()
        await keeper.start()
        begun, go = threading.Event(), threading.Event()

        def first(opened):
            begun.set()
            go.wait()
            return opened.note("first")

        tasks = [asyncio.ensure_future(keeper.ask(first))]
        tasks += [
            asyncio.ensure_future(keeper.ask(lambda opened, n=n: opened.note(n)))
            for n in range(WAITING_MAX - 1)
        ]
        await asyncio.to_thread(begun.wait)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert keeper.waiting == 0
        last = asyncio.ensure_future(keeper.ask(lambda opened: opened.note("last")))
        await asyncio.sleep(0)
        go.set()
        assert await last == "last"
        await keeper.stop()
        return found[0].done

    assert asyncio.run(main()) == ["first", "last", "closed"]


def test_a_task_that_ends_by_mistake_closes_nothing():
    ended = threading.Event()

    async def ends(_opened):
        ended.set()
        raise RuntimeError("our own mistake")

    async def goes_on(opened):
        while True:
            await asyncio.sleep(0.001)
            opened.note("still here")

    async def main():
        keeper, found = kept_by(ends, goes_on)
        await keeper.start()
        await asyncio.get_running_loop().run_in_executor(None, ended.wait)
        before = await keeper.ask(lambda opened: len(opened.done))
        while await keeper.ask(lambda opened: len(opened.done)) == before:
            pass
        assert keeper.is_alive
        (why,) = keeper.ended.values()
        assert why == "RuntimeError: our own mistake"
        assert await keeper.stop()
        assert found[0].done[-1] == "closed"

    asyncio.run(main())


def test_what_opening_raises_is_raised_by_the_start():
    def opening():
        raise StoreDown("no server there")

    async def main():
        keeper = Keeper(opening)
        with pytest.raises(StoreDown, match="no server there"):
            await keeper.start()
        with pytest.raises(ServiceBusy, match="not open"):
            await keeper.ask(lambda _: 1)
        assert await keeper.stop()
        assert not keeper.is_alive

    asyncio.run(main())


def test_a_newer_bursar_ends_every_task_and_whoever_asks_is_told_why():
    ended = []

    async def going_on(opened):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(opened.done[-1:])

    async def looking(_):
        await asyncio.sleep(0.01)
        raise SchemaNewer("a newer bursar was here", found=2)

    async def main():
        keeper, found = kept_by(going_on, looking)
        await keeper.start()
        while keeper.is_alive:  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)
        with pytest.raises(SchemaNewer, match="a newer bursar was here") as caught:
            await keeper.ask(lambda _: 1)
        assert caught.value.context == {"found": 2}
        assert str(keeper.failed) == "a newer bursar was here"
        assert await keeper.stop()
        return found[0]

    assert asyncio.run(main()).done == ["closed"]
    assert ended == [[]]
