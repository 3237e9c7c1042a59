"""What is asked of Binance, how, and what becomes of each kind of answer."""

import asyncio
import json
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest

from bursar.errors import (
    BadChoice,
    Malformed,
    VenueBusy,
    VenueDenied,
    VenueDown,
    VenueError,
    VenueGarbled,
)
from bursar.ledger import instant
from bursar.ledger.entries import MovementKind
from bursar.ports import PriceWanted
from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.history import Options
from bursar.venue.binance.items import READERS
from bursar.venue.binance.keys import Keys, sign
from bursar.venue.binance.lists import LISTS
from tests.venue.binance_story import SHARED
from tests.venue.loopback import HandClock, Reply, outside, script, served

KEY, SECRET = "a-key", "not-so-secret"
D = Decimal
TIME = {"serverTime": 1_800_000_000_000}
EMPTY = {"balances": []}

recorded = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"NOT RUN: recorded Binance data is not at {SHARED} (BURSAR_SHARED)"
)


def reply(said, status=200, **headers):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


@asynccontextmanager
async def client(handler, clock=None):
    async with served(handler) as url:
        there = BinanceRESTClient(outside(clock), Keys(KEY, SECRET), url=url, futures_url=url)
        try:
            yield there
        finally:
            await there.close()


def asked(replies, ask, clock=None):
    """What a question comes to, given replies, and what was asked."""
    handler, seen = script(*replies)

    async def go():
        async with client(handler, clock) as there:
            return await ask(there)

    return asyncio.run(go()), seen


def answered(paths, ask, clock=None):
    """What a question comes to where each path has an answer of its own."""

    async def handler(told):
        said = paths.get(told.path, [])
        return reply(TIME if told.path.endswith("/time") else said)

    async def go():
        async with client(handler, clock) as there:
            return await ask(there)

    return asyncio.run(go())


def account(there):
    return BinanceAccount(there).check_key()


RIGHTS = {"enableReading": True}


# ---------------------------------------------------------------------------------------- signing


@recorded
def test_published_signatures():
    told = json.loads((SHARED / "own-made" / "sign-vectors.json").read_text())
    assert len(told["vectors"]) == 2
    for each in told["vectors"]:
        assert sign(told["secret_key"], each["payload"]) == each["signature"]


def test_a_question_is_signed_with_the_venues_time_and_only_shows_the_key():
    clock = HandClock()
    found, seen = asked([reply(TIME), reply(RIGHTS)], account, clock)
    assert found.is_read_only
    time, question = seen
    assert time.query == {}
    assert question.headers["x-mbx-apikey"] == KEY
    assert list(question.query) == ["recvWindow", "timestamp", "signature"]
    assert question.query["timestamp"] == str(TIME["serverTime"])
    signed = f"recvWindow=10000&timestamp={question.query['timestamp']}"
    assert question.query["signature"] == sign(SECRET, signed)
    assert SECRET not in str(seen)


def test_a_name_that_is_not_ascii_is_encoded_before_it_is_signed():
    from bursar.venue.binance.client import Question

    async def ask(there):
        question = Question(path="/api/v3/myTrades")
        return await there.rows(question, {"symbol": "币USDT"}, object)

    _, seen = asked([reply(TIME), reply([])], ask)
    assert seen[1].query["symbol"] == "币USDT"
    told = seen[1].query
    payload = f"symbol=%E5%B8%81USDT&recvWindow=10000&timestamp={told['timestamp']}"
    assert told["signature"] == sign(SECRET, payload)


def test_keys_are_hidden():
    assert KEY not in repr(Keys(KEY, SECRET))
    with pytest.raises(TypeError):
        Keys(KEY, SECRET).__reduce__()
    for key, secret in (("", SECRET), (KEY, " "), ("schlüssel", SECRET), (KEY, "a\nb")):
        with pytest.raises(BadChoice):
            Keys(key, secret)


# --------------------------------------------------------------------------------------- refusals


@recorded
def test_every_published_refusal_is_what_it_says():
    told = json.loads((SHARED / "own-made" / "errors.json").read_text())["errors"]
    kinds = {
        (429, -1003): VenueBusy,
        (418, -1003): VenueBusy,
        (400, -1022): VenueDenied,
        (401, -2015): VenueDenied,
        (401, -2014): VenueDenied,
        (503, -1007): VenueDown,
        (403, 0): VenueDenied,
    }
    for each in told:
        status, code = each["http"], each["body"]["code"]
        if code == -1021:
            continue
        waits = {name.replace("-", "_"): value for name, value in each["headers"].items()}
        with pytest.raises(kinds.get((status, code), VenueError)) as caught:
            asked([reply(TIME), reply(each["body"], status, **waits)], account)
        assert caught.value.context["code"] == code
        assert each["body"]["msg"] in caught.value.message
        for secret in (KEY, SECRET):
            assert secret not in str(caught.value) + repr(caught.value.context)


def test_a_time_that_is_off_is_asked_for_once_more():
    late = {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}
    found, seen = asked([reply(TIME), reply(late, 400), reply(TIME), reply(RIGHTS)], account)
    assert found.is_known
    assert [each.endpoint for each in seen] == ["time", "apiRestrictions"] * 2
    with pytest.raises(VenueError, match="-1021"):
        asked([reply(TIME), reply(late, 400), reply(TIME), reply(late, 400)], account)


def test_too_many_requests_and_a_ban_are_waited_out_as_long_as_is_asked():
    for status, seconds in ((429, 12), (418, 120)):
        clock = HandClock()
        busy = reply({"code": -1003, "msg": "Too many requests."}, status, Retry_After=str(seconds))
        _, seen = asked([reply(TIME), busy, reply(RIGHTS)], account, clock)
        assert len(seen) == 3
        assert sum(clock.waits) >= seconds * 1_000


def test_a_firewall_that_answers_html_ends_in_words():
    with pytest.raises(VenueDenied, match=r"HTTP 403.*from this address"):
        asked([reply(TIME), reply(b"<html>403</html>", 403)], account)


@pytest.mark.parametrize(
    "said,words",
    [
        (b"", "empty"),
        (b'{"balances": [', "cut off"),
        ([], "account"),
        ({"balances": [{"asset": "BTC", "free": None, "locked": "0"}]}, "free"),
        ({"balances": [{"asset": "BTC", "free": "x", "locked": "0"}]}, "free"),
        ({"balances": [{"asset": "BTC", "free": "0." + 30 * "1", "locked": "0"}]}, "18 digits"),
    ],
)
def test_an_answer_that_is_none_is_asked_for_again_and_then_named(said, words):
    with pytest.raises(VenueGarbled, match=words):
        asked([reply(TIME), reply(said)], lambda there: BinanceAccount(there).statement())


def test_an_answer_without_a_list_is_garbled():
    from bursar.venue.binance.client import Question

    question = Question(path="/sapi/v1/asset/transfer")
    for said in ({"total": 0}, {"rows": [], "more": []}):
        with pytest.raises(VenueGarbled, match="no list"):
            asked([reply(TIME), reply(said)], lambda there: there.rows(question, {}, object))


# ------------------------------------------------------------------------------------------- keys


def test_what_a_key_may_do_is_told():
    rights = {"enableReading": False, "enableWithdrawals": True, "enableFutures": True}
    found, _ = asked([reply(TIME), reply(rights)], account)
    assert found.missing == ("read",)
    assert found.excess == ("withdraw", "trade futures")


# -------------------------------------------------------------------------------------- statement


def test_each_coin_is_stated_once_wherever_it_lies():
    paths = {
        "/api/v3/account": {
            "balances": [
                {"asset": "USDT", "free": "1.5", "locked": "0.5"},
                {"asset": "LDUSDT", "free": "7", "locked": "0"},
                {"asset": "LDO", "free": "3", "locked": "0"},
            ]
        },
        "/sapi/v1/asset/get-funding-asset": [{"asset": "USDT", "free": "4", "withdrawing": "1"}],
        "/sapi/v1/simple-earn/flexible/position": {
            "rows": [
                {"asset": "USDT", "totalAmount": "7.0001"},
                {"asset": "BNB", "totalAmount": "2"},
            ]
        },
        "/sapi/v1/simple-earn/locked/position": {"rows": [{"asset": "AXS", "amount": "9"}]},
    }
    said = answered(paths, lambda there: BinanceAccount(there).statement())
    told = [(each.asset, each.code, each.pocket, each.total) for each in said.holdings]
    assert told == [
        ("AXS", "AXS", "earn", D(9)),
        ("BNB", "BNB", "earn", D(2)),
        ("LDO", "LDO", None, D(3)),
        ("USDT", "LDUSDT", "earn", D(7)),
        ("USDT", "USDT", None, D(2)),
        ("USDT", "USDT", "funding", D(5)),
    ]


# ------------------------------------------------------------------------------------------ lists


def rows(kind, said):
    return [
        (each.operation, each.pocket, each.code, each.change, each.fee)
        for each in READERS[kind](said).rows
    ]


@pytest.mark.parametrize(
    "status,moves,waits", [(0, 0, 1), (1, 1, 0), (6, 1, 0), (7, 0, 0), (8, 0, 1)]
)
def test_a_deposit_counts_once_it_is_credited(status, moves, waits):
    said = {"coin": "USDT", "amount": "5", "status": status, "insertTime": 1, "walletType": 1}
    item = READERS["deposits"](said)
    assert (len(item.rows), item.is_pending) == (moves, bool(waits))
    assert all(each.pocket == "funding" for each in item.rows)


@pytest.mark.parametrize(
    "status,moves,waits", [(0, 0, 1), (1, 0, 0), (3, 0, 0), (4, 0, 1), (6, 1, 0)]
)
def test_a_withdrawal_takes_its_fee_besides(status, moves, waits):
    said = {"coin": "BTC", "amount": "0.005", "transactionFee": "0.0001", "status": status}
    item = READERS["withdrawals"](said | {"applyTime": "2025-03-07 09:00:00"})
    assert (len(item.rows), item.is_pending) == (moves, bool(waits))
    assert item.taken == (("BTC", D("0.005"), D("0.0001")) if waits else None)
    assert [(each.change, each.fee) for each in item.rows] == [(D("-0.005"), D("0.0001"))] * moves
    with pytest.raises(VenueGarbled, match="no UTC time"):
        READERS["withdrawals"](said | {"applyTime": "yesterday"})


@recorded
def test_recorded_rows_of_every_list():
    def at(place, within="rows"):
        said = json.loads((SHARED / "spot" / place).read_text())
        return said[within] if within else said

    sweeps = at("jkorf/Account-GetDustLog.json", "userAssetDribblets")
    assert rows("dust", sweeps[0]) == [
        ("Small Assets Exchange BNB", None, "USDT", D("-0.0009"), 0),
        ("Small Assets Exchange BNB", None, "BNB", D("0.000441"), 0),
        ("Small Assets Exchange BNB", None, "ETH", D("-0.0009"), 0),
        ("Small Assets Exchange BNB", None, "BNB", D("0.00088156"), 0),
    ]
    (flexible,) = at("jkorf/SimpleEarn-GetFlexibleSubscriptionRecords.json")
    assert rows("subscriptions", flexible) == [
        ("Simple Earn Flexible Subscription", None, "USDT", D(-30), 0),
        ("Simple Earn Flexible Subscription", "funding", "USDT", D(-70), 0),
        ("Simple Earn Flexible Subscription", "earn", "USDT", D(100), 0),
    ]
    for place in ("LockedSubscriptionRecords", "LockedRedemptionRecords"):
        (row,) = at(f"jkorf/SimpleEarn-Get{place}.json")
        kind = "subscriptions" if "Sub" in place else "redemptions"
        assert sum(each[3] for each in rows(kind, row)) in {D(0), D("21212.23223")}
    first, _ = at("jkorf/Account-GetTransfers.json")
    assert rows("transfers", first) == [
        ("Transfer Between Spot Account and UM Futures Account", None, "USDT", D(-1), 0),
        (
            "Transfer Between Spot Account and UM Futures Account",
            "usd-m futures",
            "USDT",
            D(1),
            0,
        ),
    ]
    staked, saved = at("dali-rp2/sapiGetAssetAssetDividend-0.json")
    kinds = [READERS["dividends"](each).rows[0].meaning.kind for each in (staked, saved)]
    assert kinds == [MovementKind.REWARD, MovementKind.REWARD]


def test_what_is_given_out_is_a_reward_if_it_is_called_so():
    for name, kind in (
        ("HODLer Airdrops Distribution", MovementKind.AIRDROP),
        ("Some new promotion", MovementKind.AIRDROP),
        ("Simple Earn Locked Rewards", MovementKind.REWARD),
        ("Cash Voucher", MovementKind.REWARD),
    ):
        said = {"asset": "BNB", "amount": "1", "divTime": 5, "enInfo": name}
        (row,) = READERS["dividends"](said).rows
        assert (row.meaning.kind, row.remark) == (kind, name)


def test_what_is_not_done_moves_nothing():
    for kind, said in (
        ("subscriptions", {"asset": "A", "amount": "1", "time": 1, "status": "FAILED"}),
        ("redemptions", {"asset": "A", "amount": "1", "time": 1, "status": "PENDING"}),
        (
            "transfers",
            {"asset": "A", "amount": "1", "timestamp": 1, "status": "FAILED"}
            | {"type": "MAIN_FUNDING"},
        ),
    ):
        assert READERS[kind](said).rows == ()


# ---------------------------------------------------------------------------------------- history


def chunks(paths, mark=None, options=None, clock=None):
    async def ask(there):
        venue = BinanceAccount(there, options or SHORT)
        return [chunk async for chunk in venue.history(mark)], list(there.notices)

    usual = {"/api/v3/account": EMPTY, "/api/v3/exchangeInfo": MARKETS}
    return answered({**usual, **paths}, ask, clock)


SHORT = Options(since=TIME["serverTime"] * 10**6 - 5 * instant.DAY)
DEPOSIT = {"coin": "BTC", "amount": "1", "status": 1, "insertTime": TIME["serverTime"] - 60_000}
MARKETS = {"symbols": [{"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT"}]}


def test_a_full_answer_is_asked_for_in_halves():
    seen = []

    async def handler(told):
        if told.path.endswith("/time"):
            return reply(TIME)
        if told.path.endswith(("/account", "/exchangeInfo")):
            return reply({"balances": []} if told.endpoint == "account" else MARKETS)
        if not told.path.endswith("/dribblet"):
            return reply([])
        span = int(told.query["startTime"]), int(told.query["endTime"])
        seen.append(span)
        rows = [each for each in sweeps if span[0] <= each["operateTime"] <= span[1]]
        return reply({"total": 300, "userAssetDribblets": rows[-100:]})

    end = TIME["serverTime"]
    sweeps = [
        {"operateTime": end - 400_000_000 + 1_000_000 * n}
        | {"userAssetDribbletDetails": [{"fromAsset": "A", "amount": "1", "transferedAmount": "1"}]}
        for n in range(300)
    ]

    async def go():
        async with client(handler) as there:
            venue = BinanceAccount(there, SHORT)
            return [said async for chunk in venue.history(None) for said in chunk.statements]

    told = asyncio.run(go())
    assert len(told) == 600
    assert len({each.id for each in told}) == 600
    whole = [
        span for span in seen if sum(span[0] <= s["operateTime"] <= span[1] for s in sweeps) < 100
    ]
    assert min(whole)[0] == SHORT.since // 10**6
    for one, other in pairwise(sorted(whole)):
        assert other[0] == one[1] + 1


def test_a_second_that_fills_an_answer_ends_in_words():
    row = {"operateTime": TIME["serverTime"] - 60_000, "userAssetDribbletDetails": []}
    page = {"userAssetDribblets": [row] * 100}
    with pytest.raises(VenueGarbled, match="100 dust of one second"):
        chunks({"/sapi/v1/asset/dribblet": page})


def test_what_does_not_close_is_said_and_asked_for_once():
    paths = {
        "/api/v3/account": {"balances": [{"asset": "BTC", "free": "3", "locked": "0"}]},
        "/sapi/v1/capital/deposit/hisrec": [DEPOSIT],
        "/api/v3/exchangeInfo": MARKETS,
    }
    found, notices = chunks(paths)
    assert "".join(each.text for each in notices) == (
        "the spot wallet does not close: 2 BTC that nothing which Binance tells explains; an export"
        " may tell more"
    )
    again, _ = chunks(paths, found[-1].mark)
    assert again == []


def test_a_market_that_the_venue_has_taken_off_is_noted():
    async def handler(told):
        if told.path.endswith("/myTrades"):
            return reply({"code": -1121, "msg": "Invalid symbol."}, 400)
        held = {"balances": [{"asset": "BTC", "free": "1", "locked": "0"}]}
        known = {"/api/v3/time": TIME, "/api/v3/account": held, "/api/v3/exchangeInfo": MARKETS}
        return reply(known.get(told.path, []))

    async def go():
        async with client(handler) as there:
            assert [each async for each in BinanceAccount(there, SHORT).history(None)]
            return [each.text for each in there.notices]

    assert asyncio.run(go())[0].startswith("BTCUSDT is not told any more")


TRADE = {
    "symbol": "BTCUSDT",
    "id": 7,
    "orderId": 1,
    "price": "50000",
    "qty": "1",
    "quoteQty": "50000",
    "commission": "0",
    "commissionAsset": "BNB",
    "time": TIME["serverTime"] - 60_000,
    "isBuyer": True,
}


@pytest.mark.parametrize(
    "page,words",
    [
        ([TRADE, TRADE], "in no order"),
        ([{**TRADE, "symbol": "ETHUSDT"}], "in no order"),
        ([{**TRADE, "qty": None}], "qty"),
        ([{**TRADE, "id": "x"}], "id"),
    ],
)
def test_trades_that_are_none_are_named_and_nothing_is_told(page, words):
    held = {"balances": [{"asset": "BTC", "free": "1", "locked": "0"}]}
    paths = {"/api/v3/account": held, "/api/v3/exchangeInfo": MARKETS, "/api/v3/myTrades": page}
    with pytest.raises(VenueGarbled, match=words):
        chunks(paths)


def test_the_second_that_is_going_on_is_waited_for():
    # Two alike trades of a second are two facts only if they are seen together.
    clock, seen = HandClock(TIME["serverTime"] * 10**6), []
    first = {**TRADE, "time": TIME["serverTime"]}

    async def handler(told):
        now = {"serverTime": clock.at // 10**6}
        if told.path.endswith("/myTrades"):
            seen.append(told.query["fromId"])
            late = clock.at // 10**6 - TIME["serverTime"] >= 1_000
            page = [first, {**first, "id": 8}] if late else [first]
            return reply([each for each in page if each["id"] >= int(told.query["fromId"])])
        is_whole = len(seen) > 1
        held = [
            {"asset": "BTC", "free": "2" if is_whole else "1", "locked": "0"},
            {"asset": "USDT", "free": "-100000" if is_whole else "-50000", "locked": "0"},
        ]
        known = {"/api/v3/time": now, "/api/v3/account": {"balances": held}}
        return reply(known.get(told.path, MARKETS if "exchange" in told.path else []))

    async def go():
        async with client(handler, clock) as there:
            venue = BinanceAccount(there, SHORT)
            return [said async for chunk in venue.history(None) for said in chunk.statements]

    told = asyncio.run(go())
    assert [each.id.rpartition("#")[2] for each in told] == ["1", "2"]
    assert sum(clock.waits) >= 1_000


def test_a_mark_that_is_none_or_of_another_account_is_refused():
    found, _ = chunks({"/sapi/v1/capital/deposit/hisrec": [DEPOSIT]})
    mark = found[-1].mark
    for bad in ("{}", "no", "\ud800", mark.replace("binance:main", "binance:other")):
        with pytest.raises(Malformed, match="from the beginning"):
            chunks({}, bad)


def test_the_name_of_an_account_is_its_own():
    options = msgspec.structs.replace(SHORT, account="binance:second")
    paths = {"/sapi/v1/capital/deposit/hisrec": [DEPOSIT]}
    found, _ = chunks({**paths, "/api/v3/exchangeInfo": MARKETS}, options=options)
    (said,) = [each for chunk in found for each in chunk.statements]
    assert said.id.startswith("binance:second:")


def test_every_list_is_asked_within_what_the_venue_allows():
    for each in LISTS:
        assert each.days <= {"/sapi/v1/convert/tradeFlow": 30}.get(each.question.path, 180)
        assert each.full <= 1_000


# ----------------------------------------------------------------------------------------- prices

INFO = {
    "symbols": [
        {"symbol": f"{base}{quote}", "baseAsset": base, "quoteAsset": quote, "status": status}
        for base, quote, status in (
            ("BTC", "USDT", "TRADING"),
            ("SOL", "BNB", "TRADING"),
            ("BNB", "USDT", "TRADING"),
            ("EUR", "USDT", "TRADING"),
            ("OLD", "USDT", "BREAK"),
        )
    ]
}


def test_coins_are_worth_the_middle_against_what_leads_to_the_quote():
    tickers = [
        {"symbol": name, "bidPrice": "1.0001", "askPrice": "1.0002"}
        for name in ("BTCUSDT", "SOLBNB", "BNBUSDT", "OLDUSDT", "EURUSDT")
    ]
    paths = {"/api/v3/exchangeInfo": INFO, "/api/v3/ticker/bookTicker": tickers}

    async def ask(there):
        assets = ["BTC", "SOL", "OLD", "USDT", "NEW"]
        return await BinanceAccount(there).marks(assets, "USD")

    marks = answered(paths, ask)
    assert {(each.asset, each.quote, each.price) for each in marks} == {
        ("XBT", "USDT", D("1.00015")),
        ("SOL", "BNB", D("1.00015")),
        ("BNB", "USDT", D("1.00015")),
    }
    in_euros = answered(paths, lambda there: BinanceAccount(there).marks(["BTC"], "EUR"))
    assert {each.pair for each in in_euros} == {"XBT/USDT", "EUR/USDT"}


def test_a_book_that_is_crossed_or_has_a_side_empty_has_no_price():
    for bid, ask in (("0", "5"), ("6", "5")):
        ticker = [{"symbol": "BTCUSDT", "bidPrice": bid, "askPrice": ask}]
        paths = {"/api/v3/exchangeInfo": INFO, "/api/v3/ticker/bookTicker": ticker}
        assert answered(paths, lambda there: BinanceAccount(there).marks(["BTC"], "USD")) == []


def test_a_past_price_is_the_first_trade_from_the_instant_on():
    at = instant.parse("2026-11-21T05:00:00Z")
    trades = [{"a": 1, "p": "601.5", "q": "1", "f": 1, "l": 1, "T": 1, "m": True}]
    paths = {"/api/v3/exchangeInfo": INFO, "/api/v3/aggTrades": trades}

    async def ask(there):
        wanted = [PriceWanted(asset, "USD", at) for asset in ("BNB", "OLD", "NEW")]
        return await BinanceAccount(there).prices(wanted)

    found = answered(paths, ask)
    assert [(each.asset, each.quote, each.value) for each in found] == [
        ("BNB", "USDT", D("601.5")),
        ("OLD", "USDT", D("601.5")),
    ]
    assert found[0].id == "price:BNB:USDT:2026-11-21T05:00:00Z:binance"
