"""What is asked of Alpaca, how, and what becomes of each kind of answer."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from bursar.errors import (
    Malformed,
    VenueBusy,
    VenueDenied,
    VenueDown,
    VenueError,
    VenueGarbled,
)
from bursar.ledger import instant
from bursar.ports import PriceWanted
from bursar.venue.alpaca.account import AlpacaAccount
from bursar.venue.alpaca.client import AlpacaRESTClient
from bursar.venue.alpaca.history import Options
from bursar.venue.alpaca.keys import Keys
from tests.venue.loopback import HandClock, Reply, outside, script, served

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("BURSAR_SHARED", ROOT.parent / "shared")) / "venues" / "alpaca"
SHIPPED = ROOT / "src/bursar/samples/alpaca-story-a"
KEY, SECRET = "PKTEST", "not-so-secret"
ACCOUNT = {"id": "a", "cash": "10.5", "equity": "10.5"}
D = Decimal

recorded = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"NOT RUN: recorded Alpaca data is not at {SHARED} (BURSAR_SHARED)"
)


def reply(said, status=200, **headers):
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


@asynccontextmanager
async def client(handler, clock=None):
    async with served(handler) as url:
        there = AlpacaRESTClient(outside(clock), Keys(KEY, SECRET), url=url, data_url=url)
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


def answered(paths, ask):
    """What a question comes to, where each path has an answer of its own."""

    async def handler(told):
        return reply(paths[told.path])

    async def go():
        async with client(handler) as there:
            return await ask(there)

    return asyncio.run(go())


def test_every_request_says_who_asks_and_nothing_is_signed():
    account, (seen,) = asked([reply(ACCOUNT)], lambda there: there.account())
    assert (seen.method, seen.path, seen.query) == ("GET", "/v2/account", {})
    assert seen.headers["apca-api-key-id"] == KEY
    assert seen.headers["apca-api-secret-key"] == SECRET
    assert (account.cash, account.currency) == (D("10.5"), "USD")


@pytest.mark.parametrize("number", ['"0.123456789012345678"', "0.123456789012345678"])
def test_every_digit_is_kept_whether_a_number_or_a_text(number):
    body = b'{"id": "a", "cash": %s, "equity": 1e2, "new": {"field": 1}}' % number.encode()
    account, _ = asked([reply(body)], lambda there: there.account())
    assert (account.cash, account.equity) == (D("0.123456789012345678"), 100)


@pytest.mark.parametrize(
    "said,named",
    [
        ({"id": "a", "equity": "1"}, "cash"),
        ({"id": "a", "equity": "1", "cash": None}, "cash"),
        ({"id": "a", "equity": "1", "cash": "x"}, "cash"),
        ({"id": "a", "equity": "1", "cash": "NaN"}, "20 and 18 digits"),
        ({"id": "a", "equity": "1", "cash": "0." + 30 * "1"}, "20 and 18 digits"),
        ([], "account"),
        (b'{"id": "a", "cash": "1", "cash": "2", "equity": "1"}', "JSON"),
        (b"", "empty"),
    ],
)
def test_an_answer_that_is_none_is_asked_for_again_and_then_named(said, named):
    handler, seen = script(reply(said))

    async def go():
        async with client(handler) as there:
            await there.account()

    with pytest.raises(VenueGarbled, match=named):
        asyncio.run(go())
    assert len(seen) == 3


@pytest.mark.parametrize(
    "status,body,error,words",
    [
        (401, {"message": "unauthorized."}, VenueDenied, r"unauthorized.*paper account has keys"),
        (403, {"code": 40310000, "message": "forbidden."}, VenueDenied, "forbidden"),
        (404, {"message": "asset not found"}, VenueError, "asset not found"),
        (422, {"message": 3}, VenueError, "HTTP 422$"),
        (500, {"message": "internal server error occurred"}, VenueDown, "internal server error"),
        (504, b"", VenueDown, "HTTP 504"),
        (302, b"", VenueGarbled, "redirects"),
        (429, {"message": "rate limit exceeded"}, VenueBusy, "rate limit exceeded"),
    ],
)
def test_what_a_status_means(status, body, error, words):
    with pytest.raises(error, match=words) as caught:
        asked([reply(body, status)], lambda there: there.account())
    for secret in (KEY, SECRET):
        assert secret not in str(caught.value) + repr(caught.value.context)


def test_too_many_requests_are_waited_out_as_long_as_is_asked():
    clock = HandClock()
    busy = reply({"message": "rate limit exceeded"}, 429, Retry_After="7")
    account, seen = asked([busy, reply(ACCOUNT)], lambda there: there.account(), clock)
    assert account.cash == D("10.5")
    assert (len(seen), sum(clock.waits) >= 7_000) == (2, True)


def test_no_minute_sees_more_than_two_hundred_questions():
    clock, times = HandClock(), []

    async def handler(_):
        times.append(clock.at)
        return reply(ACCOUNT)

    async def go():
        async with client(handler, clock) as there:
            for _ in range(260):
                await there.account()

    asyncio.run(go())
    minute = 60 * instant.SECOND
    assert max(sum(at <= each < at + minute for each in times) for at in times[::10]) <= 200


# ------------------------------------------------------------------------------------- statement


def stated(account, positions=(), orders=()):
    paths = {"/v2/account": account, "/v2/positions": list(positions), "/v2/orders": list(orders)}

    async def ask(there):
        said = await AlpacaAccount(there).statement()
        return said, [notice.text for notice in there.notices]

    return answered(paths, ask)


def buy(**fields):
    return {"id": "o", "symbol": "AAPL", "side": "buy", "qty": "2", **fields}


@pytest.mark.parametrize(
    "orders,equity,held,notes",
    [
        ([], "100", "0", 0),
        ([], "93", "0", 0),  # without open purchases cash is cash, whatever equity says
        ([buy(limit_price="50.005")], "200", "100.01", 0),  # 2 × 50.005, equity to the cent
        ([buy(limit_price="50.005", filled_qty="1")], "150.01", "50.005", 0),
        ([buy(qty=None, notional="7.25")], "107.25", "7.25", 0),
        ([buy(limit_price="50.005")], "100", "0", 0),  # where cash still has it
        ([buy()], "123.45", "23.45", 1),  # at the market: only equity tells
        ([buy(side="sell", limit_price="9")], "100", "0", 0),
    ],
)
def test_cash_is_stated_with_what_open_orders_hold_of_it(orders, equity, held, notes):
    said, notices = stated({"id": "a", "cash": "100", "equity": equity}, (), orders)
    (cash,) = said.holdings
    assert (cash.asset, cash.reserved, cash.total) == ("USD", D(held), 100 + D(held))
    assert len(notices) == notes


def test_positions_are_stated_under_the_names_of_the_books():
    positions = [
        {"symbol": "BTCUSD", "qty": "0.5", "qty_available": "0.2", "asset_class": "crypto"},
        {"symbol": "AAPL", "qty": "-3", "side": "short", "asset_class": "us_equity"},
        {"symbol": "NEWCOINUSD", "qty": "1", "asset_class": "crypto"},
    ]
    said, _ = stated({"id": "a", "cash": "-1", "equity": "9"}, positions)
    told = [(each.asset, each.code, each.total, each.reserved) for each in said.holdings]
    assert told == [
        ("AAPL", "AAPL", D(-3), 0),
        ("BTC", "BTCUSD", D("0.5"), D("0.3")),
        ("NEWCOIN", "NEWCOINUSD", 1, 0),
        ("USD", "USD", D(-1), 0),
    ]


# ----------------------------------------------------------------------------------------- prices

PAIRS = [{"symbol": symbol, "class": "crypto"} for symbol in ("BTC/USD", "BTC/USDC", "ETH/BTC")]
T = "2026-11-20T20:59:59.123456789Z"


def priced(paths, assets, quote="USD"):
    async def ask(there):
        return await AlpacaAccount(there).marks(assets, quote)

    return answered({"/v2/assets": PAIRS, **paths}, ask)


def test_stocks_are_worth_their_last_trade_and_coins_the_middle():
    marks = priced(
        {
            "/v2/stocks/trades/latest": {"trades": {"AAPL": {"t": T, "p": 251.25, "x": "V"}}},
            "/v1beta3/crypto/us/latest/quotes": {
                "quotes": {"BTC/USD": {"t": T, "bp": 60000.1, "ap": 60000.2, "bs": 1, "as": 1}}
            },
        },
        ["AAPL", "KO", "BTC", "USD", "AAPL250117C00150000"],
    )
    told = {each.asset: (each.quote, each.price, each.at) for each in marks}
    at = instant.parse(T)
    assert told == {"AAPL": ("USD", D("251.25"), at), "BTC": ("USD", D("60000.15"), at)}


def test_a_book_that_is_crossed_or_has_a_side_empty_has_no_price():
    for bid, ask in ((0, 5), (6, 5)):
        quotes = {"quotes": {"BTC/USD": {"t": T, "bp": bid, "ap": ask}}}
        assert priced({"/v1beta3/crypto/us/latest/quotes": quotes}, ["BTC"]) == []


def test_one_symbol_that_is_refused_costs_no_other_its_price():
    async def handler(told):
        if told.path == "/v2/assets":
            return reply(PAIRS)
        names = told.query["symbols"].split(",")
        if "GONE" in names:
            return reply({"message": "invalid symbol: GONE"}, 400)
        return reply({"trades": {name: {"t": T, "p": 1} for name in names}})

    async def go():
        async with client(handler) as there:
            marks = await AlpacaAccount(there).marks(["A", "B", "C", "GONE", "Z"], "USD")
            return {each.asset for each in marks}, [each.text for each in there.notices]

    found, notices = asyncio.run(go())
    assert found == {"A", "B", "C", "Z"}
    assert notices == ["GONE: Alpaca answered HTTP 400 (invalid symbol: GONE)"]


def test_a_past_price_is_the_last_trade_before_the_instant():
    at = instant.parse("2026-11-21T05:00:00Z")
    seen = []

    async def handler(told):
        seen.append((told.path, told.query))
        trades = {"AAPL": [{"t": T, "p": 250.5}], "BTC/USD": [{"t": T, "p": 60000}]}
        known = {"/v2/assets": PAIRS, "/v2/stocks/trades": {"trades": trades}}
        return reply(known.get(told.path, {"trades": None, "next_page_token": None}))

    async def go():
        async with client(handler) as there:
            wanted = [PriceWanted(asset, "USD", at) for asset in ("AAPL", "BTC", "USD")]
            return await AlpacaAccount(there).prices(wanted)

    (price,) = asyncio.run(go())
    assert (price.asset, price.quote, price.value) == ("AAPL", "USD", D("250.5"))
    assert price.executed_at == at
    assert price.id == "price:AAPL:USD:2026-11-21T05:00:00Z:alpaca"
    windows = {path: (query["start"], query["end"]) for path, query in seen[1:]}
    assert windows == {
        "/v2/stocks/trades": ("2026-11-17T05:00:00Z", "2026-11-21T05:00:00Z"),
        "/v1beta3/crypto/us/trades": ("2026-11-21T04:00:00Z", "2026-11-21T05:00:00Z"),
    }


# ---------------------------------------------------------------------------------------- history


def chunks(replies, mark=None):
    async def ask(there):
        return [chunk async for chunk in AlpacaAccount(there).history(mark)]

    return asked(replies, ask)


FILL = {
    "id": "20260105093000000::a",
    "activity_type": "FILL",
    "transaction_time": "2026-01-05T14:30:00Z",
    "type": "fill",
    "price": "10",
    "qty": 1.5,
    "side": "buy",
    "symbol": "AAPL",
}


@pytest.mark.parametrize(
    "row,words",
    [
        ({**FILL, "qty": "x"}, r"activity 20260105093000000::a, field qty: 'x', expected"),
        ({**FILL, "side": "hold"}, "field side: 'hold', expected buy, sell"),
        ({**FILL, "id": None}, "field id: '', expected a value"),
        ({**FILL, "symbol": ["AAPL"]}, "a field that is no text"),
        ({**FILL, "activity_type": "DIV"}, "net_amount|wrong list"),
        ("row", "is no object"),
    ],
)
def test_a_row_that_is_none_is_named_and_nothing_is_told(row, words):
    with pytest.raises(VenueGarbled, match=words):
        chunks([reply([row])])


def test_a_page_that_comes_again_and_again_ends_in_words():
    page = reply([{**FILL, "id": f"{20260105093000000 + number}::a"} for number in range(100)])

    async def handler(told):
        return page if told.query["category"] == "trade_activity" else reply([])

    async def go():
        async with client(handler) as there:
            return [chunk async for chunk in AlpacaAccount(there).history(None)]

    with pytest.raises(VenueGarbled, match="a page of activities again"):
        asyncio.run(go())


def test_a_mark_that_is_none_or_of_another_account_is_refused():
    found, _ = chunks([reply([FILL]), reply([])])
    (told, last) = found
    assert told.statements[0].id == "alpaca:main:20260105093000000::a"
    assert str(told.statements[0].quantity) == "1.5"
    for mark in ("{}", "no", "\ud800", last.mark.replace("main", "other")):
        with pytest.raises(Malformed, match="from the beginning"):
            chunks([reply([])], mark)
    again, seen = chunks([reply([FILL]), reply([])], last.mark)
    assert again == []
    assert seen[0].query["after"] == "2026-01-05T11:30:00Z"


def test_a_row_that_is_pending_is_told_once_it_is_settled():
    row = {"id": "20260105000000000::b", "activity_type": "CSW", "date": "2026-01-05"}
    row |= {"net_amount": "-5", "status": "pending"}
    soon = {**row, "id": "20260106000000000::b", "date": "2026-01-06", "status": "executed"}
    later = {**row, "id": "20260301000000000::c", "date": "2026-03-01", "status": "executed"}
    rows = [row, soon, later]
    found, _ = chunks([reply([]), reply(rows)])
    assert [said.id for chunk in found for said in chunk.statements] == [
        "alpaca:main:20260106000000000::b",
        "alpaca:main:20260301000000000::c",
    ]
    mark = found[-1].mark
    again, _ = chunks([reply([]), reply(rows)], mark)
    assert [chunk.statements for chunk in again if chunk.statements] == []
    assert again == [] or again[-1].mark == mark
    row["status"] = "executed"
    found, seen = chunks([reply([]), reply(rows)], mark)
    assert [said.id for chunk in found for said in chunk.statements] == [
        "alpaca:main:20260105000000000::b"
    ]
    assert seen[1].query["after"] == "2025-12-05T00:00:00Z"  # 31 days before the pending row


def test_the_name_of_an_account_is_its_own():
    async def ask(there):
        venue = AlpacaAccount(there, Options(account="alpaca:second"))
        return venue.account, [chunk async for chunk in venue.history(None)]

    (name, found), _ = asked([reply([FILL]), reply([])], ask)
    assert name == "alpaca:second"
    assert found[0].statements[0].id.startswith("alpaca:second:")


# --------------------------------------------------------------------------------------- recorded


def test_the_made_up_account_agrees_with_its_own_activities():
    async def handler(told):
        if told.path == "/v2/account/activities":
            rows = json.loads((SHIPPED / "activities.all.json").read_text())[::-1]
            is_trade = told.query["category"] == "trade_activity"
            return reply([row for row in rows if (row["activity_type"] == "FILL") is is_trade])
        if told.path == "/v2/orders":
            return reply([])
        return reply((SHIPPED / f"{told.path.rpartition('/')[2]}.json").read_bytes())

    async def go():
        async with client(handler) as there:
            venue = AlpacaAccount(there)
            told = [said async for chunk in venue.history(None) for said in chunk.statements]
            return told, await venue.statement()

    from bursar.venue.files import read

    told, said = asyncio.run(go())
    filed = read(SHIPPED / "activities.all.json").statements
    assert {each.id: each for each in told} == {each.id: each for each in filed}
    assert [(each.asset, str(each.total)) for each in said.holdings] == [
        ("AAPL", "7.5"),
        ("BTC", "0.009975"),
        ("USD", "7006.9600"),
    ]


@recorded
def test_recorded_answers_are_read():
    def at(place):
        return json.loads((SHARED / place).read_text())

    async def ask(there):
        return (
            await there.account(),
            await there.positions(),
            await there.asset("AAPL"),
            await there.clock(),
            await there.assets("crypto"),
            await there.open_orders(),
            await there.last_trade("BTC/USD", 0, instant.SECOND),
        )

    account, (position,), asset, clock, coins, orders, trade = answered(
        {
            "/v2/account": at("alpaca-py/account/get_account.json"),
            "/v2/positions": at("alpaca-py/positions/get_all_positions.json"),
            "/v2/assets/AAPL": at("alpaca-py/assets/get_asset.json"),
            "/v2/clock": at("ccxt/clock.json"),
            "/v2/assets": at("ccxt/assets-crypto.json"),
            "/v2/orders": at("alpaca-py/orders/get_orders.json"),
            "/v1beta3/crypto/us/trades": at("ccxt/crypto-trades.json"),
        },
        ask,
    )
    assert (account.cash, account.equity) == (D("-23140.2"), D("103820.56"))
    assert (position.symbol, position.qty) == ("AAPL", 5)
    assert asset.fractionable
    assert not clock.is_open
    assert "DOGE/USDC" in {each.symbol for each in coins}
    assert orders[0].symbol == "SPY"
    assert trade is not None
    assert trade.p == D("64625.4")
