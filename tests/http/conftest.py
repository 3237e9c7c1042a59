"""A served portfolio: its book in a file of its own, its service in this process."""

from shutil import copy

import pytest
from starlette.testclient import TestClient

import bursar
from bursar.config import PortfolioSettings, Settings
from bursar.ledger.golden import read
from bursar.serve import tokens
from bursar.serve.service import Service

STORY = (
    "2026-01-05T10:00:00Z deposit 100000 USD #m:1",
    "2026-01-05T11:00:00Z buy 2 XBT @ 40000 USD fee 8 USD #m:2  strategy=trend",
    "2026-02-01T09:30:00Z sell 0.5 XBT @ 50000 USD fee 5 USD #m:3  strategy=trend",
    "2026-02-02T09:30:00Z buy 3.123456789012345678 ETH @ 2000 USD #m:4",
    "2026-02-03T09:30:00Z withdrawal 1000 USD #m:5",
)
HERE = "http://127.0.0.1:8004"


@pytest.fixture(autouse=True)
def no_settings_of_others(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("BURSAR_BOOK", "BURSAR_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A book with a story in it, to be copied."""
    path = tmp_path_factory.mktemp("story") / "book.db"
    with bursar.open(path) as portfolio:
        portfolio.record(*read(STORY))
    return path


@pytest.fixture
def place(tmp_path, written):
    """A book of one's own."""
    return copy(written, tmp_path / "book.db")


@pytest.fixture
def settings(place):
    return told(place)


def told(place):
    return Settings(portfolio=PortfolioSettings(book=str(place)))


@pytest.fixture(scope="module")
def client(written, tmp_path_factory):
    """Somebody at this machine, who may only look."""
    service = Service(told(copy(written, tmp_path_factory.mktemp("read") / "book.db")))
    with TestClient(service, HERE, client=("127.0.0.1", 50_000)) as asking:
        yield asking


@pytest.fixture
def token(place):
    """Make a token of a scope."""

    def make(scope, name="ops"):
        with bursar.open(place) as portfolio:
            return tokens.new(portfolio.desk.store, portfolio.desk.clock, name, scope)

    return make


@pytest.fixture
def writer(token, client_of):
    """Somebody who may write."""
    return client_of(token("write"))


@pytest.fixture
def client_of(settings):
    """The bearer of a token, at a service of its own."""
    clients = []

    def make(bearer, peer="127.0.0.1"):
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        asking = TestClient(Service(settings), HERE, client=(peer, 50_000), headers=headers)
        asking.__enter__()
        clients.append(asking)
        return asking

    yield make
    for asking in clients:
        asking.__exit__(None, None, None)
