"""A sync killed at any request, and inside any commit: the next one ends in the same book."""

import random
import signal

import pytest

import bursar
from bursar.store import STEPS
from tests import figures

SIZE = 200


@pytest.fixture
def whole(nursery, new_place, tmp_path):
    """What an undisturbed sync comes to: the book's digest, and how many requests it took."""
    path = new_place()
    ((_, asked),), code = nursery.run(
        "sync", path=path, folder=str(tmp_path), seed=figures.SEED, size=SIZE
    )
    assert code == 0
    return digest(path), asked


def digest(path):
    with bursar.open(path, create=False) as portfolio:
        assert portfolio.verify().is_sound
        return portfolio.digest(), len(portfolio.trades()), portfolio.gaps()


def killed_and_resumed(nursery, path, folder, **how):
    job = {"path": path, "folder": str(folder), "seed": figures.SEED, "size": SIZE}
    _, code = nursery.run("sync", **job, **how)
    assert code == -signal.SIGKILL
    ((_, asked),), code = nursery.run("sync", **job)
    assert code == 0
    return asked


@pytest.mark.sweep
@pytest.mark.slow("each kill costs a sync that dies, one that ends, and a proof of the book")
def test_a_sync_killed_at_any_request_ends_in_the_same_book(nursery, new_place, tmp_path, whole):
    found, asked = whole
    choices = random.Random(figures.SEED)
    kills = min(figures.KILLS // 2, asked)  # on each of two databases
    requests = sorted(choices.sample(range(1, asked + 1), kills))
    for request in requests:
        path = new_place()
        left = killed_and_resumed(nursery, path, tmp_path, request=request)
        assert digest(path) == found, request
        assert left <= asked + 25, "a mark keeps what was fetched"


@pytest.mark.parametrize("step", [step for step in STEPS if step != "after_commit"])
def test_a_sync_killed_at_a_step_ends_in_the_same_book(nursery, new_place, tmp_path, whole, step):
    path = new_place()
    killed_and_resumed(nursery, path, tmp_path, step=step)
    assert digest(path) == whole[0]


def test_a_sync_with_alpaca_killed_at_a_request_ends_in_the_same_book(nursery, new_place, tmp_path):
    job = {"folder": str(tmp_path), "seed": figures.SEED, "size": 300, "venue": "alpaca"}
    undisturbed = new_place()
    ((_, asked),), _ = nursery.run("sync", path=undisturbed, **job)
    for request in (2, 5, asked - 1):
        path = new_place()
        _, code = nursery.run("sync", path=path, **job, request=request)
        assert code == -signal.SIGKILL
        _, code = nursery.run("sync", path=path, **job)
        assert code == 0
        assert digest(path) == digest(undisturbed), request
