from itertools import count

import psycopg
import pytest

from tests.crash.nursery import Nursery


@pytest.fixture(scope="session")
def nursery():
    """Loads all there is to load once in a test process; a job is a fork of it."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(params=["sqlite", "postgres"])
def new_place(request, tmp_path):
    """Gives the address of a new place at each call; nothing is there yet."""
    numbers = count(1)
    if request.param == "sqlite":
        yield lambda: str(tmp_path / f"{next(numbers)}.db")
        return
    from tests.servers.postgres import asking

    with request.getfixturevalue("postgres").database(empty=True) as url:

        def schema():
            name = f"place_{next(numbers)}"
            with psycopg.connect(url) as connection:
                connection.execute(f"CREATE SCHEMA {name}")
            return asking(url, options=f"-csearch_path={name}")

        yield schema
