"""The job of a child that syncs with a fake venue and dies at a request, or inside a commit."""

import os
import signal
from pathlib import Path
from typing import Any

from bursar.ledger.terms import Terms
from bursar.sim import alpaca, kraken
from bursar.store import open_store
from tests.venue.following import at_alpaca, at_kraken


def following(venue, seed, size, folder, store):
    """A service that follows an invented account at a fake venue."""
    if venue == "alpaca":
        return at_alpaca(alpaca.invent(seed, size), store=store)
    return at_kraken(kraken.invent(seed, size), Path(folder), store=store)


def sync(path, folder, seed, size, *, venue="kraken", request=0, step=None):
    """Sync to the end, or die at a request, or at a step of the first commit."""
    left = 1

    def watch(name):
        nonlocal left
        if name == step:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(path, terms=Terms(base="USD"), steps=watch)
    here = following(venue, seed, size, folder, store)
    fake: Any = here.fake
    answer, asked = fake.answer, 0

    def count(told):
        nonlocal asked
        asked += 1
        if asked == request:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer(told)

    fake.answer = count
    done = here.run(here.service.initialize())
    assert done.is_whole, done
    os.write(1, f"ack {here.service.portfolio.desk.head.version} {asked}\n".encode())
    here.service.close()
