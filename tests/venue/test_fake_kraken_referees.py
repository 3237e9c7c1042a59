"""Two clients of other people talk to the fake venue: what satisfies them is the venue's wire."""

import asyncio
import json

import ccxt  # type: ignore[import-untyped]
import kraken.exceptions
import pytest
from kraken.spot import Market, User

from bursar.sim.kraken import ERRORS, Fault, Key, Live, serve, serve_ws
from tests.sim.kraken.places import account, fake, running


class Exact(ccxt.kraken):  # type: ignore[misc]
    """ccxt with its numbers kept as they stand."""

    number = str

    def on_json_response(self, response_body):
        return json.loads(response_body, parse_float=str)


def exact(url, venue):
    client = Exact({"apiKey": venue.key, "secret": venue.secret, "enableRateLimit": False})
    client.urls["api"] = dict.fromkeys(client.urls["api"], url)
    return client


@pytest.fixture(scope="module")
def place():
    venue = fake(account(11, 700))
    with running(venue) as url:
        yield venue, url


@pytest.fixture
def ours(place):
    return place[0]


@pytest.fixture
def theirs(place):
    venue, url = place
    venue.script.clear()
    return exact(url, venue)


@pytest.fixture
def user(place):
    venue, url = place
    venue.script.clear()
    # Its nonces are larger than ccxt's, so it needs a key of its own.
    venue.admit(Key("sdk", venue.secret))
    return User(key="sdk", secret=venue.secret, url=url)


def balances(venue):
    from bursar.sim.kraken.listing import coins, text

    held = venue.house.balances()
    return {code: text(amount, coins()[code].decimals) for code, amount in held.items()}


def test_ccxt_loads_the_markets(theirs):
    markets = theirs.load_markets()
    assert markets["BTC/USD"]["id"] == "XXBTZUSD"
    assert markets["DOG/EUR"]["id"] == "DOGEUR"
    assert markets["DOGE/EUR"]["id"] == "XDGEUR"
    assert markets["BTC/USD"]["precision"]["price"] == "0.1"
    assert theirs.currencies["BTC"]["id"] == "XXBT"


def test_ccxt_reads_ticker_candles_and_public_trades(theirs):
    ticker = theirs.fetch_ticker("ETH/USD")
    assert float(ticker["bid"]) < float(ticker["ask"])
    candles = theirs.fetch_ohlcv("ETH/USD", "1h")
    assert len(candles) == 720
    for _, opened, high, low, closed, volume in candles:
        assert float(low) <= min(float(opened), float(closed))
        assert float(high) >= max(float(opened), float(closed))
        assert float(volume) > 0
    trades = theirs.fetch_trades("ETH/USD")
    assert len(trades) == 1000
    assert trades[-1]["side"] in {"buy", "sell"}


def test_ccxt_reads_the_balance_and_open_orders(theirs, ours):
    balance = theirs.fetch_balance()
    stated = balances(ours)
    assert balance["BTC"]["total"].rstrip("0") == stated["XXBT"].rstrip("0")
    assert balance["USD"]["total"].rstrip("0") == stated["ZUSD"].rstrip("0")
    orders = theirs.fetch_open_orders()
    assert {order["id"] for order in orders} == {o.id for o in ours.house.open_orders()}
    assert all(order["status"] == "open" for order in orders)


def test_ccxt_pages_through_the_whole_trade_history(theirs, ours):
    found: dict[str, dict] = {}
    offset = 0
    while True:
        page = theirs.private_post_tradeshistory(
            {"ofs": offset, "consolidate_taker": "false", "end": str(ours.house.now // 10**9)}
        )["result"]
        found |= page["trades"]
        offset += 50
        if offset >= int(page["count"]):
            break
    assert set(found) == {each.id for each in ours.house.account.trades}
    parsed = theirs.parse_trades([{"id": name} | each for name, each in found.items()])
    assert len(parsed) == len(found)


def test_ccxt_pages_through_the_whole_ledger(theirs, ours):
    found: dict[str, dict] = {}
    offset, total = 0, 1
    while offset < total:
        page = theirs.private_post_ledgers({"ofs": offset})["result"]
        found |= page["ledger"]
        offset, total = offset + 50, int(page["count"])
    assert list(found) == [row.id for row in ours.house.account.rows[::-1]]
    parsed = theirs.parse_ledger([{"id": name} | row for name, row in found.items()])
    assert len(parsed) == len(found)


def test_ccxt_reads_one_page_of_trades_ledger_and_closed_orders(theirs):
    assert len(theirs.fetch_my_trades()) == 50  # silently not all, as at the venue
    assert len(theirs.fetch_ledger()) == 50
    assert len(theirs.fetch_closed_orders()) == 50
    order = theirs.fetch_closed_orders(limit=1)[0]
    assert theirs.fetch_order(order["id"])["id"] == order["id"]


def test_ccxt_reads_deposits_and_withdrawals(theirs, ours):
    theirs.load_markets()
    for fetched, is_deposit in ((theirs.fetch_deposits, True), (theirs.fetch_withdrawals, False)):
        found = {each["id"] for each in fetched("BTC")}
        known = {
            p.refid
            for p in ours.house.account.passages
            if p.is_deposit is is_deposit and p.code == "XXBT"
        }
        assert found == known


@pytest.mark.parametrize("words", ERRORS)
def test_ccxt_raises_what_it_has_for_the_error(theirs, ours, words):
    table = theirs.exceptions["exact"]
    ours.script.add(Fault.ERROR, endpoint="BalanceEx", value=words)
    with pytest.raises(table.get(words, ccxt.ExchangeError), match=words):
        theirs.private_post_balanceex()


def test_ccxt_has_a_class_for_most_errors(theirs):
    assert len(set(ERRORS) & set(theirs.exceptions["exact"])) >= len(ERRORS) // 2


def test_ccxt_takes_a_warning_a_throttle_and_a_bad_signature_for_plain_errors(theirs, ours):
    theirs.load_markets()
    for fault in (Fault.WARNING, Fault.THROTTLED):
        ours.script.add(fault, endpoint="BalanceEx")
        with pytest.raises(ccxt.ExchangeError):
            theirs.fetch_balance()
    theirs.secret = "a2V5"
    with pytest.raises(ccxt.ExchangeError, match="Invalid signature"):
        theirs.fetch_balance()


def test_ccxt_meets_the_troubles_of_the_wire(theirs, ours):
    theirs.load_markets()
    for fault, value, raised in (
        (Fault.STATUS, 502, ccxt.ExchangeNotAvailable),
        (Fault.STATUS, 520, ccxt.ExchangeNotAvailable),
        (Fault.TOO_MANY, 3, ccxt.RateLimitExceeded),
        (Fault.RESET, "", ccxt.NetworkError),
        (Fault.TIMEOUT, "", ccxt.RequestTimeout),
    ):
        theirs.timeout = 300
        ours.script.add(fault, endpoint="BalanceEx", value=value)
        with pytest.raises(raised):
            theirs.fetch_balance()
        theirs.timeout = 10_000


def test_the_sdk_reads_the_market(place):
    _, url = place
    market = Market(url=url)
    assert market.get_assets(assets="XBT")["XXBT"]["decimals"] == 10
    assert market.get_asset_pairs(pair=["XBTEUR"])["XXBTZEUR"]["wsname"] == "XBT/EUR"
    assert set(market.get_ticker(pair="XBTUSD,DOTUSD")) == {"XXBTZUSD", "DOTUSD"}
    candles = market.get_ohlc(pair="XBTUSD", interval=60)
    assert candles["last"] == candles["XXBTZUSD"][-2][0]
    trades = market.get_recent_trades(pair="XBTUSD")
    assert len(trades["last"]) == 19
    assert market.get_system_status()["status"] == "online"
    with pytest.raises(kraken.exceptions.KrakenUnknownAssetError):  # its own reading of the words
        market.get_ticker(pair="NONESUCH")


def test_the_sdk_reads_the_account(user, ours):
    assert user.get_account_balance() == balances(ours)
    extended = user.get_balances()
    assert {code: each["balance"] for code, each in extended.items()} == balances(ours)
    assert float(user.get_trade_balance()["eb"]) > 0
    assert set(user.get_open_orders()["open"]) == {o.id for o in ours.house.open_orders()}
    closed = user.get_closed_orders(trades=True)["closed"]
    assert len(closed) == 50
    first = next(iter(closed))
    assert user.get_orders_info(txid=first)[first]["status"] == closed[first]["status"]


def test_the_sdk_pages_through_trades_and_ledger(user, ours):
    def whole(fetch, name):
        found: dict[str, dict] = {}
        offset, total = 0, 1
        while offset < total:
            page = fetch(ofs=offset)
            found |= page[name]
            offset, total = offset + 50, page["count"]
        return found

    trades = whole(lambda ofs: user.get_trades_history(ofs=ofs, consolidate_taker=False), "trades")
    assert set(trades) == {each.id for each in ours.house.account.trades}
    rows = whole(lambda ofs: user.get_ledgers_info(ofs=ofs), "ledger")
    assert set(rows) == {row.id for row in ours.house.account.rows}
    some = list(rows)[:3]
    assert user.get_ledgers(id_=some) == {name: rows[name] for name in some}
    one = next(iter(trades))
    assert user.get_trades_info(txid=one)[one]["vol"] == trades[one]["vol"]
    merged = whole(lambda ofs: user.get_trades_history(ofs=ofs), "trades")
    assert len(merged) < len(trades)  # it asks for merged fills unless told not to


@pytest.mark.parametrize("words", ERRORS)
def test_the_sdk_raises_what_it_has_for_the_error(user, ours, words):
    raised = kraken.exceptions._get_exception([words])  # the first whose words are in these
    ours.script.add(Fault.ERROR, endpoint="Balance", value=words)
    if raised is not None:
        with pytest.raises(raised):
            user.get_account_balance()
    else:  # it hands the envelope over
        assert user.get_account_balance()["error"] == [words]


def test_ccxt_watches_prices_and_its_own_fills():
    from ccxt import pro

    invented = account(11, 700)
    venue = fake(invented, until=invented.trades[100].time)

    async def watch():
        live = Live(venue, pace_s=0.02)
        async with serve(venue) as url, serve_ws(live) as ws_url:
            client = pro.kraken({"apiKey": venue.key, "secret": venue.secret})
            ways = client.urls["api"]
            client.urls["api"] = {name: url for name in ways if name != "ws"} | {
                "ws": dict.fromkeys(ways["ws"], ws_url)
            }
            try:
                ticker = await asyncio.wait_for(client.watch_ticker("BTC/USD"), 20)
                known = await asyncio.wait_for(client.watch_my_trades(), 20)
                venue.house.arrive(60)
                new = await asyncio.wait_for(client.watch_my_trades(), 20)
                return ticker, [each["id"] for each in known], [each["id"] for each in new]
            finally:
                await client.close()

    ticker, known, new = asyncio.run(watch())
    assert 0 < ticker["bid"] < ticker["ask"]
    assert known == [each.id for each in invented.trades[51:101]]
    assert new
    assert not set(new) & set(known)
