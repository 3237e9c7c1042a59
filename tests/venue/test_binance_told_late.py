"""What Binance tells late, or cut apart: rows that say the same are as many as were told."""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec
import pytest

from bursar.ledger import instant
from bursar.ledger.entries import CashFlow
from bursar.ledger.planning import folded
from bursar.ledger.terms import Terms
from bursar.venue import recent
from bursar.venue.binance import lists
from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.history import Options
from bursar.venue.binance.place import ListPlace
from bursar.venue.binance.windows import REACH, pages
from tests.venue.binance_asking import TIME, TRADE, WALLET, client, reply
from tests.venue.loopback import HandClock

NOW = TIME["serverTime"]
START = NOW * 10**6
MARKETS = {"symbols": [{"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT"}]}
DEPOSITS = "/sapi/v1/capital/deposit/hisrec"
INCOME = "/fapi/v1/income"
DEPOSIT = {"coin": "BTC", "amount": "1", "status": 1, "insertTime": NOW - 60_000}
CHARGE = {
    "incomeType": "COMMISSION",
    "income": "-0.5",
    "asset": "USDT",
    "time": NOW - 60_000,
    "symbol": "BTCUSDT",
}


@asynccontextmanager
async def followed(told, since=START - 5 * instant.DAY):
    """An account, its clock and its mark so far; `told` has the answer of each path."""
    clock = HandClock(START)

    async def handler(asked):
        if asked.path.endswith("/time"):
            return reply({"serverTime": clock.at // 10**6})
        said = told.get(asked.path, WALLET if asked.path == "/fapi/v3/account" else [])
        return reply(said(asked.query) if callable(said) else said)

    told.setdefault("/api/v3/account", {"balances": []})
    told.setdefault("/api/v3/exchangeInfo", MARKETS)
    async with client(handler, clock) as there:
        yield BinanceAccount(there, Options(since=since)), clock


async def ids(venue, mark=None):
    """Return what a sync states, and the mark behind it."""
    found = []
    async for chunk in venue.history(mark):
        found += [each.id for each in chunk.statements]
        mark = chunk.mark
    return found, mark


def in_spot(**amounts):
    held = [{"asset": name, "free": free, "locked": "0"} for name, free in amounts.items()]
    return {"balances": held}


def opened(said):
    """What the futures wallet is opened with, in a book of what was said."""
    timeline = folded(Terms(base="USD"), said)
    return [fact.amount for fact in timeline.openings.values() if isinstance(fact, CashFlow)]


def in_futures(amount):
    return {"assets": [{"asset": "USDT", "walletBalance": amount}]}


def numbered(rows, most=1_000):
    """Answer with the trades from the number on that is asked for."""
    return lambda asked: [row for row in rows if row["id"] >= int(asked["fromId"])][:most]


def test_a_deposit_that_says_the_same_as_one_before_it_is_another():
    told = {DEPOSITS: [DEPOSIT], "/api/v3/account": in_spot(BTC="1")}

    async def go():
        async with followed(told) as (venue, clock):
            before, mark = await ids(venue)
            told.update({DEPOSITS: [DEPOSIT] * 2, "/api/v3/account": in_spot(BTC="2")})
            clock.at += instant.HOUR
            after, mark = await ids(venue, mark)
            clock.at += instant.HOUR
            return before, after, await ids(venue, mark) == ([], mark), list(venue.client.notices)

    before, after, is_quiet, notices = asyncio.run(go())
    assert [each.rpartition("/")[2] for each in before + after] == ["1#1", "1#2"]
    assert is_quiet
    assert notices == []


@pytest.mark.parametrize("number", [5, 13])
def test_a_charge_told_late_takes_no_place_of_an_equal_one_of_its_second(number):
    first, late = ({**CHARGE, "tranId": each, "tradeId": str(each)} for each in (9, number))
    told = {INCOME: [first], "/fapi/v3/account": in_futures("-0.5")}

    async def go():
        async with followed(told) as (venue, clock):
            before, mark = await ids(venue)
            told.update({INCOME: [late, first], "/fapi/v3/account": in_futures("-1")})
            clock.at += instant.HOUR
            return before, (await ids(venue, mark))[0]

    before, after = asyncio.run(go())
    assert [each.rpartition("/")[2] for each in before + after] == ["-0.5#1", "-0.5#2"]


def test_a_look_goes_back_no_further_than_what_is_remembered():
    # What was told but is forgotten would be counted into the wallet's sums once more.
    seen, begun = [], START - instant.HOUR
    known = [(begun + number, f"{number:016x}") for number in range(recent.RECENT_MAX)]
    place = ListPlace(START, None, tuple(known))

    def told(asked):
        seen.append(int(asked["startTime"]) * 10**6)
        return []

    async def go():
        async with followed({INCOME: told}) as (venue, _):
            for each in (place, ListPlace(START, None, place.recent[1:])):
                async for _ in pages(venue.client, lists.INCOME, each, START + instant.DAY, 0):
                    pass

    asyncio.run(go())
    assert seen == [begun + instant.SECOND, START - REACH]


def test_what_is_leaving_is_counted_once_however_soon_it_is_told_again():
    leaving = {"coin": "BTC", "amount": "1", "status": 4, "applyTime": "2027-01-15 07:00:00"}
    deposits = [{**DEPOSIT, "amount": "10"}]
    told = {
        "/sapi/v1/capital/withdraw/history": [leaving],
        DEPOSITS: deposits,
        "/api/v3/account": in_spot(BTC="9"),
    }

    async def go():
        async with followed(told) as (venue, clock):
            _, mark = await ids(venue)
            clock.at += 60 * instant.SECOND
            deposits.append({**DEPOSIT, "amount": "5", "insertTime": NOW + 1_000})
            told["/api/v3/account"] = in_spot(BTC="14")
            await ids(venue, mark)
            return (await venue.statement()).holdings, list(venue.client.notices)

    holdings, notices = asyncio.run(go())
    assert sum(each.total for each in holdings) == 15
    assert notices == []


@pytest.mark.parametrize("count", [1, 1_000])
def test_a_second_behind_which_nothing_comes_is_told(count):
    # 1,000 fill a page, so that the next one is empty; a lone one is of the second going on.
    trades = [{**TRADE, "id": each, "time": NOW - count + each} for each in range(1, count + 1)]
    told = {"/api/v3/myTrades": numbered(trades)}
    told["/api/v3/account"] = in_spot(BTC=str(count), USDT=str(-50_000 * count))

    async def go():
        async with followed(told) as (venue, _):
            return len(set((await ids(venue))[0]))

    assert asyncio.run(go()) == count


def test_a_second_of_old_futures_trades_that_a_page_cuts_is_seen_whole():
    at = NOW - 150 * 86_400_000
    fill = {"symbol": "BTCUSDT", "orderId": 1, "side": "BUY", "price": "1", "qty": "1"}
    fill |= {"commission": "0.01", "commissionAsset": "USDT"}
    trades = [{**fill, "id": each, "time": at + each // 3 * 1_000} for each in range(1, 1_101)]
    told = {"/fapi/v1/userTrades": numbered(trades)}
    told["/fapi/v3/positionRisk"] = [
        {"symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "1100"}
        | {"entryPrice": "1", "markPrice": "1"}
    ]

    async def go():
        async with followed(told, since=START - 300 * instant.DAY) as (venue, _):
            chunks = [each async for each in venue.history(None)]
            return [said.id for chunk in chunks for said in chunk.statements], chunks[-1].mark

    found, mark = asyncio.run(go())
    charged = [each for each in found if "/-0.01#" in each]
    assert (len(charged), len(set(charged))) == (1_100, 1_100)
    assert msgspec.json.decode(mark)["futures"]["trades"] == {"BTCUSDT": 1_100}


def test_a_market_that_opened_since_the_list_was_asked_for_is_asked_for_trades():
    new = {"symbol": "NEWUSDT", "baseAsset": "NEW", "quoteAsset": "USDT"}
    trades = {"BTCUSDT": [{**TRADE, "id": 1, "time": NOW - 60_000}], "NEWUSDT": []}

    def told_of(asked):
        return numbered(trades[asked["symbol"]])(asked)

    told = {"/api/v3/myTrades": told_of, "/api/v3/account": in_spot(BTC="1", USDT="-50000")}

    async def go():
        async with followed(told) as (venue, clock):
            _, mark = await ids(venue)
            clock.at += 600 * instant.SECOND
            traded = {**TRADE, "symbol": "NEWUSDT", "id": 1, "time": NOW + 500_000}
            trades["NEWUSDT"] = [traded]
            told["/api/v3/exchangeInfo"] = {"symbols": [*MARKETS["symbols"], new]}
            told["/api/v3/account"] = in_spot(BTC="1", NEW="1", USDT="-100000")
            return (await ids(venue, mark))[0], list(venue.client.notices)

    found, notices = asyncio.run(go())
    assert [each.split("/")[1] for each in found] == ["NEW-USDT"]
    assert notices == []


def test_a_trade_made_while_other_markets_are_asked_is_not_taken_for_unexplained():
    markets = [*MARKETS["symbols"], {"symbol": "ZBTC", "baseAsset": "Z", "quoteAsset": "BTC"}]
    told = {"/api/v3/exchangeInfo": {"symbols": markets}, "/api/v3/account": in_spot(BTC="3")}
    trades: list[dict[str, object]] = []

    def told_of(asked):
        if asked["symbol"] == "ZBTC" and not trades:
            trades.append({**TRADE, "id": 1, "time": NOW - 60_000})
            told["/api/v3/account"] = in_spot(BTC="4", USDT="-50000")
            return []
        return numbered(trades)(asked) if asked["symbol"] == "BTCUSDT" else []

    told["/api/v3/myTrades"] = told_of

    async def go():
        async with followed(told) as (venue, _):
            return (await ids(venue))[0], [each.text[:43] for each in venue.client.notices]

    found, notices = asyncio.run(go())
    assert [each.split("/")[1] for each in found] == ["BTC-USDT"]
    assert notices == ["the spot wallet does not close: 3 BTC that "]


def test_what_moves_the_futures_wallet_during_its_first_sync_is_no_part_of_its_opening():
    told = {"/fapi/v3/account": in_futures("10")}

    def deposits(_):
        told[INCOME] = [{**CHARGE, "tranId": 1, "tradeId": "1"}]
        told["/fapi/v3/account"] = in_futures("9.5")
        return []

    told[DEPOSITS] = deposits

    async def go():
        async with followed(told) as (venue, _):
            chunks = [each async for each in venue.history(None)]
            return [said for chunk in chunks for said in chunk.statements]

    said = asyncio.run(go())
    charge, rest = said
    assert (charge.amount, charge.fee) == (0, Decimal("0.5"))
    assert (rest.balance, rest.executed_at > charge.executed_at) == (Decimal("9.5"), True)
    assert opened(said) == [10]


@pytest.mark.parametrize("since_days,begun", [(5, []), (400, [6])])
def test_a_row_of_income_told_after_the_wallet_was_opened_is_no_part_of_its_opening(
    since_days, begun
):
    came = {**CHARGE, "incomeType": "TRANSFER", "income": "10", "tranId": 1, "symbol": ""}
    late = [came, {**CHARGE, "income": "-4", "tranId": 2, "tradeId": "2"}]
    told = {"/fapi/v3/account": in_futures("6" if not begun else "12")}

    async def go():
        async with followed(told, START - since_days * instant.DAY) as (venue, clock):
            chunks = [each async for each in venue.history(None)]
            first = [said for chunk in chunks for said in chunk.statements]
            told[INCOME] = late
            clock.at += instant.HOUR
            chunks += [each async for each in venue.history(chunks[-1].mark)]
            clock.at += instant.HOUR
            quiet = [each async for each in venue.history(chunks[-1].mark)]
            said = [said for chunk in chunks for said in chunk.statements]
            return first, said, [each for each in quiet if each.statements], venue.client.notices

    first, said, quiet, notices = asyncio.run(go())
    assert opened(first) == [12 if begun else 6]
    assert opened(said) == begun
    assert not quiet
    assert not any("does not close" in each.text for each in notices)


def test_a_futures_wallet_that_does_not_come_to_rest_is_opened_by_the_next_sync():
    amounts = iter(range(100))
    told = {"/fapi/v3/account": lambda _: in_futures(str(next(amounts)))}

    async def go():
        async with followed(told) as (venue, _):
            before, mark = await ids(venue)
            told["/fapi/v3/account"] = in_futures("7")
            chunks = [each async for each in venue.history(mark)]
            return before, [said.balance for chunk in chunks for said in chunk.statements]

    assert asyncio.run(go()) == ([], [7])


@pytest.mark.parametrize("waits", [[1], [60, 600], [3 * 86_400]])
def test_a_trade_told_late_is_found_though_the_wallet_stays_what_it_is(waits):
    told = {"/api/v3/account": in_spot(BTC="1", USDT="-50000")}
    late = {**TRADE, "id": 7, "time": NOW - 5_000}

    async def go():
        async with followed(told) as (venue, clock):
            _, mark = await ids(venue)
            for wait in waits:
                clock.at += wait * instant.SECOND
                found, mark = await ids(venue, mark)
                assert found == []
            told["/api/v3/myTrades"] = numbered([late])
            clock.at += instant.MINUTE if waits[-1] < 60 else 5 * instant.MINUTE
            found, mark = await ids(venue, mark)
            asked = venue.client.requests
            clock.at += instant.MINUTE
            quiet, mark = await ids(venue, mark)
            return found, quiet, venue.client.requests - asked, list(venue.client.notices)[-1]

    found, quiet, asked, notice = asyncio.run(go())
    if waits[-1] > 3_600:  # it was looked for once more, and then no more
        assert found == []
        return
    assert [each.split("/")[1] for each in found] == ["BTC-USDT"]
    assert (quiet, asked) == ([], 3)
    assert notice.at < START + sum(waits) * instant.SECOND + instant.MINUTE  # it closes by now


def test_trades_told_late_are_looked_for_more_and_more_seldom():
    """Each look asks every market in which the account has traded what is unexplained."""
    minute, looked = 0, set()

    def trades(_query):
        looked.add(minute)
        return []

    told = {"/api/v3/account": in_spot(BTC="1", USDT="-50000"), "/api/v3/myTrades": trades}

    async def go():
        nonlocal minute
        async with followed(told) as (venue, clock):
            _, mark = await ids(venue)
            while minute < 90:
                minute += 1
                clock.at += instant.MINUTE
                _, mark = await ids(venue, mark)

    asyncio.run(go())
    assert sorted(looked) == [0, 1, 3, 7, *range(12, 58, 5), 60]
