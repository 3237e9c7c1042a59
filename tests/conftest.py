"""Hypothesis profiles and the one rule about slow tests."""

import gc

import pytest
from hypothesis import HealthCheck, settings

from tests import figures

# There are ten thousand tests to be looked through each time: not at every seven hundredth object.
gc.set_threshold(20_000, 10, 10)

# A loaded machine is not a failure, so nothing here looks at the wall clock.
settings.register_profile(
    "default",
    max_examples=200,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("sweep", settings.get_profile("default"), max_examples=figures.EXAMPLES)
settings.load_profile("default")


def pytest_collection_modifyitems(items):
    slow = set()
    for item in items:
        for mark in item.iter_markers("slow"):
            slow.add(item.path)
            if not (mark.args or mark.kwargs.get("reason")):
                message = f"{item.nodeid}: say what the time buys: slow('reason')"
                raise pytest.UsageError(message)
    # A long test begun last leaves the other processes idle. Else the order is as random as it was.
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def postgres():
    """The Postgres server of this test process, started when it is first asked for."""
    from tests.servers.postgres import server

    with server() as running:
        yield running


@pytest.fixture
def database(postgres):
    """The URL of a Postgres database of one's own, with bursar's tables in it."""
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server():
    """The Redis servers of this test process by kind, each started when it is first asked for."""
    from contextlib import ExitStack
    from functools import cache

    from tests.servers.redis import server

    with ExitStack() as stack:
        yield cache(lambda kind="redis": stack.enter_context(server(kind)))
