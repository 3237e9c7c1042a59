"""GraphQL over WebSocket: the protocol, another's client, who is let in, and the end of a token."""

import asyncio
import json
from shutil import copy

import pytest
import uvicorn
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

import bursar
from bursar.ledger.golden import read
from bursar.serve import tokens
from bursar.serve.graph import socket
from bursar.serve.service import Service
from tests.http.conftest import HERE, told

LATER = "2026-03-01T10:00:00Z deposit 500 USD #m:9"
LIVE = "subscription { live { seq version snapshot { cash_balance coverage { stale } } } }"
FEES = "{ fees { total_base } }"


def connect(client, **headers):
    headers = {"host": "localhost", **headers}
    return client.websocket_connect("/graphql", [socket.PROTOCOL], headers=headers)


def begun(talk, **payload):
    talk.send_json({"type": "connection_init", "payload": payload})
    assert talk.receive_json() == {"type": "connection_ack"}


def subscribe(talk, name, query):
    talk.send_json({"type": "subscribe", "id": name, "payload": {"query": query}})


def drain(talk):
    while True:
        talk.receive_json()


def closed(talk):
    with pytest.raises(WebSocketDisconnect) as left:
        drain(talk)
    return left.value.code


def test_the_client_of_others_is_answered_and_told_what_changes(settings, place):
    """gql speaks the protocol as its authors read it."""
    fees, first, later = asyncio.run(told_to_gql(Service(settings), place))
    assert fees == {"fees": {"total_base": "13"}}
    assert first["snapshot"]["cash_balance"] == "37740.086421975308644"
    assert first["snapshot"]["coverage"] == {"stale": ["ETH", "XBT"]}
    assert later["snapshot"]["cash_balance"] == "38240.086421975308644"
    assert later["seq"] > first["seq"]
    assert later["version"] == first["version"] + 1


async def told_to_gql(service, place):
    """What a query is answered, and two tidings around a commit."""
    server = uvicorn.Server(uvicorn.Config(service, port=0, log_config=None))
    running = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 (it tells nobody)
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    spoken = [WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL]
    transport = WebsocketsTransport(f"ws://127.0.0.1:{port}/graphql", subprotocols=spoken)
    try:
        async with Client(transport=transport, fetch_schema_from_transport=True) as session:
            fees = await session.execute(gql(FEES))
            told = session.subscribe(gql(LIVE))
            first = (await anext(told))["live"]
            with bursar.open(place) as other:
                other.record(*read((LATER,)))
            later = (await anext(told))["live"]
            await told.aclose()
    finally:
        server.should_exit = True
        await running
    return fees, first, later


@pytest.fixture(scope="module")
def guarded(written, tmp_path_factory):
    """A service with a token."""
    place = copy(written, tmp_path_factory.mktemp("socket") / "book.db")
    with bursar.open(place) as portfolio:
        bearer = tokens.new(portfolio.desk.store, portfolio.desk.clock, "ops", "read")
    with TestClient(Service(told(place)), HERE, client=("127.0.0.1", 50_000)) as asking:
        yield asking, bearer, place


def test_an_operation_ends_and_its_name_can_be_used_again(guarded):
    asking, bearer, _ = guarded
    with connect(asking, authorization=f"Bearer {bearer}") as talk:
        begun(talk)
        talk.send_json({"type": "ping"})
        assert talk.receive_json() == {"type": "pong"}
        for _ in range(2):
            subscribe(talk, "a", FEES)
            told = talk.receive_json()
            assert told["payload"] == {"data": {"fees": {"total_base": "13"}}}
            assert talk.receive_json() == {"type": "complete", "id": "a"}
        subscribe(talk, "b", "{ fees { total } }")
        told = talk.receive_json()
        assert (told["type"], told["id"]) == ("error", "b")
        assert told["payload"][0]["extensions"]["code"] == "bad_choice"
        subscribe(talk, "c", "{")
        assert talk.receive_json()["payload"][0]["extensions"]["code"] == "malformed"
        subscribe(talk, "d", "{ ...f } fragment f on Query { ...f }")
        assert talk.receive_json()["payload"][0]["extensions"]["code"] == "bad_choice"


def test_no_more_run_at_once_than_are_let_in(guarded):
    asking, bearer, _ = guarded
    with connect(asking, authorization=f"Bearer {bearer}") as talk:
        begun(talk)
        for n in range(socket.AT_ONCE_MAX):
            subscribe(talk, str(n), "subscription { live { seq } }")
            assert talk.receive_json()["type"] == "next"
        subscribe(talk, "more", "subscription { live { seq } }")
        told = next(each for each in iter(talk.receive_json, None) if each["id"] == "more")
        assert told["payload"][0]["extensions"]["code"] == "out_of_bounds"
        talk.send_json({"type": "complete", "id": "0"})
        subscribe(talk, "0", FEES)
        told = next(
            each
            for each in iter(talk.receive_json, None)
            if each["id"] == "0" and "fees" in json.dumps(each)
        )
        assert told["payload"]["data"]["fees"]["total_base"] == "13"


def test_a_token_may_be_said_in_the_first_message(guarded):
    asking, bearer, _ = guarded
    with connect(asking) as talk:
        begun(talk, token=bearer)
        subscribe(talk, "a", FEES)
        assert talk.receive_json()["type"] == "next"


WRONG: dict[str, tuple[list, int]] = {
    "no token": ([{"type": "connection_init"}], 4403),
    "none of ours": ([{"type": "connection_init", "payload": {"token": "x"}}], 4403),
    "a question first": ([{"type": "subscribe", "id": "a", "payload": {"query": FEES}}], 4401),
    "no message": ([{"type": "nonsense"}], 4400),
    "no JSON": (["["], 4400),
    "nested": (["[" * 20_000], 4400),
}


@pytest.mark.parametrize("name", WRONG)
def test_who_does_not_begin_as_he_should_is_closed(guarded, name):
    said, code = WRONG[name]
    with connect(guarded[0]) as talk:
        for each in said:
            talk.send_text(each if isinstance(each, str) else json.dumps(each))
        assert closed(talk) == code


@pytest.mark.parametrize(
    "said,code",
    [
        ({"type": "connection_init"}, 4429),
        ({"type": "subscribe", "id": "", "payload": {"query": FEES}}, 4409),
        ({"type": "subscribe", "id": "x" * 200, "payload": {"query": FEES}}, 4409),
        ({"type": "subscribe", "id": "live", "payload": {"query": FEES}}, 4409),
        ({"type": "subscribe", "id": "b"}, 4400),
    ],
)
def test_who_does_not_go_on_as_he_should_is_closed(guarded, said, code):
    asking, bearer, _ = guarded
    with connect(asking, authorization=f"Bearer {bearer}") as talk:
        begun(talk)
        subscribe(talk, "live", "subscription { live { seq } }")
        assert talk.receive_json()["type"] == "next"
        talk.send_json(said)
        assert closed(talk) == code


def test_another_protocol_is_not_spoken(guarded):
    asking, bearer, _ = guarded
    headers = {"host": "localhost", "authorization": f"Bearer {bearer}"}
    with asking.websocket_connect("/graphql", ["graphql-ws"], headers=headers) as talk:
        assert closed(talk) == 4406


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"authorization": "Bearer x"}],
)
def test_who_is_not_let_in_hears_nothing(guarded, headers):
    with pytest.raises(WebSocketDisconnect) as left, connect(guarded[0], **headers):
        pytest.fail("let in")
    assert left.value.code == 1008


def test_a_revoked_token_ends_its_subscriptions(token, client_of, place):
    asking = client_of(token("read"))
    with connect(asking) as talk:
        begun(talk)
        subscribe(talk, "a", "subscription { live { seq } }")
        assert talk.receive_json()["type"] == "next"
        with bursar.open(place) as portfolio:
            tokens.revoke(portfolio.desk.store, "ops")
        assert closed(talk) == 1008


def test_who_says_nothing_is_not_waited_for(guarded, monkeypatch):
    monkeypatch.setattr(socket, "PATIENCE_S", 0)
    with connect(guarded[0]) as talk:
        assert closed(talk) == 4408
