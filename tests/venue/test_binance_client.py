"""How Binance is asked, what its refusals mean, what lies there, and what it is worth."""

import json
from decimal import Decimal

import pytest

from bursar.errors import (
    VenueBusy,
    VenueDenied,
    VenueDown,
    VenueError,
    VenueGarbled,
)
from bursar.ledger import instant
from bursar.ports import PriceWanted
from bursar.venue.binance import wire
from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.keys import sign
from bursar.venue.binance.markets import TRADES, Market, Markets, Trade
from tests.venue.binance_asking import KEY, SECRET, TIME, account, answered, asked, recorded, reply
from tests.venue.binance_story import SHARED
from tests.venue.loopback import HandClock

D = Decimal

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
    pages: tuple[dict[str, object], ...] = ({"total": 0}, {"rows": [], "more": []})
    for said in pages:
        with pytest.raises(VenueGarbled, match="no list"):
            asked([reply(TIME), reply(said)], lambda there: there.rows(question, {}, object))


# ------------------------------------------------------------------------------------------- keys


def test_what_a_key_may_do_is_told():
    rights = {"enableReading": False, "enableWithdrawals": True, "enableFutures": True}
    found, _ = asked([reply(TIME), reply(rights)], account)
    assert found.missing == ("read",)
    assert found.excess == ("withdraw", "trade futures")


@recorded
def test_recorded_answers_are_read():
    def at(name):
        return json.loads((SHARED / "spot" / "jkorf" / name).read_text())

    async def ask(there):
        return (
            await BinanceAccount(there).check_key(),
            await wire.balances(there),
            await wire.funding(there),
            await wire.flexible(there),
            await wire.locked(there),
            await Markets(there).every(),
            await there.rows(TRADES, {}, Trade),
        )

    rights, (bitcoin, _), (funded,), (flexible,), (locked,), markets, (trade,) = answered(
        {
            "/sapi/v1/account/apiRestrictions": at("Account-GetAPIKeyPermissions.json"),
            "/api/v3/account": at("Account-GetAccountInfo.json"),
            "/sapi/v1/asset/get-funding-asset": at("Account-GetFundingWallet.json"),
            "/sapi/v1/simple-earn/flexible/position": at(
                "SimpleEarn-GetFlexibleProductPositions.json"
            ),
            "/sapi/v1/simple-earn/locked/position": at("SimpleEarn-GetLockedProductPositions.json"),
            "/api/v3/exchangeInfo": at("ExchangeData-GetExchangeInfo.json"),
            "/api/v3/myTrades": at("Trading-GetUserTrades.json"),
        },
        ask,
    )
    assert rights.is_read_only
    assert (bitcoin.asset, bitcoin.total) == ("BTC", D("4723846.89208129"))
    assert (funded.asset, funded.total, flexible.total) == ("USDT", 1, D("75.46"))
    assert (locked.asset, locked.amount) == ("AXS", D("122.09202928"))
    assert {each.quote_asset for each in markets.values()} <= {"BTC", "USDT"}
    market = Market(symbol="BNBBTC", base_asset="BNB", quote_asset="BTC")
    row = trade.row(market)
    assert (row.quantity, row.amount, row.fee, row.fee_asset) == (
        12,
        D("48.000012"),
        D("10.1"),
        "BNB",
    )
    assert row.executed_at == 1_499_865_549_590 * 10**6


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


def test_what_binance_calls_luna_is_the_new_coin():
    pairs = [("LUNA", "USDT"), ("LUNC", "USDT")]
    info = [{"symbol": f"{b}{q}", "baseAsset": b, "quoteAsset": q} for b, q in pairs]
    tickers = [
        {"symbol": "LUNAUSDT", "bidPrice": "1", "askPrice": "1"},
        {"symbol": "LUNCUSDT", "bidPrice": "0.1", "askPrice": "0.1"},
    ]
    held = [{"asset": "LUNA", "free": "2", "locked": "0"}]
    paths = {
        "/api/v3/exchangeInfo": {"symbols": info},
        "/api/v3/ticker/bookTicker": tickers,
        "/api/v3/account": {"balances": held},
    }

    async def ask(there):
        venue = BinanceAccount(there)
        return await venue.marks(["LUNA2", "LUNA"], "USD"), await venue.statement()

    marks, said = answered(paths, ask)
    assert {each.asset: each.price for each in marks} == {"LUNA2": 1, "LUNA": D("0.1")}
    assert [(each.asset, each.code) for each in said.holdings] == [("LUNA2", "LUNA")]


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


def test_a_past_price_may_be_the_other_way_round_of_a_market_or_two_steps():
    at = instant.parse("2026-11-21T05:00:00Z")
    trades = [{"a": 1, "p": "1.25", "q": "1", "f": 1, "l": 1, "T": 1, "m": True}]
    paths = {"/api/v3/exchangeInfo": INFO, "/api/v3/aggTrades": trades}

    async def ask(there):
        wanted = [PriceWanted(asset, "EUR", at) for asset in ("USDT", "BNB", "NEW")]
        return await BinanceAccount(there).prices(wanted)

    found = answered(paths, ask)
    assert [(each.asset, each.quote, each.value) for each in found] == [
        ("USDT", "EUR", D("0.8")),
        ("BNB", "USDT", D("1.25")),
    ]
    assert {each.executed_at for each in found} == {at}


def test_a_way_round_without_a_trade_on_one_step_has_no_price():
    at = instant.parse("2026-11-21T05:00:00Z")
    paths = {"/api/v3/exchangeInfo": INFO, "/api/v3/aggTrades": []}
    wanted = [PriceWanted("BNB", "EUR", at)]
    assert answered(paths, lambda there: BinanceAccount(there).prices(wanted)) == []


def test_bitcoin_leads_to_another_currency_too():
    pairs = [("LTC", "BTC"), ("BTC", "GBP")]
    info = [{"symbol": f"{b}{q}", "baseAsset": b, "quoteAsset": q} for b, q in pairs]
    tickers = [{"symbol": f"{b}{q}", "bidPrice": "2", "askPrice": "4"} for b, q in pairs]
    trades = [{"a": 1, "p": "3", "q": "1", "f": 1, "l": 1, "T": 1, "m": True}]
    paths = {
        "/api/v3/exchangeInfo": {"symbols": info},
        "/api/v3/ticker/bookTicker": tickers,
        "/api/v3/aggTrades": trades,
    }

    async def ask(there):
        venue = BinanceAccount(there)
        wanted = [PriceWanted("LTC", "GBP", instant.parse("2026-11-21T05:00:00Z"))]
        return await venue.marks(["LTC"], "GBP"), await venue.prices(wanted)

    for told in answered(paths, ask):
        assert {(each.asset, each.quote) for each in told} == {("LTC", "XBT"), ("XBT", "GBP")}
