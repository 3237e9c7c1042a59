from itertools import count

import psycopg
import pytest

from tests.crash.nursery import Nursery


@pytest.fixture(scope="session")
def nurseries():
    """Those of this test process: one, and another after each test that failed amid a job."""
    made: list[Nursery] = []
    yield made
    if made:
        made[-1].close()


@pytest.fixture
def nursery(nurseries):
    """Loads all there is to load once; a job is a fork of it."""
    if nurseries and not nurseries[-1].is_usable:
        nurseries.pop().close()
    if not nurseries:
        nurseries.append(Nursery())
    return nurseries[-1]


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
