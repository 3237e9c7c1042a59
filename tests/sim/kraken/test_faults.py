"""Every fault of the wire: it strikes when it is told to, does what it says, and then is over."""

import asyncio
import json
from decimal import Decimal

import httpx2
import pytest

from bursar.sim.kraken import Fault, carrier, serve
from bursar.sim.loop import VirtualLoop
from tests.sim.kraken.places import SECOND, account, ask, decoded, fake, signed, told


def raw(venue, endpoint="Balance", **fields):
    return venue.answer(signed(venue, endpoint, **fields))


def test_a_fault_strikes_the_request_it_is_told_to():
    venue = fake()
    venue.script.add(Fault.ERROR, endpoint="Ledgers", at=2, times=2, value="EService:Busy")
    order = ("Ledgers", "Balance", "Ledgers", "Balance", "Ledgers", "Ledgers")
    said = [ask(venue, endpoint)["error"] for endpoint in order]
    busy = ["EService:Busy"]
    assert said == [[], [], busy, [], busy, []]
    assert venue.script.struck == [("Ledgers", Fault.ERROR)] * 2
    venue.script.add(Fault.ERROR, at=2, value="EService:Busy")
    assert [ask(venue, "Balance")["error"], ask(venue, "Ledgers")["error"]] == [[], busy]
    venue.script.add(Fault.ERROR, value="EService:Busy")
    venue.script.clear()
    assert ask(venue, "Balance")["error"] == []


def test_what_stands_in_front_of_the_venue_keeps_the_request_from_it():
    venue = fake(step=0)
    told(venue, "Balance")
    before = venue.counter.level, venue.door.keys[venue.key].nonce
    for status in (500, 502, 503, 504, 520, 525):
        venue.script.add(Fault.STATUS, value=status)
        answer = raw(venue)
        assert answer.status == status
        assert answer.body.startswith(b"<html>")
    venue.script.add(Fault.TOO_MANY, value=7)
    answer = raw(venue)
    assert answer.status == 429
    assert dict(answer.headers)["retry-after"] == "7"
    venue.script.add(Fault.TIMEOUT)
    assert raw(venue).manner.is_never
    assert (venue.counter.level, venue.door.keys[venue.key].nonce) == before


def test_a_throttle_names_the_time():
    venue = fake(step=0)
    venue.script.add(Fault.THROTTLED, value=30)
    until = venue.house.now // SECOND + 30
    assert ask(venue, "Balance")["error"] == [f"EService:Throttled: {until}"]


def test_bodies_are_spoilt():
    venue = fake(step=0)
    whole = raw(venue).body
    for fault, wanted in (
        (Fault.EMPTY_BODY, b""),
        (Fault.TRUNCATED, whole[: len(whole) // 2]),
        (Fault.RESET, whole),
        (Fault.DRIP, whole),
    ):
        venue.script.add(fault)
        answer = raw(venue)
        assert answer.body == wanted
        assert answer.manner.is_reset is (fault is Fault.RESET)
        assert answer.manner.is_slow is (fault is Fault.DRIP)
    venue.script.add(Fault.HUGE, value=10_000_000)
    huge = raw(venue).body
    assert len(huge) == len(whole) + 10_000_000
    assert json.loads(huge) == json.loads(whole)


def test_results_are_spoilt():
    venue = fake(step=0)
    whole = told(venue, "Balance")
    venue.script.add(Fault.NO_RESULT)
    assert ask(venue, "Balance") == {"error": []}
    venue.script.add(Fault.WARNING, value="WDatabase:replica lag")
    assert ask(venue, "Balance") == {"error": ["WDatabase:replica lag"], "result": whole}
    venue.script.add(Fault.WRONG_TYPE)
    assert told(venue, "Balance") == [whole]
    venue.script.add(Fault.NULLS)
    assert told(venue, "Balance") == dict.fromkeys(whole)
    venue.script.add(Fault.LONG_NUMBERS)
    answer = raw(venue)
    said = decoded(answer)["result"]
    assert said == {code: Decimal(amount) for code, amount in whole.items()}
    assert all(amount.as_tuple().exponent == -18 for amount in said.values())
    assert b'"XXBT":"' not in answer.body
    venue.script.add(Fault.LONG_NUMBERS, value="12345678")
    said = told(venue, "Balance")["XXBT"]
    assert str(said) == whole["XXBT"] + "12345678"
    assert Decimal(float(said)) != said  # no float holds it
    assert told(venue, "Balance") == whole


def test_pages_are_spoilt():
    venue = fake()
    first = told(venue, "Ledgers")
    second = told(venue, "Ledgers", ofs=50)
    venue.script.add(Fault.EMPTY_PAGE)
    assert told(venue, "Ledgers") == {"ledger": {}, "count": first["count"]}
    told(venue, "Ledgers", ofs=50)
    venue.script.add(Fault.REPEATED_PAGE, endpoint="Ledgers")
    assert told(venue, "Ledgers", ofs=100) == second
    venue.script.add(Fault.SHORT_PAGE, value=3)
    short = told(venue, "Ledgers")
    assert list(short["ledger"]) == list(first["ledger"])[:47]
    venue.script.add(Fault.COUNT_MOVES, value=2)
    assert told(venue, "Ledgers") == first | {"count": first["count"] + 2}
    assert told(venue, "Ledgers") == first


@pytest.mark.parametrize("endpoint", ["TradesHistory", "ClosedOrders"])
def test_other_histories_are_cut_too(endpoint):
    venue = fake()
    venue.script.add(Fault.EMPTY_PAGE)
    said = told(venue, endpoint)
    assert {} in said.values()


def test_rows_arrive_while_pages_are_read():
    invented = account()
    middle = invented.rows[300].time
    venue = fake(until=middle)
    first = told(venue, "Ledgers")
    venue.script.add(Fault.ARRIVALS, endpoint="Ledgers", value=3)
    second = told(venue, "Ledgers", ofs=50)
    more = second["count"] - first["count"]
    assert more >= 3
    doubled = set(first["ledger"]) & set(second["ledger"])
    assert len(doubled) == min(more, 50)  # paging by offset alone meets rows again
    newest = [row for row in invented.rows if middle < row.time <= venue.house.seen]
    assert len({row.time for row in newest}) == 3
    venue.house.arrive(10**6)
    assert told(venue, "Ledgers")["count"] == len(invented.rows)


def client_of(venue, transport=None, url="http://kraken.test"):
    return httpx2.AsyncClient(transport=transport, base_url=url, timeout=httpx2.Timeout(0.4))


async def post(client, venue, endpoint="Balance"):
    request = signed(venue, endpoint)
    return await client.post(request.path, content=request.body, headers=dict(request.headers))


async def meet(client, venue):
    """What a client meets on the wire, fault by fault."""
    whole = (await post(client, venue)).json()
    met: dict[Fault, object] = {}
    for fault, value in (
        (Fault.RESET, ""),
        (Fault.TIMEOUT, ""),
        (Fault.STATUS, 503),
        (Fault.TOO_MANY, 2),
        (Fault.EMPTY_BODY, ""),
        (Fault.TRUNCATED, ""),
        (Fault.HUGE, 300_000),
    ):
        venue.script.add(fault, value=value)
        try:
            answer = await post(client, venue)
            met[fault] = answer.status_code, len(answer.content)
        except httpx2.HTTPError as error:
            met[fault] = type(error)
    assert (await post(client, venue)).json() == whole
    return met


def expected(length):
    return {
        Fault.RESET: httpx2.ReadError,
        Fault.TIMEOUT: httpx2.ReadTimeout,
        Fault.STATUS: (503, 37),
        Fault.TOO_MANY: (429, 39),
        Fault.EMPTY_BODY: (200, 0),
        Fault.TRUNCATED: (200, length // 2),
        Fault.HUGE: (200, length + 300_000),
    }


def test_a_client_meets_the_same_troubles_on_a_socket_and_without_one():
    length = len(raw(fake(step=0)).body)

    async def on_a_socket():
        venue = fake(step=0)
        async with serve(venue) as url, client_of(venue, url=url) as client:
            return await meet(client, venue)

    async def carried():
        venue = fake(step=0)
        async with client_of(venue, transport=carrier(venue)) as client:
            return await meet(client, venue)

    on_socket = asyncio.run(on_a_socket())
    if on_socket[Fault.RESET] is httpx2.RemoteProtocolError:
        on_socket[Fault.RESET] = httpx2.ReadError  # cut off and reset are not always told apart
    assert on_socket == expected(length)
    loop = VirtualLoop()
    assert loop.play(carried) == expected(length)
    assert 0.4 <= loop.time() < 1  # the silence lasted as long as the client's patience


def test_a_silence_without_a_time_out_lasts_in_virtual_time_as_long_as_a_latency():
    venue = fake(step=0)

    async def carried():
        async with client_of(venue, transport=carrier(venue, latency_s=0.25)) as client:
            return [(await post(client, venue)).status_code for _ in range(4)]

    loop = VirtualLoop()
    assert loop.play(carried) == [200] * 4
    assert 1 <= loop.time() < 1.1


def test_a_slow_body_arrives_whole_in_the_end():
    venue = fake(account(7, 600), step=0)

    async def drip():
        async with serve(venue) as url, client_of(venue, url=url) as client:
            venue.script.add(Fault.DRIP)
            answer = await client.get("/0/public/Time")
            return answer.json()

    assert asyncio.run(drip())["error"] == []


def test_one_connection_serves_many_requests_and_a_stranger_is_hung_up_on():
    venue = fake()

    async def talk():
        async with serve(venue) as url:
            host, port = url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"NOT HTTP AT ALL\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            async with client_of(venue, url=url) as client:
                answers = await asyncio.gather(*(client.get("/0/public/Time") for _ in range(20)))
                return [answer.json()["error"] for answer in answers]

    assert asyncio.run(talk()) == [[]] * 20
