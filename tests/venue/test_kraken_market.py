"""Markets, prices now and then, candles: by the venue's own tables, none where it tells none."""

import asyncio
import json
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from bursar.errors import BadChoice, MissingMark, UnknownAsset, VenueGarbled
from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ports import Venue
from bursar.value.marks import Marks
from bursar.venue.kraken.account import KrakenAccount
from bursar.venue.kraken.market import DataHealth, MarketDataAPI
from bursar.venue.kraken.metadata import KEPT_FOR
from bursar.venue.prices import middle
from tests.venue.kraken_model import Model, client
from tests.venue.loopback import START, HandClock, Reply
from tests.venue.test_kraken_public import KRAKEN

AT = instant.parse("2026-07-01T12:00:00Z")


def market(base, quote, **more):
    return {
        "altname": base.removeprefix("X") + quote.removeprefix("Z"),
        "wsname": f"{base.removeprefix('X')}/{quote.removeprefix('Z')}",
        "base": base,
        "quote": quote,
        "pair_decimals": 1,
        "lot_decimals": 8,
        "cost_decimals": 5,
        "ordermin": "0.0001",
        "costmin": "0.5",
        "tick_size": "0.1",
        "status": "online",
        **more,
    }


ASSETS = {
    code: {"altname": name, "decimals": 8, "status": "enabled"}
    for code, name in [
        *(("XXBT", "XBT"), ("XETH", "ETH"), ("ZUSD", "USD"), ("ZEUR", "EUR"), ("ATOM", "ATOM")),
        *(("ZEUS", "ZEUS"), ("KFEE", "FEE"), ("GONE", "GONE")),
    ]
}
PAIRS = {
    "XXBTZUSD": market("XXBT", "ZUSD"),
    "XXBTZUSD.d": market("XXBT", "ZUSD", wsname=None, altname="XBTUSD.d"),
    "XETHZUSD": market("XETH", "ZUSD", altname="ETHUSD"),
    "ZEURZUSD": market("ZEUR", "ZUSD", altname="EURUSD", wsname="EUR/USD"),
    "ATOMXBT": market("ATOM", "XXBT", altname="ATOMXBT", wsname="ATOM/XBT"),
    "ZEUSUSD": market("ZEUS", "ZUSD", altname="ZEUSUSD", wsname="ZEUS/USD"),
    "GONEUSD": market("GONE", "ZUSD", altname="GONEUSD", wsname="GONE/USD", status="cancel_only"),
}


def book(bid, ask):
    return {"b": [bid, "1", "1.000"], "a": [ask, "1", "1.000"], "c": ["999", "0.1"]}


BOOKS = {
    "XXBTZUSD": book("60000.0", "60000.1"),
    "XETHZUSD": book("3000.0", "3001.0"),
    "ZEURZUSD": book("1.10000", "1.10002"),
    "ATOMXBT": book("0.0001", "0.00011"),
    "ZEUSUSD": book("0", "0"),
    "GONEUSD": book("1", "2"),
}


class Markets(Model):
    """A model that lists markets and answers for those asked."""

    def __init__(self):
        super().__init__()
        self.results = {"Assets": ASSETS, "AssetPairs": PAIRS}
        self.public: dict[str, list] = {}

    def result(self, endpoint, form):
        if endpoint == "Ticker":
            return {key: BOOKS[key] for key in form["pair"].split(",")}
        if endpoint == "Trades":
            since = int(form["since"])
            rows = [row for row in self.public.get(form["pair"], []) if ns(row[2]) > since]
            return {form["pair"]: rows[: int(form["count"])], "last": str(since)}
        return super().result(endpoint, form)


def ns(seconds):
    return int(Decimal(seconds) * 10**9)


@asynccontextmanager
async def data(tmp_path, model=None, clock=None):
    async with client(model or Markets(), tmp_path, clock=clock) as made:
        yield MarketDataAPI(made)


def ask(tmp_path, question, model=None, clock=None):
    async def go():
        async with data(tmp_path, model, clock) as there:
            return await question(there)

    return asyncio.run(go())


def test_the_universe_is_what_is_open(tmp_path):
    found = ask(tmp_path, lambda there: there.get_universe())
    assert found == ("ATOM/XBT", "ETH/USD", "EUR/USD", "XBT/USD", "ZEUS/USD")


@pytest.mark.parametrize("name", ["XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "XXBT/ZUSD"])
def test_a_pair_is_found_under_any_name(tmp_path, name):
    found = ask(tmp_path, lambda there: there.get_pair_metadata(name))
    assert str(found.pair) == "XBT/USD"
    assert found.key == "XXBTZUSD"
    assert found.precision.volume(Decimal("0.123456789")) == Decimal("0.12345678")
    assert (found.tick_size, found.order_min, found.cost_min) == (
        Decimal("0.1"),
        Decimal("0.0001"),
        Decimal("0.5"),
    )


def test_names_are_never_cut(tmp_path):
    found = ask(tmp_path, lambda there: there.get_pair_metadata("ZEUSUSD"))
    assert (found.pair.base, found.pair.quote) == ("ZEUS", "USD")


def test_a_pair_that_is_not_listed_is_unknown(tmp_path):
    with pytest.raises(UnknownAsset):
        ask(tmp_path, lambda there: there.get_pair_metadata("NOPEUSD"))


def test_every_recorded_list_of_markets_is_read(tmp_path):
    path = KRAKEN / "rest/xchange/AssetPairs-2020-86-pairs.json"
    if not path.is_file():
        pytest.skip(f"NOT RUN: the recorded list is not at {path}")
    model = Markets()
    model.results["AssetPairs"] = json.loads(path.read_text(), parse_float=Decimal)["result"]
    found = ask(tmp_path, lambda there: there.get_pair_metadata("XXDGXXBT"), model)
    assert str(found.pair) == "XDG/XBT"


def test_the_latest_price_is_the_middle_exactly(tmp_path):
    price = ask(tmp_path, lambda there: there.get_latest_price("XBTUSD"))
    assert price == Decimal("60000.05")


@pytest.mark.parametrize("pair", ["ZEUSUSD", "GONEUSD"])
def test_an_empty_or_closed_market_has_no_price(tmp_path, pair):
    with pytest.raises(MissingMark):
        ask(tmp_path, lambda there: there.get_latest_price(pair))


@pytest.mark.parametrize(
    "bid,ask_,price", [("1", "2", "1.5"), ("2", "1", None), ("0", "1", None), ("3", "3", "3")]
)
def test_the_middle(bid, ask_, price):
    found = middle(Decimal(bid), Decimal(ask_))
    assert found == (None if price is None else Decimal(price))


def test_the_middle_of_long_numbers_is_exact():
    bid, other = Decimal("0.123456789012345678"), Decimal("99999999999999999999.1")
    assert str(middle(bid, other)) == "49999999999999999999.6117283945061728390"


def test_one_request_prices_all_assets_on_their_ways(tmp_path):
    model = Markets()
    wanted = ["ATOM", "XBT", "ETH", "EUR", "USD", "KFEE", "ZEUS", "GONE", "NOPE"]
    marks = ask(tmp_path, lambda there: there.marks(wanted, "USD"), model)
    assert {each.pair: each.price for each in marks} == {
        "ATOM/XBT": Decimal("0.000105"),
        "XBT/USD": Decimal("60000.05"),
        "ETH/USD": Decimal("3000.5"),
        "EUR/USD": Decimal("1.10001"),
    }
    assert {each.at for each in marks} == {START}
    assert model.asked.count("Ticker") == 1
    assert len(Marks(marks)) == 4


def test_a_market_the_other_way_round_serves_too(tmp_path):
    marks = ask(tmp_path, lambda there: there.marks(["USD"], "EUR"))
    assert [each.pair for each in marks] == ["EUR/USD"]


def test_nothing_wanted_asks_for_no_price(tmp_path):
    model = Markets()
    assert ask(tmp_path, lambda there: there.marks(["USD"], "USD"), model) == []
    assert "Ticker" not in model.asked


def test_a_price_of_a_market_that_was_not_asked_for_is_garbled(tmp_path):
    model = Markets()
    model.twist = lambda endpoint, result: BOOKS if endpoint == "Ticker" else result
    with pytest.raises(VenueGarbled):
        ask(tmp_path, lambda there: there.get_latest_price("XBTUSD"), model)


def test_lists_are_asked_for_again_after_an_hour(tmp_path):
    model, clock = Markets(), HandClock()

    async def question(there):
        for _ in range(3):
            await there.get_universe()
        clock.at += KEPT_FOR
        await there.get_universe()

    ask(tmp_path, question, model, clock)
    assert model.asked == ["Assets", "AssetPairs"] * 2


# Candles


def candles(*times, last):
    rows = [[at, "1.0", "2.0", "0.5", "1.5", "1.2", "3.25", 7] for at in times]
    return {"XXBTZUSD": rows, "last": last}


@pytest.mark.parametrize("last", [7200, "7200"])
def test_only_closed_candles_are_told(tmp_path, last):
    model = Markets()
    model.results["OHLC"] = candles(0, 3600, 7200, 10800, last=last)
    found = ask(tmp_path, lambda there: there.get_ohlc("XBTUSD", "1h", 2), model)
    assert [each.at // 10**9 for each in found] == [3600, 7200]
    assert found[0].volume == Decimal("3.25")
    assert model.forms[-1]["interval"] == "60"


@pytest.mark.parametrize(
    "name,count",
    [("rest/ccxt/OHLC-1h.json", 5), ("rest/xchange/OHLC-last-40-rows.json", 39)],
)
def test_recorded_candles(tmp_path, name, count):
    path = KRAKEN / name
    if not path.is_file():
        pytest.skip(f"NOT RUN: the recorded candles are not at {path}")
    model = Markets()
    model.results["OHLC"] = json.loads(path.read_text(), parse_float=Decimal)["result"]
    found = ask(tmp_path, lambda there: there.get_ohlc("XBTUSD", "1h", 100), model)
    assert len(found) == count


@pytest.mark.parametrize("timeframe,lookback", [("2h", 5), ("1h", 0), ("1h", 720)])
def test_candles_that_are_not_offered(tmp_path, timeframe, lookback):
    with pytest.raises(BadChoice):
        ask(tmp_path, lambda there: there.get_ohlc("XBTUSD", timeframe, lookback))


# How prices stand


@pytest.mark.parametrize(
    "status,health", [("online", DataHealth.OK), ("maintenance", DataHealth.DEGRADED)]
)
def test_the_status_is_the_venues(tmp_path, status, health):
    model = Markets()
    model.results["SystemStatus"] = {"status": status}

    async def question(there):
        await there.get_latest_price("XBTUSD")
        return await there.get_data_status()

    found = ask(tmp_path, question, model)
    assert (found.health, found.venue, found.priced_at) == (health, status, START)


def test_a_venue_that_is_away_is_down(tmp_path):
    model = Markets()
    model.errors["SystemStatus"] = ["EService:Unavailable"]
    found = ask(tmp_path, lambda there: there.get_data_status(), model)
    assert (found.health, found.priced_at) == (DataHealth.DOWN, None)


# The account


def account(tmp_path, model, question):
    async def go():
        async with client(model, tmp_path) as made:
            return await question(KrakenAccount(made))

    return asyncio.run(go())


def test_balances_of_twenty_digits_are_exact(tmp_path):
    body = (
        b'{"error":[],"result":{"ZUSD":{"balance":25435.21,"hold_trade":8249.76},'
        b'"XXBT":{"balance":12345678901234567890.123456789012345678,"hold_trade":null},'
        b'"ETH2.S":{"balance":"0.5"}}}'
    )

    async def answer(_):
        return Reply(body)

    async def go():
        async with client(answer, tmp_path) as made:
            return await KrakenAccount(made).statement()

    held = {each.code: each for each in asyncio.run(go()).holdings}
    assert str(held["XBT"].total) == "12345678901234567890.123456789012345678"
    assert held["XBT"].reserved == ZERO
    assert held["USD"].free == Decimal("17185.45")
    assert (held["ETH2.S"].asset, held["ETH2.S"].pocket) == ("ETH2", "staked")


@pytest.mark.parametrize("bad", ["null", "{}", '{"balance":"x"}', '{"balance":null}', "5"])
def test_a_balance_that_is_none_is_garbled_not_zero(tmp_path, bad):
    async def answer(_):
        return Reply(b'{"error":[],"result":{"ZUSD":%s}}' % bad.encode())

    async def go():
        async with client(answer, tmp_path) as made:
            await KrakenAccount(made).statement()

    with pytest.raises(VenueGarbled):
        asyncio.run(go())


def test_without_extended_balances_what_is_reserved_is_counted(tmp_path):
    model = Markets()
    model.errors["BalanceEx"] = ["EGeneral:Unknown method"]
    model.results["Balance"] = {"ZUSD": "1000", "XXBT": "2.5", "ATOM": "1"}

    def order(kind, pair, volume, price, ordertype="limit"):
        return {
            "opentm": 1,
            "vol": volume,
            "vol_exec": "0.1",
            "descr": {
                "pair": pair,
                "type": kind,
                "ordertype": ordertype,
                "price": price,
                "leverage": "none",
                "order": f"{kind} {volume} {pair}",
            },
        }

    model.open = {
        "O1": order("buy", "XBTUSD", "0.2", "100.5"),
        "O2": order("sell", "XBTUSD", "1.1", "9"),
        "O3": order("sell", "XBTUSD", "1", "+5%", "trailing-stop"),
    }

    async def question(there):
        return await there.statement(), [each.text for each in there.client.notices]

    statement, notices = account(tmp_path, model, question)
    held = {each.code: (each.total, each.reserved) for each in statement.holdings}
    assert held == {
        "USD": (Decimal(1000), Decimal("10.05")),
        "XBT": (Decimal("2.5"), Decimal(1)),
        "ATOM": (Decimal(1), ZERO),
    }
    assert len(notices) == 2


KEY_INFO = {
    "permissions": [
        *("query-funds", "query-open-trades", "query-closed-trades", "query-ledger"),
    ],
    "query_from": "0",
    "query_to": "0",
    "valid_until": "0",
}


def checked(tmp_path, **changes):
    model = Model()
    model.results["GetApiKeyInfo"] = {**KEY_INFO, **changes}
    return account(tmp_path, model, lambda there: there.check_key())


def test_a_key_that_reads_all_and_changes_nothing(tmp_path):
    found = checked(tmp_path)
    assert found.is_read_only
    assert found.sees_everything


def test_a_key_that_could_trade_is_not_read_only(tmp_path):
    found = checked(tmp_path, permissions=[*KEY_INFO["permissions"], "modify-trades", "new-thing"])
    assert not found.is_read_only
    assert found.excess == ("modify-trades", "new-thing")


def test_a_key_without_ledger_or_with_a_bound_does_not_see_everything(tmp_path):
    found = checked(tmp_path, permissions=["query-funds"])
    assert not found.sees_everything
    assert "Query ledger entries" in found.missing
    bounded = checked(tmp_path, query_from="1700000000")
    assert not bounded.sees_everything
    assert bounded.sees_from == 1_700_000_000 * 10**9


@pytest.mark.parametrize("text", ["EGeneral:Unknown method", "EGeneral:Permission denied"])
def test_of_a_key_that_kraken_will_not_tell_of_nothing_is_claimed(tmp_path, text):
    model = Model()
    model.errors["GetApiKeyInfo"] = [text]
    found = account(tmp_path, model, lambda there: there.check_key())
    assert not found.is_known
    assert not found.is_read_only
    assert not found.sees_everything


def test_an_account_is_a_venue(tmp_path):
    async def question(there):
        venue: Venue = there
        marks = await venue.marks(["XBT"], "USD")
        prices = await venue.prices([])
        return venue.account, len(marks), list(prices)

    assert account(tmp_path, Markets(), question) == ("kraken:main", 1, [])


def test_the_recorded_key_info_is_read(tmp_path):
    path = KRAKEN / "rest/jkorf/Account-GetApiKeyInfo.json"
    if not path.is_file():
        pytest.skip(f"NOT RUN: the recorded answer is not at {path}")
    found = checked(tmp_path, **json.loads(path.read_text())["result"])
    assert set(found.excess) == {"add-funds", "withdraw-funds", "modify-trades", "close-trades"}
    assert found.missing == ()
