from contextlib import ExitStack
from itertools import count

import pytest

from tests.crash.nursery import Nursery


@pytest.fixture(scope="module")
def nursery():
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(params=["sqlite", "postgres"])
def new_place(request, tmp_path):
    """Gives the address of a new place at each call; nothing is there yet."""
    if request.param == "sqlite":
        numbers = count(1)
        yield lambda: str(tmp_path / f"{next(numbers)}.db")
        return
    postgres = request.getfixturevalue("postgres")
    with ExitStack() as places:
        yield lambda: places.enter_context(postgres.database(empty=True))
