"""The WebSocket in this process: resuming, refusing, and the end of a token."""

import asyncio
import json

import pytest
from starlette.websockets import WebSocketDisconnect

import bursar
from bursar.ledger.golden import read
from bursar.serve import tokens
from bursar.serve.channel import Channel
from bursar.serve.door import Door
from bursar.serve.shelf import QUEUE_MAX, Shelf, published

LATER = "2026-03-01T10:00:00Z deposit 500 USD #m:9"


def test_a_revoked_token_ends_its_channels(token, client_of, place):
    asking = client_of(token("read"))
    with asking.websocket_connect("/ws/portfolio", headers={"host": "localhost"}) as channel:
        assert channel.receive_json()["type"] == "portfolio.snapshot"
        with bursar.open(place) as portfolio:
            tokens.revoke(portfolio.desk.store, "ops")
        with pytest.raises(WebSocketDisconnect) as left:
            drain(channel)
        assert left.value.code == 1008
    assert asking.get("/api/portfolio/snapshot").status_code == 401


def drain(channel):
    while True:
        channel.receive_json()


def test_what_another_process_commits_is_told(client_of, place):
    asking = client_of(None)
    with asking.websocket_connect("/ws/portfolio", headers={"host": "localhost"}) as channel:
        first = channel.receive_json()
        with bursar.open(place) as other:
            other.record(*read((LATER,)))
        news = channel.receive_json()
        assert news["seq"] == first["seq"] + 1
        assert "cash_balance" in news["data"]["snapshot"]["set"]


@pytest.mark.parametrize(
    "query", ["?seq=x", "?seq=", "?token=1", "?seq=1&seq=2", "?seq=" + "9" * 30]
)
def test_a_query_that_is_none_is_refused(client, query):
    with (
        pytest.raises(WebSocketDisconnect) as left,
        client.websocket_connect(f"/ws/portfolio{query}", headers={"host": "localhost"}),
    ):
        pytest.fail("let in")
    assert left.value.code == 1008


@pytest.mark.parametrize("said", ["[" * 20_000, '{"type":"auth","x":' + "[" * 20_000, "x", "{}"])
def test_a_first_message_that_is_no_token_is_refused_however_deep(token, client_of, said):
    token("read")
    asking = client_of(None)
    with asking.websocket_connect("/ws/portfolio", headers={"host": "localhost"}) as channel:
        channel.send_text(said)
        with pytest.raises(WebSocketDisconnect) as left:
            channel.receive_json()
    assert left.value.code == 1008


def test_a_client_that_reads_nothing_is_closed_with_1013():
    sent, stuck, told = [], asyncio.Event(), asyncio.Event()

    async def main():
        shelf = Shelf()
        shelf.put(published(1, 1, {"snapshot": {"n": 0}}, None))
        gone = asyncio.Event()
        asked = iter([{"type": "websocket.connect"}])

        async def receive():
            for message in asked:
                return message
            await gone.wait()
            return {"type": "websocket.disconnect"}

        async def send(message):
            sent.append(message)
            if message["type"] == "websocket.send":
                told.set()
                await stuck.wait()  # a client whose buffers are full
            if message["type"] == "websocket.close":
                gone.set()

        scope = {
            "type": "websocket",
            "scheme": "ws",
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "query_string": b"",
        }
        serving = asyncio.ensure_future(Channel(shelf, Door())(scope, receive, send))
        await told.wait()
        for n in range(QUEUE_MAX + 1):
            before, after = {"snapshot": {"n": n}}, {"snapshot": {"n": n + 1}}
            shelf.put(published(n + 2, 1, after, before))
        await serving
        assert not shelf.clients

    asyncio.run(main())
    assert (sent[-1]["type"], sent[-1]["code"]) == ("websocket.close", 1013)
    assert json.loads(sent[1]["text"])["type"] == "portfolio.snapshot"
