"""Who is let in: over HTTP and over WebSocket, from here and from elsewhere."""

import json

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import bursar
from bursar.config import HttpSettings, PortfolioSettings, Settings
from bursar.errors import Unguarded
from bursar.ledger.golden import read
from bursar.serve import tokens
from bursar.serve.door import is_loopback, require_guarded
from bursar.serve.service import Service
from bursar.serve.tokens import Ring

HERE, SNAPSHOT = "http://127.0.0.1:8004", "/api/portfolio/snapshot"
LISTED = "https://desk.example"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "book.db"
    with bursar.open(path) as portfolio:
        portfolio.record(*read(("2026-01-05T10:00:00Z deposit 100 USD #m:1",)))
    return path


def made(place, scope, name="ops"):
    with bursar.open(place) as portfolio:
        return tokens.new(portfolio.desk.store, portfolio.desk.clock, name, scope)


@pytest.fixture
def asking(place):
    """Somebody somewhere, with or without a token."""
    opened = []

    def make(told=None, peer="127.0.0.1", **headers):
        http = HttpSettings(hosts=("book.example",), origins=(LISTED,))
        service = Service(Settings(portfolio=PortfolioSettings(book=str(place), http=http)))
        if told:
            headers["authorization"] = f"Bearer {told}"
        client = TestClient(service, HERE, client=(peer, 50_000), headers=headers)
        client.__enter__()
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_without_tokens_whoever_is_here_may_look_and_not_write(asking):
    client = asking()
    assert client.get(SNAPSHOT).status_code == 200
    body = {"verb": "deposit", "quantity": "1", "what": "USD"}
    answer = client.post("/api/portfolio/entries", json=body, headers={"idempotency-key": "k"})
    assert code(answer) == (401, "token_needed")


@pytest.mark.parametrize("path", [SNAPSHOT, "/api/portfolio/trades", "/metrics", "/openapi.json"])
def test_from_elsewhere_nothing_is_told_without_a_token(asking, place, path):
    assert code(asking(peer="203.0.113.9").get(path)) == (401, "token_needed")
    told = made(place, "read")
    assert asking(told, peer="203.0.113.9").get(path).status_code == 200


def test_from_the_first_token_on_everybody_needs_one(asking, place):
    told = made(place, "read")
    client = asking()
    answer = client.get(SNAPSHOT)
    assert code(answer) == (401, "token_needed")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert client.get(SNAPSHOT, headers={"authorization": f"Bearer {told}"}).status_code == 200
    for wrong in ("Bearer", f"Bearer {told}x", f"Basic {told}", told, "Bearer bursar_"):
        assert code(client.get(SNAPSHOT, headers={"authorization": wrong}))[0] == 401
    assert client.get(SNAPSHOT, params={"token": told}).status_code == 401


def test_a_token_that_may_look_may_not_write(asking, place):
    body = {"verb": "deposit", "quantity": "1", "what": "USD"}
    headers = {"idempotency-key": "k"}
    reader = asking(made(place, "read", "reader"))
    answer = reader.post("/api/portfolio/entries", json=body, headers=headers)
    assert code(answer) == (403, "scope_too_narrow")
    writer = asking(made(place, "write", "writer"))
    assert writer.post("/api/portfolio/entries", json=body, headers=headers).status_code == 201


def test_health_and_the_page_are_for_all_but_tell_nothing(asking, place):
    made(place, "read")
    stranger = asking(peer="203.0.113.9")
    assert stranger.get("/").status_code == 200
    told = stranger.get("/health").json()
    assert all(part["reason"] is None for part in told["components"].values())
    assert (told["version"], told["portfolio_version"]) == (None, None)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8004", "127.0.0.1.evil.example", "", "[::2]:8004"]
)
def test_another_name_is_not_answered(asking, host):
    assert code(asking().get(SNAPSHOT, headers={"host": host})) == (421, "host_denied")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "[::1]:8004"])
def test_its_own_names_are_answered(asking, host):
    assert asking().get(SNAPSHOT, headers={"host": host}).status_code == 200


def test_who_asks_under_a_name_of_the_world_may_have_come_through_a_proxy(asking, place):
    named = {"host": "book.example"}
    assert code(asking().get(SNAPSHOT, headers=named)) == (401, "token_needed")
    told = made(place, "read")
    assert asking(told).get(SNAPSHOT, headers=named).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8004"]
)
def test_pages_of_other_sites_are_refused_over_both(asking, origin):
    client = asking(origin=origin)
    assert code(client.get(SNAPSHOT)) == (403, "origin_denied")
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/ws/portfolio", headers={"host": "127.0.0.1:8004"}),
    ):
        pytest.fail("let in")


def test_pages_of_its_own_and_of_listed_sites_may_ask(asking):
    assert asking(origin=HERE).get(SNAPSHOT).status_code == 200
    listed = asking(origin=LISTED)
    answer = listed.get(SNAPSHOT)
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert listed.get("/api/portfolio/fees").headers["access-control-allow-origin"] == LISTED
    asked = listed.options(SNAPSHOT)
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, LISTED)
    assert "access-control-allow-origin" not in asking(origin=HERE).options(SNAPSHOT).headers
    assert listed.options("/health").headers["access-control-allow-origin"] == LISTED
    wrong = listed.get("/api/portfolio/nothing"), listed.get("/health", headers={"host": "evil"})
    assert [each.status_code for each in wrong] == [404, 421]
    assert {each.headers["access-control-allow-origin"] for each in wrong} == {LISTED}


def test_the_websocket_asks_for_a_token_too(asking, place):
    told = made(place, "read")
    client = asking()
    with client.websocket_connect("/ws/portfolio", headers={"host": "localhost"}) as socket:
        socket.send_text(json.dumps({"type": "auth", "token": told}))
        assert socket.receive_json()["type"] == "portfolio.snapshot"
    for wrong in ('{"type":"auth","token":"x"}', "{", '{"type":"hello"}'):
        with client.websocket_connect("/ws/portfolio", headers={"host": "localhost"}) as socket:
            socket.send_text(wrong)
            with pytest.raises(WebSocketDisconnect) as left:
                socket.receive_json()
            assert left.value.code == 1008
    bearing = {"host": "localhost", "authorization": f"Bearer {told}"}
    with client.websocket_connect("/ws/portfolio", headers=bearing) as socket:
        assert socket.receive_json()["type"] == "portfolio.snapshot"
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(
            "/ws/portfolio", headers={**bearing, "authorization": "Bearer none"}
        ),
    ):
        pytest.fail("let in")


@pytest.mark.parametrize("path", ["/", SNAPSHOT, "/api/portfolio/fees", "/nothing"])
def test_every_answer_tells_browsers_to_trust_nothing(asking, path):
    told = asking().get(path).headers
    assert "default-src 'none'" in told["content-security-policy"]
    assert "unsafe" not in told["content-security-policy"]
    assert "frame-ancestors 'none'" in told["content-security-policy"]
    assert told["x-content-type-options"] == "nosniff"
    assert told["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in told


def test_no_token_and_no_hash_is_told_anywhere(asking, place, caplog):
    caplog.set_level("DEBUG")
    told = made(place, "write")
    client = asking(told)
    said = [client.get(path).text for path in (SNAPSHOT, "/health", "/metrics", "/openapi.json")]
    said.append(client.get("/api/portfolio/nothing", params={"q": told}).text)
    said.append(client.get(SNAPSHOT, params={told: told}).text.replace(told, ""))
    body = {"verb": "deposit", "quantity": "1", "what": "USD", "note": "ours"}
    headers = {"idempotency-key": "k"}
    said.append(client.post("/api/portfolio/entries", json=body, headers=headers).text)
    said += [each.getMessage() for each in caplog.records if each.name.startswith("bursar")]
    said += [repr(client.app), repr(client.app.door.ring)]
    with bursar.open(place) as portfolio:
        (memo,) = portfolio.desk.store.memos("token ").values()
        said.append(repr(tokens.listed(portfolio.desk.store)))
    kept = json.loads(memo)
    assert told not in memo
    for text in said:
        assert told not in text
        assert kept["hash"] not in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7", "book.example"])  # noqa: S104
def test_listening_where_others_can_reach_needs_a_token(host):
    with pytest.raises(Unguarded, match="bursar token new"):
        require_guarded(host, Ring({}))
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_listening_at_home_needs_none(host):
    require_guarded(host, Ring({}))
    assert is_loopback(host)
