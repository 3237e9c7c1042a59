"""An import killed at any moment: nothing of the file is there, and a second run brings all."""

import os
import random
import signal
import time
from contextlib import suppress

import pytest

from bursar.desk import Desk
from bursar.ledger import golden, projection
from bursar.store import STEPS, MemoryStore, open_store
from bursar.venue import files
from tests import figures
from tests.crash.nursery import Ticks, settle
from tests.property.kraken_exports import LEDGER, Account, written

pytestmark = pytest.mark.sweep

DEEDS = 150


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A sound export, big enough for many chunks."""
    chance = random.Random(figures.SEED)
    account = Account(chance, by_wallet=False)
    for _ in range(DEEDS):
        account.pass_time()
        chance.choice([account.trade, account.deposit, account.reward])()
    path = tmp_path_factory.mktemp("export") / "ledgers.csv"
    path.write_text(written(account.rows, LEDGER))
    return path


@pytest.fixture(scope="module")
def whole(export):
    """The hash of the book that holds all of it."""
    desk = Desk(MemoryStore(), Ticks())
    desk.submit(golden.read([LINE]))
    desk.submit(files.read(export).statements)
    return projection.digest(desk.timeline.book), desk.head.seq


LINE = "2020-01-01T00:00:00Z  deposit  5 USD  #other:0"


def begun(path):
    """A book with something in it before the import."""
    desk = Desk(open_store(path), Ticks())
    desk.submit(golden.read([LINE]))
    desk.store.close()
    return desk.head


def seen(path):
    """Open a book anew, which compares chain, fold and projection."""
    store = open_store(path, create=False)
    settle(store)
    try:
        desk = Desk(store, Ticks())
        assert len(store.outbox()) == desk.head.version
        return desk.head, projection.digest(desk.timeline.book)
    finally:
        store.close()


def completed(nursery, path, export, whole):
    _, code = nursery.run("import", path=path, export=str(export))
    head, digest = seen(path)
    assert (code, digest, head.seq) == (0, *whole)


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_in_the_middle_of_an_import_leaves_nothing_of_the_file(
    nursery, new_place, export, whole, step
):
    path = new_place()
    before = begun(path)
    acknowledged, code = nursery.run("import", path=path, export=str(export), step=step)
    assert (acknowledged, code) == ([], -signal.SIGKILL)
    assert seen(path)[0] == before
    completed(nursery, path, export, whole)


@pytest.mark.slow("a process killed and begun again, each time over a file of its own")
def test_kills_at_random_moments_leave_all_of_the_file_or_nothing(
    nursery, new_place, export, whole
):
    choices, outcomes = random.Random(figures.SEED), set()
    for _ in range(figures.KILLS):
        path = new_place()
        before, pause = begun(path), choices.random() * 0.3

        def kill(pid, _heard, pause=pause):
            time.sleep(pause)  # into the middle of it: real processes know no other clock
            with suppress(ProcessLookupError):  # it is done
                os.kill(pid, signal.SIGKILL)
            return True

        nursery.run("import", path=path, export=str(export), kill=kill)
        head, digest = seen(path)
        assert head == before or (digest, head.seq) == whole, f"seed {figures.SEED}"
        outcomes.add(head == before)
        completed(nursery, path, export, whole)
    assert True in outcomes
