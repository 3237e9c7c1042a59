"""A policy is read whole or not at all, and what cannot be read is never an all-clear."""

import asyncio

import pytest

from bursar.errors import BursarError, Malformed
from bursar.ledger import instant
from bursar.measure.limits import Freshness, Limits
from bursar.policy import TRIES, PolicyStore, Unread, last_good, of_file, of_service, read_limits
from bursar.store import open_store
from tests.servers.loopback import web
from tests.unit.measure.samples import D
from tests.unit.portfolio.places import Clock

FIRST = b'{"version": 3, "limits": {"drawdown_pct_max": 12.500000000000000001, "positions_max": 9}}'


@pytest.fixture
def store():
    return open_store(":memory:", "main")


async def pause(_):
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    "text",
    [
        b"drawdown_pct_max: 12.50000000000000001\ndaily_loss_max: 1000\npositions_max:\n",
        b'{"drawdown_pct_max": 12.50000000000000001, "daily_loss_max": 1e3}',
        b' {"limits": {"drawdown_pct_max": "12.50000000000000001", "daily_loss_max": 1000}}',
    ],
)
def test_limits_are_read_digit_for_digit(text):
    told = read_limits(text, "limits.yaml")
    assert told == Limits(drawdown_pct_max=D("12.50000000000000001"), daily_loss_max=D(1000))


@pytest.mark.parametrize(
    "text,said",
    [
        (b"drawdown_pct_max: 1\ndrawdown_max: 2\n", "line 2: there is no limit drawdown_max"),
        (b"drawdown_pct_max: 1\ndrawdown_pct_max: 2\n", "line 2: drawdown_pct_max stands"),
        (b'{"daily_loss_max": 1, "daily_loss_max": 2}', "comes twice"),
        (b"daily_loss_max: 1e3", "line 1: daily_loss_max: '1e3' is not a plain"),
        (b"drawdown_pct_max: much\n", "line 1: drawdown_pct_max: 'much' is not a plain"),
        (b"drawdown_pct_max: .nan\n", "is not a plain decimal"),
        (b'{"drawdown_pct_max": NaN}', "is not a plain decimal"),
        (b"drawdown_pct_max: -1\n", "expected zero or more, not -1"),
        (b"drawdown_pct_max: 1000000000000000000000\n", "over 20 integer"),
        (b"drawdown_pct_max: [1]\n", "line 1: drawdown_pct_max: expected a number"),
        (b'{"drawdown_pct_max": true}', "drawdown_pct_max: expected a number"),
        (b'{"drawdown_pct_max": {}}', "drawdown_pct_max: expected a number"),
        (b'{"limits": [1, 2]}', "expected one object of limits"),
        (b'{"limits": {}}', "sets no limit"),
        (b"drawdown_pct_max:\n", "sets no limit"),
        (b"- 1\n", "expected limits by name"),
        (b"", "expected limits by name"),
        (b"a: [\n", "line 2: this is no YAML"),
        (b"a: " + 1_000 * b"[", "this is no YAML"),
        (b'{"a": ', "no whole JSON"),
        (b"\xff", "no UTF-8"),
    ],
)
def test_what_is_no_policy_is_refused_whole_and_said(text, said):
    with pytest.raises(BursarError) as caught:
        read_limits(text, "limits.yaml")
    assert said in caught.value.message
    assert "limits.yaml" in caught.value.message


def test_a_file_is_read_again_when_it_is_due_and_goes_stale_when_it_breaks(store, tmp_path):
    path, clock = tmp_path / "limits.yaml", Clock()
    policy = PolicyStore("limits.yaml", of_file(path), store, clock, every_s=60)
    assert policy.state.freshness.value == "missing"
    asyncio.run(policy.refresh())
    assert (policy.state.freshness, policy.state.limits) == (Freshness.MISSING, Limits())
    assert "limits.yaml cannot be read" in policy.state.trouble

    path.write_text("positions_max: 3\n")
    assert not asyncio.run(policy.refresh())  # not due
    clock.at -= 3600 * instant.SECOND  # set right: nobody waits an hour for the next look
    assert asyncio.run(policy.refresh())
    clock.at += 60 * instant.SECOND
    assert asyncio.run(policy.refresh())
    known = policy.state
    assert (known.freshness, known.limits) == (Freshness.FRESH, Limits(positions_max=D(3)))
    assert known.read_at == clock.at

    path.write_text("position_max: 3\n")
    clock.at += 60 * instant.SECOND
    asyncio.run(policy.refresh())
    assert policy.state.freshness.value == "stale"
    assert (policy.state.limits, policy.state.read_at) == (known.limits, known.read_at)
    assert "no limit position_max" in policy.state.trouble


def test_a_service_is_asked_and_one_that_is_away_leaves_the_last_good_marked_stale(store):
    clock = Clock()

    async def main():
        async with web((503, b""), (200, FIRST)) as service:
            policy = PolicyStore(
                service.url, of_service(service.url, pause), store, clock, every_s=1
            )
            await policy.refresh()
            assert [line for line, *_ in service.asked] == ["GET /api/limits HTTP/1.1"] * 2
            assert policy.state.freshness.value == "fresh"
            assert policy.state.limits.drawdown_pct_max == D("12.500000000000000001")
        clock.at += instant.SECOND
        await policy.refresh()
        assert policy.state.freshness.value == "stale"
        assert policy.state.limits.positions_max == D(9)
        assert "was not reached (ConnectError)" in policy.state.trouble
        return service.url

    url = asyncio.run(main())
    again = last_good(store, url)  # it outlives the process, stale until it is read
    assert (again.freshness, again.limits.positions_max) == (Freshness.STALE, D(9))
    assert last_good(store, "http://elsewhere").freshness is Freshness.MISSING


@pytest.mark.parametrize("status,times", [(404, 1), (302, 1), (401, 1), (500, TRIES), (429, TRIES)])
def test_what_may_pass_is_asked_again_and_the_rest_is_not(status, times):
    async def main():
        async with web((status, b"{}")) as service:
            found = await of_service(f"{service.url}/v2/policy", pause)()
            assert found == Unread(f"the risk-safety service answered HTTP {status}")
            assert [line for line, *_ in service.asked] == ["GET /v2/policy HTTP/1.1"] * times

    asyncio.run(main())


def test_an_answer_without_end_is_not_taken():
    async def main():
        async with web((200, b"x" * (1 << 21))) as service:
            found = await of_service(service.url, pause)()
            assert found == Unread("the risk-safety service sent more than 1 MiB")

    asyncio.run(main())


def test_a_policy_that_is_no_json_names_the_service():
    with pytest.raises(Malformed, match="http://risk"):
        read_limits(b"<html>", "http://risk")
