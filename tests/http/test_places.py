"""The service on Postgres: the same answers, and a write that is there for the next one. And where
another bursar comes to the same book.
"""

import time

from starlette.testclient import TestClient

import bursar
from bursar.config import PortfolioSettings, Settings
from bursar.ledger.checkpoint import FORMAT, MARK
from bursar.ledger.golden import read
from bursar.serve import tokens
from bursar.serve.service import Service
from tests.http.conftest import HERE, STORY

DEPOSIT = {"verb": "deposit", "quantity": "250.50", "what": "USD", "time": "2026-03-01"}


def test_a_book_on_postgres_is_served_as_one_in_a_file(database, client):
    with bursar.open(database) as portfolio:
        portfolio.record(*read(STORY))
        token = tokens.new(portfolio.desk.store, portfolio.desk.clock, "bot", "write")
    settings = Settings(portfolio=PortfolioSettings(book=database, trade_store_place=":memory:"))
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "k-1"}
    with TestClient(Service(settings), HERE, headers=headers) as asking:
        for path in ("fees", "trades", "cash-flows", "positions"):
            there = asking.get(f"/api/portfolio/{path}").json()
            assert there == client.get(f"/api/portfolio/{path}").json()
        assert asking.get("/health").json()["components"]["store"]["status"] == "ok"
        made = asking.post("/api/portfolio/entries", json=DEPOSIT)
        assert made.status_code == 201, made.text
        again = asking.post("/api/portfolio/entries", json=DEPOSIT)
        assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
        assert "secret" not in repr(asking.app)


def test_a_service_stops_where_a_newer_bursar_brings_the_book_along(place, writer):
    with bursar.open(place) as newer:
        newer.desk.store.save_memos({MARK: str(FORMAT + 1)})
        newer.record(*read(["2026-03-01T10:00:00Z deposit 1 USD #late:1"]))
        health = until_down(writer)
        memos, head = newer.desk.store.memos(), newer.desk.store.head()
        why = f"a newer bursar folded this book (fold {FORMAT + 1}, this one knows {FORMAT})"
        for part in ("store", "keeper"):
            assert health["components"][part]["status"] == "down"
            assert why in health["components"][part]["reason"]
        assert health["components"]["book"]["status"] == "ok"  # nothing is damaged
        entry = {"json": DEPOSIT, "headers": {"idempotency-key": "k-1"}}
        for answer in (
            writer.get("/api/portfolio/fees"),
            writer.post("/api/portfolio/entries", **entry),
        ):
            assert answer.status_code == 500
            assert answer.json()["error"]["code"] == "schema_newer"
        assert (newer.desk.store.memos(), newer.desk.store.head()) == (memos, head)


def until_down(asking):
    while True:  # the test's own time limit ends what never comes
        health = asking.get("/health").json()
        if health["components"]["keeper"]["status"] == "down":
            return health
        time.sleep(0.05)
