"""Hypothesis profiles and the one rule about slow tests."""

import pytest
from hypothesis import HealthCheck, settings

from tests import figures

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
    for item in items:
        for mark in item.iter_markers("slow"):
            if not (mark.args or mark.kwargs.get("reason")):
                message = f"{item.nodeid}: say what the time buys: slow('reason')"
                raise pytest.UsageError(message)


# What is dear to make ready is made ready in one test process. (xdist's own groups change the name
# of a test, which pytest does not allow any more.)
TOGETHER = {
    "tests/browser/test_page.py",  # one demo, one browser
    "tests/unit/cli/test_pages.py",  # one book
    "tests/property/test_plans_beside.py",  # these two load array libraries
    "tests/unit/test_measure_referee.py",
    "tests/tidy/test_tidy.py",  # every module is parsed once
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    def scope(nodeid):
        path = nodeid.partition("::")[0]
        return path if path in TOGETHER else nodeid

    if config.getvalue("dist") != "loadgroup":
        return None
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = scope
    return scheduler


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
