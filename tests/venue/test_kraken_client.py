"""The client against a venue that checks signatures and nonces and says every error it knows."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from bursar.errors import (
    BadChoice,
    UnknownAsset,
    VenueBusy,
    VenueDenied,
    VenueDown,
    VenueError,
    VenueGarbled,
)
from bursar.venue.kraken.answers import meaning
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.pace import Tier, cost
from bursar.venue.kraken.signing import Keys
from bursar.venue.notices import Notice
from bursar.venue.pace import Counter
from tests.venue.kraken_model import KEY, SECRET, Model, client, reply
from tests.venue.loopback import START, HandClock, Reply, outside, script, served
from tests.venue.test_kraken_public import KRAKEN

ROOT = Path(__file__).parents[2]
FULL = reply({"error": [], "result": {"ZUSD": "1.5"}})


def said(text):
    return reply({"error": [text]})


def balance(tmp_path, *replies, clock=None, **more):
    """What `Balance` gives where a venue answers so, what it was asked, and the client."""
    handler, asked = script(*replies)

    async def go():
        async with client(handler, tmp_path, clock=clock, **more) as made:
            return await made.balance(), asked, made

    return asyncio.run(go())


def refused(tmp_path, *replies, times=1, **more):
    """The error that a venue's answers end in, and how often it was asked."""
    handler, asked = script(*replies)

    async def go():
        async with client(handler, tmp_path, **more) as made:
            for _ in range(times - 1):
                with pytest.raises(VenueError):
                    await made.balance()
            with pytest.raises(VenueError) as caught:
                await made.balance()
            return caught.value

    return asyncio.run(go()), len(asked)


def test_no_secret_in_logs_errors_or_files(tmp_path, caplog):
    with caplog.at_level(logging.DEBUG):
        error, _ = refused(tmp_path, said("EAPI:Invalid key"))
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    everything = caplog.text + repr(error) + repr(error.context) + written.decode()
    assert KEY not in everything
    assert SECRET not in everything
    assert KEY not in " ".join(path.name for path in tmp_path.rglob("*"))


def test_the_venue_accepts_signature_and_nonce_of_every_question(tmp_path):
    async def go():
        model = Model()
        model.results = {
            name: {}
            for name in (
                *("Balance", "TradeBalance", "QueryLedgers", "QueryTrades", "GetApiKeyInfo"),
                *("Assets", "AssetPairs", "Ticker", "OHLC", "Trades", "SystemStatus"),
            )
        }
        async with client(model, tmp_path) as made:
            await made.time()
            for ask in (
                made.system_status,
                made.assets,
                made.asset_pairs,
                made.balance,
                made.balance_ex,
                made.open_orders,
                made.api_key_info,
            ):
                await ask()
            await made.ticker(["XXBTZUSD", "XETHZUSD"])
            await made.ohlc("XXBTZUSD", 60)
            await made.trades("XXBTZUSD", 1, 10)
            await made.trade_balance("ZUSD")
            await made.closed_orders(None, 5, 0)
            await made.trades_history(1, 5, 50)
            await made.ledgers(None, 5, 0)
            await made.query_ledgers(["L1", "L2"])
            await made.query_trades(["T1"])
        return model

    model = asyncio.run(go())
    forms = dict(zip(model.asked, model.forms, strict=True))
    assert forms["TradesHistory"]["consolidate_taker"] == "false"
    assert forms["TradesHistory"]["ledgers"] == "true"
    assert forms["ClosedOrders"]["closetime"] == "close"
    assert "start" not in forms["Ledgers"]
    assert forms["QueryLedgers"]["id"] == "L1,L2"
    assert forms["Ticker"]["pair"] == "XXBTZUSD,XETHZUSD"
    assert model.nonces == sorted(set(model.nonces))


def test_questions_asked_at_once_go_one_by_one(tmp_path):
    under_way = most = 0

    async def slow(asked):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.002)
        under_way -= 1
        return await model(asked)

    model = Model()

    async def go():
        async with client(slow, tmp_path) as made:
            await asyncio.gather(*(made.balance_ex() for _ in range(20)))

    asyncio.run(go())
    assert most == 1
    assert len(model.nonces) == 20


def test_a_refused_nonce_is_tried_once_more(tmp_path):
    found, asked, _ = balance(tmp_path, said("EAPI:Invalid nonce"), FULL)
    assert found == {"ZUSD": "1.5"}
    nonces = [int(each.form["nonce"]) for each in asked]
    assert nonces[0] < nonces[1]


def test_a_nonce_refused_twice_stops_the_client_with_the_reason(tmp_path):
    error, count = refused(tmp_path, said("EAPI:Invalid nonce"), times=4)
    assert isinstance(error, VenueDenied)
    assert "make a key for bursar alone" in error.message
    assert count == 2


@pytest.mark.parametrize("text", ["EAPI:Invalid key", "EAPI:Invalid signature"])
def test_a_key_that_is_refused_is_not_tried_again(tmp_path, text):
    error, count = refused(tmp_path, said(text), times=4)
    assert isinstance(error, VenueDenied)
    assert count == 1


def test_a_missing_right_is_named_and_stops_nothing_else(tmp_path):
    handler, asked = script(said("EGeneral:Permission denied"), FULL)

    async def go():
        async with client(handler, tmp_path) as made:
            with pytest.raises(VenueDenied, match="'Query ledger entries'"):
                await made.ledgers(None, None, 0)
            return await made.balance()

    found = asyncio.run(go())
    assert found == {"ZUSD": "1.5"}
    assert len(asked) == 2


# Errors


DOCUMENTED = {
    "EAPI:Invalid key": VenueDenied,
    "EAPI:Invalid signature": VenueDenied,
    "EAPI:Invalid nonce": VenueDenied,
    "EAPI:Rate limit exceeded": VenueBusy,
    "EService:Throttled: 1795210219": VenueBusy,
    "EService:Unavailable": VenueDown,
    "EService:Busy": VenueBusy,
    "EGeneral:Internal error": VenueDown,
    "EGeneral:Temporary lockout": VenueBusy,
    "EGeneral:Permission denied": VenueDenied,
    "EGeneral:Invalid arguments": VenueError,
    "EQuery:Unknown asset pair": UnknownAsset,
    "EOrder:Insufficient funds": VenueError,
    "EOrder:Order minimum not met": VenueError,
    "EOrder:Cost minimum not met": VenueError,
    "EOrder:Tick size check failed": VenueError,
    "EOrder:Rate limit exceeded": VenueBusy,
    "EOrder:Unknown order": VenueError,
    "EAccount:Invalid permissions": VenueDenied,
}


def test_every_documented_error_is_known():
    path = KRAKEN / "own-made" / "errors.json"
    if not path.is_file():
        pytest.skip(f"NOT RUN: the list of errors is not at {path}")
    bodies = [each["body"] for each in json.loads(path.read_text())["errors"]]
    assert {body["error"][0] for body in bodies} == set(DOCUMENTED)


@pytest.mark.parametrize("text,kind", DOCUMENTED.items())
def test_what_each_error_means(text, kind):
    error = meaning("Balance", text, START)
    assert type(error) is kind
    assert text in error.message
    assert error.context["said"] == text


def test_an_error_that_nobody_knows_is_an_error_and_shown_safely():
    error = meaning("Balance", "EHuh:\x1b[31m" + "x" * 500, START)
    assert type(error) is VenueError
    assert "\x1b" not in error.message
    assert len(error.message) < 400


def test_a_throttle_is_waited_out_to_the_second(tmp_path):
    clock = HandClock()
    balance(tmp_path, said(f"EService:Throttled: {START // 10**9 + 17}"), FULL, clock=clock)
    assert 17_000 <= sum(clock.waits) <= 18_000


def test_a_throttle_is_told_to_whoever_listens(tmp_path):
    _, _, made = balance(tmp_path, said(f"EService:Throttled: {START // 10**9 + 17}"), FULL)
    assert ["not before 2027-01-15T08:00:17Z" in each.text for each in made.notices] == [True]


def test_a_lockout_is_not_sat_out(tmp_path):
    error, count = refused(tmp_path, said("EGeneral:Temporary lockout"))
    assert isinstance(error, VenueBusy)
    assert error.context["wait_ms"] == 900_000
    assert count == 1


@pytest.mark.parametrize(
    "text", ["EService:Unavailable", "EService:Busy", "EGeneral:Internal error"]
)
def test_what_may_pass_is_asked_again_with_a_new_nonce(tmp_path, text):
    found, asked, _ = balance(tmp_path, said(text), said(text), FULL)
    assert found == {"ZUSD": "1.5"}
    assert len({each.form["nonce"] for each in asked}) == 3


def test_a_warning_does_not_hide_the_result_and_is_kept(tmp_path):
    warned = reply({"error": ["WDatabase:replica lag"], "result": {"XXBT": "1"}})
    found, _, made = balance(tmp_path, warned)
    assert found == {"XXBT": "1"}
    assert [(each.endpoint, each.text) for each in made.notices] == [
        ("Balance", "WDatabase:replica lag")
    ]


def test_notices_are_told_as_they_come(tmp_path):
    warned = reply({"error": ["WDatabase:replica lag"], "result": {"XXBT": "1"}})
    handler, _ = script(warned)
    heard: list[Notice] = []

    async def go():
        async with client(handler, tmp_path) as made:
            made.on_notice = heard.append
            await made.balance()

    asyncio.run(go())
    assert [each.text for each in heard] == ["WDatabase:replica lag"]


@pytest.mark.parametrize(
    "answer,kind",
    [
        (Reply(b"<html>Bad gateway</html>", 502), VenueDown),
        (Reply(b"error code: 520", 520), VenueDown),
        (Reply(b""), VenueGarbled),
        (Reply(b'{"error":[],"result":{"XXBT":'), VenueGarbled),
        (Reply(b'{"error":[]}'), VenueGarbled),
        (Reply(b'{"error":[],"result":null}'), VenueGarbled),
        (Reply(b'{"error":[],"result":[]}'), VenueGarbled),
        (Reply(b'{"error":"EAPI:Invalid key"}'), VenueGarbled),
        (Reply(b'{"error":[1],"result":{}}'), VenueGarbled),
        (Reply(b'{"result":{"ZUSD":"1"}}'), VenueGarbled),
        (Reply(b"[]"), VenueGarbled),
        (Reply(b"null"), VenueGarbled),
    ],
)
def test_a_broken_answer_is_never_an_empty_account(tmp_path, answer, kind):
    error, count = refused(tmp_path, answer)
    assert type(error) is kind
    assert count > 1


def test_a_broken_answer_that_heals_is_no_error(tmp_path):
    found, _, _ = balance(tmp_path, Reply(b""), Reply(b'{"error":[]}'), FULL)
    assert found == {"ZUSD": "1.5"}


# The rate counter


@pytest.mark.parametrize(
    "tier,counter_max,decay",
    [(Tier.STARTER, 15, 33), (Tier.INTERMEDIATE, 20, 50), (Tier.PRO, 20, 100)],
)
def test_the_counter_of_a_strict_venue_is_never_full(tier, counter_max, decay):
    """The venue's own counter, kept apart in hundredths, over an hour of history pages."""
    clock = HandClock()
    counter = Counter(tier.value, clock, clock.pause)
    level, at = 0, clock.at

    async def go():
        nonlocal level, at
        for number in range(200):
            endpoint, price = ("Ledgers", 2) if number % 3 else ("BalanceEx", 1)
            await counter.pay(cost(endpoint))
            level = max(level - (clock.at - at) * decay, 0) + price * 10**11
            at = clock.at
            assert level <= counter_max * 10**11

    asyncio.run(go())
    spent = (clock.at - START) / 10**9
    paid = sum(2 if number % 3 else 1 for number in range(200))
    assert spent == pytest.approx((paid - counter_max) * 100 / decay, abs=1)


def test_a_counter_that_others_filled_is_waited_for(tmp_path):
    clock = HandClock()
    limited = said("EAPI:Rate limit exceeded")
    _, asked, made = balance(tmp_path, limited, FULL, clock=clock, tier=Tier.STARTER)
    assert len(asked) == 2
    assert sum(clock.waits) >= 100_000 // 33
    assert len(made.notices) == 1


def test_a_clock_that_steps_back_lowers_no_counter():
    clock = HandClock()
    counter = Counter(Tier.STARTER.value, clock, clock.pause)

    async def go():
        for _ in range(15):
            await counter.pay(cost("Balance"))
        clock.at -= 10**12
        await counter.pay(cost("Balance"))

    asyncio.run(go())
    assert clock.waits == [3031]


# Doors


def test_without_keys_only_public_questions_are_asked(tmp_path):
    model = Model()

    async def go():
        async with served(model) as url:
            made = KrakenRESTClient(outside(), url=url)
            try:
                assert await made.time() == model.now * 10**9
                with pytest.raises(BadChoice):
                    await made.balance()
            finally:
                await made.close()

    asyncio.run(go())


def test_keys_need_a_place_for_their_nonces():
    with pytest.raises(BadChoice):
        KrakenRESTClient(outside(), Keys(KEY, SECRET))


@pytest.mark.parametrize("count", [0, 21])
def test_ids_are_asked_for_twenty_at_a_time(tmp_path, count):
    async def go():
        async with client(Model(), tmp_path) as made:
            await made.query_ledgers([f"L{number}" for number in range(count)])

    with pytest.raises(BadChoice):
        asyncio.run(go())


@pytest.mark.parametrize("time", ['"x"', "1.5", "true", "null"])
def test_a_time_that_is_none_is_garbled(tmp_path, time):
    handler, _ = script(Reply(b'{"error":[],"result":{"unixtime":%s}}' % time.encode()))

    async def go():
        async with client(handler, tmp_path) as made:
            await made.time()

    with pytest.raises(VenueGarbled):
        asyncio.run(go())
