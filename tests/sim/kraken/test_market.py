"""The market: any instant at once, candles that say what the trades say, and the venue's lists."""

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from bursar.sim.kraken.listing import coded, coins, named, pairs
from bursar.sim.kraken.market import DAY, MINUTE, Market
from tests.sim.kraken.places import SECOND, account, fake, look

ROOT = Path(__file__).parents[3]
SHARED = Path(os.environ.get("BURSAR_SHARED", ROOT.parent / "shared"))
OWN = SHARED / "venues" / "kraken" / "own-made"
NOW = 1_700_000_000 * SECOND
ahead = pytest.mark.skipif(
    not OWN.is_dir(), reason=f"NOT RUN: recorded Kraken data is not at {OWN} (BURSAR_SHARED)"
)


@pytest.mark.parametrize("key", ["XXBTZUSD", "DOTUSD", "XETHXXBT", "DOGEUR"])
def test_candles_say_what_the_trades_say(key):
    market, pair = Market(3), pairs()[key]
    for start, length in ((NOW // DAY * DAY, DAY), (NOW // MINUTE * MINUTE, 60 * MINUTE)):
        candle = market.candle(pair, start, start + length)
        assert candle is not None
        numbers = range(
            market.first_after(pair, start - 1), market.first_after(pair, start + length - 1)
        )
        trades = [market.trade(pair, number) for number in numbers]
        prices = [trade.price for trade in trades]
        assert (candle.open, candle.close) == (prices[0], prices[-1])
        assert candle.low <= min(prices) <= max(prices) <= candle.high
        assert candle.trades == len(trades)
        assert candle.volume == sum(trade.volume for trade in trades)
        assert all(start <= trade.time < start + length for trade in trades)


def test_prices_do_not_depend_on_what_was_asked_before():
    one, other, pair = Market(3), Market(3), pairs()["SOLUSD"]
    instants = [NOW + step * 777 * SECOND for step in range(200)]
    forwards = [one.price(pair, at) for at in instants]
    assert [other.price(pair, at) for at in reversed(instants)] == forwards[::-1]
    assert len(set(forwards)) > 50
    assert [Market(4).price(pair, at) for at in instants] != forwards


def test_a_stretch_without_trades_has_no_candle():
    market, pair = Market(3), pairs()["ZEUSUSD"]
    found = [market.candle(pair, NOW + n * MINUTE, NOW + (n + 1) * MINUTE) for n in range(30)]
    assert None in found
    assert any(found)


def test_trades_of_the_account_are_at_the_price_of_the_market():
    invented = account()
    market = invented.market
    for trade in invented.trades[::7]:
        assert (
            abs(trade.price - market.price(pairs()[trade.pair], trade.time)) <= trade.price // 100
        )


@ahead
def test_every_pair_that_cannot_be_split_is_listed_with_its_sides():
    for trap in json.loads((OWN / "pair-traps.json").read_text()):
        pair = pairs()[trap["pair_key"]]
        assert pair.wsname == trap["wsname"]
        assert named()[pair.wsname] is named()[pair.altname] is pair


@ahead
def test_every_code_is_listed():
    for said in json.loads((OWN / "asset-codes.json").read_text()):
        assert said["code"] in coded() or said["code"] == "BTC", said
    assert coded()["XBT"] is coins()["XXBT"]


@pytest.fixture
def venue():
    return fake(step=0)


def test_a_pair_is_answered_under_its_key(venue):
    assert list(look(venue, "Ticker", pair="XBTEUR,XBT/USD")["result"]) == ["XXBTZEUR", "XXBTZUSD"]
    assert look(venue, "Ticker", pair="XBTNONE")["error"] == ["EQuery:Unknown asset pair"]
    assert set(look(venue, "AssetPairs")["result"]) == set(pairs())
    assert set(look(venue, "Assets", asset="XBT,ZEUR")["result"]) == {"XXBT", "ZEUR"}
    assert look(venue, "Assets", asset="NONE")["error"] == ["EQuery:Unknown asset"]


def test_the_last_candle_is_still_open(venue):
    said = look(venue, "OHLC", pair="XBTUSD", interval=60)["result"]
    rows = said["XXBTZUSD"]
    assert len(rows) == 720
    assert [b[0] - a[0] for a, b in pairwise(rows)] == [3600] * 719
    assert rows[-1][0] == venue.house.now // SECOND // 3600 * 3600
    assert said["last"] == rows[-2][0]
    venue.house.clock.move(60)
    again = look(venue, "OHLC", pair="XBTUSD", interval=60)["result"]["XXBTZUSD"]
    assert again[:-1] == rows[:-1]
    assert again[-1] != rows[-1]
    later = look(venue, "OHLC", pair="XBTUSD", interval=60, since=said["last"])["result"]
    assert [row[0] for row in later["XXBTZUSD"]] == [rows[-1][0]]
    for fields in ({"interval": 7}, {"since": "x"}):
        refused = look(venue, "OHLC", pair="XBTUSD", **fields)["error"]
        assert refused[0].startswith("EGeneral:Invalid arguments")
    assert look(venue, "OHLC")["error"] == ["EGeneral:Invalid arguments"]


def test_public_trades_are_read_on_by_their_id(venue):
    start = venue.house.now - 2 * DAY
    found, since = [], str(start)
    while True:
        said = look(venue, "Trades", pair="XBTUSD", since=since)["result"]
        if not said["XXBTZUSD"]:
            break
        found += said["XXBTZUSD"]
        since = said["last"]
        assert len(since) == 19
    numbers = [row[6] for row in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) in range(2 * 1440 - 2, 2 * 1440 + 2)
    assert all(start < int(row[2] * SECOND) + 100 for row in found)
    by_seconds = look(venue, "Trades", pair="XBTUSD", since=start // SECOND, count=1)["result"]
    assert by_seconds["XXBTZUSD"][0][6] <= numbers[0]
    assert len(look(venue, "Trades", pair="XBTUSD")["result"]["XXBTZUSD"]) == 1000
    for fields in ({"count": 0}, {"count": 1001}, {"since": "x"}):
        refused = look(venue, "Trades", pair="XBTUSD", **fields)["error"]
        assert refused[0].startswith("EGeneral:Invalid arguments")


def test_the_ticker_stands_around_the_last_price(venue):
    for key, said in look(venue, "Ticker")["result"].items():
        assert said["b"][0] <= said["a"][0] or len(said["a"][0]) > len(said["b"][0]), key
        assert said["l"][1] <= said["l"][0] or len(said["l"][0]) > len(said["l"][1])
        assert said["t"][1] >= said["t"][0]


def test_time_is_in_whole_seconds(venue):
    said = look(venue, "Time")["result"]
    assert said["unixtime"] == venue.house.now // SECOND
    assert said["rfc1123"].endswith("+0000")
    assert look(venue, "SystemStatus")["result"]["status"] == "online"
    assert look(venue, "Nothing")["error"] == ["EGeneral:Unknown method"]
