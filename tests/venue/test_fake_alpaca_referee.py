"""The official SDK talks to the fake Alpaca over the loopback: what satisfies it is the wire."""

import warnings
from contextlib import contextmanager
from fractions import Fraction
from types import SimpleNamespace

import pytest

from bursar.ledger import instant
from bursar.sim.alpaca import FakeAlpaca, Fault, invent, truth
from tests.sim.kraken.places import Hands, running


@pytest.fixture(scope="module")
def sdk():
    """The SDK. It takes a second to load, and itself uses what its own parts call outdated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from alpaca.common import exceptions
        from alpaca.data import historical
        from alpaca.data import requests as data
        from alpaca.trading import client, enums
        from alpaca.trading import requests as trading
    return SimpleNamespace(
        APIError=exceptions.APIError,
        TradingClient=client.TradingClient,
        stocks=historical.StockHistoricalDataClient,
        coins=historical.CryptoHistoricalDataClient,
        data=data,
        crypto=trading.GetAssetsRequest(asset_class=enums.AssetClass.CRYPTO),
    )


@pytest.fixture(scope="module")
def place():
    account = invent(11, 260)
    venue = FakeAlpaca(account, clock=Hands(account.end, step=10**7))
    with running(venue) as url:
        yield venue, url


@contextmanager
def speaking(kind, *args, **options):
    client = kind(*args, **options)
    try:
        yield client
    finally:
        client._session.close()


@pytest.fixture
def trading(place, sdk):
    venue, url = place
    with speaking(sdk.TradingClient, venue.key, venue.secret, url_override=url) as client:
        yield client


@pytest.fixture
def raw(place, sdk):
    venue, url = place
    with speaking(
        sdk.TradingClient, venue.key, venue.secret, url_override=url, raw_data=True
    ) as client:
        yield client


def units(name):
    return name if name == "USD" else name.removesuffix("USD")


def at_one_price(trading):
    """The account and its positions, asked for again where prices moved in between."""
    account, positions = trading.get_account(), trading.get_all_positions()
    is_same = trading.get_account().equity == account.equity
    return (account, positions) if is_same else at_one_price(trading)


def test_it_reads_the_account_and_every_position(place, trading):
    venue, _ = place
    account, positions = at_one_price(trading)
    held = truth(venue.house.account, venue.house.now)
    buys = [each for each in venue.house.account.orders if each.is_buy]
    holds = sum(Fraction(each.quantity * each.price, 10**26) for each in buys)
    assert Fraction(account.cash) + holds == held.pop("USD")
    assert account.status.value == "ACTIVE"
    found = {units(each.symbol): Fraction(each.qty) for each in positions}
    assert found == held
    worth = sum(Fraction(each.market_value) for each in positions)
    assert abs(Fraction(account.equity) - Fraction(account.cash) - holds - worth) < Fraction(1, 50)


def test_it_reads_open_orders_assets_and_the_clock(place, trading, sdk):
    venue, _ = place
    ids = {str(order.id) for order in trading.get_orders()}
    assert ids == {each.id for each in venue.house.account.orders}
    coins = trading.get_all_assets(sdk.crypto)
    assert "BTC/USD" in {each.symbol for each in coins}
    assert trading.get_asset("AAPL").fractionable
    assert not trading.get_asset("BRK.B").fractionable
    assert trading.get_clock().is_open
    with pytest.raises(sdk.APIError, match="asset not found"):
        trading.get_asset("NONESUCH")


@pytest.mark.parametrize("category", ["", "trade_activity", "non_trade_activity"])
def test_it_pages_through_all_activities(place, raw, category):
    venue, _ = place
    for direction in ("asc", "desc"):
        asked = {"page_size": 100, "direction": direction}
        if category:
            asked["category"] = category
        found = []
        while page := raw.get("/account/activities", asked):
            found += page
            asked["page_token"] = page[-1]["id"]
        told = [each["id"] for each in found]
        assert told == sorted(told, reverse=direction == "desc")
        assert set(told) == {row.id for row in venue.house.rows(category)}


def test_it_asks_for_activities_of_one_type_after_a_day(raw):
    fees = raw.get("/account/activities/CFEE", {"after": "2025-01-20T00:00:00Z"})
    assert fees
    assert {each["activity_type"] for each in fees} == {"CFEE"}
    assert min(each["date"] for each in fees) > "2025-01-20"


def test_it_reads_the_latest_prices_of_stocks_and_coins(place, sdk):
    venue, url = place
    with speaking(sdk.stocks, venue.key, venue.secret, url_override=url) as client:
        trades = client.get_stock_latest_trade(
            sdk.data.StockLatestTradeRequest(symbol_or_symbols=["AAPL", "KO"])
        )
        quotes = client.get_stock_latest_quote(
            sdk.data.StockLatestQuoteRequest(symbol_or_symbols="AAPL")
        )
    assert set(trades) == {"AAPL", "KO"}
    assert quotes["AAPL"].bid_price < trades["AAPL"].price < quotes["AAPL"].ask_price
    with speaking(sdk.coins, venue.key, venue.secret, url_override=url) as client:
        quote = client.get_crypto_latest_quote(
            sdk.data.CryptoLatestQuoteRequest(symbol_or_symbols=["BTC/USD"])
        )
        trade = client.get_crypto_latest_trade(
            sdk.data.CryptoLatestTradeRequest(symbol_or_symbols=["BTC/USD"])
        )
        end = instant.to_datetime(venue.house.now)
        past = client.get_crypto_trades(
            sdk.data.CryptoTradesRequest(
                symbol_or_symbols="BTC/USD", end=end, start=end.replace(hour=0)
            )
        )
    assert quote["BTC/USD"].bid_price < trade["BTC/USD"].price < quote["BTC/USD"].ask_price
    assert len(past["BTC/USD"]) >= 1


def test_it_meets_a_wrong_key_and_the_troubles_of_the_wire(place, trading, sdk):
    venue, url = place
    with (
        speaking(sdk.TradingClient, "PKOTHER", "s", url_override=url) as client,
        pytest.raises(sdk.APIError, match="unauthorized"),
    ):
        client.get_account()
    venue.script.add(Fault.STATUS, endpoint="account", value=500)
    with pytest.raises(sdk.APIError):
        trading.get_account()
    venue.script.add(Fault.TRUNCATED, endpoint="account")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
        trading.get_account()
    assert trading.get_account().currency == "USD"
