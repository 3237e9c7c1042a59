"""What Binance tells of an account, list by list and market by market."""

import asyncio
import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from bursar.errors import (
    Malformed,
    VenueGarbled,
)
from bursar.ledger import instant
from bursar.ledger.entries import MovementKind
from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.history import Options
from bursar.venue.binance.items import READERS
from bursar.venue.binance.lists import LISTS
from tests.venue.binance_asking import (
    EMPTY,
    TIME,
    TRADE,
    WALLET,
    answered,
    client,
    recorded,
    reply,
)
from tests.venue.binance_story import SHARED
from tests.venue.loopback import HandClock

D = Decimal

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
        assert sum(each[3] for each in rows(kind, row)) == 0
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


@pytest.mark.parametrize(
    "told,spot,funding",
    [
        ({}, 10, 0),
        ({"sourceAccount": "SPOT", "amtFromSpot": None}, 10, 0),
        ({"sourceAccount": "FUNDING"}, 0, 10),
        ({"sourceAccount": "FUNDING", "amtFromFunding": "10"}, 0, 10),
        ({"sourceAccount": "SPOTANDFUNDING", "amtFromSpot": "3", "amtFromFunding": "7"}, 3, 7),
    ],
)
def test_a_subscription_leaves_the_wallet_that_it_names(told, spot, funding):
    said = {"asset": "USDT", "amount": "10", "time": 1, "status": "SUCCESS"} | told
    moved = {each.pocket: each.change for each in READERS["subscriptions"](said).rows}
    left = {None: D(-spot), "funding": D(-funding)}
    assert moved == {where: change for where, change in left.items() if change} | {"earn": D(10)}


def test_a_sweep_says_which_coin_brought_what_as_the_exports_do():
    each = [("TRX", "37", "0.01"), ("ANIME", "1", "0.0001")]
    said = [{"fromAsset": a, "amount": n, "transferedAmount": got} for a, n, got in each]
    sweep = READERS["dust"]({"operateTime": 5, "userAssetDribbletDetails": said})
    remarks = [(row.code, row.remark) for row in sweep.rows]
    of_trx = [("TRX", "TRX to BNB"), ("BNB", "TRX to BNB")]
    assert remarks == [*of_trx, ("ANIME", "ANIME to BNB"), ("BNB", "ANIME to BNB")]


def test_what_is_given_out_is_a_reward_if_it_is_called_so():
    for name, kind in (
        ("HODLer Airdrops Distribution", MovementKind.AIRDROP),
        ("Some new promotion", MovementKind.AIRDROP),
        ("Simple Earn Locked Rewards", MovementKind.REWARD),
        ("Cash Voucher", MovementKind.REWARD),
        ("Token Swap - Distribution", MovementKind.SWAP),
    ):
        said = {"asset": "BNB", "amount": "1", "divTime": 5, "enInfo": name}
        (row,) = READERS["dividends"](said).rows
        assert (row.meaning.kind, row.remark) == (kind, name)


def test_what_was_given_out_and_is_taken_back_goes_out():
    for direction, change in (({}, "1"), ({"direction": 1}, "1"), ({"direction": -1}, "-1")):
        said = {"asset": "BNB", "amount": "1", "divTime": 5, "enInfo": "Cash Voucher"} | direction
        (row,) = READERS["dividends"](said).rows
        assert row.change == D(change)


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
            return reply({**EMPTY, **WALLET} if told.endpoint == "account" else MARKETS)
        if not told.path.endswith("/dribblet"):
            return reply([])
        span = int(told.query["startTime"]), int(told.query["endTime"])
        seen.append(span)
        rows = [each for each in sweeps if span[0] <= each["operateTime"] <= span[1]]
        return reply({"total": 300, "userAssetDribblets": rows[-100:]})

    end = TIME["serverTime"]
    sweeps: list[dict[str, Any]] = [
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
        return reply(known.get(told.path, WALLET if told.path == "/fapi/v3/account" else []))

    async def go():
        async with client(handler) as there:
            assert [each async for each in BinanceAccount(there, SHORT).history(None)]
            return [each.text for each in there.notices]

    assert asyncio.run(go())[0].startswith("BTCUSDT is not told any more")


MADE = {**TRADE, "id": 7, "time": TIME["serverTime"] - 60_000}


@pytest.mark.parametrize(
    "page,words",
    [
        ([MADE, MADE], "in no order"),
        ([{**MADE, "symbol": "ETHUSDT"}], "in no order"),
        ([{**MADE, "qty": None}], "qty"),
        ([{**MADE, "id": "x"}], "id"),
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
    first = {**MADE, "time": TIME["serverTime"]}

    async def handler(told):
        now = {"serverTime": clock.at // 10**6}
        if told.path.endswith("/myTrades"):
            seen.append(told.query["fromId"])
            late = clock.at // 10**6 - TIME["serverTime"] >= 1_000
            page: list[dict[str, Any]] = [first, {**first, "id": 8}] if late else [first]
            return reply([each for each in page if each["id"] >= int(told.query["fromId"])])
        is_whole = len(seen) > 1
        held = [
            {"asset": "BTC", "free": "2" if is_whole else "1", "locked": "0"},
            {"asset": "USDT", "free": "-100000" if is_whole else "-50000", "locked": "0"},
        ]
        known = {"/api/v3/time": now, "/api/v3/account": {"balances": held}}
        known |= {"/fapi/v3/account": WALLET}
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
        is_earn = "simple-earn" in each.question.path  # three months, some of which are 89 days
        most = {"/sapi/v1/convert/tradeFlow": 30}.get(each.question.path, 89 if is_earn else 180)
        assert each.days <= most
        assert each.full <= 1_000
