"""The one HTTP client: exact, bounded, patient, and silent about what it was given."""

import asyncio
import json
import logging
import time
from decimal import Decimal

import pytest

from bursar.errors import BadChoice, VenueBusy, VenueDenied, VenueDown, VenueError, VenueGarbled
from bursar.venue import http
from bursar.venue.http import HTTPClient, checked_url, read_json, refuse
from tests.venue.loopback import START, HandClock, Reply, outside, script, served

OK = Reply(b'{"a": 1}')


def asked_for(*replies, clock=None, path="/x", **more):
    """What a persistent question gets, and what was sent."""
    handler, asked = script(*replies)

    async def go():
        async with served(handler) as url:
            client = HTTPClient("Venue", url, outside(clock), **more)
            try:

                async def once():
                    answer = await client.send("GET", path)
                    refuse("Venue", answer)
                    return read_json("Venue", answer.body)

                return await client.persist(once)
            finally:
                await client.close()

    return asyncio.run(go()), asked


def test_numbers_keep_every_digit():
    body = b'{"a": 0.12345678901234567891, "b": 12345678901234567890, "c": 1E-7, "d": "1.50"}'
    found, _ = asked_for(Reply(body))
    assert found == {
        "a": Decimal("0.12345678901234567891"),
        "b": 12345678901234567890,
        "c": Decimal("1E-7"),
        "d": "1.50",
    }
    assert str(found["a"]) == "0.12345678901234567891"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b'{"a": 1',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":1,"a" :2}',
        b'{"a" :1,"a":"\\":"}',
        b"<html>Bad gateway</html>",
        b'{"a": "\xff"}',
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b"[" * 200_000,
        b'"' + b'\\"' * 200_000,
        b"1" * 5_000,
        b'{"a": 1} {"b": 2}',
    ],
)
def test_what_is_no_answer_is_garbled(body):
    with pytest.raises(VenueGarbled):
        read_json("Venue", body)


@pytest.mark.parametrize("body", [b'{"a":"b"}', b'{ "a" : "b" }', b'{"a":\n"b"\n}'])
def test_white_space_changes_nothing(body):
    assert read_json("Venue", body) == {"a": "b"}


@pytest.mark.parametrize("text", ['":', '" :', '\\":"', "\ud800"])
def test_a_text_may_hold_what_ends_a_name(text):
    told = {"a": [{"b": text}, text]}
    dense = json.dumps(told, separators=(",", ":"))
    assert read_json("Venue", dense.encode()) == read_json("Venue", json.dumps(told).encode())
    assert read_json("Venue", dense.encode()) == told


def test_brackets_inside_texts_are_no_depth():
    text = "[{" * 100 + '"\\'
    assert read_json("Venue", json.dumps({"a": text}).encode()) == {"a": text}
    deep = b"[" * 64 + b"]" * 64
    assert read_json("Venue", deep) == json.loads(deep)


def test_what_may_pass_is_tried_again_with_waits_that_grow():
    clock = HandClock()
    found, asked = asked_for(*[Reply(b"", 502)] * 7, OK, clock=clock)
    assert found == {"a": 1}
    assert len(asked) == 8
    assert len(clock.waits) <= 7
    assert max(clock.waits) > 2_000
    assert all(wait <= 30_000 for wait in clock.waits)


def test_jitter_differs_from_one_client_to_another():
    waits = []
    for seed in (1, 2):
        clock = HandClock()
        handler, _ = script(*[Reply(b"", 500)] * 4, OK)

        async def go(clock=clock, seed=seed, handler=handler):
            async with served(handler) as url:
                client = HTTPClient("Venue", url, outside(clock, seed))

                async def once():
                    refuse("Venue", await client.send("GET", "/"))

                await client.persist(once)
                await client.close()

        asyncio.run(go())
        waits.append(clock.waits)
    assert waits[0] != waits[1]


@pytest.mark.parametrize(
    "header,seconds",
    [
        ("7", 7),
        ("0", 0),
        ("Fri, 15 Jan 2027 08:00:20 GMT", 20),
        ("Fri, 15 Jan 2027 08:00:20", 0),
        ("soon", 0),
        ("99999999999", 0),
    ],
)
def test_a_wait_that_is_asked_for_is_kept(header, seconds):
    clock = HandClock()
    assert START // 10**9 == 1_800_000_000
    asked_for(Reply(b"", 429, {"Retry-After": header}), OK, clock=clock)
    assert seconds * 1000 <= sum(clock.waits) <= seconds * 1000 + 1000


@pytest.mark.parametrize(
    "date,now_s",
    [
        ("Fri, 15 Jan 2027 08:00:00 GMT", 0),
        ("Fri, 15 Jan 2027 09:00:00 GMT", 3600),  # our clock is behind
        ("Fri, 15 Jan 2027 07:00:00 GMT", -3599),  # ahead, and the second is over all the sooner
        ("Fri, 15 Jan 2027 07:00:00", 0),
        ("soon", 0),
        (None, 0),
    ],
)
def test_the_time_at_the_venue_is_ours_as_far_as_its_date_bears_it_out(date, now_s):
    handler, _ = script(Reply(b"{}", 200, {} if date is None else {"Date": date}))
    clock = HandClock()

    async def go():
        async with served(handler) as url:
            client = HTTPClient("Venue", url, outside(clock))
            before = client.now()
            await client.send("GET", "/")
            at_once = client.now()
            clock.at += 10**9
            found = before, at_once, client.now()
            await client.close()
            return found

    before, at_once, later = asyncio.run(go())
    assert before == START
    assert at_once == START + now_s * 10**9 - (now_s < 0)
    assert later == at_once + 10**9


def test_a_wait_of_over_five_minutes_is_not_sat_out():
    clock = HandClock()
    with pytest.raises(VenueBusy) as caught:
        asked_for(Reply(b"", 429, {"Retry-After": "301"}), OK, clock=clock)
    assert caught.value.context["wait_ms"] == 301_000
    assert clock.waits == []


@pytest.mark.parametrize(
    "status,error,tries",
    [
        (301, VenueGarbled, 3),
        (302, VenueGarbled, 3),
        (400, VenueError, 1),
        (401, VenueDenied, 1),
        (403, VenueDenied, 1),
        (404, VenueError, 1),
        (408, VenueDown, 8),
        (418, VenueBusy, 8),
        (429, VenueBusy, 8),
        (500, VenueDown, 8),
        (520, VenueDown, 8),
    ],
)
def test_what_each_status_means_and_how_often_it_is_tried(status, error, tries):
    handler, asked = script(Reply(b"{}", status, {"Location": "http://127.0.0.1:1/other"}))

    async def go():
        async with served(handler) as url:
            client = HTTPClient("Venue", url, outside())

            async def once():
                refuse("Venue", await client.send("GET", "/"))

            try:
                await client.persist(once)
            finally:
                await client.close()

    with pytest.raises(error) as caught:
        asyncio.run(go())
    assert type(caught.value) is error
    assert len(asked) == tries


def test_a_body_that_is_cut_is_no_answer_and_is_asked_for_again():
    found, asked = asked_for(Reply(b'{"a": 1}', cut=3), OK)
    assert found == {"a": 1}
    assert len(asked) == 2


def test_a_body_of_over_eight_mebibytes_is_refused():
    with pytest.raises(VenueGarbled, match="8 MiB"):
        asked_for(Reply(b" " * (8 * 1024 * 1024 + 1)))


def test_a_compressed_body_is_refused():
    with pytest.raises(VenueGarbled, match="compressed"):
        asked_for(Reply(b"x", 200, {"Content-Encoding": "gzip"}))


def test_silence_is_down():
    async def silent(_):
        await asyncio.sleep(60)
        return OK

    async def go():
        async with served(silent) as url:
            client = HTTPClient("Venue", url, outside(), answer_s=1)
            try:
                await client.send("GET", "/")
            finally:
                await client.close()

    with pytest.raises(VenueDown, match="no answer within 1 s"):
        asyncio.run(go())


@pytest.mark.parametrize("set_by_s", [0, -3_600, 3_600])
def test_after_eight_failures_the_venue_is_left_alone_and_then_asked_again(monkeypatch, set_by_s):
    handler, asked = script(*[Reply(b"", 500)] * 8, OK)
    told = time.time

    async def go():
        async with served(handler) as url:
            client = HTTPClient("Venue", url, outside(), rest_s=1)

            async def once():
                answer = await client.send("GET", "/")
                refuse("Venue", answer)
                return answer.status

            try:
                with pytest.raises(VenueDown, match="HTTP 500"):
                    await client.persist(once)
                monkeypatch.setattr(time, "time", lambda: told() + set_by_s)  # somebody sets it
                with pytest.raises(VenueDown, match="left alone"):
                    await client.persist(once)
                assert len(asked) == 8
                await asyncio.sleep(1.1)
                return await client.persist(once)
            finally:
                await client.close()

    assert asyncio.run(go()) == 200
    assert len(asked) == 9


def test_a_busy_venue_is_not_a_broken_one():
    handler, _ = script(*[Reply(b"", 429)] * 8, OK)

    async def go():
        async with served(handler) as url:
            client = HTTPClient("Venue", url, outside())

            async def once():
                answer = await client.send("GET", "/")
                refuse("Venue", answer)
                return answer.status

            try:
                with pytest.raises(VenueBusy):
                    await client.persist(once)
                return await client.persist(once)
            finally:
                await client.close()

    assert asyncio.run(go()) == 200


def test_nobody_there_is_down():
    async def go():
        client = HTTPClient("Venue", "http://127.0.0.1:9", outside())
        try:
            await client.send("GET", "/")
        finally:
            await client.close()

    with pytest.raises(VenueDown, match="not reached"):
        asyncio.run(go())


@pytest.mark.parametrize(
    "base",
    [
        "http://api.kraken.com",
        "ftp://api.kraken.com",
        "https://user:secret@api.kraken.com",
        "https://",
        "https://api.kraken.com?x=1",
        "http://127.0.0.1.example.com",
        "api.kraken.com",
    ],
)
def test_only_a_host_over_tls_or_this_machine_is_asked(base):
    with pytest.raises(BadChoice) as caught:
        checked_url(base)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("base", ["https://api.kraken.com", "http://127.0.0.1:80", "http://[::1]"])
def test_these_are(base):
    assert checked_url(base).host


@pytest.mark.parametrize("path", ["x", "//other.example/x", "https://other.example/x"])
def test_a_path_cannot_lead_to_another_host(path):
    with pytest.raises(BadChoice):
        asked_for(OK, path=path)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    found, _ = asked_for(OK)
    assert found == {"a": 1}


def test_no_header_that_was_sent_is_logged_or_told(caplog):
    async def go():
        client = HTTPClient("Venue", "http://127.0.0.1:9", outside())
        try:
            await client.send("POST", "/", body=b"canary-body", headers={"API-Key": "canary-key"})
        finally:
            await client.close()

    with caplog.at_level(logging.DEBUG), pytest.raises(VenueDown) as caught:
        asyncio.run(go())
    assert "canary" not in caplog.text + str(caught.value) + repr(caught.value.context)
    assert caught.value.__cause__ is None


def test_the_figures_are_those_promised():
    assert (http.CONNECT_S, http.ANSWER_S, http.TRIES_MAX, http.REST_S) == (5, 30, 8, 60)
    assert (http.BODY_MAX, http.DEPTH_MAX) == (8 * 1024 * 1024, 64)
