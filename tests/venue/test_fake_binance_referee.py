"""Libraries that others have written talk to the fake Binance: what satisfies them is the wire."""

import json
import warnings
from fractions import Fraction
from types import SimpleNamespace
from urllib.parse import urlsplit, urlunsplit

import pytest

from bursar.app import SystemClock
from bursar.sim.binance import FakeBinance, invent, truth
from bursar.sim.binance.account import DEPOSITS, FUTURES_TRADES, INCOME, TRADES, WITHDRAWALS
from bursar.sim.binance.market import DAY, MARKETS
from tests.sim.kraken.places import running

START = SystemClock().now() // DAY * DAY - 80 * DAY


@pytest.fixture(scope="module")
def place():
    account = invent(11, 200, start=START)
    venue = FakeBinance(account, clock=SystemClock())
    with running(venue) as url:
        yield venue, url


@pytest.fixture(scope="module")
def ccxt_(place):
    """The exchange library, its numbers left as they were written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import ccxt  # type: ignore[import-untyped]
    venue, url = place
    host = urlsplit(url)

    class Exact(ccxt.binance):  # type: ignore[misc]
        number = str

        def on_json_response(self, body):
            return json.loads(body, parse_float=str)

    there = Exact({"apiKey": venue.key, "secret": venue.secret, "enableRateLimit": False})
    there.has["fetchCurrencies"] = False
    there.options |= {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False}
    there.urls["api"] = {
        name: urlunsplit(host[:2] + urlsplit(address)[2:])
        for name, address in there.urls["api"].items()
    }
    yield there
    there.session.close()


def test_the_exchange_library_reads_markets_and_the_wallet(place, ccxt_):
    venue, _ = place
    assert set(ccxt_.load_markets()) == {f"{base}/{quote}" for base, quote, _ in MARKETS.values()}
    assert not ccxt_.markets["MATIC/USDT"]["active"]
    found = ccxt_.fetch_balance()["total"]
    held = truth(venue.house.account, venue.house.now)
    wallets = venue.house.wallets()
    for asset, units in held.items():
        elsewhere = sum(
            Fraction(each, 10**8)
            for (wallet, name), each in wallets.items()
            if name == asset and wallet != "spot"
        )
        assert Fraction(found.get(asset, "0")) == units - elsewhere


def test_the_exchange_library_reads_trades_of_a_market_by_number(place, ccxt_):
    venue, _ = place
    for symbol, (base, quote, _) in list(MARKETS.items())[:3]:
        right = [row.told["id"] for row in venue.house.rows(TRADES) if row.symbol == symbol]
        told = ccxt_.fetch_my_trades(f"{base}/{quote}", params={"fromId": 0}, limit=1000)
        assert [int(each["id"]) for each in told] == right


def test_the_exchange_library_reads_deposits_and_withdrawals(place, ccxt_):
    venue, _ = place
    since = venue.house.account.rows[0].at // 10**6
    deposits = ccxt_.fetch_deposits(since=since)
    assert len(deposits) == len(venue.house.rows(DEPOSITS))
    gone = ccxt_.fetch_withdrawals(since=since)
    assert len(gone) == len(venue.house.rows(WITHDRAWALS))
    assert {each["status"] for each in gone} == {"ok", "failed"}


def test_the_exchange_library_meets_the_venues_refusals(place, ccxt_):
    import ccxt

    right, ccxt_.secret = ccxt_.secret, "wrong"
    try:
        with pytest.raises(ccxt.ExchangeError, match="-1022"):
            ccxt_.fetch_balance()
    finally:
        ccxt_.secret = right


@pytest.fixture(scope="module")
def sdk(place):
    """The venue's own library."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from binance_common.configuration import ConfigurationRestAPI
        from binance_sdk_spot.spot import Spot
    venue, url = place
    made = ConfigurationRestAPI(api_key=venue.key, api_secret=venue.secret, base_path=url)
    return SimpleNamespace(spot=Spot(config_rest_api=made).rest_api, venue=venue)


def test_the_venues_own_library_reads_the_wallet(place, sdk):
    told = sdk.spot.get_account(omit_zero_balances=True).data()
    found = {each.asset: Fraction(each.free) + Fraction(each.locked) for each in told.balances}
    wallets = sdk.venue.house.wallets()
    right = {
        name if wallet == "spot" else f"LD{name}": Fraction(units, 10**8)
        for (wallet, name), units in wallets.items()
        if wallet in {"spot", "earn"}
    }
    assert found == right


def test_the_venues_own_library_reads_trades_by_number(place, sdk):
    rows = [row.told for row in sdk.venue.house.rows(TRADES) if row.symbol == "BTCUSDT"]
    found, first = [], 0
    while page := sdk.spot.my_trades(symbol="BTCUSDT", from_id=first, limit=10).data():
        found += page
        first = page[-1].id + 1
    assert [each.id for each in found] == [each["id"] for each in rows]
    assert [each.quote_qty for each in found] == [each["quoteQty"] for each in rows]
    assert [each.commission_asset for each in found] == [each["commissionAsset"] for each in rows]


def test_the_venues_own_library_reads_time_and_markets(place, sdk):
    assert abs(sdk.spot.time().data().server_time - sdk.venue.house.now // 10**6) < 60_000
    info = sdk.spot.exchange_info(symbol_status="BREAK").data()
    assert [each.symbol for each in info.symbols] == ["MATICUSDT"]


def test_the_exchange_library_reads_positions_and_income_of_futures(place, ccxt_):
    venue, _ = place
    found = ccxt_.fapiprivatev3_get_positionrisk()
    held = venue.house.rows(FUTURES_TRADES)
    assert {each["symbol"] for each in found} <= {row.symbol for row in held}
    wallet = ccxt_.fapiprivatev3_get_account()["assets"]
    assert [each["asset"] for each in wallet] == ["USDT"]
    rows = ccxt_.fapiprivate_get_income({"limit": 1000})
    assert len(rows) == len(venue.house.rows(INCOME)) > 0
    trades = ccxt_.fapiprivate_get_usertrades({"symbol": "BTCUSDT", "fromId": 0, "limit": 1000})
    assert len(trades) == sum(row.symbol == "BTCUSDT" for row in held) > 0


def test_the_exchange_library_is_given_the_key_of_the_futures_stream_unsigned(place, ccxt_):
    venue, _ = place
    assert ccxt_.fapiPrivatePostListenKey() == {"listenKey": venue.listen_key}
    (asked,) = [each for each in venue.asked if each.path == "/fapi/v1/listenKey"]
    assert asked.fields == {}
