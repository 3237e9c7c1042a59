"""The service on Postgres: the same answers, and a write that is there for the next one."""

from starlette.testclient import TestClient

import bursar
from bursar.config import PortfolioSettings, Settings
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
